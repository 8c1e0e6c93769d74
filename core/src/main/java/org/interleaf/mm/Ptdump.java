// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.EntryCallback;
import org.interleaf.mm.MmWalkOps.WalkLock;

/// Showing the page tables of a process (mm/ptdump.c), as its file in debugfs does.
///
/// # Locking
///
/// Entries are read without their locks, whether VMAs know of them or not. So the mmap lock is held
/// for writing: munmap(2) frees tables with it held for reading, when nobody can find the VMAs any
/// more. The kernel also takes that of its own tables, which are not modelled.
public final class Ptdump {
    private static final int PTE_DEPTH = 4;

    private final Kernel kernel;
    private final Geometry geometry;
    private final MmWalkOps<PtdumpText> ops;

    Ptdump(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        ops =
                MmWalkOps.<PtdumpText>builder(WalkLock.WRLOCK)
                        .pgd(entry(0))
                        .p4d(entry(1))
                        .pud(entry(2))
                        .pmd(entry(3))
                        .pte(this::pteEntry)
                        .hole(this::hole)
                        .build();
    }

    /// mm/ptdump.c: ptdump_pgd_entry(), ptdump_p4d_entry(), ptdump_pud_entry(), ptdump_pmd_entry().
    /// Reads the entry once.
    private EntryCallback<PtdumpText> entry(int depth) {
        return (entry, addr, next, walk) -> {
            long value = entry.readOnce();
            if (Entry.leaf(value) && lowest(Geometry.PGD - depth)) {
                walk.data().notePage(addr, depth, value);
                walk.action(WalkAction.CONTINUE);
            }
            return 0;
        };
    }

    /// Whether entries of `level` are not at the same time those of a folded level below: only the
    /// lowest of them are leaves (`p4d_leaf()` and so on).
    private boolean lowest(int level) {
        return level == Geometry.PMD || !geometry.folded(level - 1);
    }

    /// mm/ptdump.c: ptdump_pte_entry().
    private int pteEntry(Word pte, long addr, long next, MmWalk<PtdumpText> walk) {
        walk.data().notePage(addr, PTE_DEPTH, pte.readOnce());
        return 0;
    }

    /// mm/ptdump.c: ptdump_hole().
    private int hole(long addr, long next, int depth, MmWalk<PtdumpText> walk) {
        if (depth >= 0) {
            walk.data().notePage(addr, depth, 0);
        }
        return 0;
    }

    /// mm/ptdump.c: ptdump_walk_pgd(). Takes the mmap lock for writing.
    public String walkPgd(MmStruct mm) {
        PtdumpText text = new PtdumpText(kernel.arch().architecture());
        kernel.mmapLock().writeLock(mm);
        kernel.pageWalk().walkPageRangeDebug(mm, 0, geometry.taskSize(), ops, null, text);
        kernel.mmapLock().writeUnlock(mm);
        return text.flush(geometry.taskSize());
    }

    // ---- from outside

    /// The same, looked at from outside.
    public String peek(MmStruct mm) {
        PtdumpText text = new PtdumpText(kernel.arch().architecture());
        peek(mm.pgd(), Geometry.PGD, 0, text);
        return text.flush(geometry.taskSize());
    }

    private void peek(PageTable table, int level, long start, PtdumpText text) {
        int below = level - 1;
        while (below > Geometry.PTE && geometry.folded(below)) {
            below--;
        }
        for (int i = 0; i < geometry.entries(level); i++) {
            long value = table.entry(i).peek();
            long addr = start + i * geometry.size(level);
            if (level > Geometry.PTE && Entry.isTable(value)) {
                peek(kernel.memMap().table(Entry.pfn(value)), below, addr, text);
            } else {
                text.notePage(addr, depth(level, value), value);
            }
        }
    }

    /// An entry above folded levels is a hole in the highest of them, and a leaf of the lowest.
    private int depth(int level, long value) {
        int shown = level;
        while (Entry.leaf(value) && !lowest(shown)) {
            shown--;
        }
        return Geometry.PGD - shown;
    }
}
