// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Region;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.function.LongConsumer;

/// `pmd_huge_pte`: the PTE tables kept for the day that a huge PMD is split, first in, first out.
/// Protected by the PMD lock; it is in the `ptdesc` of the PMD table where that has a lock of its
/// own, in the `mm_struct` otherwise.
public final class DepositList {
    private final Word count;
    private final Word[] tables;

    DepositList(Machine machine, @Nullable Region region, Object owner, int capacity) {
        count = machine.word(region, owner, "nr_deposited", -1, 0);
        tables = new Word[capacity];
        for (int i = 0; i < capacity; i++) {
            tables[i] = machine.word(region, owner, "pmd_huge_pte", i, 0);
        }
    }

    void add(long pfn) {
        long n = count.readPlain();
        tables[(int) n].writePlain(pfn);
        count.writePlain(n + 1);
    }

    /// Takes the frame of the first table off the list.
    long removeFirst() {
        long n = count.readPlain();
        if (n == 0) {
            throw new NullPointerException("no page table is deposited");
        }
        long first = tables[0].readPlain();
        for (int i = 1; i < n; i++) {
            tables[i - 1].writePlain(tables[i].readPlain());
        }
        count.writePlain(n - 1);
        return first;
    }

    /// Tells `visitor` of each table's frame; looked at from outside.
    void peek(LongConsumer visitor) {
        for (int i = 0; i < count.peek(); i++) {
            visitor.accept(tables[i].peek());
        }
    }

    void clear() {
        count.poke(0);
    }
}
