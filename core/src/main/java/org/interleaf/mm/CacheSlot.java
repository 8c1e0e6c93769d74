// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;

import java.util.Arrays;

/// The folios at some indexes of a page cache, as one version: it never changes, writers put a new
/// one in its place, and readers under RCU keep the one that they read (the nodes of lib/xarray.c).
final class CacheSlot extends Shared {
    private final long[] indexes;
    private final long[] pfns;

    private CacheSlot(Machine machine, long[] indexes, long[] pfns) {
        super(machine);
        this.indexes = indexes;
        this.pfns = pfns;
    }

    /// One that knows of a single folio.
    static CacheSlot of(Machine machine, long index, long pfn) {
        return new CacheSlot(machine, new long[] {index}, new long[] {pfn});
    }

    int size() {
        return indexes.length;
    }

    /// The index of folio number `i`, in no order.
    long index(int i) {
        return indexes[i];
    }

    long pfn(int i) {
        return pfns[i];
    }

    /// The frame of the folio at `index`; -1 where there is none.
    long pfnAt(long index) {
        for (int i = 0; i < indexes.length; i++) {
            if (indexes[i] == index) {
                return pfns[i];
            }
        }
        return -1;
    }

    /// The same with a folio more.
    CacheSlot plus(Machine machine, long index, long pfn) {
        int n = indexes.length;
        long[] newIndexes = Arrays.copyOf(indexes, n + 1);
        long[] newPfns = Arrays.copyOf(pfns, n + 1);
        newIndexes[n] = index;
        newPfns[n] = pfn;
        return new CacheSlot(machine, newIndexes, newPfns);
    }

    /// The same without the folio at `index`.
    CacheSlot minus(Machine machine, long index) {
        int n = 0;
        long[] newIndexes = new long[indexes.length];
        long[] newPfns = new long[indexes.length];
        for (int i = 0; i < indexes.length; i++) {
            if (indexes[i] != index) {
                newIndexes[n] = indexes[i];
                newPfns[n++] = pfns[i];
            }
        }
        return new CacheSlot(machine, Arrays.copyOf(newIndexes, n), Arrays.copyOf(newPfns, n));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < indexes.length; i++) {
            text.append(i == 0 ? "" : ", ").append(indexes[i]).append(": folio ").append(pfns[i]);
        }
        return text.isEmpty() ? "nothing" : text.toString();
    }
}
