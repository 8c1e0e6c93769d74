// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.Arrays;

/// The translations that one CPU has cached. It forgets nothing by itself: a translation stays
/// until it is flushed or replaced, which is the worst that hardware can do to a kernel that
/// flushes too late.
///
/// The entries are not shared state: only this CPU's walker and flushes reach them, and one word
/// stands for them all in the order of accesses. Hits read that word, fills and flushes write it.
/// Its value counts the flushes.
public final class Tlb {
    private static final int INITIAL_CAPACITY = 8;

    private final Word word;
    private int size;
    private long[] space = new long[INITIAL_CAPACITY];
    private long[] start = new long[INITIAL_CAPACITY];
    private long[] bytes = new long[INITIAL_CAPACITY];
    private long[] pfn = new long[INITIAL_CAPACITY];
    private boolean[] writable = new boolean[INITIAL_CAPACITY];
    private boolean[] dirty = new boolean[INITIAL_CAPACITY];

    Tlb(Machine machine, Cpu cpu) {
        word = machine.word(null, cpu, "tlb", -1, 0);
        word.format(flushes -> flushes + " flush(es)");
        machine.onReset(() -> size = 0);
    }

    /// The word that stands for the TLB.
    public Word word() {
        return word;
    }

    /// Forgets the translations of `space` for addresses from `from` up to `to`. One access.
    public void flush(long spaceId, long from, long to) {
        word.fetchAdd(1, Order.FULL);
        for (int i = size - 1; i >= 0; i--) {
            if (space[i] == spaceId && start[i] < to && from < start[i] + bytes[i]) {
                remove(i);
            }
        }
    }

    /// Number of flushes so far; looked at within a step that is ordered by the word.
    long flushes() {
        return word.value;
    }

    /// Which entry translates `address`; -1 where none does.
    int find(long spaceId, long address) {
        for (int i = 0; i < size; i++) {
            if (space[i] == spaceId && address >= start[i] && address - start[i] < bytes[i]) {
                return i;
            }
        }
        return -1;
    }

    /// Puts in a translation of `length` bytes from `from`, in the place of those that overlap it.
    /// Part of the step that read it.
    void fill(long spaceId, long from, long length, long frame, boolean mayWrite, boolean isDirty) {
        for (int i = size - 1; i >= 0; i--) {
            if (space[i] == spaceId && start[i] < from + length && from < start[i] + bytes[i]) {
                remove(i);
            }
        }
        if (size == space.length) {
            grow();
        }
        space[size] = spaceId;
        start[size] = from;
        bytes[size] = length;
        pfn[size] = frame;
        writable[size] = mayWrite;
        dirty[size] = isDirty;
        size++;
    }

    /// Takes entry `i` out; the last takes its place. Part of a step that writes the word.
    void remove(int i) {
        size--;
        space[i] = space[size];
        start[i] = start[size];
        bytes[i] = bytes[size];
        pfn[i] = pfn[size];
        writable[i] = writable[size];
        dirty[i] = dirty[size];
    }

    private void grow() {
        int n = 2 * size;
        space = Arrays.copyOf(space, n);
        start = Arrays.copyOf(start, n);
        bytes = Arrays.copyOf(bytes, n);
        pfn = Arrays.copyOf(pfn, n);
        writable = Arrays.copyOf(writable, n);
        dirty = Arrays.copyOf(dirty, n);
    }

    // ---- looking at it from outside

    /// Number of entries.
    public int size() {
        return size;
    }

    /// The address space of entry `i`.
    public long space(int i) {
        return space[i];
    }

    /// First address that entry `i` translates.
    public long start(int i) {
        return start[i];
    }

    /// Number of bytes that entry `i` translates.
    public long bytes(int i) {
        return bytes[i];
    }

    /// First frame that entry `i` translates to.
    public long pfn(int i) {
        return pfn[i];
    }

    /// Whether entry `i` lets the CPU write.
    public boolean writable(int i) {
        return writable[i];
    }

    /// Whether the page-table entry was marked dirty when entry `i` was filled.
    public boolean dirty(int i) {
        return dirty[i];
    }
}
