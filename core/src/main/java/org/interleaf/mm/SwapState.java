// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Rounds;
import org.jspecify.annotations.Nullable;

/// The swap cache: folios that are on their way to the swap device or back, by their slots
/// (mm/swap_state.c).
///
/// # Locking
///
/// Folios get in and out while they and the cluster are locked. Who looks one up does so without a
/// lock, takes a reference unless the count is zero, and looks again whether it is still there.
/// Once it has locked the folio it must ask whether it is still that of the slot, {@link
/// #folioMatchesSwapEntry}: it may have left the swap cache, and may be back with another slot.
public final class SwapState {
    private final Kernel kernel;

    SwapState(Kernel kernel) {
        this.kernel = kernel;
    }

    private SwapInfo device() {
        return kernel.swapfile().device();
    }

    /// mm/swap_state.c: swap_cache_get_folio(). The folio of the slot, with a reference; null where
    /// there is none.
    @Nullable Folio swapCacheGetFolio(long offset) {
        SwapInfo si = device();
        SwapCluster ci = si.cluster(offset);
        Rounds again = null;
        while (true) {
            long entry = ci.getLockless(si.off(offset));
            if (!SwapTable.isFolio(entry)) {
                return null;
            }
            long pfn = SwapTable.pfn(entry);
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(pfn));
            if (folio.refAddUnlessZero(1)) {
                long now = ci.getLockless(si.off(offset));
                if (SwapTable.isFolio(now) && SwapTable.pfn(now) == pfn) {
                    return folio;
                }
                kernel.swap().folioPut(folio);
            }
            again = kernel.machine().retry(again, "swap_cache_get_folio");
        }
    }

    /// mm/swap_state.c: swap_cache_has_folio().
    boolean swapCacheHasFolio(long offset) {
        SwapInfo si = device();
        return SwapTable.isFolio(si.cluster(offset).getLockless(si.off(offset)));
    }

    /// mm/swap.h: folio_matches_swap_entry(). Whether a locked folio is that of the slot.
    boolean folioMatchesSwapEntry(Folio folio, long offset) {
        long swap = folio.swap.readPlain();
        int nr = folio.nrPages();
        return folio.testSwapcache() && swap == offset / nr * nr;
    }

    /// mm/swap_state.c: __swap_cache_add_check(). 0 where the slot is swapped out, -EEXIST where it
    /// has a folio, -ENOENT where it is not in use. The cluster is locked.
    private int swapCacheAddCheck(SwapCluster ci, long offset) {
        if (ci.table.readPlain() == 0) {
            return -Errno.ENOENT;
        }
        long entry = ci.get(device().off(offset));
        if (SwapTable.isFolio(entry)) {
            return -Errno.EEXIST;
        }
        return SwapTable.count(entry) <= 0 ? -Errno.ENOENT : 0;
    }

    /// mm/swap_state.c: __swap_cache_add_folio(). Puts a locked folio in the swap cache, as that of
    /// the slots from `offset` on, which have none. The cluster is locked.
    void swapCacheAddFolio(SwapCluster ci, Folio folio, long offset) {
        int off = device().off(offset);
        int nr = folio.nrPages();
        for (int i = 0; i < nr; i++) {
            long old = ci.get(off + i);
            ci.set(kernel, off + i, SwapTable.ofFolio(folio.pfn(), old));
        }
        folio.refAdd(nr);
        folio.setFlag(Folio.PG_SWAPCACHE);
        folio.swap.writePlain(offset);
    }

    /// mm/swap_state.c: __swap_cache_del_folio(). Takes a locked folio out; slots that no entry
    /// refers to are free. The references of the swap cache are left to the caller. The cluster is
    /// locked.
    void swapCacheDelFolio(SwapCluster ci, Folio folio, long offset) {
        int start = device().off(offset);
        int nr = folio.nrPages();
        boolean swapped = false;
        boolean needFree = false;
        for (int off = start; off < start + nr; off++) {
            long old = ci.get(off);
            boolean other = !SwapTable.isFolio(old) || SwapTable.pfn(old) != folio.pfn();
            kernel.warnOn(other, "the swap cache has another folio");
            if (SwapTable.count(old) != 0) {
                swapped = true;
            } else {
                needFree = true;
            }
            ci.set(kernel, off, SwapTable.shadow(old));
        }
        folio.swap.writePlain(0);
        folio.clearFlag(Folio.PG_SWAPCACHE);
        if (!swapped) {
            kernel.swapfile().swapClusterFreeEntries(ci, start, nr);
        } else if (needFree) {
            for (int off = start; off < start + nr; off++) {
                if (SwapTable.count(ci.get(off)) == 0) {
                    kernel.swapfile().swapClusterFreeEntries(ci, off, 1);
                }
            }
        }
    }

    /// mm/swap_state.c: swap_cache_del_folio(). The same with lock and references.
    void swapCacheDelFolio(Folio folio) {
        long offset = folio.swap.readPlain();
        SwapCluster ci = device().clusterLock(offset);
        swapCacheDelFolio(ci, folio, offset);
        ci.lock().unlock();
        folio.refAdd(-folio.nrPages());
    }

    /// mm/swap_state.c: __swap_cache_replace_folio(). Puts `fresh`, whose slots are among those of
    /// `old`, in the place of it; both and the cluster are locked.
    void swapCacheReplaceFolio(SwapCluster ci, Folio old, Folio fresh) {
        int start = device().off(fresh.swap.readPlain());
        int nr = fresh.nrPages();
        for (int off = start; off < start + nr; off++) {
            long entry = ci.get(off);
            boolean other = !SwapTable.isFolio(entry) || SwapTable.pfn(entry) != old.pfn();
            kernel.warnOn(other, "the swap cache has another folio");
            ci.set(kernel, off, SwapTable.ofFolio(fresh.pfn(), entry));
        }
    }

    /// mm/swap_state.c: swap_cache_alloc_folio(), __swap_cache_alloc(). A new folio of one page for
    /// a slot that is swapped out, locked and in the swap cache, with a reference for the caller;
    /// its contents are to be read.
    ///
    /// @param error where there is none: -EEXIST, -ENOENT or -ENOMEM
    private @Nullable Folio swapCacheAllocFolio(long offset, int[] error) {
        SwapCluster ci = device().cluster(offset);
        ci.lock().lock();
        error[0] = swapCacheAddCheck(ci, offset);
        ci.lock().unlock();
        if (error[0] != 0) {
            return null;
        }
        Folio folio = kernel.pageAlloc().folioAlloc(0);
        if (folio == null) {
            error[0] = -Errno.ENOMEM;
            return null;
        }
        ci.lock().lock();
        error[0] = swapCacheAddCheck(ci, offset);
        if (error[0] != 0) {
            ci.lock().unlock();
            kernel.swap().folioPut(folio);
            return null;
        }
        folio.setLocked();
        folio.setFlag(Folio.PG_SWAPBACKED);
        swapCacheAddFolio(ci, folio, offset);
        ci.lock().unlock();
        kernel.swap().folioAddLru(folio);
        return folio;
    }

    /// mm/swap_state.c: swapin_sync(), swap_cache_read_folio(). The folio of a slot with a
    /// reference, read in if need be; null where memory is out or the slot is no longer in use.
    @Nullable Folio swapinSync(long offset) {
        int[] error = new int[1];
        Folio folio;
        do {
            folio = swapCacheGetFolio(offset);
            if (folio != null) {
                return folio;
            }
            folio = swapCacheAllocFolio(offset, error);
        } while (error[0] == -Errno.EEXIST);
        if (folio != null) {
            kernel.pageIo().swapReadFolio(folio);
        }
        return folio;
    }

    /// mm/swap_state.c: free_swap_cache(). Somebody is about to drop a reference on a folio: where
    /// only the swap cache has it besides, it is taken out of there.
    void freeSwapCache(Folio folio) {
        if (folio.testSwapcache()
                && kernel.rmap().folioMapcount(folio) == 0
                && folio.lock().trylock()) {
            kernel.swapfile().folioFreeSwap(folio);
            folio.lock().unlock();
        }
    }
}
