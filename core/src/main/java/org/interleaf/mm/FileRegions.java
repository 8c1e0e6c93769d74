// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;

import java.util.Arrays;

/// The list of `struct file_region` of a reserve map, as one version: ranges of huge page indexes,
/// in order, that do not touch each other.
final class FileRegions extends Shared {
    /// Beginning and end of each region in turn.
    private final long[] bounds;

    private FileRegions(Machine machine, long[] bounds) {
        super(machine);
        this.bounds = bounds;
    }

    static FileRegions none(Machine machine) {
        return new FileRegions(machine, new long[0]);
    }

    /// mm/hugetlb.c: region_count(). Indexes of `[from, to)` that are in regions.
    long count(long from, long to) {
        long n = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            n += Math.max(0, Math.min(bounds[i + 1], to) - Math.max(bounds[i], from));
        }
        return n;
    }

    /// Number of holes that `[from, to)` has: the regions that adding it needs.
    int holes(long from, long to) {
        int n = 0;
        long done = from;
        for (int i = 0; i < bounds.length && bounds[i] < to; i += 2) {
            if (bounds[i] > done) {
                n++;
            }
            done = Math.max(done, bounds[i + 1]);
        }
        return done < to ? n + 1 : n;
    }

    /// Whether removing `[from, to)` would cut a region in two.
    boolean splits(long from, long to) {
        for (int i = 0; i < bounds.length; i += 2) {
            if (from > bounds[i] && to < bounds[i + 1]) {
                return true;
            }
        }
        return false;
    }

    /// These regions and `[from, to)`.
    FileRegions plus(Machine machine, long from, long to) {
        long[] with = new long[bounds.length + 2];
        int n = 0;
        long start = from;
        long end = to;
        int i = 0;
        for (; i < bounds.length && bounds[i + 1] < from; i += 2) {
            with[n++] = bounds[i];
            with[n++] = bounds[i + 1];
        }
        for (; i < bounds.length && bounds[i] <= to; i += 2) {
            start = Math.min(start, bounds[i]);
            end = Math.max(end, bounds[i + 1]);
        }
        with[n++] = start;
        with[n++] = end;
        for (; i < bounds.length; i++) {
            with[n++] = bounds[i];
        }
        return new FileRegions(machine, Arrays.copyOf(with, n));
    }

    /// These regions without `[from, to)`.
    FileRegions minus(Machine machine, long from, long to) {
        long[] left = new long[bounds.length + 2];
        int n = 0;
        for (int i = 0; i < bounds.length; i += 2) {
            if (bounds[i] < Math.min(from, bounds[i + 1])) {
                left[n++] = bounds[i];
                left[n++] = Math.min(from, bounds[i + 1]);
            }
            if (bounds[i + 1] > Math.max(to, bounds[i])) {
                left[n++] = Math.max(to, bounds[i]);
                left[n++] = bounds[i + 1];
            }
        }
        return new FileRegions(machine, Arrays.copyOf(left, n));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("{");
        for (int i = 0; i < bounds.length; i += 2) {
            text.append(i == 0 ? "" : " ").append(bounds[i]).append("-").append(bounds[i + 1]);
        }
        return text.append("}").toString();
    }
}
