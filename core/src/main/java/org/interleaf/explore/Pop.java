// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.explore.Overtaking.Manner;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.Consumer;

/// Scheduling by parsimonious optimal partial-order reduction, after the ideas of Abdulla, Atig,
/// Das, Jonsson, Sagonas: *Parsimonious Optimal Dynamic Partial Order Reduction*, CAV 2024: each
/// subtree is asked for by exactly one execution, so nothing need be remembered of what was
/// explored elsewhere. There are neither sleep sets nor wakeup trees.
///
/// The execution of a {@link Subtree} makes the steps that this begins with, and then goes as it
/// likes. Afterwards every race whose later access is new in it, that is, the last of those steps
/// or one that came after, is reversed, if that is for it to do, which {@link Overtaking} decides.
final class Pop implements Worker.Director {
    private static final int NONE = -1;

    private final Machine machine;
    private final int maxSteps;
    private final EventLog log;
    private final Overtaking overtaking;

    private Subtree subtree = Subtree.ALL;
    private int position;
    private int replayUntil;
    private int lastTask;

    /// @param maxSteps the length at which an execution is cut
    /// @param planned told of the subtrees that executions ask for
    Pop(Machine machine, int maxSteps, Consumer<Subtree> planned) {
        this.machine = machine;
        this.maxSteps = maxSteps;
        this.log = new EventLog(machine, Equivalence.TRACE, new Starts(machine, false));
        this.overtaking = new Overtaking(log, machine.tasks(), planned);
    }

    /// Will run the execution of `newSubtree`.
    void enter(Subtree newSubtree) {
        subtree = newSubtree;
        int[] steps = newSubtree.steps();
        int common = 0;
        int most = Math.min(steps.length, log.size());
        while (common < most && log.task(common) == Subtree.task(steps[common])) {
            mark(common++);
        }
        while (log.size() > common) {
            log.removeLast();
        }
        replayUntil = common;
        position = 0;
        lastTask = NONE;
    }

    private void mark(int e) {
        int[] steps = subtree.steps();
        if (e < steps.length) {
            overtaking.mark(e, Subtree.kind(steps[e]), Subtree.heads(steps[e]));
        } else {
            boolean next = e == steps.length && log.task(e) == subtree.next();
            overtaking.mark(e, Subtree.FREE, next ? subtree.heads() : 0);
        }
    }

    // ---- during the execution

    @Override
    public @Nullable Task pick() {
        List<Task> tasks = machine.tasks();
        int[] steps = subtree.steps();
        if (position < steps.length) {
            return feasible(tasks.get(Subtree.task(steps[position])));
        }
        if (position >= maxSteps) {
            return null;
        }
        if (position == steps.length && mayGo(subtree.next())) {
            return tasks.get(subtree.next());
        }
        return mayGo(lastTask) ? tasks.get(lastTask) : firstReady(tasks);
    }

    private Task feasible(Task task) {
        if (!task.ready()) {
            throw new AssertionError(
                    "[interleaf internal] a subtree leads to a blocked access of "
                            + task
                            + ": "
                            + subtree);
        }
        return task;
    }

    private boolean mayGo(int task) {
        return task != NONE && machine.tasks().get(task).ready();
    }

    private static @Nullable Task firstReady(List<Task> tasks) {
        for (int t = 0; t < tasks.size(); t++) {
            if (tasks.get(t).ready()) {
                return tasks.get(t);
            }
        }
        return null;
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        lastTask = task.id();
        if (position >= replayUntil) {
            log.append(task, before, wrote);
            mark(position);
        } else {
            log.checkRepeated(position, task, before);
        }
        position++;
    }

    // ---- after the execution

    @Override
    public int steps() {
        return position;
    }

    @Override
    public int switches() {
        return log.switches();
    }

    @Override
    public int[] schedule() {
        return log.schedule();
    }

    /// Asks for all subtrees that are for this execution to ask for.
    void planRaces() {
        RaceList races = log.races();
        int newFrom = Math.max(0, subtree.steps().length - 1);
        int r = 0;
        if (log.hasLateAims()) {
            for (; r < races.size() && races.second(r) < newFrom; r++) {
                if (log.tookLateAim(races.second(r))) {
                    overtaking.plan(Manner.LATE, races.first(r), races.second(r), newFrom, NONE);
                }
            }
        } else {
            r = races.firstFrom(newFrom);
        }
        int n = log.size();
        for (int e = newFrom; e < n; e++) {
            int waitedFor = log.waits(e) ? planWait(e) : NONE;
            Manner manner = log.tookLateAim(e) ? Manner.LATE : Manner.PLAIN;
            for (; r < races.size() && races.second(r) == e; r++) {
                if (races.first(r) != waitedFor) {
                    overtaking.plan(manner, races.first(r), e, newFrom, waitedFor);
                }
            }
        }
        for (Task task : machine.tasks()) {
            if (!task.finished() && !task.ready()) {
                planBlocked(task);
            }
        }
    }

    /// Plans for a waiting access to come where it need not wait. Returns the write before that.
    ///
    /// If the head of the last block could do so as well before it was put there, this was planned
    /// for then.
    private int planWait(int e) {
        int waitedFor = log.overtakable(e, machine.tasks().get(log.task(e)));
        boolean planned = e == subtree.steps().length - 1 && waitedFor == subtree.overtaken();
        if (waitedFor != NONE && !planned) {
            overtaking.plan(Manner.WAITING, waitedFor, e, 0, NONE);
        }
        return waitedFor;
    }

    private void planBlocked(Task task) {
        int waitedFor = log.overtakable(log.size(), task);
        if (waitedFor != NONE) {
            overtaking.plan(Manner.BLOCKED, waitedFor, log.size() + task.id(), 0, NONE);
        }
    }
}
