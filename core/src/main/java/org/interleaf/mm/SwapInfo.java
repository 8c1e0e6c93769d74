// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.ValueFormat;
import org.interleaf.machine.Word;

/// `struct swap_info_struct` (include/linux/swap.h) of a device of memory such as `/dev/ram0`:
/// `SWP_BLKDEV`, `SWP_SOLIDSTATE`, `SWP_SYNCHRONOUS_IO`. Slot 0 is the device's header.
///
/// Nobody turns the device off, so no reference on it is an access.
public final class SwapInfo extends Shared {
    /// `SWAP_USAGE_OFFLIST_BIT`: the device is full and not on the list of those with free slots.
    static final long USAGE_OFFLIST = 1L << 62;

    private final Machine machine;
    private final MemMap memMap;
    private final int pages;
    private final int clusterSize;
    private final SwapCluster[] clusters;
    private final Word[][] contents;

    /// `lock`: the lists of clusters.
    final SpinLock lock;

    /// `inuse_pages`: slots in use, without bad ones.
    final Word inusePages;

    final Ref<SwapClusterList> freeClusters;
    final Ref<SwapClusterList> fullClusters;
    private final Ref<SwapClusterList>[] nonfullClusters;
    private final Ref<SwapClusterList>[] fragClusters;

    /// @param pages slots that can be used
    /// @param clusterOrder binary logarithm of the slots in a cluster
    /// @param words modelled words of contents in each page
    SwapInfo(Machine machine, MemMap memMap, int pages, int clusterOrder, int words) {
        super(machine);
        this.machine = machine;
        this.memMap = memMap;
        this.pages = pages;
        clusterSize = 1 << clusterOrder;
        lock = new SpinLock(machine, null, this, "lock", "&p->lock");
        inusePages = machine.word(null, this, "inuse_pages", -1, 0);
        inusePages.format(v -> (v & ~USAGE_OFFLIST) + (v < USAGE_OFFLIST ? "" : " off list"));
        clusters = new SwapCluster[pages / clusterSize + 1];
        for (int i = 0; i < clusters.length; i++) {
            clusters[i] = new SwapCluster(machine, i, clusterSize);
        }
        contents = new Word[pages + 1][words];
        for (int slot = 1; slot <= pages; slot++) {
            for (int i = 0; i < words; i++) {
                Word word = machine.word(null, this, "slot " + slot, i, 0);
                contents[slot][i] = word.format(ValueFormat.HEX);
            }
        }
        freeClusters = list("free_clusters", -1);
        fullClusters = list("full_clusters", -1);
        nonfullClusters = lists("nonfull_clusters", clusterOrder + 1);
        fragClusters = lists("frag_clusters", clusterOrder + 1);
    }

    private Ref<SwapClusterList> list(String name, int index) {
        Ref<SwapClusterList> list = new Ref<>(machine, SwapClusterList.class, this, name, index);
        list.write(SwapClusterList.empty(machine), Order.PLAIN);
        return list;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private Ref<SwapClusterList>[] lists(String name, int orders) {
        Ref<SwapClusterList>[] lists = new Ref[orders];
        for (int i = 0; i < orders; i++) {
            lists[i] = list(name, i);
        }
        return lists;
    }

    /// mm/swapfile.c: setup_swap_clusters_info(). For the set-up: the header and what is beyond the
    /// end are bad slots.
    void setup() {
        for (int offset = 0; offset < clusters.length * clusterSize; offset++) {
            if (offset == 0 || offset > pages) {
                SwapCluster ci = cluster(offset);
                ci.table.writePlain(1);
                ci.lock().lock();
                ci.setBad(offset % clusterSize);
                ci.lock().unlock();
                ci.count.writePlain(ci.count.readPlain() + 1);
            }
        }
        for (SwapCluster ci : clusters) {
            boolean some = ci.count.readPlain() != 0;
            ci.flags.writePlain(some ? SwapCluster.FLAG_NONFULL : SwapCluster.FLAG_FREE);
            Ref<SwapClusterList> list = some ? nonfullClusters[0] : freeClusters;
            list.write(list.readPlainNonNull().plus(machine, ci), Order.PLAIN);
        }
    }

    /// `pages`: slots that can be used.
    public int pages() {
        return pages;
    }

    /// `SWAPFILE_CLUSTER`.
    int clusterSize() {
        return clusterSize;
    }

    /// `SWAP_NR_ORDERS`.
    int orders() {
        return nonfullClusters.length;
    }

    Ref<SwapClusterList> nonfullClusters(int order) {
        return nonfullClusters[order];
    }

    Ref<SwapClusterList> fragClusters(int order) {
        return fragClusters[order];
    }

    /// mm/swap.h: __swap_offset_to_cluster().
    SwapCluster cluster(long offset) {
        return clusters[(int) (offset / clusterSize)];
    }

    /// mm/swap.h: swap_cluster_lock().
    SwapCluster clusterLock(long offset) {
        SwapCluster ci = cluster(offset);
        ci.lock().lock();
        return ci;
    }

    /// mm/swap.h: swp_cluster_offset().
    int off(long offset) {
        return (int) (offset % clusterSize);
    }

    /// Word `i` of what the device holds in a slot.
    Word contents(long slot, int i) {
        return contents[(int) slot][i];
    }

    /// Words in each slot.
    int words() {
        return contents[1].length;
    }

    /// The swap table's entry of a slot, looked at from outside.
    public long peekEntry(int slot) {
        return cluster(slot).peek(off(slot));
    }

    /// The count of a slot, looked at from outside.
    public int peekCount(int slot) {
        return SwapTable.count(peekEntry(slot));
    }

    /// The first frame of the folio that a slot has in the swap cache, looked at from outside; -1
    /// where there is none.
    public long peekFolio(int slot) {
        long entry = peekEntry(slot);
        return SwapTable.isFolio(entry) ? SwapTable.pfn(entry) : -1;
    }

    /// The frame of the page that a slot has in the swap cache, looked at from outside; -1 where
    /// there is none, or where it has not been read in yet.
    public long peekPage(int slot) {
        long pfn = peekFolio(slot);
        return pfn < 0 || !memMap.folioAt(pfn).peekFlag(Folio.PG_UPTODATE)
                ? -1
                : pfn + slot - memMap.folioAt(pfn).peekSwap();
    }

    /// What the device holds in a slot at byte `offset`, looked at from outside.
    public long peekContents(int slot, long offset) {
        boolean zero = SwapTable.isZero(peekEntry(slot));
        return zero ? 0 : contents[slot][(int) (offset / Long.BYTES)].peek();
    }

    /// A slot in words, looked at from outside: what it is used for and what the device holds.
    public String peekShow(int slot) {
        StringBuilder text = new StringBuilder(SwapTable.show(peekEntry(slot)));
        for (Word word : contents[slot]) {
            text.append(", ").append(word.show(word.peek()));
        }
        return text.toString();
    }

    /// `inuse_pages`, looked at from outside.
    public long peekInuse() {
        return inusePages.peek() & ~USAGE_OFFLIST;
    }

    @Override
    public String toString() {
        return "swap";
    }
}
