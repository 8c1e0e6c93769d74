// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.PageTableFormat;
import org.interleaf.machine.Word;

/// The page tables as the hardware walker sees them.
final class HardwareTables implements PageTableFormat {
    private final Geometry geometry;
    private final MemMap memMap;

    HardwareTables(Geometry geometry, MemMap memMap) {
        this.geometry = geometry;
        this.memMap = memMap;
    }

    @Override
    public int topLevel() {
        return Geometry.PGD;
    }

    @Override
    public int nextLevel(int level) {
        int next = level - 1;
        while (geometry.folded(next)) {
            next--;
        }
        return next;
    }

    @Override
    public Word entry(long pfn, int level, long address) {
        return memMap.table(pfn).entry(geometry.index(level, address));
    }

    @Override
    public boolean present(long entry) {
        return (entry & Entry.PRESENT) != 0;
    }

    @Override
    public boolean leaf(int level, long entry) {
        return level == Geometry.PTE || Entry.leaf(entry);
    }

    @Override
    public boolean writable(long entry) {
        return Entry.write(entry);
    }

    @Override
    public long accessBits(boolean write) {
        return write ? Entry.ACCESSED | Entry.DIRTY : Entry.ACCESSED;
    }

    @Override
    public boolean dirty(long entry) {
        return Entry.dirty(entry);
    }

    @Override
    public long pfn(long entry) {
        return Entry.pfn(entry);
    }

    /// A leaf in a table above folded levels maps what an entry of the lowest of them would.
    @Override
    public long size(int level) {
        return geometry.size(level);
    }

    @Override
    public Word memory(long pfn, long offset) {
        long page = offset >>> geometry.pageShift();
        return memMap.contents(pfn + page, offset & (geometry.pageSize() - 1));
    }
}
