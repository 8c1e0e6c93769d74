// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.literature.Literature;
import org.interleaf.literature.Scenario;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// The strategies that draw lots, and what all strategies have in common.
final class SamplingTest {
    private static final List<Strategy> ALL =
            List.of(
                    new Exhaustive(),
                    new Parsimonious(),
                    new PreemptionBounded(PreemptionBounded.ANY),
                    new Pct(Pct.USUAL_DEPTH, 1),
                    new RandomWalk(1));

    private static final Limits TRACES = Limits.NONE.withEquivalence(Equivalence.TRACE);

    /// A program and what its executions came to.
    private record Watched(Scenario scenario, Supplier<String> state, List<String> states)
            implements Program {
        Watched(Scenario scenario, Supplier<String> state) {
            this(scenario.seal(), state, new ArrayList<>());
        }

        @Override
        public Machine machine() {
            return scenario.machine();
        }

        @Override
        public void finished(Ending ending) {
            states.add(ending.kind() == Ending.Kind.DEADLOCK ? "deadlock" : state.get());
        }
    }

    /// Two tasks that each read a word and write it back, one higher.
    private static Watched lostUpdate() {
        Scenario s = new Scenario(2);
        Word x = s.word("x", 0);
        for (int i = 0; i < 2; i++) {
            s.task(() -> x.writeOnce(x.readOnce() + 1));
        }
        return new Watched(s, () -> "x=" + x.peek());
    }

    /// Two tasks that take two locks in either order.
    private static Watched deadlock() {
        Scenario s = new Scenario(2);
        Mutex[] m = s.mutexes("m", 2);
        for (int i = 0; i < 2; i++) {
            Mutex first = m[i];
            Mutex second = m[1 - i];
            s.task(
                    () -> {
                        first.lock();
                        second.lock();
                        second.unlock();
                        first.unlock();
                    });
        }
        return new Watched(s, () -> "ended");
    }

    @Test
    void everyStrategyFindsSeededBugs() {
        Limits limits = TRACES.withMaxExecutions(500);
        for (Strategy strategy : ALL) {
            Watched lost = lostUpdate();
            strategy.explore(lost, limits, "");
            assertThat(lost.states).as(strategy.describe()).contains("x=1", "x=2");
            Watched dead = deadlock();
            strategy.explore(dead, limits, "");
            assertThat(dead.states).as(strategy.describe()).contains("deadlock", "ended");
        }
    }

    @Test
    void aStrategyDoesTheSameEveryTime() {
        for (Strategy strategy : ALL) {
            assertThat(tokens(strategy)).as(strategy.describe()).isEqualTo(tokens(strategy));
        }
        assertThat(tokens(new RandomWalk(1))).isNotEqualTo(tokens(new RandomWalk(2)));
        assertThat(tokens(new Pct(3, 1))).isNotEqualTo(tokens(new Pct(3, 2)));
    }

    private static List<String> tokens(Strategy strategy) {
        List<String> tokens = new ArrayList<>();
        Scenario program = Literature.make("casrot", 4);
        Program watched =
                new Program() {
                    @Override
                    public Machine machine() {
                        return program.machine();
                    }

                    @Override
                    public void finished(Ending ending) {
                        tokens.add(ending.schedule().toString());
                        assertThat(ending.steps()).isEqualTo(ending.schedule().length());
                        assertThat(ending.switches()).isEqualTo(ending.schedule().switches());
                    }
                };
        strategy.explore(watched, TRACES.withMaxExecutions(100), "f");
        return tokens;
    }

    @Test
    void aSampleIsNeverCalledComplete() {
        Limits limits = Limits.NONE.withMaxExecutions(50);
        for (Strategy strategy : List.of(new Pct(1, 1), new RandomWalk(1))) {
            Exploration found = strategy.explore(lostUpdate(), limits, "");
            assertThat(found.complete()).isFalse();
            assertThat(found.executions()).isEqualTo(50);
            assertThat(strategy.ends()).isFalse();
        }
    }

    @Test
    void aStateIsEnteredAgainOnlyAtLessCost() {
        VisitedStates states = new VisitedStates();
        assertThat(states.enter(0, 0, 1)).isTrue();
        assertThat(states.enter(0, 0, 1)).isFalse();
        assertThat(states.enter(0, 0, 0)).isTrue();
        for (int i = 1; i < 5_000; i++) {
            assertThat(states.enter(i, -i, 3)).isTrue();
        }
        for (int i = 1; i < 5_000; i++) {
            assertThat(states.enter(i, -i, 3)).isFalse();
        }
        states.clear();
        assertThat(states.enter(7, -7, 9)).isTrue();
    }

    @Test
    void manyTracesAreCountedBySample() {
        TraceCount count = new TraceCount(1 << 10);
        for (long i = 1; i <= 100_000; i++) {
            count.add(TraceHash.spread(i, 3));
            if (i % 2 == 0) {
                count.add(TraceHash.spread(i, 3));
            }
        }
        assertThat(count.exact()).isFalse();
        assertThat(count.traces()).isBetween(88_000L, 112_000L);
        assertThat(count.singles()).isBetween(44_000L, 56_000L);
    }

    @Test
    void fewTracesAreCountedExactly() {
        TraceCount count = new TraceCount();
        for (long i = 0; i < 10_000; i++) {
            assertThat(count.add(i)).isTrue();
        }
        assertThat(count.add(77)).isFalse();
        assertThat(count.exact()).isTrue();
        assertThat(count.traces()).isEqualTo(10_000);
        assertThat(count.singles()).isEqualTo(9_999);
    }

    /// One task sets a flag for a moment, in the middle of `steps` other accesses; the other looks.
    private static Watched needle(int steps) {
        Scenario s = new Scenario(2);
        Word[] own = s.words("own", 2, 0);
        Word flag = s.word("flag", 0);
        Word seen = s.word("seen", 0);
        s.task(
                () -> {
                    spend(own[0], steps);
                    flag.writeOnce(1);
                    flag.writeOnce(0);
                    spend(own[0], steps);
                });
        s.task(
                () -> {
                    spend(own[1], steps);
                    seen.writeOnce(flag.readOnce());
                    spend(own[1], steps);
                });
        return new Watched(s, () -> "seen=" + seen.peek());
    }

    private static void spend(Word own, int steps) {
        for (int i = 0; i < steps; i++) {
            own.writeOnce(i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 5, 10})
    void pctFindsABugAsOftenAsItPromises(int steps) {
        int executions = 20_000;
        Watched program = needle(steps);
        Exploration found =
                new Pct(2, 1).explore(program, Limits.NONE.withMaxExecutions(executions), "");
        long hits = program.states.stream().filter(s -> s.equals("seen=1")).count();
        int accesses = 4 * steps + 4;
        // The flag must be set, and then looked at before it is cleared: depth 2.
        assertThat((double) hits / executions).isGreaterThan(0.9 / (2 * accesses));
        assertThat(found.coverage().statement())
                .contains("2 tasks, up to " + accesses + " accesses");
        assertThat(found.coverage().statement()).doesNotContain("100.0 %");
    }

    @Test
    void theEstimateIsAPartAndEndsAtOne() {
        for (String name : List.of("ainc", "lastzero", "binc", "sigma")) {
            List<Double> told = new ArrayList<>();
            Limits limits =
                    Limits.NONE
                            .withEquivalence(Equivalence.TRACE)
                            .withProgress(e -> told.add(e.coverage().fraction()));
            Scenario program = Literature.make(name, Literature.usualSize(name));
            Exploration found = Explorer.explore(program, limits, "");
            assertThat(found.coverage().fraction()).isEqualTo(1);
            assertThat(told).isNotEmpty().allMatch(f -> f >= 0 && f <= 1);
        }
    }

    @Test
    void theEstimateIsCloseWhereBranchesAreAlike() {
        List<double[]> told = new ArrayList<>();
        Limits limits =
                Limits.NONE
                        .withEquivalence(Equivalence.TRACE)
                        .withProgress(
                                e ->
                                        told.add(
                                                new double[] {
                                                    e.executions(), e.coverage().fraction()
                                                }));
        double all = Explorer.explore(Literature.make("ainc", 7), limits, "").executions();
        assertThat(told).hasSizeGreaterThan(50);
        for (double[] each : told) {
            assertThat(each[1]).isBetween(each[0] / all - 0.03, each[0] / all + 0.06);
        }
    }
}
