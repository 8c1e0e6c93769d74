// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.LockClass;
import org.interleaf.machine.LockMode;
import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;

/// Which lock classes were taken inside which. It grows as long as an exploration lasts; what of it
/// belongs to the execution at hand is told by a stamp on each dependency, so that nothing has to
/// be cleared for the next one.
final class LockGraph {
    /// The stamp of what is part of every execution: seen in the set-up, or demanded.
    static final int ALWAYS = -1;

    /// The stamp of no execution.
    private static final int NEVER = -2;

    /// Says of a search that it is about all executions.
    static final int ANY = -3;

    private Dependency[][] rows = new Dependency[0][];
    private final List<List<Dependency>> outgoing = new ArrayList<>();

    /// That `to` was taken with `from` held.
    static final class Dependency {
        final LockClass from;
        final LockClass to;

        /// Locks that were held as well and let nobody else be here, a bit for each: two
        /// dependencies with one in common never meet.
        final long gates;

        /// Another one with other gates.
        private @Nullable Dependency next;

        private int stamp = NEVER;
        private boolean suspect;
        LockMode held = LockMode.WRITE;
        LockMode taken = LockMode.WRITE;

        /// Who took `to` where, or who says that it may be taken; empty where that is not recorded.
        String how = "";

        private Dependency(LockClass from, LockClass to, long gates) {
            this.from = from;
            this.to = to;
            this.gates = gates;
        }

        /// Whether it is part of a circle of dependencies, not necessarily of one execution.
        boolean isSuspect() {
            return suspect;
        }

        /// Whether it is part of the execution number `execution`.
        boolean isIn(int execution) {
            return stamp == execution || stamp == ALWAYS;
        }

        /// Has it be part of the execution number `execution`, or of all.
        void stamp(int execution) {
            stamp = execution;
        }
    }

    /// A place that a search has come to.
    private record Reached(
            LockClass at, long gates, @Nullable Reached before, @Nullable Dependency by) {
        /// Whether whatever can be reached from `other` can be from here.
        boolean serves(Reached other) {
            return at == other.at && (gates & ~other.gates) == 0;
        }
    }

    /// The dependency; null where it was never seen.
    @Nullable Dependency find(LockClass from, LockClass to, long gates) {
        if (from.id() >= rows.length) {
            return null;
        }
        Dependency[] row = rows[from.id()];
        Dependency found = to.id() < row.length ? row[to.id()] : null;
        while (found != null && found.gates != gates) {
            found = found.next;
        }
        return found;
    }

    /// Adds a dependency that is not there yet.
    Dependency add(LockClass from, LockClass to, long gates) {
        while (rows.length <= from.id()) {
            int had = rows.length;
            rows = Arrays.copyOf(rows, 2 * had + 16);
            Arrays.fill(rows, had, rows.length, new Dependency[0]);
        }
        while (outgoing.size() < rows.length) {
            outgoing.add(new ArrayList<>(0));
        }
        if (rows[from.id()].length <= to.id()) {
            rows[from.id()] = Arrays.copyOf(rows[from.id()], to.id() + 8);
        }
        Dependency added = new Dependency(from, to, gates);
        added.next = rows[from.id()][to.id()];
        rows[from.id()][to.id()] = added;
        outgoing.get(from.id()).add(added);
        return added;
    }

    /// Finds out which dependencies are suspect now that `added` is there: that changes only if it
    /// is part of a circle itself.
    void suspect(Dependency added) {
        if (cycle(added, ANY).isEmpty()) {
            return;
        }
        for (List<Dependency> some : outgoing) {
            for (Dependency each : some) {
                each.suspect |= !cycle(each, ANY).isEmpty();
            }
        }
    }

    /// The shortest way that closes a cycle with `closing`: dependencies from the class that it
    /// takes to the one that it holds, no two of all with a gate in common. Empty where there is
    /// none.
    ///
    /// @param execution number of the execution that all must be part of, or {@link #ANY}
    List<Dependency> cycle(Dependency closing, int execution) {
        List<Reached> seen = new ArrayList<>();
        Deque<Reached> queue = new ArrayDeque<>();
        queue.add(new Reached(closing.to, closing.gates, null, null));
        while (!queue.isEmpty()) {
            Reached here = queue.remove();
            if (here.at == closing.from) {
                return way(here);
            }
            if (seen.stream().noneMatch(other -> other.serves(here))) {
                seen.add(here);
                goOn(here, execution, queue);
            }
        }
        return List.of();
    }

    private void goOn(Reached here, int execution, Deque<Reached> queue) {
        if (here.at.id() >= outgoing.size()) {
            return;
        }
        for (Dependency next : outgoing.get(here.at.id())) {
            boolean counts = execution == ANY || next.isIn(execution);
            if (counts && (next.gates & here.gates) == 0) {
                queue.add(new Reached(next.to, next.gates | here.gates, here, next));
            }
        }
    }

    private static List<Dependency> way(Reached end) {
        List<Dependency> way = new ArrayList<>();
        Reached at = end;
        while (at != null && at.by != null) {
            way.add(at.by);
            at = at.before;
        }
        Collections.reverse(way);
        return way;
    }
}
