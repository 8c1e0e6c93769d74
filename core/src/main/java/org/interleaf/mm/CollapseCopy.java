// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import java.util.List;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// The middle of a collapse (mm/khugepaged.c): the old pages are copied, unmapped and let go. All of
/// them are locked, off the LRU and in a table that nobody can reach.
final class CollapseCopy {
    private final Kernel kernel;
    private final Geometry geometry;

    CollapseCopy(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/khugepaged.c: pte_none_or_zero(): nothing there, or the shared zero page.
    boolean noneOrZero(long pte) {
        return Entry.none(pte) || Entry.ptePresent(pte) && kernel.isZeroPfn(Entry.pfn(pte));
    }

    /// mm/khugepaged.c: __collapse_huge_page_copy(). The contents of the old pages into the new folio,
    /// then {@link #copySucceeded}. The PTE table is mapped, its lock not held: the sources cannot
    /// change through this process.
    void collapseHugePageCopy(PteMapping mapping, Folio folio, List<Folio> compound) {
        for (int i = 0; i < geometry.hpagePmdNr(); i++) {
            long pte = mapping.pte(i).readOnce();
            long to = folio.pfn() + i;
            if (noneOrZero(pte)) {
                kernel.clearPage(to);
            } else {
                kernel.copyPage(to, Entry.pfn(pte));
            }
        }
        copySucceeded(mapping, compound);
    }

    /// mm/khugepaged.c: __collapse_huge_page_copy_succeeded(). Clears the entries and drops what held
    /// the old pages.
    private void copySucceeded(PteMapping mapping, List<Folio> compound) {
        SpinLock ptl = mapping.ptl();
        for (int i = 0; i < geometry.hpagePmdNr(); i++) {
            Word entry = mapping.pte(i);
            long pte = entry.readOnce();
            if (Entry.none(pte)) {
                continue;
            }
            if (kernel.isZeroPfn(Entry.pfn(pte))) {
                ptl.lock();
                entry.writeOnce(0);
                ptl.unlock();
                continue;
            }
            Page page = kernel.memMap().page(Entry.pfn(pte));
            Folio src = kernel.memMap().pageFolio(page);
            if (!src.isLarge()) {
                releasePteFolio(src);
            }
            // The lock is for GUP and migration, which look at entries of others' tables.
            ptl.lock();
            entry.writeOnce(0);
            kernel.rmap().folioRemoveRmapPte(src, page);
            ptl.unlock();
            kernel.swap().folioPut(src);
        }
        for (Folio src : compound) {
            releasePteFolio(src);
        }
    }

    /// mm/khugepaged.c: release_pte_pages(). Undoes the isolation of the entries before `end`.
    void releasePtePages(PteMapping mapping, int end, List<Folio> compound) {
        for (int i = end - 1; i >= 0; i--) {
            long pte = mapping.pte(i).readOnce();
            if (noneOrZero(pte)) {
                continue;
            }
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
            if (!folio.isLarge()) {
                releasePteFolio(folio);
            }
        }
        for (Folio folio : compound) {
            releasePteFolio(folio);
        }
    }

    /// mm/khugepaged.c: release_pte_folio().
    private void releasePteFolio(Folio folio) {
        folio.lock().unlock();
        kernel.swap().folioPutbackLru(folio);
    }
}
