// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.Machine;
import org.junit.jupiter.api.Test;

import java.util.BitSet;
import java.util.Random;

/// Reserve maps against sets of bits.
final class FileRegionsTest {
    private static final int SIZE = 12;

    @Test
    void regionsAreSetsOfIndexes() {
        Machine machine = new Machine(1);
        Random random = new Random(1);
        FileRegions regions = FileRegions.none(machine);
        BitSet bits = new BitSet();
        for (int i = 0; i < 5000; i++) {
            int from = random.nextInt(SIZE);
            int to = from + 1 + random.nextInt(SIZE - from);
            assertThat(regions.count(from, to)).isEqualTo(bits.get(from, to).cardinality());
            assertThat(regions.holes(from, to)).isEqualTo(holes(bits, from, to));
            boolean splits = from > 0 && to < SIZE && bits.nextClearBit(from - 1) > to;
            assertThat(regions.splits(from, to)).isEqualTo(splits);
            if (random.nextBoolean()) {
                regions = regions.plus(machine, from, to);
                bits.set(from, to);
            } else {
                regions = regions.minus(machine, from, to);
                bits.clear(from, to);
            }
        }
    }

    private static int holes(BitSet bits, int from, int to) {
        int n = 0;
        for (int i = from; i < to; i++) {
            n += !bits.get(i) && (i == from || bits.get(i - 1)) ? 1 : 0;
        }
        return n;
    }
}
