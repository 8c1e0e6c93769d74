// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;

/// Counting who maps what (mm/rmap.c, include/linux/rmap.h). Every mapping also holds a reference,
/// which is taken before it is counted and dropped after.
///
/// All functions run under the lock of the page table that holds the mapping.
public final class Rmap {
    /// Added to `_nr_pages_mapped` while the folio is mapped by a huge entry.
    static final long ENTIRELY_MAPPED = 0x800000;

    private final MemMap memMap;
    private final Geometry geometry;

    Rmap(MemMap memMap, Geometry geometry) {
        this.memMap = memMap;
        this.geometry = geometry;
    }

    /// mm/rmap.c: folio_add_new_anon_rmap(). The first mapping of a folio that nobody else knows,
    /// by a PTE (order 0) or a PMD; the process owns it exclusively.
    public void folioAddNewAnonRmap(Folio folio, Vma vma, long addr) {
        folio.setFlag(Folio.PG_SWAPBACKED);
        AnonVma anonVma = vma.anonVma.readOnce();
        if (anonVma == null) {
            throw new NullPointerException("folio_add_new_anon_rmap: the VMA has no anon_vma");
        }
        folio.setAnon(anonVma, vma.linearPageIndex(geometry, addr));
        if (folio.isLarge()) {
            folio.entireMapcount.writePlain(0);
            folio.largeMapcount.writePlain(0);
            folio.nrPagesMapped.writePlain(ENTIRELY_MAPPED);
        } else {
            folio.head().mapcount.writePlain(0);
        }
        folio.head().setAnonExclusive();
    }

    /// mm/rmap.c: folio_add_new_anon_rmap(), for a small folio that comes from swap. Where others
    /// may have the page as well it becomes that of the oldest process that can have it.
    void folioAddSwappedAnonRmap(Folio folio, Vma vma, long addr, boolean exclusive) {
        if (!folio.testFlag(Folio.PG_SWAPBACKED)) {
            folio.setFlag(Folio.PG_SWAPBACKED);
        }
        AnonVma anonVma = vma.anonVma.readPlainNonNull(); // __folio_set_anon()
        folio.setAnon(exclusive ? anonVma : anonVma.root(), vma.linearPageIndex(geometry, addr));
        folio.head().mapcount.writeOnce(0);
        if (exclusive) {
            folio.head().setAnonExclusive();
        }
    }

    /// mm/rmap.c: folio_add_anon_rmap_ptes(). `nr` pages of the folio, from `page` on, get one
    /// mapping each; they are marked exclusive where `exclusive`.
    public void folioAddAnonRmapPtes(Folio folio, Page page, int nr, boolean exclusive) {
        boolean large = folio.isLarge();
        for (int i = 0; i < nr; i++) {
            Page each = memMap.page(page.pfn() + i);
            if (!large) {
                // What the kernel makes of the result is for statistics, which are not modelled.
                each.mapcount.add(1, Order.RELAXED);
            } else if (each.mapcount.fetchAdd(1, Order.RELAXED) == -1) {
                folio.nrPagesMapped.add(1, Order.RELAXED);
            }
            if (exclusive) {
                each.setAnonExclusive();
            }
        }
        if (large) {
            folio.largeMapcount.add(nr, Order.RELAXED);
        }
    }

    /// mm/rmap.c: folio_remove_rmap_pte(). One PTE mapping of `page` is gone.
    public void folioRemoveRmapPte(Folio folio, Page page) {
        folioRemoveRmapPtes(folio, page, 1);
    }

    /// mm/rmap.c: folio_remove_rmap_ptes(). One PTE mapping each of `nr` pages from `page` on is
    /// gone.
    public void folioRemoveRmapPtes(Folio folio, Page page, int nr) {
        if (!folio.isLarge()) {
            page.mapcount.add(-1, Order.RELAXED);
            return;
        }
        folio.largeMapcount.add(-nr, Order.RELAXED);
        int last = 0;
        for (int i = 0; i < nr; i++) {
            Page each = memMap.page(page.pfn() + i);
            if (each.mapcount.fetchAdd(-1, Order.RELAXED) == 0) {
                last++;
            }
        }
        if (last > 0) {
            folio.nrPagesMapped.add(-last, Order.RELAXED);
        }
    }

    /// mm/rmap.c: folio_move_anon_rmap(). The folio, locked, becomes this VMA's alone.
    public void folioMoveAnonRmap(Folio folio, Vma vma) {
        folio.moveAnon(vma.anonVma.readPlainNonNull());
    }

    /// mm/rmap.c: folio_remove_rmap_pmd(). The mapping of the whole folio by a PMD is gone.
    public void folioRemoveRmapPmd(Folio folio) {
        removeEntire(folio);
    }

    private void removeEntire(Folio folio) {
        folio.largeMapcount.add(-1, Order.RELAXED);
        if (folio.entireMapcount.fetchAdd(-1, Order.RELAXED) == 0) {
            folio.nrPagesMapped.add(-ENTIRELY_MAPPED, Order.RELAXED);
        }
    }

    /// mm/rmap.c: folio_remove_rmap_pud(). The mapping of the whole folio by a PUD is gone.
    public void folioRemoveRmapPud(Folio folio) {
        removeEntire(folio);
    }

    /// mm/rmap.c: folio_add_file_rmap_pud(). A PUD maps the whole folio, of a file.
    public void folioAddFileRmapPud(Folio folio) {
        addEntire(folio);
    }

    /// mm/rmap.c: folio_add_file_rmap_pmd(). A PMD maps the whole folio, of a file.
    public void folioAddFileRmapPmd(Folio folio) {
        addEntire(folio);
    }

    /// mm/rmap.c: folio_add_anon_rmap_pmd(). A PMD maps the whole folio; its page is marked
    /// exclusive where `exclusive`.
    void folioAddAnonRmapPmd(Folio folio, boolean exclusive) {
        addEntire(folio);
        if (exclusive) {
            folio.head().setAnonExclusive();
        }
    }

    private void addEntire(Folio folio) {
        if (folio.entireMapcount.fetchAdd(1, Order.RELAXED) == -1) {
            folio.nrPagesMapped.add(ENTIRELY_MAPPED, Order.RELAXED);
        }
        folio.largeMapcount.add(1, Order.RELAXED);
    }

    /// mm/rmap.c: folio_add_file_rmap_pte(). A PTE maps a page of a file.
    public void folioAddFileRmapPte(Folio folio, Page page) {
        folioAddFileRmapPtes(folio, page, 1);
    }

    /// mm/rmap.c: folio_add_file_rmap_ptes(). PTEs map `nr` pages of a file from `page` on.
    public void folioAddFileRmapPtes(Folio folio, Page page, int nr) {
        if (!folio.isLarge()) {
            page.mapcount.add(1, Order.RELAXED);
            return;
        }
        int first = 0;
        for (int i = 0; i < nr; i++) {
            Page each = memMap.page(page.pfn() + i);
            first += each.mapcount.fetchAdd(1, Order.RELAXED) == -1 ? 1 : 0;
        }
        if (first > 0) {
            folio.nrPagesMapped.add(first, Order.RELAXED);
        }
        folio.largeMapcount.add(nr, Order.RELAXED);
    }

    /// include/linux/rmap.h: folio_dup_file_rmap_pte(). A second process maps `page` of a file by a
    /// PTE.
    void folioDupFileRmapPte(Folio folio, Page page) {
        page.mapcount.add(1, Order.RELAXED);
        if (folio.isLarge()) {
            folio.largeMapcount.add(1, Order.RELAXED);
        }
    }

    /// mm/rmap.c: hugetlb_add_new_anon_rmap(). The first mapping of a huge page that nobody else
    /// knows, and which the process owns exclusively.
    void hugetlbAddNewAnonRmap(Folio folio, Vma vma, long addr) {
        folio.entireMapcount.writePlain(0);
        folio.largeMapcount.writePlain(0);
        folio.hugetlb().clear(HugetlbFolio.RESTORE_RESERVE);
        AnonVma anonVma = vma.anonVma.readOnce();
        if (anonVma == null) {
            throw new NullPointerException("hugetlb_add_new_anon_rmap: the VMA has no anon_vma");
        }
        folio.setAnon(anonVma, vma.linearPageIndex(geometry, addr));
        folio.head().setAnonExclusive();
    }

    /// include/linux/rmap.h: hugetlb_add_file_rmap().
    void hugetlbAddFileRmap(Folio folio) {
        folio.entireMapcount.fetchAdd(1, Order.RELAXED);
        folio.largeMapcount.fetchAdd(1, Order.RELAXED);
    }

    /// mm/rmap.c: hugetlb_add_anon_rmap().
    void hugetlbAddAnonRmap(Folio folio, boolean exclusive) {
        hugetlbAddFileRmap(folio);
        if (exclusive) {
            folio.head().setAnonExclusive();
        }
    }

    /// include/linux/rmap.h: folio_try_share_anon_rmap_pte(). Gives up what makes `page` exclusive,
    /// with its entry cleared before; false where it may be pinned.
    boolean folioTryShareAnonRmapPte(Machine machine, Folio folio, Page page) {
        // Pairs with the barrier of GUP-fast between counting a pin and reading the entry again.
        machine.fence(Fence.MB);
        if (maybeDmaPinned(folio)) {
            return false;
        }
        page.clearAnonExclusive();
        machine.fence(Fence.MB_AFTER_ATOMIC);
        return true;
    }

    /// include/linux/rmap.h: hugetlb_try_share_anon_rmap(). Gives up what makes the page exclusive,
    /// with its entry cleared before; false where it may be pinned.
    boolean hugetlbTryShareAnonRmap(Machine machine, Folio folio) {
        // Pairs with the barrier of GUP-fast between counting a pin and reading the entry again.
        machine.fence(Fence.MB);
        if (maybeDmaPinned(folio)) {
            return false;
        }
        folio.head().clearAnonExclusive();
        machine.fence(Fence.MB_AFTER_ATOMIC);
        return true;
    }

    /// include/linux/rmap.h: hugetlb_remove_rmap().
    void hugetlbRemoveRmap(Folio folio) {
        folio.entireMapcount.fetchAdd(-1, Order.RELAXED);
        folio.largeMapcount.fetchAdd(-1, Order.RELAXED);
    }

    /// include/linux/mm.h: folio_mapcount(). Mappings of the folio by entries of any level.
    public long folioMapcount(Folio folio) {
        return folio.isLarge()
                ? folio.largeMapcount.readOnce() + 1
                : folio.head().mapcount.readOnce() + 1;
    }

    /// include/linux/mm.h: folio_mapped().
    boolean folioMapped(Folio folio) {
        return folioMapcount(folio) >= 1;
    }

    /// fs/proc/internal.h: folio_precise_page_mapcount(). Mappings of one page of the folio.
    long folioPrecisePageMapcount(Folio folio, Page page) {
        long mapcount = page.mapcount.readOnce() + 1;
        return folio.isLarge() ? mapcount + folio.entireMapcount.readOnce() + 1 : mapcount;
    }

    /// include/linux/mm.h: folio_maybe_mapped_shared(), for a folio of hugetlb.
    boolean hugetlbMaybeMappedShared(Folio folio) {
        return folioMapcount(folio) > 1;
    }

    /// include/linux/mm.h: folio_expected_ref_count(). The references that mappings, the page cache
    /// and the swap cache account for; nobody else has any of right.
    public long folioExpectedRefCount(Folio folio) {
        int order = folio.order();
        long cache = folio.testSwapcache() ? 1L << order : 0;
        if (!folio.isAnon()) {
            cache += folio.mapping.readPlain() != 0 ? 1L << order : 0;
        }
        return cache + folioMapcount(folio);
    }

    /// include/linux/mm.h: folio_maybe_mapped_shared().
    public boolean folioMaybeMappedShared(Folio folio) {
        return folio.isLarge() ? folio.maybeMappedShared.readOnce() != 0 : folioMapcount(folio) > 1;
    }

    // ---- fork

    /// include/linux/mm.h: folio_maybe_dma_pinned(). Small folios with many references may be
    /// without a pin; large ones are exact.
    static boolean maybeDmaPinned(Folio folio) {
        return folio.isLarge()
                ? folio.pincount.readOnce() > 0
                : folio.refCount() >= Foll.GUP_PIN_COUNTING_BIAS;
    }

    /// include/linux/mm.h: folio_needs_cow_for_dma(). Whether a page of the VMA may be pinned, so
    /// that it must not be shared with a copy of the process.
    private static boolean needsCowForDma(Vma vma, Folio folio) {
        return (vma.mm().flags.readOnce() & MmStruct.HAS_PINNED) != 0 && maybeDmaPinned(folio);
    }

    /// Gives up what makes `page` exclusive, for fork; false where it may be pinned.
    private static boolean shareExclusive(Vma vma, Folio folio, Page page) {
        if (page.anonExclusive()) {
            if (needsCowForDma(vma, folio)) {
                return false;
            }
            page.clearAnonExclusive();
        }
        return true;
    }

    /// include/linux/rmap.h: folio_try_dup_anon_rmap_pte(). A second process maps `page` by a PTE,
    /// with the same reference taken before. False where the page must be copied.
    boolean folioTryDupAnonRmapPte(Folio folio, Page page, Vma srcVma) {
        if (!shareExclusive(srcVma, folio, page)) {
            return false;
        }
        if (!folio.isLarge()) {
            page.mapcount.fetchAdd(1, Order.RELAXED);
            return true;
        }
        if (page.mapcount.fetchAdd(1, Order.RELAXED) == -1) {
            folio.nrPagesMapped.fetchAdd(1, Order.RELAXED);
        }
        folio.maybeMappedShared.writeOnce(1);
        folio.largeMapcount.fetchAdd(1, Order.RELAXED);
        return true;
    }

    /// include/linux/rmap.h: folio_try_dup_anon_rmap_pmd(). The same for a folio that a PMD maps as
    /// a whole.
    boolean folioTryDupAnonRmapPmd(Folio folio, Vma srcVma) {
        if (!shareExclusive(srcVma, folio, folio.head())) {
            return false;
        }
        folio.entireMapcount.fetchAdd(1, Order.RELAXED);
        folio.maybeMappedShared.writeOnce(1);
        folio.largeMapcount.fetchAdd(1, Order.RELAXED);
        return true;
    }

    /// include/linux/rmap.h: hugetlb_try_dup_anon_rmap(). The same for a huge page of hugetlb.
    boolean hugetlbTryDupAnonRmap(Folio folio, Vma srcVma) {
        if (!shareExclusive(srcVma, folio, folio.head())) {
            return false;
        }
        hugetlbAddFileRmap(folio);
        return true;
    }
}
