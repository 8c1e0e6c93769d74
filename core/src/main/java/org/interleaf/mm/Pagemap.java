// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// `/proc/PID/pagemap`, as far as it tells of hugetlb, and what `/proc/PID/status` tells of page
/// tables (fs/proc/task_mmu.c). Frame numbers are left out, as for readers without privileges.
public final class Pagemap {
    /// The page is mapped.
    public static final long PM_PRESENT = 1L << 63;

    /// It belongs to a file.
    public static final long PM_FILE = 1L << 61;

    /// Nobody else maps it.
    public static final long PM_MMAP_EXCLUSIVE = 1L << 56;

    private static final int KB_SHIFT = 10;

    private final Kernel kernel;
    private final Hugetlb hugetlb;

    Pagemap(Kernel kernel) {
        this.kernel = kernel;
        this.hugetlb = kernel.hugetlb();
    }

    /// fs/proc/task_mmu.c: pagemap_read(). The entry for the page at `addr`; 0 where nothing is
    /// mapped, and in mappings that are not of hugetlb. Takes the mmap lock for reading.
    public long entry(MmStruct mm, long addr) {
        kernel.mmapLock().readLock(mm);
        Vma vma = kernel.mmap().vmaLookup(mm, addr);
        long entry = vma == null || !vma.isHugetlb() ? 0 : walkHugetlbRange(vma, addr);
        kernel.mmapLock().readUnlock(mm);
        return entry;
    }

    /// mm/pagewalk.c: walk_hugetlb_range(), for one page.
    private long walkHugetlbRange(Vma vma, long addr) {
        Hstate h = HugetlbVmas.hstate(vma);
        hugetlb.vmas().lockRead(vma);
        Word ptep = hugetlb.walk().walk(vma, h, addr & h.mask());
        long entry = ptep == null ? 0 : pagemapHugetlbRange(vma, h, ptep);
        hugetlb.vmas().unlockRead(vma);
        return entry;
    }

    /// fs/proc/task_mmu.c: pagemap_hugetlb_range().
    private long pagemapHugetlbRange(Vma vma, Hstate h, Word ptep) {
        SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, ptep);
        long pte = hugetlb.pte().get(h, ptep);
        long flags = 0;
        if (Entry.ptePresent(pte)) {
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
            flags = folio.isAnon() ? PM_PRESENT : PM_PRESENT | PM_FILE;
            boolean shared =
                    kernel.rmap().folioMapcount(folio) > 1 || hugetlb.pmdShare().isShared(ptep);
            flags |= shared ? 0 : PM_MMAP_EXCLUSIVE;
        }
        ptl.unlock();
        return flags;
    }

    /// fs/proc/task_mmu.c: task_mem(), of which the line `VmPTE`: what the page tables below the
    /// top take, in kB. Tables that are shared count for everybody who uses them.
    public long vmPte(MmStruct mm) {
        return mm.pgtables.readOnce() << kernel.geometry().pageShift() >> KB_SHIFT;
    }
}
