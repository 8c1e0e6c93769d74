// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

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

    /// A large folio of which only a part is in the range: to be split. It is locked, with a
    /// reference.
    private static final class Part {
        @Nullable Folio folio;

        /// How many entries are its.
        int nr;
    }

    /// mm/madvise.c: madvise_cold_or_pageout_pte_range().
    private int coldOrPageoutPteRange(Word pmd, long start, long end, MmWalk<Walk> walk) {
        List<Folio> folios = new ArrayList<>();
        boolean ptes = !HugeMemory.pmdIsHuge(pmd.readPlain());
        if (!ptes) {
            SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmd, walk.vma());
            if (ptl == null) {
                return 0;
            }
            Folio partial = coldHugePmd(pmd, start, end, walk, folios);
            ptl.unlock();
            if (partial != null) {
                if (!split(partial)) {
                    return 0;
                }
                ptes = true;
            }
        }
        if (ptes) {
            forEachPte(
                    walk.mm(),
                    pmd,
                    start,
                    end,
                    (entry, addr, max, part) ->
                            coldPte(entry, addr, max, walk.data(), part, folios));
        }
        if (walk.data().pageout) {
            kernel.vmscan().reclaimPages(folios);
        }
        return 0;
    }

    /// Sees to the entry for `addr`, and to those up to `max` that follow it if they are alike. How
    /// many that were; 0 where `part` is to be split first.
    @FunctionalInterface
    private interface PteVisitor {
        int visit(Word entry, long addr, int max, Part part);
    }

    /// The loop of madvise_cold_or_pageout_pte_range() and of madvise_free_pte_range(). The lock of
    /// the table is dropped to split a folio; who cannot be split is passed over.
    private void forEachPte(MmStruct mm, Word pmd, long start, long end, PteVisitor visitor) {
        Part part = new Part();
        long base = start;
        long addr = start;
        PteMapping pte = mapLock(mm, pmd, addr);
        while (pte != null && addr != end) {
            Word entry = pte.pte((int) ((addr - base) >> geometry.pageShift()));
            int max = (int) ((end - addr) >> geometry.pageShift());
            int nr = visitor.visit(entry, addr, max, part);
            if (part.folio != null) {
                pte.unmapUnlock();
                nr = split(part.folio) ? 0 : part.nr;
                part.folio = null;
                base = addr;
                pte = mapLock(mm, pmd, addr);
            }
            addr += (long) nr << geometry.pageShift();
        }
        if (pte != null) {
            pte.unmapUnlock();
        }
    }

    private @Nullable PteMapping mapLock(MmStruct mm, Word pmd, long addr) {
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(mm, pmd, addr);
        if (pte != null) {
            kernel.tlbBatch().flushTlbBatchedPending(mm);
        }
        return pte;
    }

    /// Whether a folio, of which `nr` entries are in the range, is to be split now: then it is in
    /// `part`. Folios of files are not, see docs/model.md.
    private boolean takesPart(Folio folio, int nr, Part part) {
        boolean can =
                folio.isAnon()
                        && !kernel.rmap().folioMaybeMappedShared(folio)
                        && folio.lock().trylock();
        if (can) {
            folio.get();
            part.folio = folio;
            part.nr = nr;
        }
        return can;
    }

    /// Splits a folio, and gives the lock and the reference back. Whether it has been split.
    private boolean split(Folio folio) {
        int err = kernel.folioSplit().splitFolio(folio);
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
        return err == 0;
    }

    /// The part of madvise_cold_or_pageout_pte_range() for a huge PMD, which is locked. The folio,
    /// locked and with a reference, where it is to be split since the range has not all of it.
    private @Nullable Folio coldHugePmd(
            Word pmd, long start, long end, MmWalk<Walk> walk, List<Folio> folios) {
        long orig = pmd.readPlain();
        if (!Entry.present(orig) || kernel.isHugeZeroPfn(Entry.pfn(orig)) || Entry.special(orig)) {
            return null;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(orig)));
        if (folio.isZoneDevice() || kernel.rmap().folioMaybeMappedShared(folio)) {
            return null;
        }
        if (end - start != geometry.size(Geometry.PMD)) {
            if (!folio.isAnon() || !folio.lock().trylock()) {
                return null;
            }
            folio.get();
            return folio;
        }
        if (!walk.data().pageout && Entry.young(orig)) {
            pmd.fetchAnd(~Entry.ACCESSED, Order.RELAXED); // pmdp_test_and_clear_young()
            walk.data().tlb.removePmdTlbEntry(start);
        }
        deactivate(folio, walk.data().pageout, folios);
        return null;
    }

    /// One round of the loop; how many entries it was about.
    private int coldPte(Word entry, long addr, int max, Walk walk, Part part, List<Folio> folios) {
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
            FolioPteBatch.Merged batch = FolioPteBatch.madviseFolioPteBatch(folio, entry, pte, max);
            nr = batch.nr();
            pte = batch.pte();
            if (nr < folio.nrPages()) {
                return takesPart(folio, nr, part) ? 0 : nr;
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
        forEachPte(
                walk.mm(),
                pmd,
                start,
                end,
                (entry, addr, max, part) -> freePte(entry, addr, max, walk.data(), part));
        return 0;
    }

    /// One round of the loop; how many entries it was about.
    private int freePte(Word entry, long addr, int max, MmuGather tlb, Part part) {
        long pte = entry.readOnce();
        if (Entry.none(pte)) {
            return 1;
        }
        if (!Entry.ptePresent(pte)) {
            return freeNonpresent(entry, pte, max);
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
            FolioPteBatch.Merged batch = FolioPteBatch.madviseFolioPteBatch(folio, entry, pte, max);
            nr = batch.nr();
            pte = batch.pte();
            if (nr < folio.nrPages()) {
                return takesPart(folio, nr, part) ? 0 : nr;
            }
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

    /// What is in swap need not be read in any more. How many entries that were.
    private int freeNonpresent(Word entry, long pte, int max) {
        if (Entry.isSwap(pte)) {
            int nr = NonpresentPtes.swapPteBatch(entry, max, pte);
            kernel.swapfile().swapPutEntriesDirect(Entry.swpOffset(pte), nr);
            for (int i = 0; i < nr; i++) {
                kernel.entries().clear(PageTable.plus(entry, i)); // clear_nonpresent_ptes()
            }
            return nr;
        }
        boolean poison = Entry.isMarker(pte) && (Entry.marker(pte) & Entry.MARKER_POISONED) != 0;
        if (Entry.isHwpoison(pte) || poison) {
            kernel.entries().clear(entry);
        }
        return 1;
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
        Part part = new Part();
        boolean done = freeLockedPmd(tlb, vma, pmd, start, end, part);
        ptl.unlock();
        if (part.folio != null) {
            split(part.folio);
        }
        return done;
    }

    private boolean freeLockedPmd(
            MmuGather tlb, Vma vma, Word pmd, long start, long end, Part part) {
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
        if (end - start != geometry.size(Geometry.PMD)) {
            folio.get();
            part.folio = folio;
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
