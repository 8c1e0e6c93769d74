// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Objects;

/// Cutting VMAs in two (mm/vma.c). The mmap lock is held for writing throughout.
final class VmaSplit {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;
    private final VmaMerge merge;

    VmaSplit(Kernel kernel) {
        this.merge = new VmaMerge(kernel);
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    /// mm/vma.c: __split_vma(). Cuts `vma` at `addr`, which is inside it. The VMA keeps the upper
    /// part where `newBelow`, else the lower one; a new VMA gets the other. 0 or a negative error
    /// number.
    int splitVma(Vma vma, long addr, boolean newBelow) {
        kernel.warnOn(vma.start() >= addr, "a VMA is split below its start");
        kernel.warnOn(vma.end() <= addr, "a VMA is split beyond its end");
        int err = maySplit(vma, addr);
        if (err != 0) {
            return err;
        }
        Vma fresh = newBelow ? dup(vma, vma.start(), addr) : dup(vma, addr, vma.end());
        kernel.anonVmas().anonVmaClone(fresh, vma);
        openFile(fresh);
        kernel.vmaLock().vmaStartWrite(vma);
        kernel.vmaLock().vmaStartWrite(fresh);

        AnonVma anonVma = vma.anonVma.read(Order.PLAIN);
        vmaPrepare(vma, fresh, anonVma);
        vmaAdjustTransHuge(vma, vma.start(), addr);
        if (vma.isHugetlb()) {
            kernel.hugetlb().pmdShare().split(vma, addr);
        }
        if (newBelow) {
            vma.start.writePlain(addr);
            vma.pgoff.writePlain(vma.pgoff() + pages(fresh.start(), addr));
        } else {
            vma.end.writePlain(addr);
        }
        vmaComplete(vma, fresh, anonVma);
        return 0;
    }

    /// `vm_ops->may_split()`: 0 or a negative error number.
    static int maySplit(Vma vma, long addr) {
        if (vma.isAnonymous()) {
            return 0;
        }
        return vma.isHugetlb() ? HugetlbVmas.maySplit(vma, addr) : vma.ops().maySplit(vma, addr);
    }

    /// The copy of a VMA holds its file as well (`get_file()`, `vm_ops->open()`).
    void openFile(Vma fresh) {
        if (!fresh.isAnonymous()) {
            kernel.files().getFile(fresh.file());
        }
        if (fresh.isHugetlb()) {
            kernel.hugetlb().vmas().open(fresh);
        }
    }

    /// mm/vma.c: vma_prepare(). Keeps rmap from the VMA while it changes.
    private void vmaPrepare(Vma vma, Vma fresh, @Nullable AnonVma anonVma) {
        if (!vma.isAnonymous()) {
            vma.inode().mmapRwsem().downWrite();
            kernel.mappingRmap().insert(fresh);
        }
        if (anonVma != null) {
            anonVma.rwsem().downWrite();
        }
        if (!vma.isAnonymous()) {
            kernel.mappingRmap().remove(vma);
        }
    }

    /// mm/vma.c: vma_complete().
    private void vmaComplete(Vma vma, Vma fresh, @Nullable AnonVma anonVma) {
        if (!vma.isAnonymous()) {
            kernel.mappingRmap().insert(vma);
        }
        vmaIterStoreNew(fresh);
        if (anonVma != null) {
            anonVma.rwsem().upWrite();
        }
        if (!vma.isAnonymous()) {
            vma.inode().mmapRwsem().upWrite();
        }
    }

    private long pages(long from, long to) {
        return (to - from) >> geometry.pageShift();
    }

    /// mm/vma_init.c: vm_area_dup(), and the new bounds: a copy of a part, that nobody knows of
    /// yet.
    private Vma dup(Vma vma, long start, long end) {
        long pgoff = vma.pgoff() + pages(vma.start(), start);
        return dup(vma, vma.mm(), start, end, pgoff);
    }

    /// mm/vma_init.c: vm_area_dup(). A copy in another place, which nobody knows of yet.
    Vma dup(Vma vma, MmStruct mm, long start, long end, long pgoff) {
        Vma fresh = new Vma(machine, mm, start, end, pgoff, vma.flags(), vma.file);
        if (fresh.userfaultfdArmed()) {
            fresh.setUserfaultfd(vma.userfaultfdCtx(), fresh.flags() & Vma.VM_UFFD_FLAGS);
        }
        if (!vma.isAnonymous()) {
            fresh.privateData().poke(vma.privateData().readPlain());
        }
        AnonVma anonVma = vma.anonVma.read(Order.PLAIN);
        fresh.anonVma.word().poke(anonVma == null ? 0 : anonVma.pointer());
        return fresh;
    }

    /// mm/vma_init.c: vm_area_dup(). A copy for another process.
    Vma vmAreaDup(Vma vma, MmStruct mm) {
        return dup(vma, mm, vma.start(), vma.end(), vma.pgoff());
    }

    /// mm/vma.h: vma_iter_store_new(). Puts a VMA into the tree in one step, over what is there.
    void vmaIterStoreNew(Vma vma) {
        kernel.vmaLock().vmaMarkAttached(vma);
        MmStruct mm = vma.mm();
        VmaTree tree = Objects.requireNonNull(mm.vmas.read(Order.PLAIN));
        List<Vma> all = tree.replaced(List.of(), List.of(vma));
        mm.vmas.write(new VmaTree(machine, all), Order.RELEASE);
    }

    /// mm/huge_memory.c: vma_adjust_trans_huge(). No huge PMD may straddle the new bounds.
    void vmaAdjustTransHuge(Vma vma, long start, long end) {
        if (vma.isHugetlb()) {
            return;
        }
        splitHugePmdIfNeeded(vma, start);
        splitHugePmdIfNeeded(vma, end);
    }

    /// mm/huge_memory.c: split_huge_pmd_if_needed(), split_huge_pmd_address().
    void splitHugePmdIfNeeded(Vma vma, long addr) {
        long size = geometry.size(Geometry.PMD);
        long down = addr & -size;
        if (down == addr || down < vma.start() || down + size > vma.end()) {
            return;
        }
        Word pmd = kernel.pgtable().mmFindPmd(vma.mm(), addr);
        if (pmd != null) {
            kernel.hugeMemory().splitHugePmd(vma, pmd, addr);
        }
    }

    /// mm/vma.c: vma_expand(). The VMA ends at `end`, where there was nothing.
    void expand(Vma vma, long end) {
        kernel.mmapLock().assertWriteLocked(vma.mm());
        kernel.vmaLock().vmaStartWrite(vma);
        if (!vma.isAnonymous()) {
            vma.inode().mmapRwsem().downWrite();
        }
        AnonVma anonVma = vma.anonVma.read(Order.PLAIN);
        if (anonVma != null) {
            anonVma.rwsem().downWrite();
        }
        vma.end.writePlain(end);
        List<Vma> all = Objects.requireNonNull(vma.mm().vmas.read(Order.PLAIN)).vmas();
        vma.mm().vmas.write(new VmaTree(machine, all), Order.RELEASE);
        if (anonVma != null) {
            anonVma.rwsem().upWrite();
        }
        if (!vma.isAnonymous()) {
            vma.inode().mmapRwsem().upWrite();
        }
    }

    /// What {@link #vmaModify} came to.
    ///
    /// @param vma the VMA that covers no more than what is to be changed, or has been changed and
    ///   covers more; null where there is none
    /// @param error 0 or a negative error number
    record Modified(@Nullable Vma vma, int error) {}

    /// mm/vma.c: vma_modify_flags(), vma_modify_flags_uffd(), vma_modify(). Merges the part of the
    /// VMA with a neighbour that is what it shall become, or cuts the VMA so that it covers no more
    /// than that part.
    Modified vmaModify(VmaMerge.Change change) {
        Vma vma = change.middle();
        Vma merged = merge.mergeExistingRange(change);
        if (merged != null) {
            return new Modified(merged, 0);
        }
        int err = vma.start() < change.start() ? splitVma(vma, change.start(), true) : 0;
        if (err == 0 && vma.end() > change.end()) {
            err = splitVma(vma, change.end(), false);
        }
        return err == 0 ? new Modified(vma, 0) : new Modified(null, err);
    }
}
