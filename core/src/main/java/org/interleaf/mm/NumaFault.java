// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// Faults on entries that NUMA hinting made inaccessible (mm/memory.c, mm/huge_memory.c).
///
/// All that is not done with the lock of the table held is to migrate the page, where
/// numa_migrate_check() finds it on the wrong node. With one node it never does, so that the hint
/// is undone under the lock under which it was found.
final class NumaFault {
    private final Kernel kernel;
    private final Geometry geometry;

    NumaFault(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/memory.c: numa_migrate_check(). What the fault says of the folio is for the scheduler;
    /// the only node is the right one (mpol_misplaced()). With others
    /// migrate_misplaced_folio_prepare() would come next, under the lock, and
    /// migrate_misplaced_folio() without it.
    private void numaMigrateCheck(Folio folio) {
        // For TNF_SHARED, of which only the scheduler hears.
        kernel.rmap().folioMaybeMappedShared(folio);
    }

    // ---- PTEs

    /// mm/memory.c: do_numa_page(). A fault on an inaccessible PTE of an accessible VMA, which was
    /// `vmf.origPte` when it was read. The PTE table is mapped but not locked; it is neither
    /// afterwards.
    int doNumaPage(VmFault vmf, PteMapping pte) {
        Vma vma = vmf.vma;
        boolean writeUpgrade = Mprotect.wantsManualWriteUpgrade(vma);
        pte.ptl().lock();
        long old = pte.pte().readOnce();
        if (old != vmf.origPte) {
            pte.unmapUnlock();
            return 0;
        }
        long entry = Entry.modify(old, Vma.pageProt(vma.flags()));
        boolean writable = Entry.write(entry);
        if (!writable && writeUpgrade && kernel.mprotect().canChangeWritable(vma, entry)) {
            writable = true;
        }
        Page page = kernel.memMap().vmNormalPage(entry);
        Folio folio = page == null ? null : kernel.memMap().pageFolio(page);
        if (folio != null && !folio.isZoneDevice()) {
            numaMigrateCheck(folio);
        }
        if (folio != null && folio.isLarge()) {
            rebuildLargeMapping(vmf, pte, folio, entry, writeUpgrade);
        } else {
            rebuildSingleMapping(vma, pte.pte(), writable);
        }
        pte.unmapUnlock();
        return 0;
    }

    /// mm/memory.c: numa_rebuild_single_mapping(). Makes the entry accessible again. It is none for
    /// a moment, which only those see who do not hold the lock.
    private void rebuildSingleMapping(Vma vma, Word pte, boolean writable) {
        long old = pte.xchg(0, Order.FULL); // ptep_modify_prot_start()
        long entry = Entry.mkyoung(Entry.modify(old, Vma.pageProt(vma.flags())));
        kernel.entries().setPte(pte, writable ? Entry.mkwrite(entry) : entry);
    }

    /// mm/memory.c: numa_rebuild_large_mapping(). The same for all inaccessible entries that map
    /// pages of the folio, inside of the VMA and of the table.
    ///
    /// @param faultPte the entry of the fault, as it will be
    private void rebuildLargeMapping(
            VmFault vmf, PteMapping pte, Folio folio, long faultPte, boolean writeUpgrade) {
        Vma vma = vmf.vma;
        int shift = geometry.pageShift();
        long first = vmf.address - ((Entry.pfn(faultPte) - folio.pfn()) << shift);
        long table = vmf.address & -geometry.size(Geometry.PMD);
        long start = Math.max(Math.max(first, table), vma.start());
        long to = Math.min(first + folio.nrPages() * geometry.pageSize(), vma.end());
        long end = Math.min(to, table + geometry.size(Geometry.PMD));
        for (long addr = start; addr != end; addr += geometry.pageSize()) {
            Word each = pte.pte((int) ((addr - vmf.address) >> shift));
            long entry = each.readOnce();
            if (!Entry.ptePresent(entry)
                    || !Entry.protnone(entry)
                    || kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(entry))) != folio) {
                continue;
            }
            entry = Entry.modify(entry, Vma.pageProt(vma.flags()));
            boolean writable =
                    Entry.write(entry)
                            || writeUpgrade && kernel.mprotect().canChangeWritable(vma, entry);
            rebuildSingleMapping(vma, each, writable);
        }
    }

    // ---- huge PMDs

    /// mm/huge_memory.c: do_huge_pmd_numa_page(). A fault on an inaccessible huge PMD of an
    /// accessible VMA, which was `vmf.origPmd` when it was read.
    int doHugePmdNumaPage(VmFault vmf) {
        Vma vma = vmf.vma;
        Word pmd = vmf.pmd();
        SpinLock ptl = kernel.ptLocks().pmdLock(vma.mm(), pmd);
        long old = pmd.readOnce();
        if (old != vmf.origPmd) {
            ptl.unlock();
            return 0;
        }
        long entry = Entry.modify(old, Vma.pageProt(vma.flags()));
        boolean writable = Entry.write(entry);
        if (!writable
                && Mprotect.wantsManualWriteUpgrade(vma)
                && kernel.mprotect().canChangeWritable(vma, entry)) {
            writable = true;
        }
        Page page = kernel.memMap().vmNormalPage(entry);
        if (page != null) {
            numaMigrateCheck(kernel.memMap().pageFolio(page));
        }
        entry = Entry.mkyoung(Entry.modify(pmd.readOnce(), Vma.pageProt(vma.flags())));
        kernel.entries().setPte(pmd, writable ? Entry.mkwrite(entry) : entry);
        ptl.unlock();
        return 0;
    }
}
