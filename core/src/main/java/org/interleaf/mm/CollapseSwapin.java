// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

/// Reading pages in before the memory around them is collapsed (mm/khugepaged.c).
final class CollapseSwapin {
    private final Kernel kernel;
    private final Geometry geometry;

    CollapseSwapin(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/khugepaged.c: __collapse_huge_page_swapin(). Has a fault see to each entry below `pmd`
    /// that is neither none nor present. The mmap lock is held for reading, and still is with
    /// `SUCCEED`.
    ScanResult swapin(MmStruct mm, Vma vma, long start, Word pmd) {
        long end = start + geometry.size(Geometry.PMD);
        PteMapping pte = null;
        long mapped = start;
        for (long addr = start; addr < end; addr += geometry.pageSize()) {
            if (pte == null) {
                pte = kernel.pgtableGeneric().pteOffsetMapNolock(mm, pmd, addr);
                mapped = addr;
                if (pte == null) {
                    kernel.mmapLock().readUnlock(mm);
                    return ScanResult.NO_PTE_TABLE;
                }
            }
            int i = (int) ((addr - mapped) >> geometry.pageShift());
            long value = kernel.entries().getLockless(pte.pte(i));
            if (Entry.none(value) || Entry.ptePresent(value)) {
                continue;
            }
            VmFault vmf = new VmFault(vma, addr, VmFault.FLAG_ALLOW_RETRY);
            vmf.pmd = pmd;
            vmf.origPte = value;
            int ret = kernel.swapFault().doSwapPage(vmf, pte.plus(i));
            pte = null;
            if ((ret & VmFault.RETRY) != 0) {
                return ScanResult.PAGE_LOCK;
            }
            if ((ret & VmFault.ERROR) != 0) {
                kernel.mmapLock().readUnlock(mm);
                return ScanResult.FAIL;
            }
        }
        if (pte != null) {
            pte.unmap();
        }
        return ScanResult.SUCCEED;
    }
}
