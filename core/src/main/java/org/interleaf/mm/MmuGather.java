// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;

import java.util.ArrayList;
import java.util.List;

/// mm/mmu_gather.c, asm-generic/tlb.h: collecting what was unhooked until the TLBs have been
/// flushed.
///
/// # Order
///
/// Unhook an entry, flush the TLBs, free what it pointed to: pages and tables that are handed to a
/// gather are freed after the flush that covers them and never before. Tables may still be walked
/// in software after that; how they are protected depends on the architecture: see {@link
/// Arch.TableFree}.
///
/// Two tasks that both hold the mmap lock for reading can zap the same range. The second finds
/// entries that the first has cleared but not flushed, and must not return before somebody flushed
/// them:
///
/// | CPU 0                    | CPU 1                                              |
/// |--------------------------|----------------------------------------------------|
/// | tlb_flush_pending = 1    |                                                    |
/// | clears a PTE             |                                                    |
/// |                          | tlb_flush_pending = 2                              |
/// |                          | finds the PTE none: nothing to flush of its own    |
/// |                          | tlb_finish_mmu: pending > 1, so flushes everything |
///
/// What the gather itself holds is the running task's alone. The memory of its batches is not taken
/// from the page allocator, and never runs short.
public final class MmuGather {
    /// Pages that fit on the stack, and on all the pages that a gather may take beyond.
    private static final int MAX_PAGES = 8 + 10_000;

    private static final int MAX_TABLE_BATCH = 510;

    private final Kernel kernel;
    private final Machine machine;
    private final MmStruct mm;

    private boolean fullmm;
    private long start;
    private long end;
    private boolean freedTables;
    private boolean cleared;
    private boolean unsharedTables;
    private boolean fullyUnsharedTables;

    private final List<Page> pages = new ArrayList<>();
    private final List<Integer> nrPages = new ArrayList<>();

    /// For each of {@link #pages}, whether its mappings are still counted: `delayed_rmap`.
    private final List<Boolean> delayed = new ArrayList<>();

    private List<PageTable> batch = new ArrayList<>();

    /// mm/mmu_gather.c: tlb_gather_mmu(). From here on other gathers of `mm` know that flushes may
    /// be outstanding.
    MmuGather(Kernel kernel, MmStruct mm) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.mm = mm;
        begin();
    }

    /// mm/mmu_gather.c: tlb_gather_mmu(), for a gather that was finished and is used again.
    void begin() {
        fullmm = false;
        resetRange();
        mm.tlbFlushPending.add(1, Order.RELAXED);
    }

    /// The address space that entries are taken out of.
    public MmStruct mm() {
        return mm;
    }

    /// asm-generic/tlb.h: __tlb_reset_range().
    private void resetRange() {
        start = fullmm ? -1 : kernel.geometry().taskSize();
        end = fullmm ? -1 : 0;
        freedTables = false;
        cleared = false;
        unsharedTables = false;
    }

    // ---- recording what was unhooked

    /// asm-generic/tlb.h: tlb_flush_pte_range() and so on. An entry that mapped `size` bytes from
    /// `addr` has been cleared.
    private void adjustRange(long addr, long size) {
        start = Math.min(start, addr);
        end = Math.max(end, addr + size);
        cleared = true;
    }

    /// asm-generic/tlb.h: tlb_remove_tlb_entry(). The PTE of `addr` has been cleared.
    public void removeTlbEntry(long addr) {
        removeTlbEntries(addr, 1);
    }

    /// asm-generic/tlb.h: tlb_remove_tlb_entries(). `nr` PTEs from that of `addr` on have been
    /// cleared.
    public void removeTlbEntries(long addr, int nr) {
        adjustRange(addr, nr * kernel.geometry().pageSize());
    }

    /// asm-generic/tlb.h: tlb_remove_pmd_tlb_entry(). The huge PMD of `addr` has been cleared.
    public void removePmdTlbEntry(long addr) {
        adjustRange(addr, kernel.geometry().size(Geometry.PMD));
    }

    /// asm-generic/tlb.h: tlb_remove_pud_tlb_entry(), tlb_flush_pud_range(). The huge PUD of `addr`
    /// has been cleared, or changed.
    public void removePudTlbEntry(long addr) {
        adjustRange(addr, kernel.geometry().size(Geometry.PUD));
    }

    /// asm-generic/tlb.h: tlb_remove_huge_tlb_entry(). The entry, or entries, of a huge page of
    /// `size` bytes have been cleared.
    void removeHugeTlbEntry(long addr, long size) {
        adjustRange(addr, size);
    }

    // ---- pages

    /// asm-generic/tlb.h: tlb_remove_page_size(). Drops one reference on the folio, which one entry
    /// mapped as a whole, once the TLBs are flushed.
    public void removeFolio(Folio folio) {
        if (removeFolioPages(folio.head(), 1, false)) {
            flushMmu();
        }
    }

    /// mm/mmu_gather.c: __tlb_remove_folio_pages(). Drops `nr` references on the folio once the
    /// TLBs are flushed. True where the gather is full: the caller must flush before it goes on.
    ///
    /// @param delayRmap whether their mappings are to be counted off by {@link #flushRmaps}
    public boolean removeFolioPages(Page page, int nr, boolean delayRmap) {
        pages.add(page);
        nrPages.add(nr);
        delayed.add(delayRmap);
        return pages.size() >= MAX_PAGES;
    }

    /// mm/mmu_gather.c: tlb_flush_rmaps(). The TLBs have been flushed, so nobody writes to the
    /// pages by way of the entries any more, and they are no longer mapped. The PTE lock is held.
    public void flushRmaps() {
        for (int i = 0; i < pages.size(); i++) {
            if (delayed.get(i)) {
                Folio folio = kernel.memMap().pageFolio(pages.get(i));
                kernel.rmap().folioRemoveRmapPtes(folio, pages.get(i), nrPages.get(i));
                delayed.set(i, false);
            }
        }
    }

    // ---- tables

    /// asm-generic/tlb.h: pte_free_tlb(). The table, unhooked from the entry of `addr`, is freed
    /// after the flush.
    public void pteFreeTlb(PageTable table, long addr) {
        tableFreeTlb(table, addr);
    }

    /// asm-generic/tlb.h: pte_free_tlb(), pmd_free_tlb(), pud_free_tlb(), p4d_free_tlb(). Flushing
    /// one page of the range also has hardware forget the way through the table.
    public void tableFreeTlb(PageTable table, long addr) {
        adjustRange(addr, kernel.geometry().pageSize());
        freedTables = true;
        removeTable(table);
    }

    /// mm/mmu_gather.c: tlb_remove_table().
    private void removeTable(PageTable table) {
        batch.add(table);
        if (batch.size() == MAX_TABLE_BATCH) {
            tableFlush();
        }
    }

    /// mm/mmu_gather.c: tlb_table_flush(). Software may still walk the tables after the flush: they
    /// are freed after a grace period, or at once where the flush has waited for all walkers.
    private void tableFlush() {
        if (batch.isEmpty()) {
            return;
        }
        flushMmuTlbonly(); // tlb_table_invalidate()
        List<PageTable> tables = batch;
        batch = new ArrayList<>();
        if (kernel.arch().rcuTableFree()) {
            machine.rcu().call(() -> removeTableFree(tables));
        } else {
            removeTableFree(tables);
        }
    }

    /// mm/mmu_gather.c: __tlb_remove_table_free().
    private void removeTableFree(List<PageTable> tables) {
        for (PageTable table : tables) {
            kernel.pgtable().freePage(table);
        }
    }

    /// mm/mmu_gather.c: tlb_remove_table_sync_one(). Interrupts all other CPUs and waits: whoever
    /// walked tables with interrupts off has finished. This is no grace period. Does nothing where
    /// the TLB flush interrupts walkers anyway. Interrupts must be on.
    static void tlbRemoveTableSyncOne(Kernel kernel) {
        if (kernel.arch().rcuTableFree()) {
            long everybody = (1L << kernel.machine().cpuCount()) - 1;
            // The handler need do nothing: that it runs is the point.
            kernel.machine().ipi().call(everybody, cpu -> {}, true);
        }
    }

    // ---- shared tables

    /// asm-generic/tlb.h: tlb_unshare_pmd_ptdesc(). The entry of `addr` no longer leads to the PMD
    /// table, which others share. Until {@link #flushUnsharedTables} the caller keeps them from
    /// unsharing it in turn and having it for themselves.
    void unsharePmdPtdesc(PageTable table, long addr) {
        table.shareCount.add(-1, Order.RELAXED); // ptdesc_pmd_pts_dec()
        long size = kernel.geometry().size(Geometry.PUD);
        adjustRange(addr & -size, size); // tlb_flush_pmd_range()
        if (table.shareCount.readOnce() == 0) {
            fullyUnsharedTables = true;
        }
        unsharedTables = true;
    }

    /// asm-generic/tlb.h: tlb_flush_unshared_tables(). The last one who shared a table may change
    /// it from now on, and use it for other things: no TLB of this address space leads there any
    /// more, and GUP-fast of no address space is still inside.
    void flushUnsharedTables() {
        if (unsharedTables) {
            flushMmuTlbonly();
        }
        if (fullyUnsharedTables) {
            tlbRemoveTableSyncOne(kernel);
            fullyUnsharedTables = false;
        }
    }

    // ---- VMAs

    /// asm-generic/tlb.h: tlb_end_vma(). Flushes between VMAs, unless the architecture would rather
    /// flush them together.
    public void endVma() {
        if (!fullmm && !kernel.arch().mmuGatherMergeVmas()) {
            flushMmuTlbonly();
        }
    }

    // ---- flushing

    /// asm-generic/tlb.h: tlb_flush_mmu_tlbonly(). Flushes the TLBs of the range recorded so far,
    /// if anything was, and forgets the range.
    public void flushMmuTlbonly() {
        if (!freedTables && !cleared && !unsharedTables) {
            return;
        }
        if (fullmm) {
            kernel.tlbFlush().flushTlbMm(mm);
        } else {
            kernel.tlbFlush().flushTlbRange(mm, start, end);
        }
        resetRange();
    }

    /// mm/mmu_gather.c: tlb_flush_mmu(). Flushes, then frees what was collected.
    public void flushMmu() {
        flushMmuTlbonly();
        tableFlush();
        batchPagesFlush();
    }

    /// mm/mmu_gather.c: tlb_batch_pages_flush(); mm/swap_state.c: free_pages_and_swap_cache().
    private void batchPagesFlush() {
        for (int i = 0; i < pages.size(); i++) {
            Folio folio = kernel.memMap().pageFolio(pages.get(i));
            kernel.swapState().freeSwapCache(folio);
            kernel.swap().folioPutRefs(folio, nrPages.get(i));
        }
        pages.clear();
        nrPages.clear();
        delayed.clear();
    }

    /// mm/mmu_gather.c: tlb_finish_mmu(). Flushes and frees what is left; flushes the whole address
    /// space where another gather is under way, whose changes this task may have relied on.
    public void finish() {
        kernel.warnOn(fullyUnsharedTables, "unshared tables are not flushed");
        if (mm.tlbFlushPending.readOnce() > 1) { // mm_tlb_flush_nested()
            fullmm = true;
            resetRange();
            freedTables = true;
        }
        flushMmu();
        mm.tlbFlushPending.add(-1, Order.RELAXED);
    }
}
