// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

import java.util.List;

/// The middle of a collapse (mm/khugepaged.c): the old pages are copied, unmapped and let go. All
/// of them are locked, off the LRU and in a table that nobody can reach.
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

    /// mm/khugepaged.c: __collapse_huge_page_copy(). The contents of the old pages into the new
    /// folio, then {@link #copySucceeded}. The PTE table is mapped, its lock not held: the sources
    /// cannot change through this process.
    void collapseHugePageCopy(PteMapping mapping, Folio folio, List<Folio> compound) {
        for (int i = 0; i < geometry.hpagePmdNr(); i++) {
            long pte = mapping.pte(i).readOnce();
            long to = folio.pfn() + i;
            if (noneOrZero(pte)) {
                kernel.highmem().clearPage(to);
            } else {
                kernel.highmem().copyPage(to, Entry.pfn(pte));
            }
        }
        copySucceeded(mapping, compound);
    }

    /// mm/khugepaged.c: __collapse_huge_page_copy_succeeded(). Clears the entries and drops what
    /// held the old pages; the pages of a large folio go together.
    private void copySucceeded(PteMapping mapping, List<Folio> compound) {
        SpinLock ptl = mapping.ptl();
        int nr = geometry.hpagePmdNr();
        for (int i = 0; i < nr; ) {
            Word entry = mapping.pte(i);
            long pte = entry.readOnce();
            if (Entry.none(pte)) {
                i++;
            } else if (noneOrZero(pte)) {
                ptl.lock();
                kernel.entries().clear(entry);
                ptl.unlock();
                i++;
            } else {
                i += unmapOld(mapping, i, pte, nr - i);
            }
        }
        for (Folio src : compound) {
            releasePteFolio(src);
        }
    }

    /// Unmaps the folio that entry `i` maps; returns how many entries that were.
    private int unmapOld(PteMapping mapping, int i, long pte, int max) {
        Page page = kernel.memMap().page(Entry.pfn(pte));
        Folio src = kernel.memMap().pageFolio(page);
        int batch = 1;
        if (src.isLarge()) {
            batch = FolioPteBatch.folioPteBatchFlags(src, mapping, i, pte, max, 0);
        } else {
            releasePteFolio(src);
        }
        SpinLock ptl = mapping.ptl();
        ptl.lock();
        for (int k = 0; k < batch; k++) {
            kernel.entries().clear(mapping.pte(i + k));
        }
        for (int k = 0; k < batch; k++) {
            kernel.rmap().folioRemoveRmapPte(src, kernel.memMap().page(page.pfn() + k));
        }
        ptl.unlock();
        kernel.swap().folioPutRefs(src, batch);
        return batch;
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
