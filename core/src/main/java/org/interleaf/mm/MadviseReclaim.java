// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.interleaf.mm.MmuNotifierRange.Event;

import java.util.ArrayList;
import java.util.List;

/// The advices that are about reclaim: `MADV_COLD`, `MADV_PAGEOUT`, `MADV_FREE` (mm/madvise.c).
///
/// # Locking
///
/// `MADV_FREE` needs the VMA's lock only, the others the mmap lock for reading. Folios are isolated
/// under the lock of the table that maps them; they are reclaimed after it was dropped, when
/// anybody may map them or get references.
final class MadviseReclaim {
    private final Kernel kernel;
    private final Geometry geometry;
    private final MmWalkOps<Walk> coldWalkOps;

    /// `struct madvise_walk_private`.
    private record Walk(MmuGather tlb, boolean pageout) {}

    MadviseReclaim(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        coldWalkOps =
                MmWalkOps.<Walk>builder(WalkLock.RDLOCK).pmd(this::coldOrPageoutPteRange).build();
    }

    /// mm/madvise.c: madvise_cold(), madvise_pageout(). 0 or a negative error number.
    int coldOrPageout(Vma vma, long start, long end, boolean pageout) {
        if ((vma.flags() & Vma.VM_PFNMAP) != 0 || vma.isHugetlb()) { // can_madv_lru_vma()
            return -Errno.EINVAL;
        }
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        kernel.pageWalk().walkPageRangeVma(vma, start, end, coldWalkOps, new Walk(tlb, pageout));
        tlb.endVma();
        tlb.finish();
        return 0;
    }

    /// mm/madvise.c: madvise_cold_or_pageout_pte_range().
    private int coldOrPageoutPteRange(Word pmd, long start, long end, MmWalk<Walk> walk) {
        List<Folio> folios = new ArrayList<>();
        if (HugeMemory.pmdIsHuge(pmd.readPlain())) {
            SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmd, walk.vma());
            if (ptl == null) {
                return 0;
            }
            coldHugePmd(pmd, start, end, walk, folios);
            ptl.unlock();
        } else {
            coldPtes(pmd, start, end, walk, folios);
        }
        if (walk.data().pageout) {
            kernel.vmscan().reclaimPages(folios);
        }
        return 0;
    }

    /// The part of madvise_cold_or_pageout_pte_range() for a huge PMD, which is locked. One that is
    /// not in the range as a whole is left alone: that its folio is split is not modelled.
    private void coldHugePmd(
            Word pmd, long start, long end, MmWalk<Walk> walk, List<Folio> folios) {
        long orig = pmd.readPlain();
        if (!Entry.present(orig) || kernel.isHugeZeroPfn(Entry.pfn(orig)) || Entry.special(orig)) {
            return;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(orig)));
        if (folio.isZoneDevice()
                || kernel.rmap().folioMaybeMappedShared(folio)
                || end - start != geometry.size(Geometry.PMD)) {
            return;
        }
        if (!walk.data().pageout && Entry.young(orig)) {
            pmd.fetchAnd(~Entry.ACCESSED, Order.RELAXED); // pmdp_test_and_clear_young()
            walk.data().tlb.removePmdTlbEntry(start);
        }
        deactivate(folio, walk.data().pageout, folios);
    }

    /// The part of madvise_cold_or_pageout_pte_range() for a PTE table.
    private void coldPtes(Word pmd, long start, long end, MmWalk<Walk> walk, List<Folio> folios) {
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(walk.mm(), pmd, start);
        if (pte == null) {
            return;
        }
        kernel.tlbBatch().flushTlbBatchedPending(walk.mm());
        int n = (int) ((end - start) >> geometry.pageShift());
        for (int i = 0; i < n; ) {
            long addr = start + ((long) i << geometry.pageShift());
            i += coldPte(pte.pte(i), addr, n - i, walk.data(), folios);
        }
        pte.unmapUnlock();
    }

    /// One round of the loop; how many entries it was about.
    private int coldPte(Word entry, long addr, int max, Walk walk, List<Folio> folios) {
        long pte = entry.readOnce();
        if (Entry.none(pte) || !Entry.ptePresent(pte)) {
            return 1;
        }
        Page page = kernel.memMap().vmNormalPage(pte);
        if (page == null) {
            return 1;
        }
        Folio folio = kernel.memMap().pageFolio(page);
        if (folio.isZoneDevice()) {
            return 1;
        }
        int nr = 1;
        if (folio.isLarge()) {
            nr = FolioPteBatch.folioPteBatchFlags(folio, entry, pte, max, 0);
            if (nr < folio.nrPages()) {
                return 1; // would be split
            }
        }
        // Not what others map as well, and not what is on no list.
        if (!folio.testFlag(Folio.PG_LRU)
                || kernel.rmap().folioMapcount(folio) != folio.nrPages()) {
            return nr;
        }
        if (!walk.pageout && Entry.young(pte)) {
            for (int i = 0; i < nr; i++) { // clear_young_dirty_ptes()
                PageTable.plus(entry, i).fetchAnd(~Entry.ACCESSED, Order.RELAXED);
            }
            walk.tlb.removeTlbEntries(addr, nr);
        }
        deactivate(folio, walk.pageout, folios);
        return nr;
    }

    /// The folio counts as unused from now on, and is isolated where it is to be paged out. Its
    /// table is locked.
    private void deactivate(Folio folio, boolean pageout, List<Folio> folios) {
        folio.clearFlag(Folio.PG_REFERENCED);
        folio.testFlag(Folio.PG_ACTIVE); // folio_set_workingset(), which is not modelled
        if (!pageout) {
            folioDeactivate(folio);
        } else if (kernel.swap().folioIsolateLru(folio)) {
            folios.add(folio);
        }
    }

    /// mm/swap.c: folio_deactivate(), lru_deactivate().
    private static void folioDeactivate(Folio folio) {
        if (folio.testFlag(Folio.PG_LRU) && folio.testFlag(Folio.PG_ACTIVE)) {
            folio.clearFlag(Folio.PG_ACTIVE);
            folio.clearFlag(Folio.PG_REFERENCED);
        }
    }

    // ---- MADV_FREE

    /// mm/madvise.c: madvise_free_single_vma(). Who reads the pages of the range may find zeroes
    /// from now on, or what was there until something is written. 0 or a negative error number.
    int free(MmuGather tlb, Vma vma, long start, long end, boolean vmaLocked) {
        if (!vma.isAnonymous()) {
            return -Errno.EINVAL;
        }
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, vma.mm(), start, end);
        WalkLock lock = vmaLocked ? WalkLock.VMA_RDLOCK_VERIFY : WalkLock.RDLOCK;
        MmWalkOps<MmuGather> ops =
                MmWalkOps.<MmuGather>builder(lock).pmd(this::freePteRange).build();
        kernel.mmuNotifier().invalidateRangeStart(range);
        kernel.pageWalk().walkPageRangeVma(vma, start, end, ops, tlb);
        tlb.endVma();
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return 0;
    }

    /// mm/madvise.c: madvise_free_pte_range().
    private int freePteRange(Word pmd, long start, long end, MmWalk<MmuGather> walk) {
        if (HugeMemory.pmdIsHuge(pmd.readPlain())
                && freeHugePmd(walk.data(), walk.vma(), pmd, start, end)) {
            return 0;
        }
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(walk.mm(), pmd, start);
        if (pte == null) {
            return 0;
        }
        kernel.tlbBatch().flushTlbBatchedPending(walk.mm());
        int n = (int) ((end - start) >> geometry.pageShift());
        for (int i = 0; i < n; ) {
            long addr = start + ((long) i << geometry.pageShift());
            i += freePte(pte.pte(i), addr, n - i, walk.data());
        }
        pte.unmapUnlock();
        return 0;
    }

    /// One round of the loop; how many entries it was about.
    private int freePte(Word entry, long addr, int max, MmuGather tlb) {
        long pte = entry.readOnce();
        if (Entry.none(pte)) {
            return 1;
        }
        if (!Entry.ptePresent(pte)) {
            freeNonpresent(entry, pte);
            return 1;
        }
        Page page = kernel.memMap().vmNormalPage(pte);
        if (page == null) {
            return 1;
        }
        Folio folio = kernel.memMap().pageFolio(page);
        if (folio.isZoneDevice()) {
            return 1;
        }
        int nr = folio.isLarge() ? FolioPteBatch.folioPteBatchFlags(folio, entry, pte, max, 0) : 1;
        if (nr < folio.nrPages()) {
            return 1; // would be split
        }
        if ((folio.testSwapcache() || folio.testFlag(Folio.PG_DIRTY)) && !cleanFolio(folio)) {
            return nr;
        }
        if (Entry.young(pte) || Entry.dirty(pte)) {
            for (int i = 0; i < nr; i++) { // clear_young_dirty_ptes()
                PageTable.plus(entry, i).fetchAnd(~(Entry.ACCESSED | Entry.DIRTY), Order.RELAXED);
            }
            tlb.removeTlbEntries(addr, nr);
        }
        folioMarkLazyfree(folio);
        return nr;
    }

    /// What is in swap need not be read in any more.
    private void freeNonpresent(Word entry, long pte) {
        if (Entry.isSwap(pte)) {
            kernel.swapfile().swapPutEntriesDirect(Entry.swpOffset(pte), 1);
            kernel.entries().clear(entry);
        } else if (Entry.isHwpoison(pte) || Entry.isMarker(pte)) {
            kernel.entries().clear(entry);
        }
    }

    /// Whether the folio is clean, and in the swap cache no more.
    private boolean cleanFolio(Folio folio) {
        if (!folio.lock().trylock()) {
            return false;
        }
        boolean own = kernel.rmap().folioMapcount(folio) == folio.nrPages();
        if (own && (!folio.testSwapcache() || kernel.swapfile().folioFreeSwap(folio))) {
            folio.clearFlag(Folio.PG_DIRTY);
        } else {
            own = false;
        }
        folio.lock().unlock();
        return own;
    }

    /// mm/swap.c: folio_mark_lazyfree(), lru_lazyfree(). Clean and not swapbacked: may be dropped.
    private static void folioMarkLazyfree(Folio folio) {
        boolean can =
                folio.isAnon()
                        && folio.testFlag(Folio.PG_SWAPBACKED)
                        && folio.testFlag(Folio.PG_LRU)
                        && !folio.testSwapcache();
        if (!can || !folio.testClearFlag(Folio.PG_LRU)) { // folio_batch_move_lru()
            return;
        }
        if (folio.isAnon() && folio.testFlag(Folio.PG_SWAPBACKED) && !folio.testSwapcache()) {
            folio.clearFlag(Folio.PG_ACTIVE);
            folio.clearFlag(Folio.PG_REFERENCED);
            folio.clearFlag(Folio.PG_SWAPBACKED);
        }
        folio.setFlag(Folio.PG_LRU);
    }

    /// mm/huge_memory.c: madvise_free_huge_pmd(). False where PTEs are to be looked at, or nothing
    /// is left to do.
    private boolean freeHugePmd(MmuGather tlb, Vma vma, Word pmd, long start, long end) {
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmd, vma);
        if (ptl == null) {
            return false;
        }
        boolean done = freeLockedPmd(tlb, vma, pmd, start, end);
        ptl.unlock();
        return done;
    }

    private boolean freeLockedPmd(MmuGather tlb, Vma vma, Word pmd, long start, long end) {
        long orig = pmd.readPlain();
        if (kernel.isHugeZeroPfn(Entry.pfn(orig)) || !Entry.present(orig)) {
            return false;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(orig)));
        if (folio.isZoneDevice()
                || kernel.rmap().folioMaybeMappedShared(folio)
                || !folio.lock().trylock()) {
            return false;
        }
        if (end - start != geometry.size(Geometry.PMD)) { // would be split
            folio.lock().unlock();
            return false;
        }
        if (folio.testFlag(Folio.PG_DIRTY)) {
            folio.clearFlag(Folio.PG_DIRTY);
        }
        folio.lock().unlock();
        if (Entry.young(orig) || Entry.dirty(orig)) {
            kernel.pgtableGeneric().pmdpInvalidate(vma, start, pmd);
            pmd.writeOnce(Entry.mkclean(Entry.mkold(orig)));
            tlb.removePmdTlbEntry(start);
        }
        folioMarkLazyfree(folio);
        return true;
    }
}
