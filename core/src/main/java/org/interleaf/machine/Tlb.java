// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.ArrayList;
import java.util.List;

/// The translations that one CPU has cached. It forgets nothing by itself: a translation stays
/// until it is flushed or replaced, which is the worst that hardware can do to a kernel that
/// flushes too late.
///
/// The entries are not shared state: only this CPU's walker and flushes reach them, and one word
/// stands for them all in the order of accesses. Lookups read that word, fills and flushes write
/// it. Its value numbers the states that the TLB has gone through, so that what was cached at some
/// other moment of the execution can be told.
public final class Tlb {
    private final Word word;
    private final List<Translations> states = new ArrayList<>();

    /// The word's value in the first state.
    private long base;

    Tlb(Machine machine, Cpu cpu) {
        word = machine.word(null, cpu, "tlb", -1, 0);
        word.format(state -> "state " + state);
        states.add(Translations.NONE);
        machine.onReset(this::reset);
    }

    private void reset() {
        base = word.value;
        states.clear();
        states.add(Translations.NONE);
    }

    /// The word that stands for the TLB.
    public Word word() {
        return word;
    }

    /// Forgets the translations of `space` for addresses from `from` up to `to`. One access.
    public void flush(long spaceId, long from, long to) {
        word.fetchAdd(1, Order.FULL);
        states.add(states.getLast().flushed(spaceId, from, to));
    }

    /// Forgets all translations. One access.
    public void flushAll() {
        word.fetchAdd(1, Order.FULL);
        states.add(states.getLast().flushedAll());
    }

    /// What is cached now.
    Translations now() {
        return at(word.value);
    }

    /// What is cached where the word holds `value`.
    Translations at(long value) {
        return states.get((int) (value - base));
    }

    /// Puts in a translation, in the place of those that overlap it. Part of the step that read it.
    void fill(Translations.Entry entry) {
        states.add(now().with(entry));
        word.poke(word.value + 1);
    }

    /// Takes `entry` out. Part of a step that has added 1 to the word.
    void drop(Translations.Entry entry) {
        states.add(states.getLast().dropped(entry));
    }

    // ---- looking at it from outside

    /// Number of entries.
    public int size() {
        return now().entries().size();
    }

    /// The address space of entry `i`.
    public long space(int i) {
        return now().entries().get(i).space();
    }

    /// First address that entry `i` translates.
    public long start(int i) {
        return now().entries().get(i).start();
    }

    /// Number of bytes that entry `i` translates.
    public long bytes(int i) {
        return now().entries().get(i).bytes();
    }

    /// First frame that entry `i` translates to.
    public long pfn(int i) {
        return now().entries().get(i).pfn();
    }

    /// Whether entry `i` lets the CPU write.
    public boolean writable(int i) {
        return now().entries().get(i).writable();
    }

    /// Whether the page-table entry was marked dirty when entry `i` was filled.
    public boolean dirty(int i) {
        return now().entries().get(i).dirty();
    }
}
