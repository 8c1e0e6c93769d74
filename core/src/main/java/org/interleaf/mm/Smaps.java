// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// `/proc/PID/smaps`, as far as it tells of hugetlb (fs/proc/task_mmu.c).
public final class Smaps {
    private final Kernel kernel;
    private final Hugetlb hugetlb;

    Smaps(Kernel kernel) {
        this.kernel = kernel;
        this.hugetlb = kernel.hugetlb();
    }

    /// fs/proc/task_mmu.c: show_smap(). What one entry tells, in bytes: `Shared_Hugetlb` and
    /// `Private_Hugetlb`.
    public record Sizes(long sharedHugetlb, long privateHugetlb) {}

    /// fs/proc/task_mmu.c: show_smap(), smap_gather_stats(). Of the VMA that contains `addr`; null
    /// where there is none. Takes the mmap lock for reading.
    public @Nullable Sizes show(MmStruct mm, long addr) {
        kernel.mmapLock().readLock(mm);
        Vma vma = kernel.mmap().vmaLookup(mm, addr);
        Sizes sizes = null;
        if (vma != null) {
            sizes = vma.isHugetlb() ? walkHugetlbRange(vma) : new Sizes(0, 0);
        }
        kernel.mmapLock().readUnlock(mm);
        return sizes;
    }

    /// mm/pagewalk.c: walk_hugetlb_range(). The VMA's hugetlb lock keeps the tables in place.
    private Sizes walkHugetlbRange(Vma vma) {
        Hstate h = HugetlbVmas.hstate(vma);
        long shared = 0;
        long own = 0;
        hugetlb.vmas().lockRead(vma);
        for (long addr = vma.start(); addr < vma.end(); addr += h.size()) {
            Word pte = hugetlb.walk().walk(vma, h, addr);
            if (pte != null) {
                int mappings = mappings(vma, h, pte);
                shared += mappings > 1 ? h.size() : 0;
                own += mappings == 1 ? h.size() : 0;
            }
        }
        hugetlb.vmas().unlockRead(vma);
        return new Sizes(shared, own);
    }

    /// fs/proc/task_mmu.c: smaps_hugetlb_range(). 0 where nothing is mapped, 1 for a page of the
    /// process' own, more for one that may be shared, as one that migrates.
    private int mappings(Vma vma, Hstate h, Word pte) {
        SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, pte);
        long entry = hugetlb.pte().get(h, pte);
        int mappings = 0;
        if (Entry.ptePresent(entry)) {
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(entry)));
            boolean many =
                    kernel.rmap().folioMapcount(folio) > 1 || hugetlb.pmdShare().isShared(pte);
            mappings = many ? 2 : 1;
        } else if (Entry.isMigration(entry)) {
            kernel.memMap().softleafToFolio(kernel, entry);
            mappings = 2;
        }
        ptl.unlock();
        return mappings;
    }
}
