// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// Scheduling by a recorded schedule: one execution again, access by access.
///
/// A schedule that ends before the program does is followed as far as it goes; the ending is then
/// {@link Ending.Kind#CUT}, as that of the execution it was taken from.
public final class Replay implements Scheduler {
    private final Machine machine;
    private final Schedule schedule;
    private int step;

    /// Why the schedule cannot be followed. Kept until the machine has stopped: thrown from a
    /// scheduling point it would look like a crash of the task that stands there.
    private @Nullable ReplayException misfit;

    private Replay(Machine machine, Schedule schedule) {
        this.machine = machine;
        this.schedule = schedule;
    }

    /// Runs `program` once as `schedule` says, and tells it of the end.
    ///
    /// @throws ReplayException where the schedule has a task go that cannot: it is that of another
    ///   program
    public static Ending run(Program program, Schedule schedule) {
        return run(program, schedule, director -> director);
    }

    /// The same, with a scheduler around the one that follows the schedule, which can watch it.
    public static Ending run(Program program, Schedule schedule, UnaryOperator<Scheduler> around) {
        Replay replay = new Replay(program.machine(), schedule);
        replay.machine.run(around.apply(replay));
        if (replay.misfit != null) {
            throw replay.misfit;
        }
        Ending ending = new Ended(Ending.Kind.of(replay.machine), schedule.length(), schedule);
        program.finished(ending);
        return ending;
    }

    private record Ended(Kind kind, int steps, Schedule schedule) implements Ending {
        @Override
        public int switches() {
            return schedule.switches();
        }
    }

    @Override
    public @Nullable Task pick() {
        if (step == schedule.length()) {
            return null;
        }
        int t = schedule.task(step);
        List<Task> tasks = machine.tasks();
        if (t >= tasks.size()) {
            return misfit("task " + t, "of " + tasks.size() + " tasks there is none such");
        }
        Task task = tasks.get(t);
        return task.ready() ? task : misfit(task.name(), whyNot(task));
    }

    private static String whyNot(Task task) {
        if (task.finished()) {
            return "it has ended";
        }
        return task.atRest() ? "it has nothing to do" : "it waits for " + task.word();
    }

    private @Nullable Task misfit(String who, String why) {
        List<String> others = new ArrayList<>();
        for (Task task : machine.tasks()) {
            if (task.ready()) {
                others.add(task.name());
            }
        }
        misfit = new ReplayException(step, who, why, others);
        return null;
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        step++;
    }
}
