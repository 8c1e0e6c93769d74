// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// Follows a list of tasks as far as it can be followed, and writes down what came of it: a task of
/// the list that cannot go is passed over, and after the end of the list each task goes as far as
/// it comes.
final class Guided implements Scheduler {
    private final List<Task> tasks;
    private final EventLog log;
    private final int maxSteps;
    private int[] guide = new int[0];
    private int next;
    private int stopAfter;

    Guided(Machine machine, int maxSteps) {
        this.tasks = machine.tasks();
        this.log = new EventLog(machine, Equivalence.TRACE, new Starts(machine, false));
        this.maxSteps = maxSteps;
    }

    /// Gets ready to follow `newGuide`.
    ///
    /// @param end the length at which to stop
    void follow(int[] newGuide, int end) {
        while (log.size() > 0) {
            log.removeLast();
        }
        guide = newGuide;
        next = 0;
        stopAfter = Math.min(end, maxSteps);
    }

    @Override
    public @Nullable Task pick() {
        if (log.size() >= stopAfter) {
            return null;
        }
        while (next < guide.length) {
            Task task = tasks.get(guide[next++]);
            if (task.ready()) {
                return task;
            }
        }
        if (log.size() > 0 && tasks.get(log.task(log.size() - 1)).ready()) {
            return tasks.get(log.task(log.size() - 1));
        }
        for (Task task : tasks) {
            if (task.ready()) {
                return task;
            }
        }
        return null;
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        log.append(task, before, wrote);
    }

    /// The accesses made.
    EventLog log() {
        return log;
    }

    /// The tasks of the accesses made.
    int[] went() {
        return log.schedule();
    }
}
