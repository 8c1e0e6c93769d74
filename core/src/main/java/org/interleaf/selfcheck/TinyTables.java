// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.machine.Machine;
import org.interleaf.machine.PageTableFormat;
import org.interleaf.machine.Word;

/// Page tables of two pages, one word long each, on one level or two.
final class TinyTables implements PageTableFormat {
    static final int PAGES = 2;

    private static final long PRESENT = 1;
    private static final long WRITABLE = 2;
    private static final long ACCESSED = 4;
    private static final long DIRTY = 8;
    private static final int PFN_SHIFT = 4;
    private static final int BYTES = 8;

    private final int levels;
    private final Word[] frames;

    /// The only entry of the upper level.
    final Word directory;

    /// The entries of the lower level.
    final Word[] entries = new Word[PAGES];

    /// @param frames the memory, as many words as page frames
    TinyTables(Machine machine, int levels, Word[] frames) {
        this.levels = levels;
        this.frames = frames;
        directory = machine.word("directory", PRESENT);
        for (int page = 0; page < PAGES; page++) {
            entries[page] = machine.word("entry" + page, map(page == 0 ? 0 : 3, page == 0));
        }
    }

    /// A leaf that maps `frame`.
    static long map(int frame, boolean writable) {
        return (long) frame << PFN_SHIFT | PRESENT | (writable ? WRITABLE : 0);
    }

    static long address(int page) {
        return (long) page * BYTES;
    }

    @Override
    public int topLevel() {
        return levels;
    }

    @Override
    public int nextLevel(int level) {
        return level - 1;
    }

    @Override
    public Word entry(long pfn, int level, long address) {
        return level == 2 ? directory : entries[(int) (address / BYTES)];
    }

    @Override
    public boolean present(long entry) {
        return (entry & PRESENT) != 0;
    }

    @Override
    public boolean leaf(int level, long entry) {
        return level == 1;
    }

    @Override
    public boolean writable(long entry) {
        return (entry & WRITABLE) != 0;
    }

    @Override
    public long accessBits(boolean write) {
        return write ? ACCESSED | DIRTY : ACCESSED;
    }

    @Override
    public boolean dirty(long entry) {
        return (entry & DIRTY) != 0;
    }

    @Override
    public long pfn(long entry) {
        return entry >>> PFN_SHIFT;
    }

    @Override
    public long size(int level) {
        return BYTES;
    }

    @Override
    public Word memory(long pfn, long offset) {
        return frames[(int) pfn];
    }
}
