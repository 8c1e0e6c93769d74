// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;

import java.util.Objects;

/// Taking a folio out of all page tables (try_to_unmap() of mm/rmap.c).
///
/// # What comes in its place
///
/// An anonymous page leaves an entry for its slot; its folio is in the swap cache. One that the
/// process has declared free (`MADV_FREE`) leaves nothing, unless it has been written to since. A
/// page of a file leaves nothing.
///
/// # Pins
///
/// GUP-fast takes a reference without the lock of the table, and looks at the entry again after
/// that. So the entry is cleared first, and then looked whether anybody else has the page: one of
/// the two notices.
///
/// | try_to_unmap                          | GUP-fast                    |
/// |---------------------------------------|-----------------------------|
/// | clears the entry                      | takes a reference           |
/// | referenced? puts the entry back       | entry is another? drops it  |
final class TryToUnmap {
    /// `TTU_SPLIT_HUGE_PMD`: has PTEs map the folio where a PMD does.
    static final int SPLIT_HUGE_PMD = 1 << 2;

    /// `TTU_IGNORE_MLOCK`; no memory is locked.
    static final int IGNORE_MLOCK = 1 << 3;

    /// `TTU_SYNC`: waits for those who have cleared an entry and not yet counted it off.
    static final int SYNC = 1 << 4;

    /// `TTU_HWPOISON`.
    static final int HWPOISON = 1 << 5;

    /// `TTU_BATCH_FLUSH`: TLB flushes may be put off.
    static final int BATCH_FLUSH = 1 << 6;

    /// `TTU_RMAP_LOCKED`: the caller holds the rmap lock.
    static final int RMAP_LOCKED = 1 << 7;

    private final Kernel kernel;
    private final Machine machine;

    TryToUnmap(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// mm/rmap.c: try_to_unmap(). Takes the folio, which is locked, out of all page tables if that
    /// can be done; the caller looks whether it is still mapped.
    ///
    /// @param ubc the flushes that the caller must make, with {@link #BATCH_FLUSH}
    void tryToUnmap(Folio folio, int flags, TlbBatch.Pending ubc) {
        RmapWalkControl rwc =
                new RmapWalkControl((f, vma, addr) -> tryToUnmapOne(f, vma, addr, flags, ubc))
                        .done(kernel.rmapWalk()::folioNotMapped)
                        .anonLock(kernel.anonVmas()::folioLockAnonVmaRead);
        if ((flags & RMAP_LOCKED) != 0) {
            kernel.rmapWalk().rmapWalkLocked(folio, rwc);
        } else {
            kernel.rmapWalk().rmapWalk(folio, rwc);
        }
    }

    /// mm/rmap.c: try_to_unmap_one(). False ends the walk: the folio cannot be unmapped now.
    private boolean tryToUnmapOne(
            Folio folio, Vma vma, long addr, int flags, TlbBatch.Pending ubc) {
        int walk = (flags & SYNC) != 0 ? PageVmaMappedWalk.SYNC : 0;
        PageVmaMappedWalk pvmw = PageVmaMappedWalk.ofFolio(kernel, folio, vma, addr, walk);
        MmuNotifierRange range =
                kernel.mmuNotifier().range(Event.CLEAR, vma.mm(), addr, pvmw.vmaAddressEnd());
        kernel.mmuNotifier().invalidateRangeStart(range);
        boolean ret = unmapEntries(folio, vma, pvmw, flags, ubc);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return ret;
    }

    /// The loop of try_to_unmap_one().
    private boolean unmapEntries(
            Folio folio, Vma vma, PageVmaMappedWalk pvmw, int flags, TlbBatch.Pending ubc) {
        boolean split = (flags & SPLIT_HUGE_PMD) != 0;
        while (pvmw.walk()) {
            if (pvmw.pte() == null) {
                if (split) {
                    long size = kernel.geometry().size(Geometry.PMD);
                    Word pmd = Objects.requireNonNull(pvmw.pmd());
                    kernel.hugeMemory().splitHugePmdLocked(vma, pvmw.address() & -size, pmd);
                    split = false;
                    pvmw.walkRestart();
                    continue;
                }
                kernel.bugOn(true, "a huge PMD maps " + folio);
            }
            Word pte = Objects.requireNonNull(pvmw.pte());
            long value = pte.readOnce();
            Page page = kernel.memMap().page(Entry.pfn(value));
            int nr = folioUnmapPteBatch(folio, pvmw, vma, value);
            if (!unmapOne(folio, page, vma, pvmw, nr, flags, ubc)) {
                pvmw.done();
                return false;
            }
            if (nr == folio.nrPages()) {
                pvmw.done();
                return true;
            }
        }
        return true;
    }

    /// mm/rmap.c: folio_unmap_pte_batch(). How many entries are dealt with at once: several of a
    /// large folio that is not to be swapped out.
    private int folioUnmapPteBatch(Folio folio, PageVmaMappedWalk pvmw, Vma vma, long first) {
        if (!folio.isLarge() || (folio.isAnon() && folio.testFlag(Folio.PG_SWAPBACKED))) {
            return 1;
        }
        Word pte = Objects.requireNonNull(pvmw.pte());
        long addr = pvmw.address();
        Geometry geometry = kernel.geometry();
        long end = geometry.addrEnd(Geometry.PMD, addr, vma.end());
        long left = folio.pfn() + folio.nrPages() - Entry.pfn(first);
        long max = Math.min((end - addr) >> geometry.pageShift(), left);
        long ignored = Entry.ACCESSED | Entry.DIRTY;
        int nr = 1;
        while (nr < max) {
            long next = PageTable.plus(pte, nr).readOnce();
            boolean follows =
                    Entry.pfn(next) == Entry.pfn(first) + nr
                            && ((Entry.flags(next) ^ Entry.flags(first)) & ~ignored) == 0;
            if (!follows) {
                break;
            }
            nr++;
        }
        return nr;
    }

    /// One round of try_to_unmap_one(): `nr` entries that map pages from `page` on, under their
    /// lock. False, with the entries as they were, where the pages must stay.
    private boolean unmapOne(
            Folio folio,
            Page page,
            Vma vma,
            PageVmaMappedWalk pvmw,
            int nr,
            int flags,
            TlbBatch.Pending ubc) {
        MmStruct mm = vma.mm();
        long addr = pvmw.address();
        long end = addr + nr * kernel.geometry().pageSize();
        Word pte = Objects.requireNonNull(pvmw.pte());
        long value = getAndClearPtes(pte, nr);
        if (kernel.tlbBatch().shouldDeferFlush(mm, flags)) {
            kernel.tlbBatch().setTlbUbcFlushPending(ubc, mm, value, addr, end);
        } else {
            kernel.tlbFlush().flushTlbRange(mm, addr, end);
        }
        if (Entry.dirty(value)) {
            kernel.swap().folioMarkDirty(folio);
        }
        kernel.nonpresentPtes().condInstallUffdWpPtes(vma, pte, value, nr);
        if (folio.isHwpoison() && (flags & HWPOISON) != 0) {
            kernel.entries().setPte(pte, Entry.hwpoison(page.pfn()));
        } else if (folio.isAnon() && !ttuAnonFolio(folio, page, pte, value)) {
            for (int i = 0; i < nr; i++) {
                long old = Entry.make(Entry.pfn(value) + i, Entry.flags(value));
                kernel.entries().setPte(PageTable.plus(pte, i), old);
            }
            return false;
        }
        kernel.rmap().folioRemoveRmapPtes(folio, page, nr);
        kernel.swap().folioPutRefs(folio, nr);
        return true;
    }

    /// include/linux/pgtable.h: get_and_clear_ptes(). The first entry, with the accessed and dirty
    /// bits of all.
    private static long getAndClearPtes(Word pte, int nr) {
        long value = pte.xchg(0, Order.FULL);
        for (int i = 1; i < nr; i++) {
            long next = PageTable.plus(pte, i).xchg(0, Order.FULL);
            value |= next & (Entry.ACCESSED | Entry.DIRTY);
        }
        return value;
    }

    /// mm/rmap.c: ttu_anon_folio().
    private boolean ttuAnonFolio(Folio folio, Page page, Word pte, long value) {
        boolean swapbacked = folio.testFlag(Folio.PG_SWAPBACKED);
        if (kernel.warnOn(
                swapbacked != folio.testSwapcache(),
                "a folio to be unmapped is swapbacked without being in the swap cache")) {
            return false;
        }
        return folio.testFlag(Folio.PG_SWAPBACKED)
                ? ttuAnonSwapbackedFolio(folio, page, pte, value)
                : ttuAnonLazyfreeFolio(folio);
    }

    /// mm/rmap.c: ttu_anon_lazyfree_folio(). Whether the pages can go, that the process has
    /// declared free. Those who get at a page by GUP mark it dirty before they drop it: so the
    /// count is looked at first.
    private boolean ttuAnonLazyfreeFolio(Folio folio) {
        machine.fence(Fence.MB);
        long refCount = folio.refCount();
        long mapCount = kernel.rmap().folioMapcount(folio);
        machine.fence(Fence.RMB);
        if (folio.testFlag(Folio.PG_DIRTY)) {
            folio.setFlag(Folio.PG_SWAPBACKED);
            return false;
        }
        return refCount == 1 + mapCount;
    }

    /// mm/rmap.c: ttu_anon_swapbacked_folio(). Puts an entry for the slot in the place of `value`;
    /// false where the page may be pinned.
    private boolean ttuAnonSwapbackedFolio(Folio folio, Page page, Word pte, long value) {
        boolean exclusive = folio.isAnon() && page.anonExclusive();
        long offset = folio.swap.readPlain() + page.pfn() - folio.pfn(); // page_swap_entry()
        kernel.swapfile().folioDupSwap(folio, page);
        if (exclusive && !kernel.rmap().folioTryShareAnonRmapPte(machine, folio, page)) {
            kernel.swapfile().folioPutSwap(folio, page);
            return false;
        }
        kernel.entries().setPte(pte, swpPtePrepare(offset, value, exclusive));
        return true;
    }

    /// mm/rmap.c: swp_pte_prepare().
    private static long swpPtePrepare(long offset, long pte, boolean exclusive) {
        long swap = Entry.swap(offset, exclusive);
        return Entry.uffd(pte) ? Entry.swpMkuffd(swap) : swap;
    }
}
