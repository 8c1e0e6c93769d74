// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// Descending the page tables, and adding tables to them (include/linux/pgtable.h, mm/memory.c,
/// asm-generic/pgalloc.h).
///
/// Folded levels have no table: the offset functions hand the entry of the level above on, and the
/// allocation functions do nothing.
public final class Pgtable {
    private final Machine machine;
    private final Geometry geometry;
    private final MemMap memMap;
    private final PtLocks ptLocks;

    Pgtable(Machine machine, Geometry geometry, MemMap memMap, PtLocks ptLocks) {
        this.machine = machine;
        this.geometry = geometry;
        this.memMap = memMap;
        this.ptLocks = ptLocks;
    }

    // ---- descending

    /// include/linux/pgtable.h: pgd_offset(). No access: the top table never moves.
    public Word pgdOffset(MmStruct mm, long addr) {
        return mm.pgd().entry(geometry.index(Geometry.PGD, addr));
    }

    /// include/linux/pgtable.h: p4d_offset_lockless(), pud_offset_lockless(),
    /// pmd_offset_lockless(). The entry of `level` below the *value* of the upper entry: what the
    /// upper entry holds by now does not matter.
    public Word offsetLockless(int level, Word upper, long upperValue, long addr) {
        return geometry.folded(level)
                ? upper
                : memMap.tableBelow(upperValue).entry(geometry.index(level, addr));
    }

    /// include/linux/pgtable.h: p4d_offset(), pud_offset(), pmd_offset(). Reads the upper entry,
    /// again, to find the table below it.
    public Word offset(int level, Word upper, long addr) {
        return geometry.folded(level)
                ? upper
                : offsetLockless(level, upper, upper.readPlain(), addr);
    }

    /// mm/internal.h, mm/rmap.c: mm_find_pmd(). The PMD entry of `addr`, whatever it holds; null
    /// where there is no PMD table.
    public @Nullable Word mmFindPmd(MmStruct mm, long addr) {
        return find(Geometry.PMD, mm, addr);
    }

    /// The entry of `wanted` level for `addr`, whatever it holds; null where it has no table.
    public @Nullable Word find(int wanted, MmStruct mm, long addr) {
        Word entry = pgdOffset(mm, addr);
        for (int level = Geometry.P4D; level >= wanted; level--) {
            if (!geometry.folded(level)) {
                if (!Entry.isTable(entry.readPlain())) {
                    return null;
                }
                entry = offset(level, entry, addr);
            }
        }
        return entry;
    }

    /// The entry for `addr` in the table of `level` that `entry` is in: what incrementing the
    /// pointer gives. No access.
    Word sameTable(int level, Word entry, long addr) {
        return geometry.folded(level)
                ? entry
                : PageTable.of(entry).entry(geometry.index(level, addr));
    }

    /// include/linux/pgtable.h: pmd_none_or_clear_bad() and so on. Whether `entry` of `level` leads
    /// to no table; what is neither none nor a table is reported and cleared. Above a folded level
    /// there is nothing to look at.
    boolean noneOrClearBad(int level, Word entry) {
        if (level > Geometry.PMD && geometry.folded(level - 1)) {
            return false;
        }
        if (Entry.none(entry.readPlain())) {
            return true;
        }
        if (Entry.bad(entry.readPlain())) {
            clearBad(entry);
            return true;
        }
        return false;
    }

    /// include/linux/pgtable.h: pud_none_or_clear_bad(). A leaf is bad here.
    boolean pudNoneOrClearBad(Word pud) {
        if (geometry.folded(Geometry.PMD)) {
            return false;
        }
        if (Entry.none(pud.readPlain())) {
            return true;
        }
        if (Entry.bad(pud.readPlain())) {
            pudClearBad(pud);
            return true;
        }
        return false;
    }

    /// mm/pgtable-generic.c: pud_clear_bad().
    void pudClearBad(Word pud) {
        complainAndClear(pud);
    }

    /// mm/pgtable-generic.c: pmd_clear_bad() and so on.
    void clearBad(Word entry) {
        complainAndClear(entry);
    }

    private void complainAndClear(Word entry) {
        machine.monitor()
                .complained(machine.current(), "BUG", "bad page-table entry " + entry.name());
        entry.writeOnce(0);
    }

    // ---- adding tables

    /// mm/memory.c: p4d_alloc(), pud_alloc(), pmd_alloc() from the top: the PUD or PMD entry of
    /// `addr`, with the tables above it made where they were missing. Null where memory is out.
    public @Nullable Word alloc(int level, MmStruct mm, long addr) {
        Word entry = pgdOffset(mm, addr);
        for (int l = Geometry.P4D; l >= level; l--) {
            entry = allocBelow(l, mm, entry, addr);
            if (entry == null) {
                return null;
            }
        }
        return entry;
    }

    /// mm/memory.c: p4d_alloc(), pud_alloc(), pmd_alloc(). The entry of `level` for `addr` below
    /// `upper`. Nothing is allocated where `upper` is a leaf: the caller must look for that.
    public @Nullable Word allocBelow(int level, MmStruct mm, Word upper, long addr) {
        if (geometry.folded(level)) {
            return upper;
        }
        if (Entry.none(upper.readPlain()) && !allocTable(level, mm, upper)) {
            return null;
        }
        return offset(level, upper, addr);
    }

    /// mm/memory.c: __p4d_alloc(), __pud_alloc(), __pmd_alloc(). All are under the lock of the
    /// level above, which is `page_table_lock`. False where memory is out.
    boolean allocTable(int level, MmStruct mm, Word upper) {
        PageTable table = allocPage(level);
        if (table == null) {
            return false;
        }
        SpinLock ptl = mm.pageTableLock();
        ptl.lock();
        if (Entry.present(upper.readPlain())) {
            ptl.unlock();
            freePage(table);
            return true;
        }
        incPgtables(mm);
        populate(upper, table);
        ptl.unlock();
        return true;
    }

    /// mm/memory.c: __pte_alloc(). Hangs a new PTE table below `pmd` unless something is there by
    /// now. False where memory is out.
    public boolean pteAllocTable(MmStruct mm, Word pmd) {
        PageTable table = pteAllocOne();
        if (table == null) {
            return false;
        }
        if (!pmdInstall(mm, pmd, table)) {
            freePage(table);
        }
        return true;
    }

    /// include/linux/mm.h: pte_alloc(). False where memory is out.
    public boolean pteAlloc(MmStruct mm, Word pmd) {
        return !Entry.none(pmd.readPlain()) || pteAllocTable(mm, pmd);
    }

    /// mm/memory.c: pmd_install(). False, and the table stays the caller's, where `pmd` was not
    /// none.
    public boolean pmdInstall(MmStruct mm, Word pmd, PageTable table) {
        SpinLock ptl = ptLocks.pmdLock(mm, pmd);
        boolean none = Entry.none(pmd.readPlain());
        if (none) {
            incPgtables(mm);
            populate(pmd, table);
        }
        ptl.unlock();
        return none;
    }

    /// asm-generic/pgalloc.h: pte_alloc_one(). An empty PTE table that belongs to nobody yet.
    public @Nullable PageTable pteAllocOne() {
        return allocPage(Geometry.PTE);
    }

    /// asm-generic/pgalloc.h: pmd_populate(), pud_populate(). The table is complete before it can
    /// be reached.
    public void populate(Word upper, PageTable table) {
        machine.fence(Fence.WMB);
        upper.writeOnce(Entry.table(table.pfn()));
    }

    /// A table page straight from the allocator; null where memory is out.
    @Nullable PageTable allocPage(int level) {
        long pfn = memMap.memory().allocate(0);
        if (pfn < 0) {
            return null;
        }
        PageTable table = memMap.table(pfn);
        table.initialise(level);
        memMap.page(pfn).markTable(true);
        return table;
    }

    /// asm-generic/pgalloc.h: pte_free() and so on: destroys the lock and frees the page, at once.
    public void freePage(PageTable table) {
        memMap.page(table.pfn()).markTable(false);
        memMap.memory().free(table.pfn(), 0);
    }

    /// include/linux/mm.h: mm_inc_nr_ptes() and so on.
    public void incPgtables(MmStruct mm) {
        mm.pgtables.add(1, Order.RELAXED);
    }

    /// include/linux/mm.h: mm_dec_nr_ptes() and so on.
    public void decPgtables(MmStruct mm) {
        mm.pgtables.add(-1, Order.RELAXED);
    }
}
