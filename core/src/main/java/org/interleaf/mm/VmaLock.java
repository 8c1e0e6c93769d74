// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.LockMode;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Word.Entered;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// The locks of single VMAs (mm/mmap_lock.c, include/linux/mmap_lock.h).
///
/// # Locking
///
/// Readers count themselves in `vm_refcnt`. The writer holds the mmap lock for writing; it puts a
/// bit into the count that lets no reader in any more, waits until those inside have left, and
/// marks the VMA with the mmap lock's sequence count before it takes the bit out again. A reader
/// that comes then sees the equal counts and goes away. All VMAs are unlocked at once when the
/// sequence count moves on.
///
/// | CPU 0 vma_start_read               | CPU 1 vma_start_write                    |
/// |------------------------------------|------------------------------------------|
/// | vm_lock_seq != mm_lock_seq         |                                          |
/// |                                    | vm_refcnt += EXCLUDE_READERS; == target? |
/// |                                    | vm_lock_seq = mm_lock_seq                |
/// |                                    | vm_refcnt -= EXCLUDE_READERS             |
/// | vm_refcnt++                        |                                          |
/// | vm_lock_seq == mm_lock_seq: vm_refcnt--, give up |                            |
///
/// Values of `vm_refcnt`: 0 detached, 1 attached and not read-locked, above that readers.
///
/// The kernel's VMAs can be freed and become those of other processes while a reader looks; objects
/// here are never used again, so its look at `vm_mm` is left out.
public final class VmaLock {
    /// `VM_REFCNT_EXCLUDE_READERS_FLAG`.
    private static final long EXCLUDE_READERS = 1L << 30;

    private final Machine machine;
    private final MmapLock mmapLock;

    /// What became of an attempt to read-lock.
    private enum Attempt {
        LOCKED,
        /// A writer has the VMA, or may have it.
        BUSY,
        /// The VMA is no part of the address space any more.
        DETACHED
    }

    VmaLock(Machine machine, MmapLock mmapLock) {
        this.machine = machine;
        this.mmapLock = mmapLock;
    }

    // ---- readers

    /// mm/mmap_lock.c: lock_vma_under_rcu(). The VMA of `addr`, read-locked; null where there is
    /// none or a writer may be at work, whereupon the caller takes the mmap lock.
    public @Nullable Vma lockVmaUnderRcu(MmStruct mm, long addr) {
        Rounds retries = null;
        while (true) {
            machine.rcu().readLock();
            Vma vma = Objects.requireNonNull(mm.vmas.read(Order.DEPENDENCY)).lookup(addr);
            if (vma == null) {
                machine.rcu().readUnlock();
                return null;
            }
            Attempt attempt = vmaStartRead(mm, vma);
            if (attempt == Attempt.BUSY) {
                return null;
            }
            if (attempt == Attempt.LOCKED) {
                machine.rcu().readUnlock();
                return stillContaining(vma, addr);
            }
            retries = machine.retry(retries, "lock_vma_under_rcu");
        }
    }

    /// mm/mmap_lock.c: lock_next_vma(). The first VMA that ends after `from`, read-locked; null
    /// where there is none. The caller is in an RCU section, and is in one afterwards; it may have
    /// slept in between. Never skips a VMA that is there all the time.
    @Nullable Vma lockNextVma(MmStruct mm, long from) {
        Rounds retries = null;
        while (true) {
            long seq = mm.mmLockSeq.loadAcquire(); // mmap_lock_speculate_try_begin()
            Vma vma = next(mm, from);
            if (vma == null) {
                return null;
            }
            Attempt attempt = vmaStartRead(mm, vma);
            if (attempt == Attempt.LOCKED) {
                if (isNext(mm, vma, from, seq)) {
                    return vma;
                }
                machine.rcu().readUnlock();
                vmaEndRead(vma);
            }
            if (attempt != Attempt.DETACHED) {
                vma = lockNextVmaUnderMmapLock(mm, from);
                machine.rcu().readLock();
                return vma;
            }
            machine.rcu().readLock();
            retries = machine.retry(retries, "lock_next_vma");
        }
    }

    private static @Nullable Vma next(MmStruct mm, long from) {
        return Objects.requireNonNull(mm.vmas.read(Order.DEPENDENCY)).find(from);
    }

    /// Whether the locked VMA is still the next one, for all that may have changed since the mmap
    /// lock's sequence count was `seq`.
    private static boolean isNext(MmStruct mm, Vma vma, long from, long seq) {
        if (from >= vma.end()) {
            return false;
        }
        if (from >= vma.start()) {
            return true;
        }
        boolean quiet = (seq & 1) == 0 && mm.mmLockSeq.readOnce() == seq;
        return quiet || next(mm, from) == vma;
    }

    /// mm/mmap_lock.c: lock_next_vma_under_mmap_lock().
    private @Nullable Vma lockNextVmaUnderMmapLock(MmStruct mm, long from) {
        mmapLock.readLock(mm);
        Vma vma = next(mm, from);
        if (vma != null) {
            vmaStartReadLocked(vma);
        }
        mmapLock.readUnlock(mm);
        return vma;
    }

    /// The VMA may have been cut between the lookup and the lock.
    private @Nullable Vma stillContaining(Vma vma, long addr) {
        if (addr < vma.start() || addr >= vma.end()) {
            vmaEndRead(vma);
            return null;
        }
        return vma;
    }

    /// mm/mmap_lock.c: vma_start_read(). Called inside an RCU section, which it leaves on failure.
    /// May say busy without need, but never locked.
    private Attempt vmaStartRead(MmStruct mm, Vma vma) {
        if (vma.lockSeq.readOnce() == mm.mmLockSeq.readOnce()) {
            return failed(Attempt.BUSY);
        }
        Entered entered = vma.refcnt.enter(EXCLUDE_READERS, Order.ACQUIRE);
        if (entered != Entered.IN) {
            return failed(entered == Entered.NOTHING ? Attempt.DETACHED : Attempt.BUSY);
        }
        vma.depMap.acquired(LockMode.TRY_READ);
        if (vma.lockSeq.readPlain() == mm.mmLockSeq.loadAcquire()) {
            vmaEndRead(vma);
            return failed(Attempt.BUSY);
        }
        return Attempt.LOCKED;
    }

    private Attempt failed(Attempt how) {
        machine.rcu().readUnlock();
        return how;
    }

    /// include/linux/mmap_lock.h: vma_end_read(), vma_refcount_put(). A writer that waits sees the
    /// count fall by itself.
    public void vmaEndRead(Vma vma) {
        vma.depMap.released();
        vma.refcnt.add(-1, Order.RELEASE);
    }

    /// include/linux/mmap_lock.h: vma_start_read_locked(). Under the mmap lock held for reading,
    /// which keeps writers out; false only where too many readers hold the lock.
    public boolean vmaStartReadLocked(Vma vma) {
        mmapLock.assertLocked(vma.mm());
        boolean locked = vma.refcnt.enter(EXCLUDE_READERS, Order.ACQUIRE) == Entered.IN;
        if (locked) {
            vma.depMap.acquired(LockMode.TRY_READ);
        }
        return locked;
    }

    // ---- writers

    /// include/linux/mmap_lock.h: vma_start_write(). Keeps readers out until the mmap lock, which
    /// the caller holds for writing, is released or downgraded; waits for those that are in.
    public void vmaStartWrite(Vma vma) {
        if (vma.lockSeq.readPlain() == rawMmSeqnum(vma)) {
            return;
        }
        long mmLockSeq = rawMmSeqnum(vma);
        boolean exclusive = startExcludeReaders(vma, 1);
        vma.lockSeq.writeOnce(mmLockSeq);
        if (exclusive && endExcludeReaders(vma)) {
            warn(vma, "was detached while it was being write-locked");
        }
    }

    /// include/linux/mmap_lock.h: __vma_raw_mm_seqnum().
    private long rawMmSeqnum(Vma vma) {
        mmapLock.assertWriteLocked(vma.mm());
        return vma.mm().mmLockSeq.readPlain();
    }

    /// mm/mmap_lock.c: __vma_start_exclude_readers(). Lets no reader in and waits until `attached`
    /// references are left, which are not readers'; false where the VMA is detached.
    private boolean startExcludeReaders(Vma vma, long attached) {
        if (vma.refcnt.addUnless(EXCLUDE_READERS, 0, Order.RELAXED) == 0) {
            return false;
        }
        machine.mightSleep("__vma_start_exclude_readers");
        vma.depMap.acquiring(LockMode.WRITE);
        vma.refcnt.await(-1, EXCLUDE_READERS | attached);
        vma.depMap.acquired(LockMode.WRITE);
        return true;
    }

    /// mm/mmap_lock.c: __vma_end_exclude_readers(). Whether the VMA is detached now.
    private boolean endExcludeReaders(Vma vma) {
        vma.depMap.released();
        return vma.refcnt.fetchAdd(-EXCLUDE_READERS, Order.RELEASE) == EXCLUDE_READERS;
    }

    /// include/linux/mmap_lock.h: vma_mark_attached(). The VMA, write-locked, is about to go into
    /// the tree.
    void vmaMarkAttached(Vma vma) {
        assertWriteLocked(vma);
        if (vma.refcnt.readOnce() != 0) {
            warn(vma, "is attached already");
        }
        vma.refcnt.storeRelease(1);
    }

    /// include/linux/mmap_lock.h: vma_mark_detached(). After this no reader can lock the VMA, which
    /// the caller has write-locked; waits for readers that looked at it meanwhile to give up.
    void vmaMarkDetached(Vma vma) {
        assertWriteLocked(vma);
        if (vma.refcnt.readOnce() == 0) {
            warn(vma, "is detached already");
        }
        if (vma.refcnt.fetchAdd(-1, Order.RELEASE) != 1) {
            excludeReadersForDetach(vma);
        }
    }

    /// mm/mmap_lock.c: __vma_exclude_readers_for_detach().
    private void excludeReadersForDetach(Vma vma) {
        if (startExcludeReaders(vma, 0) && !endExcludeReaders(vma)) {
            warn(vma, "could not be detached");
        }
    }

    /// include/linux/mmap_lock.h: vma_assert_locked(). Complains where the running task has not
    /// locked the VMA in some mode; no access.
    void assertLocked(Vma vma) {
        if (!vma.depMap.held()) {
            assertWriteLocked(vma);
        }
    }

    /// include/linux/mmap_lock.h: vma_assert_write_locked(); no access.
    void assertWriteLocked(Vma vma) {
        mmapLock.assertWriteLocked(vma.mm());
        if (vma.lockSeq.peek() != vma.mm().mmLockSeq.peek()) {
            warn(vma, "is not write-locked");
        }
    }

    private void warn(Vma vma, String what) {
        machine.monitor().complained(machine.current(), "WARNING", vma + " " + what);
    }
}
