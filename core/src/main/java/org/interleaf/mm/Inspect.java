// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

import java.util.function.LongConsumer;

/// Looks at an address space from outside: no accesses, no locks. For final states, and for the
/// laws that hold when nothing is under way.
public final class Inspect {
    private final Geometry geometry;
    private final MemMap memMap;

    Inspect(Geometry geometry, MemMap memMap) {
        this.geometry = geometry;
        this.memMap = memMap;
    }

    /// What is told of each entry that is not none.
    @FunctionalInterface
    public interface EntryVisitor {
        void visit(int level, Word entry, long value);
    }

    /// The entry of `level` for `addr`; none where the tables do not go that far down.
    public long entry(MmStruct mm, int level, long addr) {
        PageTable table = mm.pgd();
        int wanted = geometry.tableLevel(level);
        for (int l = Geometry.PGD; ; l--) {
            if (geometry.folded(l)) {
                continue;
            }
            long value = table.entry(geometry.index(l, addr)).peek();
            if (l == wanted) {
                return value;
            }
            if (!Entry.isTable(value)) {
                return 0;
            }
            table = memMap.table(Entry.pfn(value));
        }
    }

    /// The entry that maps `addr`, of whatever level; at PTE level also one that maps nothing.
    public long leaf(MmStruct mm, long addr) {
        for (int level = Geometry.PUD; level >= Geometry.PMD; level--) {
            long entry = entry(mm, level, addr);
            if (Entry.leaf(entry)) {
                return entry;
            }
        }
        return entry(mm, Geometry.PTE, addr);
    }

    /// The frame that the process has at `addr`; -1 where it has none.
    public long mappedPfn(MmStruct mm, long addr) {
        for (int level = Geometry.PUD; level >= Geometry.PMD; level--) {
            long entry = entry(mm, level, addr);
            if (Entry.leaf(entry)) {
                long offset = addr & (geometry.size(level) - 1);
                return Entry.pfn(entry) + (offset >> geometry.pageShift());
            }
        }
        long pte = entry(mm, Geometry.PTE, addr);
        return Entry.ptePresent(pte) ? Entry.pfn(pte) : -1;
    }

    /// The `bytes` bytes that the process has at `addr`, little-endian; 0 where it has none.
    public long user(MmStruct mm, long addr, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            long at = addr + i;
            long pfn = mappedPfn(mm, at);
            long offset = at & (geometry.pageSize() - 1);
            long word = pfn < 0 ? 0 : memMap.contents(pfn, offset).peek();
            value = value << Byte.SIZE | word >>> Byte.SIZE * (offset % Long.BYTES) & 0xff;
        }
        return value;
    }

    /// Tells `visitor` of every entry of the address space that is not none, tables included.
    public void entries(MmStruct mm, EntryVisitor visitor) {
        visit(mm.pgd(), Geometry.PGD, visitor);
    }

    private void visit(PageTable table, int level, EntryVisitor visitor) {
        int below = level - 1;
        while (below > Geometry.PTE && geometry.folded(below)) {
            below--;
        }
        for (int i = 0; i < geometry.entries(level); i++) {
            Word entry = table.entry(i);
            long value = entry.peek();
            if (Entry.none(value)) {
                continue;
            }
            visitor.visit(level, entry, value);
            if (level > Geometry.PTE && Entry.isTable(value)) {
                visit(memMap.table(Entry.pfn(value)), below, visitor);
            }
        }
    }

    /// Tells `visitor` of the frame of every table that is deposited with this address space.
    public void deposited(MmStruct mm, LongConsumer visitor) {
        mm.deposited().peek(visitor);
        entries(
                mm,
                (level, entry, value) -> {
                    if (level > Geometry.PTE && Entry.isTable(value)) {
                        memMap.table(Entry.pfn(value)).deposited().peek(visitor);
                    }
                });
    }
}
