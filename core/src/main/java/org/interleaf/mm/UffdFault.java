// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Word;

/// Faults that wait for user space (handle_userfault() of mm/userfaultfd.c).
///
/// # Order
///
/// A fault queues itself before it looks whether it still has to wait; whoever resolves it changes
/// the entry before looking for somebody to wake. So one of the two sees the other:
///
/// | fault                      | UFFDIO_COPY                    |
/// |----------------------------|--------------------------------|
/// | queues itself; full barrier | writes the entry; full barrier |
/// | reads the entry: still none? | looks into the queues         |
/// | drops its lock, sleeps     | wakes                          |
///
/// The lock of the fault is dropped while it waits, and the fault is made again after that.
final class UffdFault {
    private final Kernel kernel;
    private final Machine machine;

    UffdFault(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// mm/userfaultfd.c: handle_userfault(). Has user space handle a fault at `address`, of the
    /// kind `reason` (`VM_UFFD_…`). `RETRY`, with the fault's lock dropped; SIGBUS where the fault
    /// may not wait.
    int handleUserfault(Vma vma, long address, int flags, long reason) {
        UserfaultfdCtx ctx = vma.userfaultfdCtx();
        if (ctx == null
                || ctx.has(Userfaultfd.FEATURE_SIGBUS)
                || (flags & VmFault.FLAG_ALLOW_RETRY) == 0) {
            return VmFault.SIGBUS;
        }
        if ((flags & VmFault.FLAG_RETRY_NOWAIT) != 0) {
            return VmFault.RETRY;
        }
        if (ctx.released.readOnce() != 0) {
            // Closing waits for the lock: a fault that kept it would be made again for ever.
            awaitRelease(vma, flags);
            return VmFault.RETRY;
        }
        ctx.get();
        int task = machine.current().id();
        long message = (flags & VmFault.FLAG_WRITE) != 0 ? Userfaultfd.FLAG_WRITE : 0;
        message |= reason == Vma.VM_UFFD_WP ? Userfaultfd.FLAG_WP : 0;
        message |= reason == Vma.VM_UFFD_MINOR ? Userfaultfd.FLAG_MINOR : 0;
        ctx.message(task).writePlain(address | message);
        ctx.waken(task).writePlain(0);
        if (vma.isHugetlb()) {
            // It sleeps, so it comes before the queue.
            kernel.hugetlb().vmas().lockRead(vma);
        }
        enqueue(ctx, task);
        boolean mustWait;
        if (vma.isHugetlb()) {
            mustWait = hugeMustWait(vma, address, reason);
            kernel.hugetlb().vmas().unlockRead(vma);
        } else {
            mustWait = mustWait(ctx.mm, address, reason);
        }
        releaseFaultLock(vma, flags);
        if (mustWait && ctx.released.readOnce() == 0) {
            sleep(ctx, task);
        }
        leave(ctx, task);
        kernel.userfaultfd().ctxPut(ctx);
        return VmFault.RETRY;
    }

    /// The part of handle_userfault() from which on user space can see the fault.
    private static void enqueue(UserfaultfdCtx ctx, int task) {
        ctx.faultPendingLock.lock();
        ctx.linked(task).writePlain(1);
        ctx.faultPending.writeOnce(ctx.faultPending.readPlain() | 1L << task);
        ctx.faultPendingLock.unlock(); // with the barrier of set_current_state()
    }

    private void sleep(UserfaultfdCtx ctx, int task) {
        wakeUpPoll(ctx);
        machine.mightSleep("schedule");
        ctx.waken(task).await(1, 1);
    }

    /// `wake_up_poll()` of `fd_wqh`: there is something to read.
    static void wakeUpPoll(UserfaultfdCtx ctx) {
        ctx.readersLock.lock();
        ctx.readers.wakeAll();
        ctx.readersLock.unlock();
    }

    private static void leave(UserfaultfdCtx ctx, int task) {
        if (ctx.linked(task).loadAcquire() != 0) { // list_empty_careful()
            ctx.faultPendingLock.lock();
            UffdQueues.unlink(ctx, task);
            ctx.faultPendingLock.unlock();
        }
    }

    /// mm/userfaultfd.c: userfaultfd_huge_must_wait(). Whether the entry is still such that the
    /// fault needs user space; read without its lock, since the fault is queued already.
    private boolean hugeMustWait(Vma vma, long address, long reason) {
        Hstate h = HugetlbVmas.hstate(vma);
        Word ptep = kernel.hugetlb().walk().walk(vma, h, address);
        return ptep == null || unresolved(kernel.hugetlb().pte().get(h, ptep), reason);
    }

    /// Whether a fault for `reason` still needs user space. What a swap entry has where others say
    /// writable means nothing.
    private static boolean unresolved(long pte, long reason) {
        boolean wp = reason == Vma.VM_UFFD_WP;
        return missing(pte) || wp && Entry.ptePresent(pte) && !Entry.write(pte);
    }

    private static boolean missing(long pte) {
        return Entry.none(pte) || Entry.isUffdMarker(pte);
    }

    /// mm/userfaultfd.c: userfaultfd_must_wait(). The same for other memory.
    private boolean mustWait(MmStruct mm, long address, long reason) {
        Word entry = kernel.pgtable().pgdOffset(mm, address);
        for (int level = Geometry.P4D; level >= Geometry.PMD; level--) {
            if (!kernel.geometry().folded(level)) {
                if (!Entry.present(entry.readPlain())) {
                    return true;
                }
                entry = kernel.pgtable().offset(level, entry, address);
            }
        }
        Rounds retries = null;
        while (true) {
            long pmd = kernel.pgtableGeneric().pmdpGetLockless(entry);
            if (Entry.none(pmd)) {
                return true;
            }
            if (!Entry.present(pmd)) {
                return false;
            }
            if (Entry.leaf(pmd)) {
                return reason == Vma.VM_UFFD_WP && !Entry.write(pmd);
            }
            PteMapping pte = kernel.pgtableGeneric().pteOffsetMap(entry, address);
            if (pte != null) {
                long value = pte.pte().readOnce();
                pte.unmap();
                return unresolved(value, reason);
            }
            retries = machine.retry(retries, "userfaultfd_must_wait");
        }
    }

    /// Drops the fault's lock. The fault is made again until closing has changed the VMA, for which
    /// it locks the address space. That it comes to nothing again and again is the same as waiting
    /// for that, and finite; that it may come to something once more it has shown the first time.
    private void awaitRelease(Vma vma, int flags) {
        MmStruct mm = vma.mm();
        if ((flags & VmFault.FLAG_TRIED) == 0) {
            releaseFaultLock(vma, flags);
            return;
        }
        long seq = mm.mmLockSeq.readOnce();
        releaseFaultLock(vma, flags);
        mm.mmLockSeq.awaitNot(-1, seq);
    }

    /// include/linux/mm.h: release_fault_lock().
    private void releaseFaultLock(Vma vma, int flags) {
        if ((flags & VmFault.FLAG_VMA_LOCK) != 0) {
            kernel.vmaLock().vmaEndRead(vma);
        } else {
            kernel.mmapLock().readUnlock(vma.mm());
        }
    }
}
