// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Failure;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Minimiser;
import org.interleaf.explore.Program;
import org.interleaf.explore.RandomWalk;
import org.interleaf.explore.Replay;
import org.interleaf.literature.Scenario;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.trace.Schedule;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/// The minimiser against brute force on random programs, and on one where the answer is plain.
final class MinimiserTest {
    private static final int PROGRAMS = 400;
    private static final int EXECUTIONS = 6;

    @Test
    void theBestOrderOfATraceHasTheFewestSwitches() {
        int checked = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            Interleavings all = Interleavings.of(RandomProgram.of(seed));
            if (all == null) {
                continue;
            }
            for (Schedule schedule : executions(all, seed)) {
                Replay.run(Interleavings.program(all.ground, () -> {}), schedule);
                TraceKey.Key trace = all.ground.trace();
                Schedule simple =
                        minimise(all, schedule, () -> all.ground.trace().equals(trace), 0);
                Replay.run(Interleavings.program(all.ground, () -> {}), simple);
                assertThat(all.ground.trace()).as("seed %s", seed).isEqualTo(trace);
                assertThat(simple.switches())
                        .as("seed %s, %s", seed, schedule)
                        .isEqualTo(all.switchesOfTrace.get(trace));
                checked++;
            }
        }
        assertThat(checked).isGreaterThan(PROGRAMS);
    }

    @Test
    void theOutcomeStaysAndHasTheFewestSwitches() {
        int checked = 0;
        int shorter = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            Interleavings all = Interleavings.of(RandomProgram.of(seed));
            if (all == null) {
                continue;
            }
            for (Schedule schedule : executions(all, seed)) {
                String outcome = outcome(all, schedule);
                Schedule simple = minimise(all, schedule, outcome);
                assertThat(outcome(all, simple)).as("seed %s", seed).isEqualTo(outcome);
                assertThat(simple.switches())
                        .as("seed %s, %s", seed, schedule)
                        .isEqualTo(Objects.requireNonNull(all.switchesOfOutcome.get(outcome)));
                assertThat(minimise(all, schedule, outcome)).hasToString(simple.toString());
                shorter += simple.switches() < schedule.switches() ? 1 : 0;
                checked++;
            }
        }
        assertThat(checked).isGreaterThan(PROGRAMS);
        assertThat(shorter).isGreaterThan(checked / 4);
    }

    private static Schedule minimise(
            Interleavings all, Schedule schedule, BooleanSupplier same, long budget) {
        Failure failure =
                steps -> {
                    boolean ended = all.ground.machine.tasks().stream().noneMatch(Task::ready);
                    return ended && same.getAsBoolean() ? steps : Failure.NOT_SHOWN;
                };
        Program program = Interleavings.program(all.ground, () -> {});
        return Minimiser.minimise(program, schedule, failure, budget);
    }

    private static Schedule minimise(Interleavings all, Schedule schedule, String outcome) {
        return minimise(
                all, schedule, () -> all.ground.outcome().equals(outcome), Minimiser.USUAL_BUDGET);
    }

    private static String outcome(Interleavings all, Schedule schedule) {
        Ending ending = Replay.run(Interleavings.program(all.ground, () -> {}), schedule);
        assertThat(ending.kind()).isNotEqualTo(Ending.Kind.CUT);
        return all.ground.outcome();
    }

    /// Some executions of a program, at random.
    private static List<Schedule> executions(Interleavings all, long seed) {
        List<Schedule> schedules = new ArrayList<>();
        Program program =
                Interleavings.program(
                        all.ground, () -> schedules.add(new Schedule("", all.ground.went())));
        new RandomWalk(seed).explore(program, Limits.NONE.withMaxExecutions(EXECUTIONS), "");
        return schedules;
    }

    @Test
    void whatComesAfterAFailureAndWhatItDoesNotNeedIsLeftOut() {
        Scenario s = new Scenario(2);
        Word x = s.word("x", 0);
        Word own = s.word("own", 0);
        Word bystander = s.word("bystander", 0);
        int[] failedAfter = {Failure.NOT_SHOWN};
        s.task(
                () -> {
                    x.writeOnce(1);
                    x.writeOnce(2);
                    own.writeOnce(1);
                    own.writeOnce(2);
                });
        s.task(
                () -> {
                    bystander.writeOnce(1);
                    if (x.readOnce() == 1) {
                        failedAfter[0] = s.machine().steps();
                    }
                    own.readOnce();
                });
        s.task(() -> bystander.writeOnce(2));
        s.machine().onReset(() -> failedAfter[0] = Failure.NOT_SHOWN);
        s.seal();
        Schedule found = new Schedule("f", new int[] {2, 1, 0, 1, 1, 0, 0, 0});
        Schedule simple =
                Minimiser.minimise(s, found, steps -> failedAfter[0], Minimiser.USUAL_BUDGET);
        // P2 wrote before P1 did, which the failure does not need.
        assertThat(simple).hasToString("il1:f:0.1*2");
    }

    @Test
    void withoutABudgetTheFailureIsStillThere() {
        Schedule found = new Schedule("f", new int[] {0, 1, 0, 1});
        Scenario s = new Scenario(2);
        Word x = s.word("x", 0);
        for (int i = 0; i < 2; i++) {
            s.task(() -> x.writeOnce(x.readOnce() + 1));
        }
        s.seal();
        Failure lost = steps -> steps == 4 && x.peek() == 1 ? steps : Failure.NOT_SHOWN;
        assertThat(Minimiser.minimise(s, found, lost, 0).switches()).isLessThanOrEqualTo(3);
        assertThat(Minimiser.minimise(s, found, lost, 10_000).switches()).isEqualTo(2);
    }
}
