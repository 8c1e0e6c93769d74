// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;

/// A scheduler that decides at every access by itself, and keeps of each execution what is asked of
/// an ending.
abstract class Walk implements Scheduler {
    final List<Task> tasks;
    final TraceHash hash;
    private final int maxSteps;
    private int[] went = new int[256];
    private int steps;
    private int switches;
    private boolean cut;

    /// @param maxSteps the length at which an execution is cut
    Walk(Machine machine, int maxSteps) {
        this.tasks = machine.tasks();
        this.maxSteps = maxSteps;
        this.hash = new TraceHash(tasks.size());
    }

    /// Decides which task goes next, when some can; null gives the execution up.
    abstract @Nullable Task choose();

    /// Gets ready for the next execution.
    void begin() {
        steps = 0;
        switches = 0;
        cut = false;
        hash.begin();
    }

    /// The execution is over. Returns whether another is to be made.
    abstract boolean next();

    /// Whether the execution was given up, as an equivalent one has been seen or will be.
    boolean superfluous() {
        return false;
    }

    /// Whether the trace of the execution counts once only, however often it comes.
    boolean countsTracesOnce() {
        return false;
    }

    /// Whether nothing has been left out, now that {@link #next} has said no.
    boolean sawAll() {
        return false;
    }

    /// What has been covered.
    ///
    /// @param executions executions so far
    /// @param traces the distinct ones among them
    abstract Coverage coverage(long executions, TraceCount traces);

    @Override
    public final @Nullable Task pick() {
        boolean more = anyReady();
        if (more && steps >= maxSteps) {
            cut = true;
            return null;
        }
        return more ? choose() : null;
    }

    private boolean anyReady() {
        for (int t = 0; t < tasks.size(); t++) {
            if (tasks.get(t).ready()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        if (steps == went.length) {
            went = Arrays.copyOf(went, 2 * steps);
        }
        switches += steps > 0 && went[steps - 1] != task.id() ? 1 : 0;
        went[steps++] = task.id();
        hash.step(task, wrote);
    }

    /// The task that made the latest access; -1 before the first.
    final int lastTask() {
        return steps == 0 ? -1 : went[steps - 1];
    }

    final int steps() {
        return steps;
    }

    final int switches() {
        return switches;
    }

    /// Whether the execution was cut at the bound on its length.
    final boolean cut() {
        return cut;
    }

    final Schedule schedule(String fingerprint) {
        return new Schedule(fingerprint, Arrays.copyOf(went, steps));
    }
}
