// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.LockClasses;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Copying an address space, and taking one down (kernel/fork.c, mm/mmap.c).
///
/// # Locking
///
/// The parent's mmap lock is held for writing, and each VMA is write-locked, so that no fault is
/// under way; GUP-fast is told by `write_protect_seq` that pages are becoming shared. The child's
/// locks are taken too, though nobody else knows it yet.
public final class Fork {
    private final Kernel kernel;
    private final Machine machine;

    Fork(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// kernel/fork.c: dup_mm(). A copy of the address space; null where memory is out.
    public @Nullable MmStruct dupMm(MmStruct oldmm, String name) {
        MmStruct mm = kernel.allocMm(name);
        if (mm == null) {
            return null;
        }
        if (!dupMmap(mm, oldmm)) {
            mmput(mm);
            return null;
        }
        return mm;
    }

    /// mm/mmap.c: dup_mmap(). False where memory ran out on the way.
    private boolean dupMmap(MmStruct mm, MmStruct oldmm) {
        List<UffdEvents.Forked> forks = new ArrayList<>();
        kernel.mmapLock().writeLock(oldmm);
        kernel.mmapLock().writeLockNested(mm, LockClasses.SINGLE_DEPTH_NESTING);
        boolean copied = true;
        List<Vma> copies = new ArrayList<>();
        for (Vma vma : Objects.requireNonNull(oldmm.vmas.read(Order.PLAIN)).vmas()) {
            copied = copied && dupVma(mm, vma, copies, forks);
        }
        kernel.mmapLock().writeUnlock(mm);
        kernel.tlbFlush().flushTlbMm(oldmm);
        kernel.mmapLock().writeUnlock(oldmm);
        if (copied) {
            kernel.uffdEvents().dupComplete(forks);
        } else {
            kernel.uffdEvents().dupFail(forks);
        }
        return copied;
    }

    /// One round of dup_mmap().
    private boolean dupVma(MmStruct mm, Vma vma, List<Vma> copies, List<UffdEvents.Forked> forks) {
        kernel.vmaLock().vmaStartWrite(vma);
        Vma copy = kernel.vmaSplit().vmAreaDup(vma, mm);
        kernel.uffdEvents().dup(copy, forks);
        kernel.anonVmas().anonVmaFork(copy, vma);
        kernel.vmaLock().vmaStartWrite(copy);
        if (copy.isHugetlb()) {
            kernel.hugetlb().vmas().dupVmaPrivate(copy);
        }
        copies.add(copy);
        kernel.vmaLock().vmaMarkAttached(copy);
        mm.vmas.write(new VmaTree(machine, copies), Order.RELEASE);
        kernel.vmaSplit().openFile(copy);
        if (!copy.isAnonymous()) {
            kernel.mappingRmap().vmaLinkFile(copy);
        }
        return kernel.copyPageRange().copy(copy, vma);
    }

    /// include/linux/sched/mm.h: mmget_not_zero(). A further user, unless there is none any more.
    public boolean mmgetNotZero(MmStruct mm) {
        if (mm == kernel.currentMm()) {
            // It has a user, who is asking: so it makes no difference which of two comes first.
            mm.users.add(1, Order.FULL);
            return true;
        }
        return mm.users.addUnless(1, 0, Order.FULL) != 0;
    }

    /// kernel/fork.c: mmput(), __mmput(). A user fewer; the last one takes the address space down.
    public void mmput(MmStruct mm) {
        if (mm == kernel.currentMm()) {
            mm.users.add(-1, Order.FULL);
            return;
        }
        if (mm.users.fetchAdd(-1, Order.FULL) == 1) {
            exitMmap(mm);
            mmdrop(mm);
        }
    }

    /// kernel/fork.c: __mmdrop(), where this was the last who needs the object.
    void mmdrop(MmStruct mm) {
        if (mm.dropLast()) {
            kernel.freeMm(mm);
        }
    }

    /// mm/mmap.c: exit_mmap(). Nobody uses the address space any more, but those who keep
    /// translations of it have not been told.
    private void exitMmap(MmStruct mm) {
        kernel.mmuNotifier().release(mm);
        List<Vma> vmas = Objects.requireNonNull(mm.vmas.read(Order.PLAIN)).vmas();
        MmuGather tlb = kernel.tlbGatherMmu(mm);
        kernel.mmapLock().readLock(mm);
        kernel.zap().unmapVmas(tlb, vmas, 0, kernel.geometry().taskSize());
        kernel.mmapLock().readUnlock(mm);
        kernel.mmapLock().writeLock(mm);
        kernel.freePgtables().freePgtables(tlb, vmas, 0, 0, true);
        tlb.finish();
        for (Vma vma : vmas) {
            kernel.munmap().removeVma(vma);
        }
        mm.vmas.write(new VmaTree(machine, List.of()), Order.RELEASE);
        kernel.mmapLock().writeUnlock(mm);
        kernel.files().taskWorkRun();
    }

    /// arch/x86/mm/tlb.c: switch_mm(). From here on the running task's CPU may hold translations of
    /// the address space.
    public void switchMm(MmStruct mm) {
        mm.cpumask.fetchOr(1L << machine.cpu().id(), Order.FULL);
        machine.fence(Fence.MB);
    }
}
