// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/// Tries every interleaving of a machine's tasks, by depth first search, without any reduction.
///
/// Where there are too many, it can *merge*: go no further from a state that an equivalent sequence
/// of events has led to before. That relies on what equivalence says, so it checks it as well: the
/// states must be equal.
final class BruteForce implements Scheduler {
    private static final int STEPS_MAX = 400;

    private final Machine machine;
    private final Supplier<TraceKey.Key> prefix;
    private final Supplier<String> state;

    /// Null where nothing is merged.
    private final @Nullable Map<TraceKey.Key, String> visited;

    private final int[] chosen = new int[STEPS_MAX];
    private final int[] options = new int[STEPS_MAX];
    private int position;
    private int forced;
    private boolean merged;

    private BruteForce(
            Machine machine,
            Supplier<TraceKey.Key> prefix,
            Supplier<String> state,
            @Nullable Map<TraceKey.Key, String> visited) {
        this.machine = machine;
        this.prefix = prefix;
        this.state = state;
        this.visited = visited;
    }

    /// Runs every interleaving, and `atEnd` after each. Gives up after `limit` executions.
    ///
    /// @return whether all have been run
    static boolean explore(Machine machine, Runnable atEnd, long limit) {
        BruteForce all = new BruteForce(machine, () -> new TraceKey.Key(0, 0), () -> "", null);
        return all.run(atEnd, limit);
    }

    /// As {@link #explore}, merging equivalent ones.
    ///
    /// @param prefix the trace so far
    /// @param state everything that the rest of an execution depends on
    static boolean exploreMerging(
            Machine machine,
            Supplier<TraceKey.Key> prefix,
            Supplier<String> state,
            Runnable atEnd,
            long limit) {
        return new BruteForce(machine, prefix, state, new HashMap<>()).run(atEnd, limit);
    }

    private boolean run(Runnable atEnd, long limit) {
        for (long i = 0; i < limit; i++) {
            position = 0;
            merged = false;
            machine.run(this);
            if (!merged) {
                atEnd.run();
            }
            if (!backtrack()) {
                return true;
            }
        }
        return false;
    }

    private boolean backtrack() {
        while (position > 0 && chosen[position - 1] + 1 == options[position - 1]) {
            position--;
        }
        forced = position;
        if (position == 0) {
            return false;
        }
        chosen[position - 1]++;
        return true;
    }

    @Override
    public @Nullable Task pick() {
        if (position >= forced) {
            if (seenBefore()) {
                merged = true;
                return null;
            }
            chosen[position] = 0;
        }
        int ready = 0;
        Task pick = null;
        for (Task task : machine.tasks()) {
            if (task.ready() && ready++ == chosen[position]) {
                pick = task;
            }
        }
        options[position] = ready;
        return pick;
    }

    private boolean seenBefore() {
        if (visited == null) {
            return false;
        }
        String now = state.get();
        String then = visited.putIfAbsent(prefix.get(), now);
        if (then != null && !then.equals(now)) {
            throw new AssertionError(
                    "equivalent sequences of events led to two states:\n" + then + "\n" + now);
        }
        return then != null;
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        position++;
    }
}
