// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// What a walk over page tables that do not change must call, by the rules and not by the walker:
/// from outside, level by level, each entry once.
final class WalkOracle {
    /// A callback as text: what was called, its range in pages, and for holes the depth.
    static String call(String what, Geometry geometry, long start, long end, int depth) {
        String range = (start >> geometry.pageShift()) + "-" + (end >> geometry.pageShift());
        return what + " " + range + (what.equals("hole") ? " at " + depth : "");
    }

    private final Kernel kernel;
    private final MmStruct mm;
    private final Geometry geometry;
    private final Set<String> callbacks;
    private final List<String> calls = new ArrayList<>();

    /// @param callbacks the names of those that the walk has: `pgd` to `pte`, and `hole`
    WalkOracle(Kernel kernel, MmStruct mm, Set<String> callbacks) {
        this.kernel = kernel;
        this.mm = mm;
        this.geometry = kernel.geometry();
        this.callbacks = callbacks;
    }

    /// Of a walk over `[start, end)`, VMAs and what is between them.
    List<String> range(long start, long end) {
        long at = start;
        for (Vma vma : Objects.requireNonNull(mm.vmas.peek()).vmas()) {
            long from = Math.max(at, vma.start.peek());
            long to = Math.min(end, vma.end.peek());
            if (from < to) {
                hole(at, from, -1);
                level(Geometry.PGD, from, to);
                at = to;
            }
        }
        hole(at, end, -1);
        return calls;
    }

    private void hole(long start, long end, int depth) {
        if (start < end && callbacks.contains("hole")) {
            calls.add(call("hole", geometry, start, end, depth));
        }
    }

    private void level(int level, long start, long end) {
        long size = geometry.size(level);
        for (long at = start, next; at < end; at = next) {
            next = Math.min(end, at / size * size + size);
            boolean above = level > Geometry.PMD && geometry.folded(level - 1);
            long entry = kernel.inspect().entry(mm, level, at);
            if (level > Geometry.PTE && !above && entry == 0) {
                // Where a level is folded the entry is missing in the table that stands for it.
                hole(at, next, Geometry.PGD - geometry.tableLevel(level));
                continue;
            }
            if (callbacks.contains(Geometry.name(level))) {
                calls.add(call(Geometry.name(level), geometry, at, next, 0));
            }
            if (wantsBelow(level)) {
                below(level, entry, at, next);
            }
        }
    }

    /// A huge page is split and its parts are walked.
    private void below(int level, long entry, long start, long end) {
        if (level == Geometry.PMD && Entry.leaf(entry)) {
            for (long at = start; at < end; at += geometry.pageSize()) {
                calls.add(call("pte", geometry, at, at + geometry.pageSize(), 0));
            }
        } else {
            level(level - 1, start, end);
        }
    }

    private boolean wantsBelow(int level) {
        for (int l = level - 1; l >= Geometry.PTE; l--) {
            if (callbacks.contains(Geometry.name(l))) {
                return true;
            }
        }
        return false;
    }
}
