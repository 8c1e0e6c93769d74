// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/// Looks at an address space from outside: no accesses, no locks. For final states, and for the
/// laws that hold when nothing is under way.
public final class Inspect {
    private final Geometry geometry;
    private final MemMap memMap;

    /// The swap device; null where there is none.
    private @Nullable SwapInfo swap;

    /// Hears which words {@link #user} looks at; null where nobody wants to know.
    private @Nullable Consumer<Word> listener;

    Inspect(Geometry geometry, MemMap memMap) {
        this.geometry = geometry;
        this.memMap = memMap;
    }

    /// Has `newListener` hear of every word that {@link #user} looks at from now on.
    public void listen(Consumer<Word> newListener) {
        listener = newListener;
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
        if (listener != null) {
            tellPath(mm, addr, listener);
        }
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            long at = addr + i;
            long offset = at & (geometry.pageSize() - 1);
            long word = peekWord(mm, at, offset);
            value = value << Byte.SIZE | word >>> Byte.SIZE * (offset % Long.BYTES) & 0xff;
        }
        return value;
    }

    /// The word of contents at `offset` in the page of `addr`: in memory, in the swap cache, on the
    /// swap device, or in a page cache.
    private long peekWord(MmStruct mm, long addr, long offset) {
        long pfn = mappedPfn(mm, addr);
        if (pfn < 0 && swap != null) {
            long pte = leaf(mm, addr);
            if (Entry.isSwap(pte)) {
                int slot = (int) Entry.swpOffset(pte);
                pfn = swap.peekPage(slot);
                return pfn < 0 ? swap.peekContents(slot, offset) : contents(pfn, offset);
            }
        }
        if (pfn < 0) {
            long entry = leaf(mm, addr);
            if (Entry.none(entry) || Entry.isUffdWpMarker(entry)) {
                pfn = peekFilePfn(mm, addr);
            }
        }
        return pfn < 0 ? 0 : contents(pfn, offset);
    }

    /// The frame in which a file in memory has what would be mapped at `addr`; -1 where it has
    /// none.
    private long peekFilePfn(MmStruct mm, long addr) {
        for (Vma vma : vmas(mm)) {
            boolean here = vma.start.peek() <= addr && addr < vma.end.peek();
            if (here && vma.file != null) {
                return vma.inode().peekPfn(vma.peekLinearPageIndex(geometry, addr));
            }
        }
        return -1;
    }

    private long contents(long pfn, long offset) {
        return memMap.contents(pfn, offset).peek();
    }

    /// For the set-up: there is a swap device.
    void setSwap(SwapInfo device) {
        swap = device;
    }

    /// The VMAs of an address space, in order.
    public List<Vma> vmas(MmStruct mm) {
        VmaTree tree = mm.vmas.peek();
        return tree == null ? List.of() : tree.vmas();
    }

    private void tellPath(MmStruct mm, long addr, Consumer<Word> to) {
        PageTable table = mm.pgd();
        int level = Geometry.PGD;
        while (true) {
            Word entry = table.entry(geometry.index(level, addr));
            to.accept(entry);
            if (level == Geometry.PTE || !Entry.isTable(entry.peek())) {
                break;
            }
            table = memMap.table(Entry.pfn(entry.peek()));
            level = below(level);
        }
        long pfn = mappedPfn(mm, addr);
        if (pfn >= 0) {
            to.accept(memMap.contents(pfn, addr & (geometry.pageSize() - 1)));
        }
    }

    /// The next level below that has tables.
    private int below(int level) {
        int below = level - 1;
        while (below > Geometry.PTE && geometry.folded(below)) {
            below--;
        }
        return below;
    }

    /// Tells `visitor` of every entry of the address space that is not none, tables included.
    public void entries(MmStruct mm, EntryVisitor visitor) {
        visit(mm.pgd(), Geometry.PGD, visitor);
    }

    private void visit(PageTable table, int level, EntryVisitor visitor) {
        int below = below(level);
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

    /// What is told of each PTE that is not none.
    @FunctionalInterface
    public interface PteVisitor {
        void visit(long addr, long value);
    }

    /// Tells `visitor` of every PTE of the address space that is not none, by its address.
    public void ptes(MmStruct mm, PteVisitor visitor) {
        ptes(mm.pgd(), Geometry.PGD, 0, visitor);
    }

    private void ptes(PageTable table, int level, long base, PteVisitor visitor) {
        for (int i = 0; i < geometry.entries(level); i++) {
            long value = table.entry(i).peek();
            long addr = base + ((long) i << geometry.shift(level));
            if (Entry.none(value)) {
                continue;
            }
            if (level == Geometry.PTE) {
                visitor.visit(addr, value);
            } else if (Entry.isTable(value)) {
                ptes(memMap.table(Entry.pfn(value)), below(level), addr, visitor);
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
