// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.experiment;

import org.interleaf.check.Deadlock;
import org.interleaf.check.KernelNames;
import org.interleaf.check.Sanitizers;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Minimiser;
import org.interleaf.explore.Program;
import org.interleaf.explore.Recorder;
import org.interleaf.explore.Replay;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.interleaf.machine.TaskKilled;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/// Runs an experiment and says of each execution what was wrong with it.
final class Judge implements Program {
    private static final String INTERNAL = "[interleaf internal]";

    private final Machine machine;
    private final List<Register> registers;
    private final KernelNames names = new KernelNames(Judge.class.getClassLoader());
    private Sanitizers sanitizers = new Sanitizers(names, false);
    private boolean watchesRaces;
    private final Map<String, Failure> failures = new LinkedHashMap<>();
    private Runnable atEnd = () -> {};
    private long sinceFailure;

    // Of the execution at hand.
    private @Nullable Throwable thrown;
    private @Nullable Task thrower;
    private List<Violation> found = List.of();

    Judge(Machine machine, List<Register> registers) {
        this.machine = machine;
        this.registers = registers;
        machine.monitor(sanitizers);
    }

    void watchRaces() {
        watchesRaces = true;
        watch(false);
    }

    void atEnd(Runnable check) {
        atEnd = check;
    }

    /// A new execution begins.
    void begin() {
        thrown = null;
        thrower = null;
    }

    /// Runs the body of a task. What it throws ends the task, and is the execution's failure.
    void run(Runnable body) {
        try {
            body.run();
        } catch (TaskKilled end) {
            throw end;
        } catch (AssertionError | RuntimeException e) {
            caught(e, machine.current());
            throw TaskKilled.INSTANCE;
        }
    }

    private void caught(Throwable e, Task task) {
        String message = e.getMessage();
        if (e instanceof AssertionError own && message != null && message.startsWith(INTERNAL)) {
            throw own;
        }
        if (thrown == null) {
            thrown = e;
            thrower = task;
        }
    }

    Report explore(String name, Limits limits, long afterFailure) {
        failures.clear();
        sinceFailure = 0;
        Limits untilFound =
                limits.withStop(() -> sinceFailure > afterFailure || limits.stop().getAsBoolean());
        Exploration explored = Explorer.explore(this, untilFound, name);
        List<Failure> simplest = new ArrayList<>();
        for (Failure failure : List.copyOf(failures.values())) {
            simplest.add(failure.withSchedule(minimised(failure)));
        }
        return new Report(explored, simplest);
    }

    /// The simplest execution that fails in the same way.
    private Schedule minimised(Failure failure) {
        String title = failure.violation().title();
        return Minimiser.minimise(
                this,
                failure.schedule(),
                steps -> fails(title) ? steps : org.interleaf.explore.Failure.NOT_SHOWN,
                Minimiser.USUAL_BUDGET);
    }

    /// Whether the execution that ended last fails in this way.
    private boolean fails(String title) {
        return found.stream().anyMatch(violation -> violation.title().equals(title));
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public void finished(Ending ending) {
        found = judge(ending.kind());
        for (Violation violation : found) {
            if (!failures.containsKey(violation.title())) {
                enter(violation, ending);
            }
        }
        sinceFailure += failures.isEmpty() ? 0 : 1;
    }

    /// What is wrong with the execution that has just ended so.
    private List<Violation> judge(Ending.Kind kind) {
        if (kind == Ending.Kind.COMPLETE && thrown == null) {
            try {
                atEnd.run();
            } catch (AssertionError | RuntimeException e) {
                caught(e, machine.current());
            }
        }
        List<Violation> all = new ArrayList<>(sanitizers.findings().all());
        if (thrown != null) {
            all.add(ofThrown(thrown, Objects.requireNonNull(thrower)));
        }
        boolean stuck = kind == Ending.Kind.DEADLOCK || kind == Ending.Kind.LIVELOCK;
        if (stuck && all.stream().allMatch(Violation::latent)) {
            all.add(Deadlock.describe(machine));
        }
        return all;
    }

    private static Violation ofThrown(Throwable thrown, Task task) {
        boolean assertion = thrown instanceof AssertionError;
        String text = assertion ? thrown.getMessage() : thrown.toString();
        String where = task.id() < 0 ? "at the end" : "in " + task.name();
        return new Violation(
                (assertion ? "Assertion failed " : "Exception ") + where,
                "",
                "",
                text == null ? "" : text.strip(),
                task.name(),
                task.cpu(),
                List.of(),
                List.of());
    }

    private void enter(Violation violation, Ending ending) {
        Throwable cause = sanitizers.findings().all().contains(violation) ? null : thrown;
        failures.put(violation.title(), new Failure(violation, ending.schedule(), cause));
    }

    Recording replay(Schedule schedule) {
        watch(true);
        try {
            return recorded(schedule);
        } finally {
            watch(false);
        }
    }

    /// @param withHistory whether to remember who freed what
    private void watch(boolean withHistory) {
        sanitizers = new Sanitizers(names, withHistory);
        if (watchesRaces) {
            sanitizers.watchRaces(false);
        }
        machine.monitor(sanitizers);
    }

    private Recording recorded(Schedule schedule) {
        Recorder[] recorder = new Recorder[1];
        Replay.run(
                this,
                schedule,
                director -> recorder[0] = new Recorder(machine, director, Judge::callTrace));
        return new Recording(
                machine.tasks().stream().map(Task::name).toList(),
                recorder[0].steps(),
                found,
                registers.stream().map(Register::toString).collect(Collectors.joining(" ")),
                schedule);
    }

    /// The user's methods that the running task is in, innermost first. Lambdas have no names.
    private static List<String> callTrace() {
        return StackWalker.getInstance()
                .walk(
                        frames ->
                                frames.takeWhile(
                                                f ->
                                                        !f.getClassName()
                                                                        .equals(
                                                                                Judge.class
                                                                                        .getName())
                                                                || !f.getMethodName().equals("run"))
                                        .filter(f -> isOfUser(f.getClassName()))
                                        .map(StackWalker.StackFrame::getMethodName)
                                        .filter(name -> !name.startsWith("lambda$"))
                                        .toList());
    }

    private static boolean isOfUser(String className) {
        return !className.startsWith("org.interleaf.machine.")
                && !className.startsWith("org.interleaf.explore.")
                && !className.startsWith("org.interleaf.experiment.")
                && !className.startsWith("java.")
                && !className.startsWith("jdk.");
    }
}
