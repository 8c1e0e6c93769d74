// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Faults that user space handles (mm/userfaultfd.c), in mappings of hugetlb.
///
/// # Locking
///
/// A fault queues itself before it looks whether it still has to wait; whoever resolves it changes
/// the entry before looking for somebody to wake. So one of the two sees the other. The locks of
/// the fault are dropped while it waits, and it is made again after that.
public final class Userfaultfd {
    /// `UFFDIO_REGISTER_MODE_MISSING`, `UFFDIO_REGISTER_MODE_MINOR`.
    public static final int MODE_MISSING = 1;

    public static final int MODE_MINOR = 4;

    /// `UFFD_PAGEFAULT_FLAG_WRITE`, `UFFD_PAGEFAULT_FLAG_MINOR`.
    public static final int FLAG_WRITE = 1;

    public static final int FLAG_MINOR = 4;

    private final Kernel kernel;
    private final Machine machine;

    Userfaultfd(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// mm/userfaultfd.c: new_userfaultfd(). userfaultfd(2), with the handshake of UFFDIO_API and no
    /// features.
    public UserfaultfdCtx create(MmStruct mm, boolean nonblock) {
        return new UserfaultfdCtx(machine, mm, nonblock);
    }

    /// mm/userfaultfd.c: userfaultfd_register(). UFFDIO_REGISTER, for a range in one mapping of
    /// hugetlb. 0 or a negative error number.
    public int register(UserfaultfdCtx ctx, long start, long len, int mode) {
        if (mode == 0 || (mode & ~(MODE_MISSING | MODE_MINOR)) != 0 || !validRange(start, len)) {
            return -Errno.EINVAL;
        }
        long vmFlags = (mode & MODE_MISSING) != 0 ? Vma.VM_UFFD_MISSING : 0;
        vmFlags |= (mode & MODE_MINOR) != 0 ? Vma.VM_UFFD_MINOR : 0;
        kernel.mmapLock().writeLock(ctx.mm);
        int ret = registerRange(ctx, start, start + len, vmFlags);
        kernel.mmapLock().writeUnlock(ctx.mm);
        return ret;
    }

    /// mm/userfaultfd.c: validate_range().
    boolean validRange(long start, long len) {
        long offset = kernel.geometry().pageSize() - 1;
        return ((start | len) & offset) == 0
                && len > 0
                && start >= 0
                && start + len <= kernel.geometry().taskSize();
    }

    /// mm/userfaultfd.c: userfaultfd_register_range(), and the checks before it.
    private int registerRange(UserfaultfdCtx ctx, long start, long end, long vmFlags) {
        Vma vma = kernel.mmap().vmaLookup(ctx.mm, start);
        if (vma == null || !vma.isHugetlb() || end > vma.end()) {
            return -Errno.EINVAL;
        }
        long offset = HugetlbVmas.hstate(vma).size() - 1;
        if (((start | end) & offset) != 0) {
            return -Errno.EINVAL;
        }
        UserfaultfdCtx owner = vma.userfaultfdCtx();
        if (owner != null && owner != ctx) {
            return -Errno.EBUSY;
        }
        int err = kernel.vmaSplit().vmaModify(vma, start, end);
        if (err != 0) {
            return err;
        }
        kernel.vmaLock().vmaStartWrite(vma);
        vma.setUserfaultfd(ctx, vmFlags);
        if (HugetlbPmdShare.disabledByUffd(vma)) {
            kernel.hugetlb().pmdShare().unshareAll(vma);
        }
        return 0;
    }

    // ---- faults

    /// mm/userfaultfd.c: handle_userfault(). Has user space handle a fault at `address`, of the
    /// kind `reason` (`VM_UFFD_…`). `RETRY`, with the fault's lock dropped; SIGBUS where the fault
    /// may not wait.
    int handleUserfault(Vma vma, long address, int flags, long reason) {
        UserfaultfdCtx ctx = vma.userfaultfdCtx();
        if (ctx == null || (flags & VmFault.FLAG_ALLOW_RETRY) == 0) {
            return VmFault.SIGBUS;
        }
        if ((flags & VmFault.FLAG_RETRY_NOWAIT) != 0) {
            return VmFault.RETRY;
        }
        int task = machine.current().id();
        long bit = 1L << task;
        long message = (flags & VmFault.FLAG_WRITE) != 0 ? FLAG_WRITE : 0;
        message |= reason == Vma.VM_UFFD_MINOR ? FLAG_MINOR : 0;
        ctx.message(task).writePlain(address | message);
        ctx.waken(task).writePlain(0);
        // The lock that keeps the tables sleeps: it comes before the queue.
        kernel.hugetlb().vmas().lockRead(vma);
        ctx.faultPendingLock.lock();
        ctx.linked(task).writePlain(1);
        ctx.faultPending.writeOnce(ctx.faultPending.readPlain() | bit);
        ctx.faultPendingLock.unlock();
        boolean mustWait = hugeMustWait(vma, address);
        kernel.hugetlb().vmas().unlockRead(vma);
        releaseFaultLock(vma, flags);
        if (mustWait) {
            ctx.readersLock.lock(); // wake_up_poll()
            ctx.readers.wakeAll();
            ctx.readersLock.unlock();
            machine.mightSleep("schedule");
            ctx.waken(task).await(1, 1);
        }
        if (ctx.linked(task).loadAcquire() != 0) { // list_empty_careful()
            ctx.faultPendingLock.lock();
            unlink(ctx, task);
            ctx.faultPendingLock.unlock();
        }
        return VmFault.RETRY;
    }

    /// mm/userfaultfd.c: userfaultfd_huge_must_wait(). Whether the entry is still such that the
    /// fault needs user space; read without its lock, since the fault is queued already.
    private boolean hugeMustWait(Vma vma, long address) {
        Hstate h = HugetlbVmas.hstate(vma);
        Word ptep = kernel.hugetlb().walk().walk(vma, h, address);
        if (ptep == null) {
            return true;
        }
        long pte = kernel.hugetlb().pte().get(h, ptep);
        return Entry.none(pte) || Entry.isUffdMarker(pte);
    }

    /// include/linux/mm.h: release_fault_lock().
    private void releaseFaultLock(Vma vma, int flags) {
        if ((flags & VmFault.FLAG_VMA_LOCK) != 0) {
            kernel.vmaLock().vmaEndRead(vma);
        } else {
            kernel.mmapLock().readUnlock(vma.mm());
        }
    }

    /// `list_del()` from whichever queue the task is in.
    private static void unlink(UserfaultfdCtx ctx, int task) {
        long bit = 1L << task;
        Word queue = (ctx.faultPending.readPlain() & bit) != 0 ? ctx.faultPending : ctx.faults;
        queue.fetchAnd(~bit, Order.ONCE);
        ctx.linked(task).writePlain(0);
    }

    // ---- user space

    /// mm/userfaultfd.c: userfaultfd_ctx_read(). Address and flags of a fault that nobody has read;
    /// waits for one, or -EAGAIN.
    public long read(UserfaultfdCtx ctx) {
        ctx.readersLock.lock();
        long ret = 0;
        while (ret == 0) {
            ctx.readers.prepare();
            ctx.faultPendingLock.lock();
            long pending = ctx.faultPending.readPlain();
            if (pending != 0) {
                ret = refile(ctx, Long.SIZE - 1 - Long.numberOfLeadingZeros(pending));
            }
            ctx.faultPendingLock.unlock();
            if (ret == 0 && ctx.nonblock) {
                ret = -Errno.EAGAIN;
            } else if (ret == 0) {
                ctx.readersLock.unlock();
                ctx.readers.sleep();
                ctx.readersLock.lock();
            }
        }
        ctx.readers.finish();
        ctx.readersLock.unlock();
        return ret;
    }

    /// The part of userfaultfd_ctx_read() that has found the fault of a task: it goes to the other
    /// queue. Returns its message.
    private static long refile(UserfaultfdCtx ctx, int task) {
        long bit = 1L << task;
        ctx.refileSeq.writeBegin();
        ctx.faultPending.writeOnce(ctx.faultPending.readPlain() & ~bit);
        ctx.faultsLock.lock(); // add_wait_queue()
        ctx.faults.writeOnce(ctx.faults.readPlain() | bit);
        ctx.faultsLock.unlock();
        ctx.refileSeq.writeEnd();
        return ctx.message(task).readPlain();
    }

    /// mm/userfaultfd.c: wake_userfault(). Has the faults in a range made again; UFFDIO_WAKE, and
    /// the end of the other requests.
    public void wake(UserfaultfdCtx ctx, long start, long len) {
        machine.fence(Fence.MB);
        boolean needWakeup;
        long seq;
        do {
            seq = ctx.refileSeq.readBegin();
            needWakeup = ctx.faultPending.readOnce() != 0 || ctx.faults.readOnce() != 0;
        } while (ctx.refileSeq.readRetry(seq));
        if (needWakeup) {
            wakeQueued(ctx, start, len);
        }
    }

    /// mm/userfaultfd.c: __wake_userfault().
    private static void wakeQueued(UserfaultfdCtx ctx, long start, long len) {
        ctx.faultPendingLock.lock();
        wakeQueue(ctx, ctx.faultPending, start, len);
        if (ctx.faults.readOnce() != 0) {
            SpinLock lock = ctx.faultsLock;
            lock.lock();
            wakeQueue(ctx, ctx.faults, start, len);
            lock.unlock();
        }
        ctx.faultPendingLock.unlock();
    }

    /// mm/userfaultfd.c: userfaultfd_wake_function(), for all in a queue.
    private static void wakeQueue(UserfaultfdCtx ctx, Word queue, long start, long len) {
        long left = queue.readPlain();
        for (long bits = left; bits != 0; bits &= bits - 1) {
            int task = Long.numberOfTrailingZeros(bits);
            long address = ctx.message(task).readPlain() & ~(FLAG_WRITE | FLAG_MINOR);
            if (address >= start && address < start + len) {
                left &= ~(1L << task);
                queue.writeOnce(left);
                ctx.linked(task).writeOnce(0); // list_del_init()
                ctx.waken(task).writeOnce(1);
            }
        }
    }

    /// mm/userfaultfd.c: uffd_lock_vma(), validate_dst_vma(). The mapping of `[start, start +
    /// len)`, read-locked; null where it is not all registered.
    @Nullable Vma mfillLock(UserfaultfdCtx ctx, long start, long len) {
        Vma vma = kernel.vmaLock().lockVmaUnderRcu(ctx.mm, start);
        if (vma != null && needsAnonVma(vma)) {
            kernel.vmaLock().vmaEndRead(vma);
            vma = null;
        }
        if (vma == null) {
            kernel.mmapLock().readLock(ctx.mm);
            vma = kernel.mmap().vmaLookup(ctx.mm, start); // find_vma_and_prepare_anon()
            if (vma != null) {
                if (needsAnonVma(vma)) {
                    kernel.anonVmas().anonVmaPrepare(vma);
                }
                kernel.vmaLock().vmaStartReadLocked(vma);
            }
            kernel.mmapLock().readUnlock(ctx.mm);
        }
        if (vma == null) {
            return null;
        }
        if (start + len > vma.end() || vma.userfaultfdCtx() == null) {
            kernel.vmaLock().vmaEndRead(vma);
            return null;
        }
        return Objects.requireNonNull(vma);
    }

    private static boolean needsAnonVma(Vma vma) {
        return (vma.flags() & Vma.VM_SHARED) == 0 && vma.anonVma.read(Order.PLAIN) == null;
    }
}
