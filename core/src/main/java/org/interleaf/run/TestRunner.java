// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Checkpoints;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.explore.Recorder;
import org.interleaf.explore.Reduction;
import org.interleaf.explore.Replay;
import org.interleaf.explore.Straight;
import org.interleaf.litmus.LitmusProgram;
import org.interleaf.litmus.compile.Likeness;
import org.interleaf.litmus.outcome.HerdReport;
import org.interleaf.litmus.outcome.Outcomes;
import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.BootOptions;
import org.interleaf.litmus.vocabulary.Model;
import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.machine.Machine;
import org.interleaf.machine.NotModelled;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.interleaf.patch.PatchedModel;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/// Runs tests: loads the model, explores, replays what was found.
public final class TestRunner {
    private static final String MODEL_CLASS = "org.interleaf.kernel.LinuxModel";

    private final RunOptions options;
    private final Model model;

    /// Loads the model that `options` ask for, once for all tests that are then run.
    ///
    /// @throws org.interleaf.patch.PatchException if a patch does not apply or compile
    public TestRunner(RunOptions options) {
        this.options = options;
        ClassLoader loader =
                options.patches().isEmpty()
                        ? TestRunner.class.getClassLoader()
                        : PatchedModel.load(options.patches()).classLoader();
        this.model = instantiate(loader);
    }

    private TestRunner(RunOptions options, Model model) {
        this.options = options;
        this.model = model;
    }

    /// A runner with other options, on the same model if the patches are the same.
    ///
    /// @throws org.interleaf.patch.PatchException if a patch does not apply or compile
    public TestRunner with(RunOptions other) {
        return other.patches().equals(options.patches())
                ? new TestRunner(other, model)
                : new TestRunner(other);
    }

    private static Model instantiate(ClassLoader loader) {
        try {
            Class<?> type = Class.forName(MODEL_CLASS, true, loader);
            return (Model) type.getDeclaredConstructor().newInstance();
        } catch (ClassNotFoundException
                | NoSuchMethodException
                | InstantiationException
                | IllegalAccessException
                | InvocationTargetException e) {
            throw new LinkageError("[interleaf internal] the model cannot be loaded", e);
        }
    }

    /// Explores a test and, if there is something to show, records it.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
    public Answer check(Source source) {
        LitmusTest test = configured(LitmusTest.parse(source));
        return withPagesLargeEnough(boot -> check(test, boot));
    }

    /// Runs one execution of a test again.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
    /// @throws org.interleaf.explore.ReplayException if the schedule is not one of this test
    public Recording replay(Source source, Schedule schedule) {
        LitmusTest test = configured(LitmusTest.parse(source));
        return withPagesLargeEnough(boot -> record(test, schedule, boot));
    }

    /// The page tables of all processes in an execution, as the kernel shows them; empty for a test
    /// without processes' memory.
    ///
    /// @param schedule the execution; null for the one in which tasks run one after the other
    /// @param step before which step, counted from 0; -1 for the end
    /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
    /// @throws org.interleaf.explore.ReplayException if the schedule is not one of this test
    /// @throws java.util.NoSuchElementException if the execution has fewer steps
    public String tables(Source source, @Nullable Schedule schedule, int step) {
        LitmusTest test = configured(LitmusTest.parse(source));
        return withPagesLargeEnough(
                boot -> {
                    Session session = Session.open(test, model, boot);
                    TablesAt tables = new TablesAt(session, step);
                    if (schedule == null) {
                        Straight straight = new Straight(session.machine());
                        session.machine().run(tables.around(straight));
                    } else {
                        Replay.run(session, schedule, tables::around);
                    }
                    return tables.text();
                });
    }

    /// Runs one execution of a test again and films it.
    ///
    /// @param schedule which one; null for one task after the other
    /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
    /// @throws org.interleaf.explore.ReplayException if the schedule is not one of this test
    public Film film(Source source, @Nullable Schedule schedule) {
        LitmusTest test = configured(LitmusTest.parse(source));
        return withPagesLargeEnough(
                boot -> film(test, schedule == null ? straight(test, boot) : schedule, boot));
    }

    /// Has `use` explore a test as {@link #check} does, sanitizers and final states included. It
    /// may be called again with larger pages, where the test turns out to need them. It gets the
    /// means to make the program, each time anew.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the test is wrong
    public <T> T with(Source source, Function<Supplier<Program>, T> use) {
        LitmusTest test = configured(LitmusTest.parse(source));
        return withPagesLargeEnough(
                boot -> use.apply(() -> checking(Session.open(test, model, boot))));
    }

    private static Program checking(Session session) {
        return new Program() {
            @Override
            public Machine machine() {
                return session.machine();
            }

            @Override
            public void finished(Ending ending) {
                session.finished(ending);
                session.findings();
            }
        };
    }

    /// What the model can tell of itself.
    public Survey survey() {
        return model.survey();
    }

    /// Identifies the test as it is run here, as schedules of it do.
    public String fingerprint(LitmusTest test) {
        return Session.fingerprint(test, options.config(), options.patches());
    }

    // ---- configuration

    /// The test with the configuration that overrides its own.
    private LitmusTest configured(LitmusTest test) {
        if (options.config().isEmpty()) {
            return test;
        }
        List<Config.Entry> entries = new ArrayList<>();
        for (Config.Entry entry : test.config().entries()) {
            if (!options.config().containsKey(entry.key())) {
                entries.add(entry);
            }
        }
        for (Map.Entry<String, String> entry : options.config().entrySet()) {
            entries.add(Config.Entry.override(entry.getKey(), entry.getValue()));
        }
        return new LitmusTest(
                test.source(),
                test.name(),
                test.doc(),
                test.expectation(),
                new Config(entries),
                test.init(),
                test.processes(),
                test.locations(),
                test.filter(),
                test.condition());
    }

    @FunctionalInterface
    private interface Attempt<T> {
        T run(BootOptions boot);
    }

    /// Runs `attempt` with pages of one word, and again with larger ones if it needs more.
    private static <T> T withPagesLargeEnough(Attempt<T> attempt) {
        BootOptions boot = BootOptions.DEFAULT;
        while (true) {
            try {
                return attempt.run(boot);
            } catch (NotModelled small) {
                boot = boot.withPageWords(Integer.highestOneBit(2 * small.wordsNeeded() - 1));
            }
        }
    }

    // ---- exploring

    private Answer check(LitmusTest test, BootOptions boot) {
        Likeness alike =
                options.limits().symmetry()
                        ? Session.likeness(test)
                        : Likeness.none("not asked for");
        Examination examination =
                new Examination(
                        () -> Session.open(test, model, boot, alike),
                        test.condition().quantifier(),
                        options.stopAtFirst());
        Exploration explored = explore(test, examination);
        examination.finish();
        LitmusProgram program = examination.program();
        Findings findings = examination.findings();
        boolean complete = explored.complete() && program.cuts() == 0;
        Outcomes outcomes = program.outcomes();
        Schedule witness = examination.witness();
        if (witness != null) {
            witness =
                    Simplest.like(
                            witness,
                            Session.open(test, model, boot),
                            findings.firstTitle(),
                            examination.decidedByHolding());
        }
        Recording recording = witness == null ? null : record(test, witness, boot);
        double seconds = explored.elapsed().toNanos() / 1e9;
        return new Answer(
                test,
                outcomes.verdict(complete),
                outcomes.positive(),
                outcomes.negative(),
                outcomes.states(),
                findings.violations(),
                warnings(test, program, alike),
                program.deadlocks(),
                explored.withComplete(complete),
                program.bounds(),
                HerdReport.render(test, outcomes, complete, seconds),
                witness,
                recording);
    }

    private List<String> warnings(LitmusTest test, LitmusProgram program, Likeness alike) {
        List<String> warnings = new ArrayList<>(program.warnings());
        if (options.limits().symmetry() && alike.why() != null) {
            String where = test.source().position(test.processes().getFirst().pos());
            warnings.add(where + ": warning: all is explored, without --symmetry: " + alike.why());
        }
        return warnings;
    }

    private Exploration explore(LitmusTest test, Examination examination) {
        Program program = examination.newPart();
        Limits limits = options.limits();
        Limits stoppable =
                limits.withStop(() -> examination.enough() || limits.stop().getAsBoolean());
        String fingerprint = fingerprint(test);
        if (!(options.strategy() instanceof Reduction reduction)) {
            return options.strategy().explore(program, stoppable, fingerprint);
        }
        Explorer explorer = new Explorer(reduction, program, stoppable, fingerprint);
        explorer.withWorkers(options.workers(), examination::newPart);
        CheckpointOptions saved = options.checkpoint();
        if (saved != null) {
            explorer.withCheckpoints(
                    new Checkpoints(
                            saved.file(),
                            identity(fingerprint, limits, reduction),
                            saved.interval(),
                            examination,
                            saved.resume()));
        }
        return explorer.explore();
    }

    /// What a checkpoint must be of to be resumed here.
    private static String identity(String fingerprint, Limits limits, Reduction reduction) {
        String kind = limits.equivalence() + (limits.symmetry() ? " symmetry" : "");
        return String.join(" ", fingerprint, Build.id(), kind, reduction.describe());
    }

    // ---- recording

    private Recording record(LitmusTest test, Schedule schedule, BootOptions boot) {
        Session session = Session.open(test, model, boot.recording());
        return record(session, schedule, recorder -> recorder);
    }

    private Film film(LitmusTest test, Schedule schedule, BootOptions boot) {
        Session session = Session.open(test, model, boot.recording());
        List<Filming> filming = new ArrayList<>();
        Recording recording =
                record(
                        session,
                        schedule,
                        recorder -> {
                            filming.add(new Filming(session, recorder));
                            return filming.getFirst();
                        });
        return filming.getFirst().film(recording);
    }

    /// The schedule of one task after the other, each as far as it comes.
    private Schedule straight(LitmusTest test, BootOptions boot) {
        Session session = Session.open(test, model, boot);
        List<Integer> tasks = new ArrayList<>();
        Straight straight = new Straight(session.machine());
        session.machine()
                .run(
                        new Scheduler() {
                            @Override
                            public @Nullable Task pick() {
                                return straight.pick();
                            }

                            @Override
                            public void executed(Task task, long before, boolean wrote) {
                                tasks.add(task.id());
                            }
                        });
        int[] order = tasks.stream().mapToInt(Integer::intValue).toArray();
        return new Schedule(fingerprint(test), order);
    }

    /// @param around puts something around the recorder that watches too
    private static Recording record(
            Session session, Schedule schedule, Function<Recorder, Scheduler> around) {
        Machine machine = session.machine();
        List<Recorder> recorders = new ArrayList<>();
        Replay.run(
                session,
                schedule,
                director -> {
                    recorders.add(new Recorder(machine, director, session::callTrace));
                    return around.apply(recorders.getLast());
                });
        Recorder recorder = recorders.getFirst();
        String state =
                switch (session.program().lastEnd()) {
                    case POSITIVE, NEGATIVE -> session.program().outcomes().current();
                    case FILTERED, DEADLOCK, CUT -> "";
                };
        return new Recording(
                machine.tasks().stream().map(Task::name).toList(),
                recorder.steps(),
                session.findings(),
                state,
                Set.copyOf(session.looked()),
                schedule);
    }
}
