// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// Counts distinct traces by their hashes in bounded memory: exactly up to a million, beyond by a
/// sample, within about 0.2 % (Wegman's adaptive sampling; Flajolet 1990).
///
/// The sample holds the hashes that end in `level` zeros. Where it gets full, `level` goes up by
/// one and half of it is dropped.
final class TraceCount {
    private static final int SAMPLE_MAX = 1 << 20;

    /// Marks a trace that came more than once; the bit is no part of the hash.
    private static final long AGAIN = 1L << 63;

    private final int sampleMax;
    private long[] slots = new long[1 << 10];
    private int size;
    private int singles;
    private int level;

    TraceCount() {
        this(SAMPLE_MAX);
    }

    /// @param sampleMax how many hashes are kept
    TraceCount(int sampleMax) {
        this.sampleMax = sampleMax;
    }

    /// Enters a trace. False if it is known to have come before.
    boolean add(long traceHash) {
        long hash = (traceHash & ~AGAIN) == 0 ? 1L << 62 : traceHash & ~AGAIN;
        if (!sampled(hash)) {
            return true;
        }
        int i = slot(slots, hash);
        if (slots[i] != 0) {
            singles -= slots[i] > 0 ? 1 : 0;
            slots[i] |= AGAIN;
            return false;
        }
        slots[i] = hash;
        size++;
        singles++;
        if (size >= sampleMax) {
            level++;
            rebuild(slots.length);
        } else if (2 * size > slots.length) {
            rebuild(2 * slots.length);
        }
        return true;
    }

    private boolean sampled(long hash) {
        return Long.numberOfTrailingZeros(hash) >= level;
    }

    private static int slot(long[] table, long hash) {
        int i = (int) (TraceHash.spread(hash, 0) & table.length - 1);
        while (table[i] != 0 && (table[i] & ~AGAIN) != hash) {
            i = i + 1 & table.length - 1;
        }
        return i;
    }

    private void rebuild(int length) {
        long[] table = new long[length];
        size = 0;
        singles = 0;
        for (long entry : slots) {
            long hash = entry & ~AGAIN;
            if (entry != 0 && sampled(hash)) {
                table[slot(table, hash)] = entry;
                size++;
                singles += entry > 0 ? 1 : 0;
            }
        }
        slots = table;
    }

    /// Whether the counts are exact.
    boolean exact() {
        return level == 0;
    }

    /// Distinct traces.
    long traces() {
        return (long) size << level;
    }

    /// Traces that came once.
    long singles() {
        return (long) singles << level;
    }
}
