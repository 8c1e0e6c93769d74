// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// The slots of the swap device and who refers to them (mm/swapfile.c).
///
/// # Who keeps a slot
///
/// Each page-table entry that refers to a slot is counted in the swap table, under the lock of the
/// slot's cluster. The folio in the swap cache is not counted, but keeps the slot too: it is free
/// when the count is zero and there is no folio. While the folio is locked it stays in the swap
/// cache.
///
/// A count goes from 0 to 1 only while the folio is in the swap cache and locked; who holds the
/// lock of a page table can drop the count of an entry that is in there at any time.
public final class Swapfile {
    /// `TTRS_ANYWAY`: take the folio out of the swap cache also where it is mapped.
    static final int TTRS_ANYWAY = 1;

    /// `TTRS_UNMAPPED`: where it is not.
    static final int TTRS_UNMAPPED = 2;

    /// `TTRS_FULL`: where slots are getting short.
    static final int TTRS_FULL = 4;

    private final Kernel kernel;
    private @Nullable SwapInfo si;
    private @Nullable SwapAlloc alloc;

    /// `swap_avail_lock`: whether the device has free slots.
    final SpinLock availLock;

    /// Whether the device is on `swap_avail_head`.
    final Word available;

    /// `nr_swap_pages`: free slots.
    private final Word nrSwapPages;

    Swapfile(Kernel kernel) {
        this.kernel = kernel;
        Machine machine = kernel.machine();
        availLock = new SpinLock(machine, null, null, "swap_avail_lock");
        available = machine.word(null, null, "swap_avail_head", -1, 0);
        nrSwapPages = machine.word(null, null, "nr_swap_pages", -1, 0);
    }

    /// mm/swapfile.c: swapon(2). For the set-up: a device with `pages` slots. Nobody turns it off;
    /// without it the kernel is one without `CONFIG_SWAP`.
    public void swapon(int pages) {
        int words = kernel.memMap().memory().frame(0).words();
        SwapInfo info =
                new SwapInfo(
                        kernel.machine(),
                        kernel.memMap(),
                        pages,
                        kernel.geometry().hpagePmdOrder(),
                        words);
        kernel.inspect().setSwap(info);
        info.setup();
        for (int pfn = 0; pfn < kernel.memMap().size(); pfn++) {
            kernel.memMap().folioAt(pfn).setConfigSwap();
        }
        available.writePlain(1);
        nrSwapPages.writePlain(pages);
        si = info;
        alloc = new SwapAlloc(kernel, this, info);
    }

    /// The device; null where there is none. Looked at from outside.
    public @Nullable SwapInfo peekDevice() {
        return si;
    }

    /// mm/swap.h: __swap_entry_to_info(). The device that an entry speaks of.
    SwapInfo device() {
        if (si == null) {
            throw new NullPointerException("__swap_entry_to_info: there is no swap device");
        }
        return si;
    }

    /// include/linux/swap.h: vm_swap_full(). Whether less than half of the slots are free.
    boolean vmSwapFull() {
        return nrSwapPages.readOnce() * 2 < (si == null ? 0 : si.pages());
    }

    // ---- allocation

    /// mm/swapfile.c: folio_alloc_swap(). Finds slots for a locked folio and puts it in the swap
    /// cache. 0, -ENOMEM, or -EAGAIN where the folio must be split first.
    int folioAllocSwap(Folio folio) {
        if (folio.order() > 0 && !kernel.arch().thpSwap()) {
            return -Errno.EAGAIN;
        }
        if (alloc != null && !alloc.swapAllocFast(folio)) {
            alloc.swapAllocSlow(folio);
        }
        return folio.testSwapcache() ? 0 : -Errno.ENOMEM;
    }

    /// mm/swapfile.c: swap_range_alloc(), swap_usage_add(), del_from_avail_list(). The last slot
    /// takes the device off the list.
    void swapRangeAlloc(int nr) {
        SwapInfo info = device();
        long now = info.inusePages.fetchAdd(nr, Order.RELAXED) + nr;
        if (now == info.pages()) {
            availLock.lock();
            long full = info.pages() | SwapInfo.USAGE_OFFLIST;
            if (info.inusePages.cmpxchg(info.pages(), full, Order.FULL) == info.pages()) {
                available.writePlain(0);
            }
            availLock.unlock();
        }
        nrSwapPages.add(-nr, Order.RELAXED);
    }

    /// mm/swapfile.c: swap_range_free(), swap_usage_sub(), add_to_avail_list().
    private void swapRangeFree(int nr) {
        SwapInfo info = device();
        kernel.machine().fence(Fence.WMB);
        nrSwapPages.add(nr, Order.RELAXED);
        long now = info.inusePages.fetchAdd(-nr, Order.RELAXED) - nr;
        if ((now & SwapInfo.USAGE_OFFLIST) == 0) {
            return;
        }
        availLock.lock();
        if ((info.inusePages.readOnce() & SwapInfo.USAGE_OFFLIST) != 0) {
            long val = info.inusePages.fetchAnd(~SwapInfo.USAGE_OFFLIST, Order.RELAXED);
            long pages = info.pages();
            boolean skip =
                    val == pages
                            && info.inusePages.cmpxchg(
                                            pages, pages | SwapInfo.USAGE_OFFLIST, Order.FULL)
                                    == pages;
            if (!skip) {
                available.writePlain(1);
            }
        }
        availLock.unlock();
    }

    /// mm/swapfile.c: __swap_cluster_free_entries(). Nobody keeps these slots any more; the cluster
    /// is locked.
    void swapClusterFreeEntries(SwapCluster ci, int off, int nr) {
        ci.count.writePlain(ci.count.readPlain() - nr);
        for (int i = 0; i < nr; i++) {
            ci.get(off + i);
            ci.set(kernel, off + i, SwapTable.NULL);
        }
        swapRangeFree(nr);
        if (alloc == null) {
            throw new AssertionError("[interleaf internal] slots without a device");
        }
        if (ci.isEmpty()) {
            alloc.freeCluster(ci);
        } else {
            alloc.partialFreeCluster(ci);
        }
    }

    // ---- counts

    /// mm/swapfile.c: folio_dup_swap(). One more page-table entry is about to refer to the slot of
    /// `page`, of a locked folio in the swap cache.
    void folioDupSwap(Folio folio, Page page) {
        long offset = folio.swap.readPlain() + page.pfn() - folio.pfn();
        swapDupEntriesCluster(offset, 1);
    }

    /// mm/swapfile.c: swap_dup_entry_direct(). The same by who holds the lock of an entry that
    /// refers to the slot.
    void swapDupEntryDirect(long offset) {
        swapDupEntriesCluster(offset, 1);
    }

    /// mm/swapfile.c: swap_dup_entries_cluster(), __swap_cluster_dup_entry().
    private void swapDupEntriesCluster(long offset, int nr) {
        SwapInfo info = device();
        SwapCluster ci = info.clusterLock(offset);
        for (int i = 0; i < nr; i++) {
            int off = info.off(offset) + i;
            long entry = ci.get(off);
            int count = SwapTable.count(entry);
            boolean used = count > 0 || SwapTable.isFolio(entry);
            if (!kernel.warnOn(!used, "the swap count of a free slot is increased")) {
                if (count + 1 >= SwapTable.COUNT_MAX) {
                    throw new AssertionError("[interleaf internal] swap counts are small");
                }
                ci.set(kernel, off, SwapTable.withCount(entry, count + 1));
            }
        }
        ci.lock().unlock();
    }

    /// mm/swapfile.c: folio_put_swap(). One entry fewer refers to the slot of `page`, or to each of
    /// the folio's where that is null. The folio is locked and in the swap cache, which goes on
    /// keeping the slots.
    void folioPutSwap(Folio folio, @Nullable Page page) {
        long offset = folio.swap.readPlain();
        int nr = folio.nrPages();
        if (page != null) {
            swapPutEntriesCluster(offset + page.pfn() - folio.pfn(), 1, false);
        } else {
            swapPutEntriesCluster(offset, nr, false);
        }
    }

    /// mm/swapfile.c: swap_put_entries_direct(). The lock of the page table is held that had the
    /// entries. A folio in the swap cache that nobody refers to any more goes as well, if it can be
    /// had.
    void swapPutEntriesDirect(long offset, int nr) {
        long end = offset + nr;
        int size = device().clusterSize();
        for (long from = offset; from < end; ) {
            long to = Math.min((from / size + 1) * size, end);
            swapPutEntriesCluster(from, (int) (to - from), true);
            from = to;
        }
    }

    /// mm/swapfile.c: swap_put_entries_cluster().
    private void swapPutEntriesCluster(long offset, int nr, boolean reclaimCache) {
        SwapInfo info = device();
        boolean needReclaim = false;
        int batch = -1;
        SwapCluster ci = info.clusterLock(offset);
        int start = info.off(offset);
        for (int off = start; off < start + nr; off++) {
            long entry = ci.get(off);
            if (SwapTable.count(entry) == 1) {
                if (!SwapTable.isFolio(entry)) {
                    batch = batch < 0 ? off : batch;
                    continue;
                }
                needReclaim = true;
            }
            swapClusterPutEntry(ci, off);
            if (batch >= 0) {
                swapClusterFreeEntries(ci, batch, off - batch);
                batch = -1;
            }
        }
        if (batch >= 0) {
            swapClusterFreeEntries(ci, batch, start + nr - batch);
        }
        ci.lock().unlock();
        if (needReclaim && reclaimCache) {
            for (long o = offset; o < offset + nr; ) {
                int reclaimed = Math.abs(tryToReclaimSwap(o, TTRS_UNMAPPED | TTRS_FULL));
                o = reclaimed == 0 ? o + 1 : (o / reclaimed + 1) * reclaimed;
            }
        }
    }

    /// mm/swapfile.c: __swap_cluster_put_entry(). The cluster is locked.
    private void swapClusterPutEntry(SwapCluster ci, int off) {
        long entry = ci.get(off);
        int count = SwapTable.count(entry);
        if (kernel.warnOn(count <= 0, "a swap count drops below zero")) {
            return;
        }
        ci.set(kernel, off, SwapTable.withCount(entry, count - 1));
    }

    /// mm/swapfile.c: __swap_count(). The page-table entries that refer to the slot.
    int swapCount(long offset) {
        SwapInfo info = device();
        return SwapTable.count(info.cluster(offset).get(info.off(offset)));
    }

    /// mm/swapfile.c: swp_swapcount(). The same under the lock of the cluster.
    int swpSwapcount(long offset) {
        SwapInfo info = device();
        SwapCluster ci = info.clusterLock(offset);
        int count = SwapTable.count(ci.get(info.off(offset)));
        ci.lock().unlock();
        return Math.max(count, 0);
    }

    // ---- giving up the swap cache

    /// mm/swapfile.c: folio_maybe_swapped(). Whether entries refer to slots of a locked folio in
    /// the swap cache. They can only become fewer.
    private boolean folioMaybeSwapped(Folio folio) {
        SwapInfo info = device();
        long offset = folio.swap.readPlain();
        SwapCluster ci = info.cluster(offset);
        int nr = folio.nrPages();
        boolean swapped = false;
        for (int i = 0; i < nr && !swapped; i++) {
            swapped = SwapTable.count(ci.get(info.off(offset) + i)) != 0;
        }
        return swapped;
    }

    /// mm/swapfile.c: folio_swapcache_freeable().
    private static boolean folioSwapcacheFreeable(Folio folio) {
        return folio.testSwapcache() && !folio.testFlag(Folio.PG_WRITEBACK);
    }

    /// mm/swapfile.c: folio_free_swap(). Takes a locked folio out of the swap cache, if no entry
    /// refers to its slots; these are free then. Whether that was so.
    boolean folioFreeSwap(Folio folio) {
        if (!folioSwapcacheFreeable(folio) || folioMaybeSwapped(folio)) {
            return false;
        }
        kernel.swapState().swapCacheDelFolio(folio);
        folio.setFlag(Folio.PG_DIRTY);
        return true;
    }

    /// mm/swapfile.c: __try_to_reclaim_swap(). Takes the folio of the slot out of the swap cache,
    /// if it can be locked at once. The pages of the folio; negative where it stays, 0 where there
    /// is none.
    int tryToReclaimSwap(long offset, int flags) {
        while (true) {
            Folio folio = kernel.swapState().swapCacheGetFolio(offset);
            if (folio == null) {
                return 0;
            }
            int nr = folio.nrPages();
            int ret = -nr;
            if (folio.lock().trylock()) {
                if (!kernel.swapState().folioMatchesSwapEntry(folio, offset)) {
                    folio.lock().unlock();
                    kernel.swap().folioPut(folio);
                    continue;
                }
                if (reclaimLocked(folio, flags, nr)) {
                    ret = nr;
                }
                folio.lock().unlock();
            }
            kernel.swap().folioPut(folio);
            return ret;
        }
    }

    private boolean reclaimLocked(Folio folio, int flags, int nr) {
        long offset = folio.swap.readPlain();
        boolean need =
                (flags & TTRS_ANYWAY) != 0
                        || ((flags & TTRS_UNMAPPED) != 0 && kernel.rmap().folioMapcount(folio) == 0)
                        || ((flags & TTRS_FULL) != 0 && vmSwapFull());
        if (!need || !folioSwapcacheFreeable(folio)) {
            return false;
        }
        SwapInfo info = device();
        SwapCluster ci = info.clusterLock(offset);
        boolean onlyCache = true; // swap_only_has_cache()
        for (int i = 0; i < nr && onlyCache; i++) {
            onlyCache = SwapTable.count(ci.get(info.off(offset) + i)) == 0;
        }
        ci.lock().unlock();
        if (onlyCache) {
            kernel.swapState().swapCacheDelFolio(folio);
            folio.setFlag(Folio.PG_DIRTY);
        }
        return onlyCache;
    }
}
