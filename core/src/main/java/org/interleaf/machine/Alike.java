// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.List;
import java.util.stream.Collectors;

/// Tasks of which nobody can say which is which: see {@link Machine#identical}.
public final class Alike {
    private final List<Task> tasks;
    private final Word turn;

    Alike(List<Task> tasks, Word turn) {
        this.tasks = tasks;
        this.turn = turn;
    }

    /// The tasks, in the order in which they were declared.
    public List<Task> tasks() {
        return tasks;
    }

    /// A location that nobody accesses: where the order stands in which they make their first
    /// accesses, for who keeps to one.
    public Word turn() {
        return turn;
    }

    /// Whether an exchange of two of the tasks changes nothing, as far as their CPUs go.
    ///
    /// @throws IllegalArgumentException if the CPUs tell them apart
    void checkCpus(List<Task> all) {
        int first = tasks.getFirst().cpu();
        if (tasks.stream().allMatch(task -> task.cpu() == first)) {
            return;
        }
        for (Task task : tasks) {
            for (Task other : all) {
                if (other != task && other.cpu() == task.cpu()) {
                    throw new IllegalArgumentException(
                            this
                                    + " are not identical: CPU "
                                    + task.cpu()
                                    + " also runs "
                                    + other
                                    + ". Have all of them on one CPU, or each on one of its own, on"
                                    + " a machine without daemons");
                }
            }
        }
    }

    @Override
    public String toString() {
        return tasks.stream().map(Task::name).collect(Collectors.joining(", "));
    }
}
