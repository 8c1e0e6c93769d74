// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Alike;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;

import java.util.Arrays;
import java.util.List;

/// Which tasks make their first accesses one after the other, as they are declared to be {@link
/// Machine#identical} and symmetry is used.
///
/// Whatever the order in which they begin, an exchange of the tasks gives an execution in which
/// they begin in this one; so it is enough to see those. A first access is not enabled until that
/// of the task before has been made. Both touch the location {@link Alike#turn}, which makes the
/// later one depend on the earlier, and no race, since it cannot come first.
final class Starts {
    /// No task, no location.
    static final int NONE = -1;

    private static final int TASKS_MAX = Long.SIZE - 1;

    private final int[] predecessor;
    private final int[] turn;
    private final List<Alike> groups;

    /// @param symmetry whether to keep to an order at all
    Starts(Machine machine, boolean symmetry) {
        int tasks = machine.tasks().size();
        predecessor = new int[tasks];
        turn = new int[tasks];
        if (symmetry && !machine.alike().isEmpty() && tasks > TASKS_MAX) {
            throw new IllegalArgumentException(
                    "symmetry is for machines with up to " + TASKS_MAX + " tasks");
        }
        groups = symmetry ? List.copyOf(machine.alike()) : List.of();
        Arrays.fill(predecessor, NONE);
        Arrays.fill(turn, NONE);
        for (Alike group : groups) {
            int before = NONE;
            for (Task task : group.tasks()) {
                predecessor[task.id()] = before;
                turn[task.id()] = group.turn().id();
                before = task.id();
            }
        }
    }

    /// The groups that begin in order.
    List<Alike> groups() {
        return groups;
    }

    /// Whether there is any order to keep to.
    boolean any() {
        return !groups.isEmpty();
    }

    /// The task whose first access that of `task` must come after; {@link #NONE} for most.
    int predecessor(int task) {
        return predecessor[task];
    }

    /// The location that the first access of `task` writes beside its own; {@link #NONE} for most.
    int turn(int task) {
        return turn[task];
    }
}
