// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Finding free slots of the swap device (the first half of mm/swapfile.c).
///
/// # Locking
///
/// A cluster's slots are allocated under its lock. Which list it is on changes under the device's
/// lock as well, which is taken inside; who takes a cluster off a list has that lock first and only
/// tries for the cluster's. Each CPU has a cluster of its own that it goes on with; that is nobody
/// else's business, so it is no access.
final class SwapAlloc {
    /// `SWAP_ENTRY_INVALID`.
    private static final long NONE = 0;

    private final Kernel kernel;
    private final Machine machine;
    private final Swapfile swapfile;
    private final SwapInfo si;

    /// `percpu_swap_cluster.offset`, for each CPU and order; the set-up has a row of its own.
    private final Word[][] percpuOffset;

    SwapAlloc(Kernel kernel, Swapfile swapfile, SwapInfo si) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.swapfile = swapfile;
        this.si = si;
        percpuOffset = new Word[machine.cpuCount() + 1][si.orders()];
        for (Word[] row : percpuOffset) {
            for (int order = 0; order < row.length; order++) {
                row[order] = machine.word(null, this, "percpu_swap_cluster", order, NONE);
            }
        }
    }

    private Word percpu(int order) {
        int cpu = machine.running() ? machine.current().cpu() : machine.cpuCount();
        return percpuOffset[cpu][order];
    }

    /// mm/swapfile.c: swap_alloc_fast(). From the cluster that this CPU used last.
    boolean swapAllocFast(Folio folio) {
        int order = folio.order();
        long offset = percpu(order).peek();
        if (offset == NONE) {
            return false;
        }
        SwapCluster ci = si.clusterLock(offset);
        if (ci.isUsable(order)) {
            long from = ci.isEmpty() ? clusterOffset(ci) : offset;
            allocSwapScanCluster(ci, folio, from);
        } else {
            ci.lock().unlock();
        }
        return folio.testSwapcache();
    }

    /// mm/swapfile.c: swap_alloc_slow(). From another cluster. There is one device, if it is not
    /// full.
    void swapAllocSlow(Folio folio) {
        swapfile.availLock.lock();
        if (swapfile.available.readPlain() == 0) {
            swapfile.availLock.unlock();
            return;
        }
        swapfile.availLock.unlock();
        clusterAllocSwapEntry(folio);
        if (folio.testSwapcache() || folio.isLarge()) {
            return;
        }
        swapfile.availLock.lock();
        swapfile.availLock.unlock();
    }

    /// mm/swapfile.c: cluster_alloc_swap_entry().
    private long clusterAllocSwapEntry(Folio folio) {
        int order = folio.order();
        boolean partial = order < si.orders() - 1;
        long found = NONE;
        if (partial) {
            found = allocSwapScanList(si.nonfullClusters(order), folio, true);
        }
        if (found == NONE) {
            found = allocSwapScanList(si.freeClusters, folio, false);
        }
        if (found != NONE) {
            return found;
        }
        if (swapfile.vmSwapFull()) {
            swapReclaimFullCluster();
        }
        if (partial) {
            found = allocSwapScanList(si.fragClusters(order), folio, false);
        }
        return found != NONE || order > 0 ? found : steal(folio);
    }

    /// The end of cluster_alloc_swap_entry(): a single slot from where there are larger runs.
    private long steal(Folio folio) {
        for (int order = 1; order < si.orders(); order++) {
            long found = allocSwapScanList(si.fragClusters(order), folio, true);
            if (found == NONE) {
                found = allocSwapScanList(si.nonfullClusters(order), folio, true);
            }
            if (found != NONE) {
                return found;
            }
        }
        return NONE;
    }

    /// mm/swapfile.c: alloc_swap_scan_list().
    private long allocSwapScanList(Ref<SwapClusterList> list, Folio folio, boolean scanAll) {
        long found;
        do {
            SwapCluster ci = isolateLockCluster(list);
            if (ci == null) {
                return NONE;
            }
            found = allocSwapScanCluster(ci, folio, clusterOffset(ci));
        } while (found == NONE && scanAll);
        return found;
    }

    /// mm/swapfile.c: isolate_lock_cluster(). The first cluster of the list whose lock is free,
    /// locked and taken off it.
    private @Nullable SwapCluster isolateLockCluster(Ref<SwapClusterList> list) {
        SwapCluster found = null;
        long flags = SwapCluster.FLAG_NONE;
        si.lock.lock();
        SwapClusterList clusters = list.readPlainNonNull();
        for (SwapCluster ci : clusters.clusters()) {
            if (ci.lock().trylock()) {
                list.write(clusters.minus(machine, ci), Order.PLAIN);
                flags = ci.flags.readPlain();
                ci.flags.writePlain(SwapCluster.FLAG_NONE);
                found = ci;
                break;
            }
        }
        si.lock.unlock();
        if (found != null && flags == SwapCluster.FLAG_FREE) {
            found.table.write(1, Order.RELEASE); // swap_cluster_populate()
        }
        return found;
    }

    /// mm/swapfile.c: alloc_swap_scan_cluster(). Allocates from the locked cluster, from `offset`
    /// on, and unlocks it. The first slot, {@link #NONE} where there are no free ones.
    private long allocSwapScanCluster(SwapCluster ci, Folio folio, long offset) {
        int order = folio.order();
        int nr = 1 << order;
        long next = NONE;
        long found = NONE;
        if (ci.count.readPlain() + nr <= si.clusterSize()) {
            found = scan(ci, folio, offset, order);
            long last = clusterOffset(ci) + si.clusterSize() - nr;
            if (found != NONE && ci.count.readPlain() < si.clusterSize() && found + nr <= last) {
                next = found + nr;
            }
        }
        relocateCluster(ci);
        ci.lock().unlock();
        percpu(order).poke(next);
        return found;
    }

    /// The loop of alloc_swap_scan_cluster().
    private long scan(SwapCluster ci, Folio folio, long from, int order) {
        int nr = 1 << order;
        long start = clusterOffset(ci);
        for (long offset = from; offset <= start + si.clusterSize() - nr; offset += nr) {
            boolean[] needReclaim = new boolean[1];
            if (!clusterScanRange(ci, offset, nr, needReclaim)) {
                continue;
            }
            if (needReclaim[0]) {
                boolean[] usable = new boolean[1];
                boolean reclaimed = clusterReclaimRange(ci, offset, order, usable);
                if (!usable[0]) {
                    return NONE;
                }
                if (ci.isEmpty()) {
                    offset = start;
                }
                if (!reclaimed) {
                    continue;
                }
            }
            swapClusterAllocEntries(ci, folio, offset);
            return offset;
        }
        return NONE;
    }

    /// mm/swapfile.c: cluster_scan_range(). Whether the slots are free, or would be without the
    /// swap cache.
    private boolean clusterScanRange(SwapCluster ci, long offset, int nr, boolean[] needReclaim) {
        for (int i = 0; i < nr; i++) {
            long entry = ci.get(si.off(offset) + i);
            if (SwapTable.isNull(entry)) {
                continue;
            }
            if (SwapTable.isFolio(entry) && SwapTable.count(entry) == 0) {
                if (!swapfile.vmSwapFull()) {
                    return false;
                }
                needReclaim[0] = true;
                continue;
            }
            return false;
        }
        return true;
    }

    /// mm/swapfile.c: cluster_reclaim_range(). Takes folios out of the swap cache whose slots
    /// nobody refers to; drops the lock for that.
    private boolean clusterReclaimRange(SwapCluster ci, long start, int order, boolean[] usable) {
        long end = start + (1L << order);
        ci.lock().unlock();
        for (long offset = start; offset < end; offset++) {
            long entry = ci.getLockless(si.off(offset));
            if (SwapTable.count(entry) != 0) {
                break;
            }
            if (SwapTable.isFolio(entry)
                    && swapfile.tryToReclaimSwap(offset, Swapfile.TTRS_ANYWAY) < 0) {
                break;
            }
        }
        ci.lock().lock();
        usable[0] = ci.isUsable(order);
        if (!usable[0]) {
            return false;
        }
        if (ci.isEmpty()) {
            return true;
        }
        for (long offset = start; offset < end; offset++) {
            if (!SwapTable.isNull(ci.get(si.off(offset)))) {
                return false;
            }
        }
        return true;
    }

    /// mm/swapfile.c: __swap_cluster_alloc_entries(). The folio gets the slots; they start with a
    /// count of 0, and the swap cache keeps them.
    private void swapClusterAllocEntries(SwapCluster ci, Folio folio, long offset) {
        int order = folio.order();
        kernel.swapState().swapCacheAddFolio(ci, folio, offset);
        if (ci.isEmpty()) {
            ci.order.writePlain(order);
        }
        ci.count.writePlain(ci.count.readPlain() + (1 << order));
        swapfile.swapRangeAlloc(1 << order);
    }

    /// mm/swapfile.c: relocate_cluster(). Puts a cluster, after an allocation, on the list that it
    /// belongs to.
    private void relocateCluster(SwapCluster ci) {
        long count = ci.count.readPlain();
        long flags = ci.flags.readPlain();
        if (count == 0) {
            if (flags != SwapCluster.FLAG_FREE) {
                freeCluster(ci);
            }
        } else if (count != si.clusterSize()) {
            if (flags != SwapCluster.FLAG_FRAG) {
                int order = (int) ci.order.readPlain();
                moveCluster(ci, si.fragClusters(order), SwapCluster.FLAG_FRAG);
            }
        } else if (flags != SwapCluster.FLAG_FULL) {
            moveCluster(ci, si.fullClusters, SwapCluster.FLAG_FULL);
        }
    }

    /// mm/swapfile.c: free_cluster(), __free_cluster(). Nothing in the cluster is in use; its table
    /// goes.
    void freeCluster(SwapCluster ci) {
        ci.table.write(0, Order.RELEASE); // swap_cluster_free_table()
        moveCluster(ci, si.freeClusters, SwapCluster.FLAG_FREE);
        ci.order.writePlain(0);
    }

    /// mm/swapfile.c: partial_free_cluster(). Some slots of the cluster have been freed.
    void partialFreeCluster(SwapCluster ci) {
        if (ci.flags.readPlain() != SwapCluster.FLAG_NONFULL) {
            int order = (int) ci.order.readPlain();
            moveCluster(ci, si.nonfullClusters(order), SwapCluster.FLAG_NONFULL);
        }
    }

    /// mm/swapfile.c: move_cluster(). The cluster is locked.
    private void moveCluster(SwapCluster ci, Ref<SwapClusterList> to, long newFlags) {
        kernel.assertHeld(ci.lock());
        si.lock.lock();
        long flags = ci.flags.readPlain();
        if (flags != SwapCluster.FLAG_NONE) {
            Ref<SwapClusterList> from = Objects.requireNonNull(listOf(ci, flags));
            from.write(from.readPlainNonNull().minus(machine, ci), Order.PLAIN);
        }
        to.write(to.readPlainNonNull().plus(machine, ci), Order.PLAIN);
        si.lock.unlock();
        ci.flags.writePlain(newFlags);
    }

    /// The list that a cluster with these flags is on. The kernel need not know: it is linked.
    private @Nullable Ref<SwapClusterList> listOf(SwapCluster ci, long flags) {
        for (int order = 0; order < si.orders(); order++) {
            if (contains(si.nonfullClusters(order), ci)) {
                return si.nonfullClusters(order);
            }
            if (contains(si.fragClusters(order), ci)) {
                return si.fragClusters(order);
            }
        }
        return flags == SwapCluster.FLAG_FREE ? si.freeClusters : si.fullClusters;
    }

    private static boolean contains(Ref<SwapClusterList> list, SwapCluster ci) {
        return Objects.requireNonNull(list.peek()).clusters().contains(ci);
    }

    /// mm/swapfile.c: swap_reclaim_full_clusters(), of one cluster. Takes folios out of the swap
    /// cache whose slots nobody refers to.
    private void swapReclaimFullCluster() {
        SwapCluster ci = isolateLockCluster(si.fullClusters);
        if (ci == null) {
            return;
        }
        long offset = clusterOffset(ci);
        long end = Math.min(si.pages() + 1L, offset + si.clusterSize());
        while (offset < end) {
            long entry = ci.getLockless(si.off(offset));
            int reclaimed = 0;
            if (SwapTable.isFolio(entry) && SwapTable.count(entry) == 0) {
                ci.lock().unlock();
                reclaimed = swapfile.tryToReclaimSwap(offset, Swapfile.TTRS_ANYWAY);
                ci.lock().lock();
            }
            offset += Math.max(1, Math.abs(reclaimed));
        }
        if (ci.flags.readPlain() == SwapCluster.FLAG_NONE) {
            relocateCluster(ci);
        }
        ci.lock().unlock();
    }

    /// mm/swapfile.c: cluster_offset().
    private long clusterOffset(SwapCluster ci) {
        return (long) ci.index() * si.clusterSize();
    }

    @Override
    public String toString() {
        return "swap allocator";
    }
}
