// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Annotation;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;

/// The mmap lock together with the sequence count that ends the write locks of VMAs
/// (include/linux/mmap_lock.h).
///
/// Nobody is killed while waiting, so the killable variants are these as well.
public final class MmapLock {
    private final Machine machine;

    MmapLock(Machine machine) {
        this.machine = machine;
    }

    /// include/linux/mmap_lock.h: mmap_read_lock().
    public void readLock(MmStruct mm) {
        mm.mmapLock().downRead();
    }

    /// include/linux/mmap_lock.h: mmap_read_trylock().
    public boolean readTrylock(MmStruct mm) {
        return mm.mmapLock().downReadTrylock();
    }

    /// include/linux/mmap_lock.h: mmap_read_unlock().
    public void readUnlock(MmStruct mm) {
        mm.mmapLock().upRead();
    }

    /// include/linux/mmap_lock.h: mmap_write_lock(). From now on VMAs can be write-locked: the
    /// count is odd, and a VMA is write-locked while it carries the same count.
    public void writeLock(MmStruct mm) {
        mm.mmapLock().downWrite();
        seqBegin(mm);
    }

    /// include/linux/mmap_lock.h: mmap_write_lock_nested(). As {@link #writeLock}, with the lock of
    /// another process held.
    void writeLockNested(MmStruct mm, int subclass) {
        mm.mmapLock().downWriteNested(subclass);
        seqBegin(mm);
    }

    /// include/linux/mmap_lock.h: mm_lock_seqcount_begin().
    private void seqBegin(MmStruct mm) {
        machine.annotate(Annotation.ATOMIC_BEGIN); // do_raw_write_seqcount_begin()
        mm.mmLockSeq.fetchAdd(1, Order.PLAIN);
        machine.fence(Fence.WMB);
    }

    /// include/linux/mmap_lock.h: mmap_write_unlock(). Ends the write locks of all VMAs first.
    public void writeUnlock(MmStruct mm) {
        vmaEndWriteAll(mm);
        mm.mmapLock().upWrite();
    }

    /// include/linux/mmap_lock.h: mmap_write_downgrade(). Ends the write locks of all VMAs first;
    /// the caller then holds the lock for reading.
    public void writeDowngrade(MmStruct mm) {
        vmaEndWriteAll(mm);
        mm.mmapLock().downgradeWrite();
    }

    /// include/linux/mmap_lock.h: vma_end_write_all().
    private void vmaEndWriteAll(MmStruct mm) {
        machine.assertExclusiveWriter(mm.mmLockSeq);
        machine.fence(Fence.WMB);
        mm.mmLockSeq.fetchAdd(1, Order.PLAIN);
        machine.annotate(Annotation.ATOMIC_END); // do_raw_write_seqcount_end()
    }

    /// include/linux/mmap_lock.h: mmap_assert_locked(). Complains where the running task does not
    /// hold the lock; no access.
    void assertLocked(MmStruct mm) {
        assertThat(mm.mmapLock().held(), mm + ": mmap_lock is not held");
    }

    /// include/linux/mmap_lock.h: mmap_assert_write_locked(). As {@link #assertLocked}, for
    /// writing.
    void assertWriteLocked(MmStruct mm) {
        assertThat(mm.mmapLock().heldForWriting(), mm + ": mmap_lock is not held for writing");
    }

    private void assertThat(boolean condition, String otherwise) {
        if (!condition) {
            machine.monitor().complained(machine.current(), "WARNING", otherwise);
        }
    }
}
