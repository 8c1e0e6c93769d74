// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

import java.util.List;
import java.util.Objects;

/// Cutting VMAs in two (mm/vma.c). The mmap lock is held for writing throughout.
final class VmaSplit {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    VmaSplit(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    /// mm/vma.c: __split_vma(). Cuts `vma` at `addr`, which is inside it. The VMA keeps the upper
    /// part where `newBelow`, else the lower one; a new VMA gets the other.
    void splitVma(Vma vma, long addr, boolean newBelow) {
        kernel.warnOn(vma.start() >= addr, "a VMA is split below its start");
        kernel.warnOn(vma.end() <= addr, "a VMA is split beyond its end");
        Vma fresh = vmAreaDup(vma, addr, newBelow);
        kernel.anonVmas().anonVmaClone(fresh, vma);
        kernel.vmaLock().vmaStartWrite(vma);
        kernel.vmaLock().vmaStartWrite(fresh);

        AnonVma anonVma = vma.anonVma.read(Order.PLAIN);
        if (anonVma != null) {
            anonVma.rwsem().downWrite(); // vma_prepare()
        }
        vmaAdjustTransHuge(vma, vma.start(), addr);
        if (newBelow) {
            vma.start.writePlain(addr);
            vma.pgoff.writePlain(vma.pgoff() + pages(fresh.start(), addr));
        } else {
            vma.end.writePlain(addr);
        }
        vmaIterStoreNew(fresh); // vma_complete()
        if (anonVma != null) {
            anonVma.rwsem().upWrite();
        }
    }

    private long pages(long from, long to) {
        return (to - from) >> geometry.pageShift();
    }

    /// mm/vma_init.c: vm_area_dup(), and the new bounds: a copy that nobody knows of yet.
    private Vma vmAreaDup(Vma vma, long addr, boolean newBelow) {
        long start = vma.start();
        long end = vma.end();
        long pgoff = vma.pgoff();
        long flags = vma.flags();
        AnonVma anonVma = vma.anonVma.read(Order.PLAIN);
        Vma fresh =
                newBelow
                        ? new Vma(machine, vma.mm(), start, addr, pgoff, flags)
                        : new Vma(machine, vma.mm(), addr, end, pgoff + pages(start, addr), flags);
        fresh.anonVma.word().poke(anonVma == null ? 0 : anonVma.pointer());
        return fresh;
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
    private void vmaAdjustTransHuge(Vma vma, long start, long end) {
        splitHugePmdIfNeeded(vma, start);
        splitHugePmdIfNeeded(vma, end);
    }

    /// mm/huge_memory.c: split_huge_pmd_if_needed(), split_huge_pmd_address().
    private void splitHugePmdIfNeeded(Vma vma, long addr) {
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

    /// mm/vma.c: vma_modify_flags(), vma_modify(). Cuts `vma` so that it covers no more than
    /// `[start, end)`, for its flags to be changed. VMAs are never merged.
    void vmaModify(Vma vma, long start, long end) {
        if (vma.start() < start) {
            splitVma(vma, start, true);
        }
        if (vma.end() > end) {
            splitVma(vma, end, false);
        }
    }
}
