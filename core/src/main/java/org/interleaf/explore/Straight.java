// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// Runs one task after the other, each as far as it comes, and remembers nothing: what an execution
/// costs without an explorer.
public final class Straight implements Scheduler {
    private final List<Task> tasks;
    private int last;
    private long steps;

    public Straight(Machine machine) {
        this.tasks = machine.tasks();
    }

    /// Number of accesses made so far, in all executions.
    public long steps() {
        return steps;
    }

    @Override
    public @Nullable Task pick() {
        if (tasks.get(last).ready()) {
            return tasks.get(last);
        }
        for (int t = 0; t < tasks.size(); t++) {
            if (tasks.get(t).ready()) {
                last = t;
                return tasks.get(t);
            }
        }
        last = 0;
        return null;
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        steps++;
    }
}
