// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Reclaim of folios that somebody has isolated (mm/vmscan.c).
///
/// # Who may have the folio
///
/// It is isolated and locked. While it is still mapped, anybody can get at it; when it is not, only
/// those who look it up in the swap cache, or got a reference before. To free it the count is
/// changed to zero from what the swap cache and the isolation account for: then nobody else has it,
/// and nobody can.
final class Vmscan {
    private final Kernel kernel;

    /// What becomes of a folio.
    private enum Fate {
        /// Nobody has it any more.
        FREED,
        /// It goes back where it was taken from.
        KEEP,
        /// The same, with the lock dropped here.
        KEEP_LOCKED,
        /// The same, as one that is in use.
        ACTIVATE_LOCKED
    }

    /// `pageout_t`.
    private enum Pageout {
        KEEP,
        ACTIVATE,
        SUCCESS,
        CLEAN
    }

    Vmscan(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/vmscan.c: reclaim_pages(), reclaim_folio_list(). Frees what it can of these isolated
    /// folios, whether they have been used or not, and puts the others back.
    void reclaimPages(List<Folio> folios) {
        if (folios.isEmpty()) {
            return;
        }
        for (Folio folio : folios) {
            folio.clearFlag(Folio.PG_ACTIVE);
        }
        for (Folio folio : shrinkFolioList(folios)) {
            kernel.swap().folioPutbackLru(folio);
        }
    }

    /// mm/vmscan.c: shrink_folio_list(). Those that could not be freed.
    private List<Folio> shrinkFolioList(List<Folio> folios) {
        TlbBatch.Pending ubc = new TlbBatch.Pending();
        List<Folio> free = new ArrayList<>();
        List<Folio> kept = new ArrayList<>();
        for (Folio folio : folios) {
            Fate fate = folio.lock().trylock() ? shrinkLocked(folio, ubc) : Fate.KEEP;
            if (fate == Fate.FREED) {
                folio.lock().unlock();
                free.add(folio);
                continue;
            }
            if (fate == Fate.ACTIVATE_LOCKED) {
                activate(folio);
            }
            if (fate != Fate.KEEP) {
                folio.lock().unlock();
            }
            kept.add(folio);
        }
        kernel.tlbBatch().tryToUnmapFlush(ubc);
        for (Folio folio : free) {
            kernel.pageAlloc().freeFolio(folio); // free_unref_folios()
        }
        return kept;
    }

    /// From the label `activate_locked` of shrink_folio_list().
    private void activate(Folio folio) {
        if (folio.testSwapcache() && kernel.swapfile().vmSwapFull()) {
            kernel.swapfile().folioFreeSwap(folio);
        }
        folio.setFlag(Folio.PG_ACTIVE);
    }

    /// The part of shrink_folio_list() for one folio, which is locked.
    private Fate shrinkLocked(Folio folio, TlbBatch.Pending ubc) {
        if (folio.isHwpoison()) { // unmap_poisoned_folio() is for memory failures
            return Fate.KEEP_LOCKED;
        }
        kernel.swap().folioMapping(folio); // folio_evictable()
        if (folio.testFlag(Folio.PG_WRITEBACK)) {
            folio.setFlag(Folio.PG_RECLAIM);
            return Fate.ACTIVATE_LOCKED;
        }
        Fate fate = addToSwap(folio);
        if (fate == null) {
            fate = unmap(folio, ubc);
        }
        if (fate == null) {
            fate = writeOut(folio, ubc);
        }
        return fate == null ? remove(folio) : fate;
    }

    /// The part of shrink_folio_list() that finds slots for an anonymous folio; null to go on.
    private @Nullable Fate addToSwap(Folio folio) {
        boolean wanted =
                folio.isAnon() && folio.testFlag(Folio.PG_SWAPBACKED) && !folio.testSwapcache();
        if (!wanted) {
            return null;
        }
        if (Rmap.maybeDmaPinned(folio)) {
            return Fate.KEEP_LOCKED;
        }
        if (folio.isLarge() && kernel.rmap().folioExpectedRefCount(folio) != folio.refCount() - 1) {
            return Fate.ACTIVATE_LOCKED; // cannot be split
        }
        if (kernel.swapfile().folioAllocSwap(folio) != 0) {
            return Fate.ACTIVATE_LOCKED;
        }
        // The entries need not be dirty: MADV_FREE may have been on its way.
        kernel.swap().folioMarkDirty(folio);
        return null;
    }

    /// The part of shrink_folio_list() that takes the folio out of page tables; null where it is in
    /// none.
    private @Nullable Fate unmap(Folio folio, TlbBatch.Pending ubc) {
        if (!kernel.rmap().folioMapped(folio)) {
            return null;
        }
        int flags = TryToUnmap.BATCH_FLUSH;
        folio.testFlag(Folio.PG_SWAPBACKED); // was_swapbacked, for statistics
        if (folio.order() >= kernel.geometry().hpagePmdOrder()) { // folio_test_pmd_mappable()
            flags |= TryToUnmap.SPLIT_HUGE_PMD;
        }
        if (folio.isLarge()) {
            flags |= TryToUnmap.SYNC;
        }
        kernel.tryToUnmap().tryToUnmap(folio, flags, ubc);
        return kernel.rmap().folioMapped(folio) ? Fate.ACTIVATE_LOCKED : null;
    }

    /// The part of shrink_folio_list() that writes a dirty folio out; null where it is clean.
    private @Nullable Fate writeOut(Folio folio, TlbBatch.Pending ubc) {
        // Not mapped any more, so nobody can pin it from now on.
        if (Rmap.maybeDmaPinned(folio)) {
            return Fate.ACTIVATE_LOCKED;
        }
        boolean mapping = kernel.swap().folioMapping(folio);
        if (!folio.testFlag(Folio.PG_DIRTY)) {
            return null;
        }
        if (!folio.testFlag(Folio.PG_SWAPBACKED)) { // folio_is_file_lru()
            if (!folio.testFlag(Folio.PG_RECLAIM)) {
                folio.setFlag(Folio.PG_RECLAIM);
            }
            return Fate.ACTIVATE_LOCKED;
        }
        // The CPUs must not write to the page once it is being written out.
        kernel.tlbBatch().tryToUnmapFlushDirty(ubc);
        return switch (pageout(folio, mapping)) {
            case KEEP -> Fate.KEEP_LOCKED;
            case ACTIVATE -> Fate.ACTIVATE_LOCKED;
            case CLEAN -> null;
            case SUCCESS -> lockAgain(folio);
        };
    }

    /// After a page was written synchronously: null if it can be had, and is clean.
    private static @Nullable Fate lockAgain(Folio folio) {
        if (folio.testFlag(Folio.PG_WRITEBACK)
                || folio.testFlag(Folio.PG_DIRTY)
                || !folio.lock().trylock()) {
            return Fate.KEEP;
        }
        boolean again = folio.testFlag(Folio.PG_DIRTY) || folio.testFlag(Folio.PG_WRITEBACK);
        return again ? Fate.KEEP_LOCKED : null;
    }

    /// mm/vmscan.c: pageout(). Writes the folio, which is locked and unmapped, unless somebody else
    /// has it. Unlocks it where that is a success.
    private Pageout pageout(Folio folio, boolean mapping) {
        if (folio.refCount() != 1 + folio.nrPages() || !mapping) {
            return Pageout.KEEP;
        }
        if (!folio.isAnon()) {
            return Pageout.ACTIVATE;
        }
        kernel.swap().folioMapping(folio); // folio_clear_dirty_for_io()
        if (!folio.testClearFlag(Folio.PG_DIRTY)) {
            return Pageout.CLEAN;
        }
        folio.setFlag(Folio.PG_RECLAIM);
        kernel.pageIo().swapWriteout(folio);
        if (!folio.testFlag(Folio.PG_WRITEBACK)) {
            folio.clearFlag(Folio.PG_RECLAIM);
        }
        return Pageout.SUCCESS;
    }

    /// The end of shrink_folio_list(): the folio is unmapped and clean.
    private Fate remove(Folio folio) {
        // folio_needs_release(): nothing is private.
        if (folio.isAnon() && !folio.testFlag(Folio.PG_SWAPBACKED)) { // folio_test_lazyfree()
            return folio.refFreeze(1) ? Fate.FREED : Fate.KEEP_LOCKED;
        }
        boolean mapping = kernel.swap().folioMapping(folio);
        return mapping && removeMapping(folio) ? Fate.FREED : Fate.KEEP_LOCKED;
    }

    /// mm/vmscan.c: __remove_mapping(). Takes a locked folio out of the swap cache if nobody else
    /// has it, and it is clean: in that order, as who has it may write to it, mark it dirty and let
    /// it go. Its count is zero then.
    private boolean removeMapping(Folio folio) {
        if (!folio.testSwapcache()) {
            return false; // Only anonymous memory is reclaimed.
        }
        long offset = folio.swap.readPlain();
        SwapCluster ci = kernel.swapfile().device().clusterLock(offset);
        long refcount = 1L + folio.nrPages();
        boolean freed = folio.refFreeze(refcount);
        if (freed && folio.testFlag(Folio.PG_DIRTY)) {
            folio.refUnfreeze(refcount);
            freed = false;
        }
        if (freed && folio.testSwapcache()) {
            kernel.swapState().swapCacheDelFolio(ci, folio, folio.swap.readPlain());
        }
        ci.lock().unlock();
        return freed;
    }
}
