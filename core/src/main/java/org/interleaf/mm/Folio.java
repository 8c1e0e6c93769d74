// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.BitLock;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// `struct folio` (include/linux/mm_types.h, page_ref.h, mm.h): one page, or `2^order` pages in a
/// row that share a reference count. As the kernel's it lies over the `struct page` of its first
/// page, so it can be looked at by somebody for whom it no longer is what it was.
public final class Folio {
    static final long PG_LOCKED = 1;
    static final long PG_REFERENCED = 1 << 1;
    static final long PG_UPTODATE = 1 << 2;
    static final long PG_DIRTY = 1 << 3;
    static final long PG_LRU = 1 << 4;
    static final long PG_SWAPBACKED = 1 << 5;
    static final long PG_ACTIVE = 1 << 6;

    /// Of a page, also where that is no first page of a folio: its memory is bad.
    static final long PG_HWPOISON = 1 << 7;

    /// Somebody waits for the folio to be unlocked, see {@link FolioWait}.
    static final long PG_WAITERS = 1 << 8;

    /// In the swap cache, see {@link SwapState}. Of folios that are {@link #PG_SWAPBACKED} only.
    static final long PG_SWAPCACHE = 1 << 9;

    /// Being written to the swap device.
    static final long PG_WRITEBACK = 1 << 10;

    /// Reclaim wants it as soon as it is written.
    static final long PG_RECLAIM = 1 << 11;

    static final long PGTY_HUGETLB = 1;

    /// In the mapping word: what is above is an anon_vma (`FOLIO_MAPPING_ANON`).
    private static final long MAPPING_ANON = 1;

    /// `flags` is several words here. Whoever reads or changes one flag does not depend on the
    /// others, as all do it by bit operations; flags that change together are in one word, the
    /// lock's first.
    private static final long[] FLAG_WORDS = {
        PG_LOCKED | PG_WAITERS,
        PG_LRU | PG_ACTIVE | PG_REFERENCED | PG_RECLAIM,
        PG_SWAPBACKED | PG_SWAPCACHE,
        PG_DIRTY | PG_WRITEBACK,
        PG_UPTODATE | PG_HWPOISON
    };

    private static final String[] FLAG_NAMES = {
        "locked",
        "referenced",
        "uptodate",
        "dirty",
        "lru",
        "swapbacked",
        "active",
        "hwpoison",
        "waiters",
        "swapcache",
        "writeback",
        "reclaim"
    };

    private final Machine machine;
    private final Page head;
    private final BitLock lock;
    private final FolioWait wait;

    final Word refcount;
    private final Word[] flags;
    final Word mapping;
    final Word index;
    final Word order;
    final Word largeMapcount;
    final Word entireMapcount;
    final Word nrPagesMapped;
    final Word pincount;

    /// `swap`: the first of its slots while it is in the swap cache.
    final Word swap;

    /// `_mm_ids`, of which only is modelled that more than one process may map the folio: set by
    /// fork, and not taken back before it is freed.
    final Word maybeMappedShared;

    /// `page_type` of the head page, of which {@link #PGTY_HUGETLB} is modelled.
    final Word pageType;

    private final HugetlbFolio hugetlb;

    /// Whether the memory is a device's; never changes after the set-up.
    private boolean zoneDevice;

    /// `CONFIG_SWAP`; never changes after the set-up.
    private boolean configSwap;

    Folio(Machine machine, Page head) {
        this.machine = machine;
        this.head = head;
        refcount = machine.word(null, this, "_refcount", -1, 0);
        flags = new Word[FLAG_WORDS.length];
        for (int i = 0; i < flags.length; i++) {
            int index = i == 0 ? -1 : i;
            flags[i] = machine.word(null, this, "flags", index, 0).format(Folio::showFlags);
        }
        mapping = machine.word(null, this, "mapping", -1, 0).format(this::showMapping);
        index = machine.word(null, this, "index", -1, 0);
        order = machine.word(null, this, "order", -1, 0);
        largeMapcount = machine.word(null, this, "_large_mapcount", -1, -1);
        entireMapcount = machine.word(null, this, "_entire_mapcount", -1, -1);
        nrPagesMapped = machine.word(null, this, "_nr_pages_mapped", -1, 0);
        pincount = machine.word(null, this, "_pincount", -1, 0);
        swap = machine.word(null, this, "swap", -1, 0);
        maybeMappedShared = machine.word(null, this, "_mm_ids", -1, 0);
        pageType = machine.word(null, this, "page_type", -1, 0);
        hugetlb = new HugetlbFolio(machine, this);
        lock = new BitLock(machine, flags[0], PG_LOCKED, "folio lock", "PG_locked", true);
        wait = new FolioWait(machine, this);
        lock.onUnlock(PG_WAITERS, wait::folioWakeBit);
    }

    private static String showFlags(long value) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < FLAG_NAMES.length; i++) {
            if ((value >> i & 1) != 0) {
                text.append(text.isEmpty() ? "" : "|").append(FLAG_NAMES[i]);
            }
        }
        return text.isEmpty() ? "0" : text.toString();
    }

    private String showMapping(long value) {
        return value == 0 ? "NULL" : String.valueOf(machine.heap().resolve(value >> 1));
    }

    /// The first page.
    public Page head() {
        return head;
    }

    public long pfn() {
        return head.pfn();
    }

    // ---- references

    /// `folio_ref_count()`.
    public long refCount() {
        return refcount.readOnce();
    }

    /// `folio_get()`: one more reference for somebody who has one.
    public void get() {
        refAdd(1);
    }

    /// `folio_ref_add()`. A count that was zero belongs to nobody who could pass on a reference.
    public void refAdd(long n) {
        refcount.add(n, Order.RELAXED);
        // A check of ours, which must not keep increments from commuting: of several in a row the
        // first finds the least.
        long before = refcount.peek() - n;
        if (before <= 0) {
            machine.monitor()
                    .complained(
                            machine.current(),
                            "BUG",
                            "reference taken on " + this + " whose count is " + before);
        }
    }

    /// `folio_ref_sub()`: of references that are not the last.
    void refSub(long n) {
        refcount.add(-n, Order.RELAXED);
    }

    /// `folio_ref_add_unless_zero()`; a success is fully ordered, a failure not at all.
    public boolean refAddUnlessZero(long n) {
        return refcount.addUnless(n, 0, Order.FULL) != 0;
    }

    /// `folio_ref_freeze()`: the count becomes zero, so that nobody can take a reference, if it is
    /// `count`; whether it was.
    boolean refFreeze(long count) {
        return refcount.cmpxchg(count, 0, Order.FULL) == count;
    }

    /// `folio_ref_unfreeze()`.
    void refUnfreeze(long count) {
        refcount.storeRelease(count);
    }

    /// `folio_ref_sub_and_test()`: whether these were the last.
    boolean refSubAndTest(long n) {
        long before = refcount.fetchAdd(-n, Order.FULL);
        if (before < n) {
            machine.monitor()
                    .complained(
                            machine.current(),
                            "BUG",
                            "reference dropped on " + this + " whose count is " + before);
        }
        return before == n;
    }

    // ---- size

    /// `folio_order()`; not ordered against anything, as the order of a folio that one has a
    /// reference on does not change.
    public int order() {
        return (int) order.readPlain();
    }

    /// `folio_test_large()`.
    public boolean isLarge() {
        return order() > 0;
    }

    /// `folio_nr_pages()`.
    public int nrPages() {
        return 1 << order();
    }

    /// `ClearPageCompound()`: the folio, whose count is frozen, is its first page only.
    void notLarge() {
        order.writePlain(0);
        if (maybeMappedShared.peek() != 0) {
            maybeMappedShared.poke(0); // small folios have none
        }
    }

    // ---- flags

    /// `folio_lock()`, `folio_trylock()`, `folio_unlock()`.
    public BitLock lock() {
        return lock;
    }

    /// Those who wait for the folio to be unlocked without a reference to it.
    FolioWait folioWait() {
        return wait;
    }

    /// The word with this flag.
    private Word word(long flag) {
        int i = 0;
        while ((FLAG_WORDS[i] & flag) == 0) {
            i++;
        }
        return flags[i];
    }

    boolean testFlag(long flag) {
        return (word(flag).readOnce() & flag) != 0;
    }

    void setFlag(long flag) {
        word(flag).or(flag, Order.RELAXED);
    }

    void clearFlag(long flag) {
        word(flag).and(~flag, Order.RELAXED);
    }

    /// Those of `mask` that are set.
    long readFlags(long mask) {
        long set = 0;
        for (int i = 0; i < flags.length; i++) {
            set |= (FLAG_WORDS[i] & mask) != 0 ? flags[i].readOnce() & mask : 0;
        }
        return set;
    }

    /// Sets those of `mask`.
    void setFlags(long mask) {
        for (int i = 0; i < flags.length; i++) {
            if ((FLAG_WORDS[i] & mask) != 0) {
                flags[i].or(FLAG_WORDS[i] & mask, Order.RELAXED);
            }
        }
    }

    /// Clears all but those of `mask`, of a folio that nobody has.
    void keepFlags(long mask) {
        for (Word word : flags) {
            word.and(mask, Order.PLAIN);
        }
    }

    /// `folio_test_set_dirty()` and its like: sets the flag; whether it was set.
    boolean testSetFlag(long flag) {
        return (word(flag).fetchOr(flag, Order.FULL) & flag) != 0;
    }

    /// Waits until the flag is clear.
    void awaitClear(long flag) {
        word(flag).await(flag, 0);
    }

    /// `folio_test_clear_lru()` and its like: clears the flag, says whether it was set.
    boolean testClearFlag(long flag) {
        return (word(flag).fetchAnd(~flag, Order.FULL) & flag) != 0;
    }

    /// `folio_test_swapcache()`: the flag means something else where it is not swapbacked, and so
    /// there are two looks.
    boolean testSwapcache() {
        return configSwap && testFlag(PG_SWAPBACKED) && testFlag(PG_SWAPCACHE);
    }

    /// `__folio_set_locked()`: locks a folio that nobody else knows.
    void setLocked() {
        if (!lock.trylock()) {
            throw new AssertionError("[interleaf internal] a new folio is locked");
        }
    }

    /// `__folio_mark_uptodate()`: the contents are written before anybody can map them.
    void markUptodate() {
        machine.fence(Fence.WMB);
        setFlag(PG_UPTODATE);
    }

    // ---- bad memory

    /// `folio_test_hwpoison()`, `PageHWPoison()`: in a folio of hugetlb the flag of the first page
    /// is for all.
    boolean isHwpoison() {
        return testFlag(PG_HWPOISON);
    }

    /// `folio_test_set_hwpoison()`: sets the flag; whether it was set.
    boolean testSetHwpoison() {
        return testSetFlag(PG_HWPOISON);
    }

    // ---- hugetlb

    /// `folio_test_hugetlb()`.
    public boolean isHugetlb() {
        return machine.dataRace(pageType) == PGTY_HUGETLB;
    }

    /// Whether it is a hugetlb folio; looked at from outside.
    public boolean peekHugetlb() {
        return pageType.peek() == PGTY_HUGETLB;
    }

    /// `folio_is_zone_device()`. No access: it never changes.
    public boolean isZoneDevice() {
        return zoneDevice;
    }

    /// For the set-up: the kernel has `CONFIG_SWAP`.
    void setConfigSwap() {
        configSwap = true;
    }

    /// For the set-up: see {@link #isZoneDevice}.
    void setZoneDevice() {
        zoneDevice = true;
    }

    /// What hugetlb keeps in the folio.
    HugetlbFolio hugetlb() {
        return hugetlb;
    }

    /// References that memory failures keep, looked at from outside.
    public long peekKeptByFailures() {
        return hugetlb.peekKept();
    }

    // ---- mapping

    /// Whether the folio is in the page cache of `inode`: one access.
    boolean isMappedBy(Inode inode) {
        return mapping.readPlain() == inode.pointer() << 1;
    }

    /// The folio is about to go into a page cache, at an index counted in pages.
    void setMapping(Inode inode, long newIndex) {
        mapping.writePlain(inode.pointer() << 1);
        index.writePlain(newIndex);
    }

    /// `folio_test_anon()`.
    public boolean isAnon() {
        return isAnonMapping(mapping.readPlain());
    }

    /// Whether a value of the mapping word is that of an anonymous folio.
    static boolean isAnonMapping(long mapping) {
        return (mapping & MAPPING_ANON) != 0;
    }

    /// Sets mapping and anon tag in one store (`WRITE_ONCE()`, mm/rmap.c: __folio_set_anon()).
    void setAnon(AnonVma anonVma, long newIndex) {
        moveAnon(anonVma);
        index.writePlain(newIndex);
    }

    /// Sets mapping and anon tag in one store.
    void moveAnon(AnonVma anonVma) {
        mapping.writeOnce(anonVma.pointer() << 1 | MAPPING_ANON);
    }

    /// Whether the folio keeps its pins in a counter of their own (`folio_has_pincount()`).
    boolean hasPincount() {
        return isLarge();
    }

    /// The reference count, looked at from outside.
    public long peekRefCount() {
        return refcount.peek();
    }

    /// The order, looked at from outside.
    public int peekOrder() {
        return (int) order.peek();
    }

    /// The number of mappings, looked at from outside.
    public long peekMapcount() {
        return (peekOrder() > 0 ? largeMapcount.peek() : head.mapcount.peek()) + 1;
    }

    /// The pins that are counted apart, looked at from outside.
    public long peekPincount() {
        return pincount.peek();
    }

    /// The first of its slots, looked at from outside; -1 where it is not in the swap cache.
    public long peekSwap() {
        return peekFlag(PG_SWAPCACHE) ? swap.peek() : -1;
    }

    /// The flags in words, looked at from outside.
    public String peekFlags() {
        long all = 0;
        for (Word word : flags) {
            all |= word.peek();
        }
        return showFlags(all);
    }

    /// Whether the flag is set, looked at from outside.
    boolean peekFlag(long flag) {
        return (word(flag).peek() & flag) != 0;
    }

    /// What it is mapped as a part of, in words; looked at from outside.
    public String peekMapping() {
        return mapping.show(mapping.peek());
    }

    @Override
    public String toString() {
        return "folio " + pfn();
    }

    /// The anon_vma of the folio; null where it is not anonymous. Looked at from outside.
    public @Nullable AnonVma peekAnonVma(Machine machine) {
        long value = mapping.peek();
        return isAnonMapping(value) ? (AnonVma) machine.heap().resolve(value >> 1) : null;
    }

    /// The index of the first page in what the folio is part of; looked at from outside.
    public long peekIndex() {
        return index.peek();
    }
}
