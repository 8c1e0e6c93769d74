// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Word;

/// `struct hstate` (include/linux/hugetlb.h): the pool of huge pages of one size. There is one NUMA
/// node. All counts are of huge pages and change under `hugetlb_lock`.
public final class Hstate {
    private final Geometry geometry;
    private final LeafSize leaf;

    final Mutex resizeLock;

    /// `max_huge_pages`: what the administrator asked for.
    final Word maxHugePages;

    final Word nrHugePages;
    final Word freeHugePages;
    final Word resvHugePages;
    final Word surplusHugePages;
    final Word nrOvercommitHugePages;

    /// `hugepage_freelists`, as a stack of first frames with the {@link #freeHugePages} newest on
    /// top.
    private final Word[] freelist;

    /// @param leaf how page tables map such pages
    /// @param capacity how many such pages there can be
    Hstate(Machine machine, Geometry geometry, LeafSize leaf, int capacity) {
        this.geometry = geometry;
        this.leaf = leaf;
        resizeLock = new Mutex(machine, this, "resize_lock", "resize mutex");
        maxHugePages = machine.word(null, this, "max_huge_pages", -1, 0);
        nrHugePages = machine.word(null, this, "nr_huge_pages", -1, 0);
        freeHugePages = machine.word(null, this, "free_huge_pages", -1, 0);
        resvHugePages = machine.word(null, this, "resv_huge_pages", -1, 0);
        surplusHugePages = machine.word(null, this, "surplus_huge_pages", -1, 0);
        nrOvercommitHugePages = machine.word(null, this, "nr_overcommit_huge_pages", -1, 0);
        freelist = new Word[capacity];
        for (int i = 0; i < capacity; i++) {
            freelist[i] = machine.word(null, this, "hugepage_freelists", i, 0);
        }
    }

    /// How page tables map such pages.
    public LeafSize leaf() {
        return leaf;
    }

    /// Level of the tables whose entries map such pages.
    public int level() {
        return leaf.level();
    }

    /// Entries that one page takes.
    public int slots() {
        return leaf.slots();
    }

    /// Whether one entry of a PMD table maps such a page.
    boolean isPmdSize() {
        return level() == Geometry.PMD && slots() == 1;
    }

    /// `huge_page_size()`, in bytes.
    public long size() {
        return leaf.size();
    }

    /// `huge_page_mask()`.
    public long mask() {
        return -size();
    }

    /// `huge_page_shift()`.
    public int shift() {
        return Long.numberOfTrailingZeros(size());
    }

    /// `huge_page_order()`.
    public int order() {
        return shift() - geometry.pageShift();
    }

    /// `pages_per_huge_page()`.
    int pages() {
        return 1 << order();
    }

    /// Bytes that one of the {@link #slots} maps.
    long slotSize() {
        return leaf.slotSize();
    }

    /// Frames that one of the {@link #slots} maps.
    long pagesPerSlot() {
        return leaf.slotSize() >> geometry.pageShift();
    }

    // ---- the free list; `hugetlb_lock` is held

    /// Puts a folio on top; false where there would be more of them than fit into memory.
    boolean push(Folio folio) {
        long n = freeHugePages.readPlain();
        if (n >= freelist.length) {
            return false;
        }
        freelist[(int) n].writePlain(folio.pfn());
        freeHugePages.writePlain(n + 1);
        return true;
    }

    /// The first frame of the folio on top; -1 where the list is empty.
    long top() {
        long n = freeHugePages.readPlain();
        return n == 0 ? -1 : freelist[(int) n - 1].readPlain();
    }

    /// The first frame of folio number `i` from the bottom.
    long freeAt(long i) {
        return freelist[(int) i].readPlain();
    }

    /// Takes folio number `i` out of `n`.
    void removeAt(long i, long n) {
        for (int j = (int) i; j < n - 1; j++) {
            freelist[j].writePlain(freelist[j + 1].readPlain());
        }
        freeHugePages.writePlain(n - 1);
    }

    /// Takes a folio out, wherever in the list it is.
    void remove(Folio folio) {
        long n = freeHugePages.readPlain();
        long i = n - 1;
        while (freeAt(i) != folio.pfn()) {
            i--;
        }
        removeAt(i, n);
    }

    // ---- from outside

    public long peekNr() {
        return nrHugePages.peek();
    }

    public long peekFree() {
        return freeHugePages.peek();
    }

    public long peekResv() {
        return resvHugePages.peek();
    }

    public long peekSurplus() {
        return surplusHugePages.peek();
    }

    @Override
    public String toString() {
        return "hugepages-" + (size() >> 10) + "kB";
    }
}
