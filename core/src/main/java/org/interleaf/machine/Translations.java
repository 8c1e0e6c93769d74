// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// What a TLB holds at one time; never changed.
///
/// @param entries the translations, which do not overlap
/// @param flushes number of flushes so far
record Translations(List<Entry> entries, long flushes) {
    static final Translations NONE = new Translations(List.of(), 0);

    /// Translates the addresses of `space` from `start` on.
    ///
    /// @param bytes how many addresses
    /// @param pfn the first frame that they map to
    /// @param writable whether the CPU may write
    /// @param dirty whether the page-table entry was marked dirty
    record Entry(long space, long start, long bytes, long pfn, boolean writable, boolean dirty) {
        boolean overlaps(long otherSpace, long from, long to) {
            return space == otherSpace && start < to && from < start + bytes;
        }
    }

    /// The entry that translates `address`; null where none does.
    @Nullable Entry find(long space, long address) {
        for (Entry entry : entries) {
            if (entry.overlaps(space, address, address + 1)) {
                return entry;
            }
        }
        return null;
    }

    /// These and `entry`, in the place of those that overlap it.
    Translations with(Entry entry) {
        List<Entry> kept = without(entry.space, entry.start, entry.start + entry.bytes);
        kept.add(entry);
        return new Translations(kept, flushes);
    }

    /// These without those that translate addresses from `from` up to `to`.
    Translations flushed(long space, long from, long to) {
        return new Translations(without(space, from, to), flushes + 1);
    }

    /// None of these.
    Translations flushedAll() {
        return new Translations(List.of(), flushes + 1);
    }

    /// These without `entry`, which the CPU dropped by itself.
    Translations dropped(Entry entry) {
        return new Translations(
                without(entry.space, entry.start, entry.start + entry.bytes), flushes);
    }

    private List<Entry> without(long space, long from, long to) {
        List<Entry> kept = new ArrayList<>(entries.size() + 1);
        for (Entry entry : entries) {
            if (!entry.overlaps(space, from, to)) {
                kept.add(entry);
            }
        }
        return kept;
    }
}
