// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;

import java.util.List;

/// Taking pages out of page tables (the zap functions of mm/memory.c).
///
/// # Locking
///
/// The VMA is kept from changing by its own or the mmap lock, or is detached. Entries are cleared
/// under the lock of their table. The TLBs are flushed by the gather, later, except that it must be
/// done before the lock is dropped where the gather is full.
public final class Zap {
    private final Kernel kernel;
    private final Geometry geometry;
    private final Pgtable pgtable;
    private final PtLocks ptLocks;
    private final MmuNotifier notifier;

    Zap(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
        this.ptLocks = kernel.ptLocks();
        this.notifier = kernel.mmuNotifier();
    }

    /// mm/memory.c: unmap_vmas(). Zaps the parts in `[start, end)` of detached VMAs.
    void unmapVmas(MmuGather tlb, List<Vma> vmas, long start, long end) {
        MmuNotifierRange range = notifier.range(Event.UNMAP, tlb.mm(), start, end);
        notifier.invalidateRangeStart(range);
        for (Vma vma : vmas) {
            long from = Math.max(vma.start(), start);
            long to = Math.min(vma.end(), end);
            if (vma.isHugetlb()) {
                kernel.hugetlb().zap().begin(vma);
                zapVmaRange(tlb, vma, from, to, ZapDetails.UNMAP);
                kernel.hugetlb().zap().end(vma, true);
            } else {
                zapVmaRange(tlb, vma, from, to, ZapDetails.UNMAP);
            }
        }
        notifier.invalidateRangeEnd(range);
    }

    /// mm/memory.c: zap_vma_range_batched(). Zaps `[start, end)`, which is inside the VMA; and of
    /// it what the details say.
    void zapVmaRangeBatched(MmuGather tlb, Vma vma, long start, long end, ZapDetails details) {
        if (start == end) {
            return;
        }
        MmuNotifierRange range =
                vma.isHugetlb()
                        ? kernel.hugetlb().pmdShare().adjusted(Event.CLEAR, vma, start, end)
                        : notifier.range(Event.CLEAR, vma.mm(), start, end);
        if (vma.isHugetlb()) {
            kernel.hugetlb().zap().begin(vma);
        }
        notifier.invalidateRangeStart(range);
        zapVmaRange(tlb, vma, start, end, details);
        notifier.invalidateRangeEnd(range);
        if (vma.isHugetlb()) {
            // The pages are back in the pool before a fault can ask for one.
            tlb.finish();
            kernel.hugetlb().zap().end(vma, false);
            tlb.begin();
        }
    }

    /// mm/memory.c: __zap_vma_range().
    private void zapVmaRange(MmuGather tlb, Vma vma, long start, long end, ZapDetails details) {
        if (vma.isHugetlb()) {
            HugetlbZap.What what = new HugetlbZap.What(null, details.dropMarkers());
            kernel.hugetlb().zap().unmapRange(tlb, vma, start, end, what);
            return;
        }
        long addr = start;
        do {
            long next = geometry.addrEnd(Geometry.PGD, addr, end);
            Word pgd = pgtable.pgdOffset(vma.mm(), addr);
            if (!pgtable.noneOrClearBad(Geometry.PGD, pgd)) {
                zapP4dRange(tlb, vma, pgd, addr, next, details);
            }
            addr = next;
        } while (addr != end);
        tlb.endVma();
    }

    /// mm/memory.c: zap_p4d_range().
    private void zapP4dRange(
            MmuGather tlb, Vma vma, Word pgd, long start, long end, ZapDetails details) {
        long addr = start;
        Word p4d = pgtable.offset(Geometry.P4D, pgd, addr);
        do {
            long next = geometry.addrEnd(Geometry.P4D, addr, end);
            if (!pgtable.noneOrClearBad(Geometry.P4D, p4d)) {
                zapPudRange(tlb, vma, p4d, addr, next, details);
            }
            addr = next;
            p4d = pgtable.sameTable(Geometry.P4D, p4d, addr);
        } while (addr != end);
    }

    /// mm/memory.c: zap_pud_range().
    private void zapPudRange(
            MmuGather tlb, Vma vma, Word p4d, long start, long end, ZapDetails details) {
        long addr = start;
        Word pud = pgtable.offset(Geometry.PUD, p4d, addr);
        do {
            long next = geometry.addrEnd(Geometry.PUD, addr, end);
            if (!zapIfHugePud(tlb, vma, pud, addr, next) && !pgtable.pudNoneOrClearBad(pud)) {
                zapPmdRange(tlb, vma, pud, addr, next, details);
            }
            addr = next;
            pud = pgtable.sameTable(Geometry.PUD, pud, addr);
        } while (addr != end);
    }

    /// The part of zap_pud_range() for a huge PUD: zaps it if the range is all of it, else splits
    /// it. True where there is no more to be done.
    private boolean zapIfHugePud(MmuGather tlb, Vma vma, Word pud, long addr, long next) {
        HugePud hugePud = kernel.hugePud();
        if (!hugePud.pudTransHuge(pud)) {
            return false;
        }
        if (next - addr != geometry.size(Geometry.PUD)) {
            hugePud.splitHugePud(vma, pud, addr);
            return false;
        }
        return hugePud.zapHugePud(tlb, vma, pud, addr);
    }

    /// mm/memory.c: zap_pmd_range().
    private void zapPmdRange(
            MmuGather tlb, Vma vma, Word pud, long start, long end, ZapDetails details) {
        long addr = start;
        Word pmd = pgtable.offset(Geometry.PMD, pud, addr);
        do {
            long next = geometry.addrEnd(Geometry.PMD, addr, end);
            // Where the PTE table went away meanwhile the same PMD is looked at again.
            addr = zapPmd(tlb, vma, pmd, addr, next, details);
            pmd = pgtable.sameTable(Geometry.PMD, pmd, addr);
        } while (addr != end);
    }

    /// One round of zap_pmd_range(); returns how far it came.
    private long zapPmd(
            MmuGather tlb, Vma vma, Word pmd, long addr, long next, ZapDetails details) {
        if (HugeMemory.pmdIsHuge(pmd.readPlain())) {
            if (next - addr != geometry.size(Geometry.PMD)) {
                kernel.hugeMemory().splitHugePmd(vma, pmd, addr);
            } else if (kernel.hugeMemory().zapHugePmd(tlb, vma, pmd, addr)) {
                return next;
            }
        } else if (details.singleFolio() != null
                && details.singleFolio().order() >= geometry.hpagePmdOrder()
                && next - addr == geometry.size(Geometry.PMD)
                && Entry.none(pmd.readPlain())) {
            syncWithFolioPmdZap(vma.mm(), pmd);
        }
        if (Entry.none(pmd.readPlain())) {
            return next;
        }
        return zapPteRange(tlb, vma, pmd, addr, next, details);
    }

    /// mm/internal.h: sync_with_folio_pmd_zap(). Waits for somebody who has cleared the PMD and has
    /// still to say that the folio is not mapped by it any more.
    private void syncWithFolioPmdZap(MmStruct mm, Word pmd) {
        ptLocks.pmdLock(mm, pmd).unlock();
    }

    /// mm/memory.c: zap_pte_range(). Returns `end`, or `start` where there is no PTE table (any
    /// more).
    private long zapPteRange(
            MmuGather tlb, Vma vma, Word pmd, long start, long end, ZapDetails details) {
        boolean canReclaim =
                kernel.arch().ptReclaim()
                        && details.reclaimPt()
                        && end - start >= geometry.size(Geometry.PMD);
        // Whether the whole table has been zapped without its lock being dropped.
        boolean direct = true;
        long unhooked = 0;
        long addr = start;
        do {
            PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(vma.mm(), pmd, addr);
            if (pte == null) {
                kernel.entries().settle(pmd);
                return addr;
            }
            kernel.tlbBatch().flushTlbBatchedPending(vma.mm());
            Pass pass = new Pass(tlb, vma, pte, addr, end, details);
            pass.run();
            addr = pass.addr;
            direct &= !pass.full;
            canReclaim &= !pass.skipped;
            boolean forceFlush = pass.full || pass.dirty;
            if (canReclaim && direct && addr == end) {
                unhooked = zapEmptyPteTable(vma.mm(), pmd, pte.ptl());
            }
            if (forceFlush) {
                // Before the lock is dropped: who takes it next must not find old translations.
                tlb.flushMmuTlbonly();
                tlb.flushRmaps();
            }
            pte.unmapUnlock();
            if (forceFlush) {
                tlb.flushMmu();
            }
        } while (addr != end);
        if (canReclaim) {
            reclaim(tlb, pmd, start, unhooked);
        }
        return addr;
    }

    /// The end of zap_pte_range(): frees the table that the entry `unhooked` pointed to; where that
    /// is none, the table below `pmd` if it is empty.
    private void reclaim(MmuGather tlb, Word pmd, long start, long unhooked) {
        long value = Entry.none(unhooked) ? zapPteTableIfEmpty(tlb.mm(), pmd, start) : unhooked;
        if (!Entry.none(value)) {
            tlb.pteFreeTlb(kernel.memMap().table(Entry.pfn(value)), start);
            pgtable.decPgtables(tlb.mm());
        }
    }

    /// mm/memory.c: zap_empty_pte_table(). Unhooks the table, all of whose entries have just been
    /// cleared, with its lock still held. Only a trylock: the PMD lock is taken before PTE locks.
    /// Returns the entry that pointed to the table; none where the trylock failed.
    private long zapEmptyPteTable(MmStruct mm, Word pmd, SpinLock ptl) {
        SpinLock pml = ptLocks.pmdLockptr(mm, pmd);
        if (ptl != pml && !pml.trylock()) {
            return 0;
        }
        long value = pmd.readOnce();
        kernel.entries().clear(pmd);
        if (ptl != pml) {
            pml.unlock();
        }
        return value;
    }

    /// mm/memory.c: zap_pte_table_if_empty(). Unhooks the table if nobody has put anything in since
    /// its lock was dropped. Returns the entry that pointed to it; none where it stays.
    private long zapPteTableIfEmpty(MmStruct mm, Word pmd, long start) {
        SpinLock pml = ptLocks.pmdLock(mm, pmd);
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapNolock(mm, pmd, start);
        if (pte == null) {
            pml.unlock();
            return 0;
        }
        boolean nested = CopyPageRange.lockNested(pte.ptl(), pml);
        boolean empty = allNone(pte);
        if (empty) {
            pte.unmap();
            kernel.entries().clear(pmd);
        }
        if (nested) {
            pte.ptl().unlock();
        }
        if (!empty) {
            pte.unmap();
        }
        pml.unlock();
        return empty ? pte.pmdValue() : 0;
    }

    private boolean allNone(PteMapping pte) {
        for (int i = 0; i < geometry.entries(Geometry.PTE); i++) {
            if (!Entry.none(pte.pte(i).readOnce())) {
                return false;
            }
        }
        return true;
    }

    /// What is done with a PTE table while its lock is held: the loop of zap_pte_range().
    private final class Pass {
        private final MmuGather tlb;
        private final Vma vma;
        private final PteMapping pte;
        private final ZapDetails details;
        private final long start;
        private final long end;

        /// How far it came.
        long addr;

        /// Whether it stopped because the gather is full.
        boolean full;

        /// Whether something was to stay: `any_skipped`.
        boolean skipped;

        /// Whether a page of a file was dirty: it may be written to until the flush, and must count
        /// as mapped as long as that.
        boolean dirty;

        Pass(MmuGather tlb, Vma vma, PteMapping pte, long start, long end, ZapDetails details) {
            this.details = details;
            this.tlb = tlb;
            this.vma = vma;
            this.pte = pte;
            this.start = start;
            this.end = end;
            this.addr = start;
        }

        void run() {
            do {
                zapOne();
            } while (addr != end && !full);
        }

        private Word entry() {
            return pte.pte((int) ((addr - start) >> geometry.pageShift()));
        }

        /// mm/memory.c: do_zap_pte_range(). Skips entries that are none and zaps one folio's part.
        private void zapOne() {
            long value = entry().readOnce();
            while (Entry.none(value)) {
                addr += geometry.pageSize();
                if (addr == end) {
                    return;
                }
                value = entry().readOnce();
            }
            if (!Entry.ptePresent(value)) {
                int max = (int) ((end - addr) >> geometry.pageShift());
                int nr =
                        kernel.nonpresentPtes()
                                .zapNonpresentPtes(vma, entry(), value, max, details);
                skipped |= nr == 0 || installUffdWpIfNeeded(value, nr);
                addr += Math.max(1, nr) * geometry.pageSize();
            } else if (Entry.special(value)) {
                clearPte(entry());
                tlb.removeTlbEntry(addr);
                skipped |= vma.userfaultfdEntryWp(value) && installUffdWpIfNeeded(value, 1);
                addr += geometry.pageSize();
            } else {
                zapPresentPtes(value);
            }
        }

        /// mm/memory.c: zap_present_ptes(), zap_present_folio_ptes(). The accessed and dirty bits
        /// of anonymous pages do not matter.
        private void zapPresentPtes(long value) {
            Page page = kernel.memMap().page(Entry.pfn(value));
            Folio folio = kernel.memMap().pageFolio(page);
            if (!details.shouldZapFolio(folio)) {
                skipped = true;
                addr += geometry.pageSize();
                return;
            }
            int max = (int) ((end - addr) >> geometry.pageShift());
            int first = (int) ((addr - start) >> geometry.pageShift());
            int nr =
                    folio.isLarge() && max != 1
                            ? FolioPteBatch.folioPteBatchFlags(folio, pte, first, value, max, 0)
                            : 1;
            if (!folio.isAnon()) {
                zapFilePtes(folio, page, nr);
                return;
            }
            for (int i = 0; i < nr; i++) {
                clearPte(pte.pte(first + i));
            }
            tlb.removeTlbEntries(addr, nr);
            kernel.rmap().folioRemoveRmapPtes(folio, page, nr);
            if (kernel.rmap().folioMapcount(folio) < 0) {
                kernel.machine()
                        .monitor()
                        .complained(
                                kernel.machine().current(),
                                "BUG: Bad page map",
                                vma.mm() + ": negative mapcount of " + folio);
            }
            full = tlb.removeFolioPages(page, nr, false);
            addr += nr * geometry.pageSize();
        }

        /// The part of zap_present_folio_ptes() for pages of a file.
        private void zapFilePtes(Folio folio, Page page, int nr) {
            int first = (int) ((addr - start) >> geometry.pageShift());
            long old = 0;
            for (int i = 0; i < nr; i++) { // get_and_clear_full_ptes()
                long used = pte.pte(first + i).xchg(0, Order.FULL);
                old = i == 0 ? used : old | used & (Entry.ACCESSED | Entry.DIRTY);
            }
            boolean delayRmap = Entry.dirty(old) && kernel.arch().kconfig().smp();
            if (Entry.dirty(old)) {
                kernel.swap().folioMarkDirty(folio);
            }
            if (Entry.young(old)) {
                kernel.swap().folioMarkAccessed(folio);
            }
            tlb.removeTlbEntries(addr, nr);
            skipped |= vma.userfaultfdEntryWp(old) && installUffdWpIfNeeded(old, nr);
            if (!delayRmap) {
                kernel.rmap().folioRemoveRmapPtes(folio, page, nr);
            }
            dirty |= delayRmap;
            full = tlb.removeFolioPages(page, nr, delayRmap);
            addr += nr * geometry.pageSize();
        }

        /// mm/memory.c: zap_install_uffd_wp_if_needed(). That `nr` entries, which have just been
        /// cleared, were write-protected for a userfaultfd is not forgotten, unless it is to be.
        /// Whether markers say so now.
        private boolean installUffdWpIfNeeded(long old, int nr) {
            return !details.dropMarkers()
                    && kernel.nonpresentPtes().condInstallUffdWpPtes(vma, entry(), old, nr);
        }

        /// The hardware may set bits until the exchange.
        private void clearPte(Word entry) {
            entry.xchg(0, Order.FULL);
        }
    }
}
