// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Exploration;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.run.Answer;
import org.interleaf.run.RunOptions;
import org.interleaf.trace.Call;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Step;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Verdict;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Gives prepared answers, and remembers what it was asked. Which answer it gives depends on the
/// name of the test.
final class FakeEngine implements Engine {
    static final Violation SPLAT =
            new Violation(
                    "WARNING",
                    "try_grab_folio",
                    "mm/gup.c",
                    "the count of page 7 is zero",
                    "P1",
                    1,
                    List.of("try_grab_folio", "gup_fast_pte_range"),
                    List.of());
    static final String WARNING = "t.litmus:3:1: warning: this is odd";
    private static final Schedule SCHEDULE = new Schedule("beef", new int[] {0, 0, 1, 0});

    final List<RunOptions> loaded = new ArrayList<>();
    final List<Schedule> replayed = new ArrayList<>();

    @Override
    public Runner load(RunOptions options) {
        loaded.add(options);
        return new Runner() {
            @Override
            public Answer check(Source source) {
                return answer(LitmusTest.parse(source), options);
            }

            @Override
            public String fingerprint(LitmusTest test) {
                return SCHEDULE.fingerprint();
            }

            // The real one: it runs no tests.
            @Override
            public Survey survey() {
                return Engine.REAL.load(options).survey();
            }

            // The real ones, as the pictures are.
            @Override
            public String tables(Source source, @Nullable Schedule schedule, int step) {
                return Engine.REAL.load(options).tables(source, schedule, step);
            }

            @Override
            public Recording replay(Source source, Schedule schedule) {
                LitmusTest.parse(source);
                replayed.add(schedule);
                return recording(List.of(SPLAT));
            }

            @Override
            public Film film(Source source, @Nullable Schedule schedule) {
                Recording recording = recording(List.of(SPLAT));
                List<Map<String, Thing>> pictures = new ArrayList<>();
                List<List<Call>> stacks = new ArrayList<>();
                pictures.add(Map.of());
                for (int i = 0; i < recording.steps().size(); i++) {
                    pictures.add(Map.of());
                    stacks.add(List.of());
                }
                return new Film(recording, pictures, stacks, Map.of());
            }
        };
    }

    /// The answer for a test called `never`, `sometimes`, `always`, `splat` (found in addition to
    /// `never`), `undecided`, `odd` (with a warning), or `internal` and `recursion` (the engine
    /// fails). With a patch `sometimes` is found, where the configuration does not flush by IPI.
    private static Answer answer(LitmusTest test, RunOptions options) {
        String name = options.patches().isEmpty() ? test.name() : "patched";
        return switch (name) {
            case "never" -> answer(test, 0, 8, true, List.of());
            case "sometimes" -> answer(test, 3, 5, true, List.of());
            case "always" -> answer(test, 8, 0, true, List.of());
            case "splat" -> answer(test, 0, 8, true, List.of(SPLAT));
            case "odd" -> answer(test, 0, 8, true, List.of());
            case "first" -> answer(test, 1, 5, false, List.of());
            case "undecided" -> answer(test, 0, 8, false, List.of());
            case "internal" -> throw new AssertionError("[interleaf internal] the sky falls");
            case "recursion" -> throw new StackOverflowError();
            case "patched" ->
                    "ipi".equals(options.config().get("tlb"))
                            ? answer(test, 0, 8, true, List.of())
                            : answer(test, 3, 5, true, List.of(SPLAT));
            default -> throw new AssertionError("no answer for " + name);
        };
    }

    private static Answer answer(
            LitmusTest test,
            long positive,
            long negative,
            boolean complete,
            List<Violation> violations) {
        long executions = positive + negative;
        boolean found = positive > 0 || !violations.isEmpty();
        Verdict verdict = Verdict.of(positive, negative, complete);
        return new Answer(
                test,
                verdict,
                positive,
                negative,
                List.of("0:r0=0;", "0:r0=1;"),
                violations,
                test.name().equals("odd") ? List.of(WARNING) : List.of(),
                0,
                new Exploration(executions, 1, 0, 100, complete, Duration.ofMillis(1250)),
                List.of(),
                "Test " + test.name() + " Allowed\n(herd7's summary)\n",
                found ? SCHEDULE : null,
                found ? recording(violations) : null);
    }

    static Recording recording(List<Violation> violations) {
        return new Recording(
                List.of("P0", "P1"),
                List.of(
                        step(0, "P0", "unlock", "mmap_lock", false),
                        step(1, "P0", "WRITE_ONCE", "x", true),
                        step(2, "P1", "READ_ONCE", "x", true),
                        step(3, "P0", "WRITE_ONCE", "y", true)),
                violations,
                "0:r0=1;",
                SCHEDULE);
    }

    private static Step step(
            int number, String task, String operation, String location, boolean shared) {
        boolean wrote = task.equals("P0");
        return new Step(
                number,
                task,
                wrote ? 0 : 1,
                List.of(),
                operation,
                location,
                wrote ? "0" : "1",
                "1",
                wrote,
                shared);
    }

    @Nullable RunOptions last() {
        return loaded.isEmpty() ? null : loaded.getLast();
    }
}
