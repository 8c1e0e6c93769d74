// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// The strategies that draw lots, and what all strategies have in common.
final class SamplingTest {
    private static final List<Strategy> ALL =
            List.of(
                    new Exhaustive(),
                    new PreemptionBounded(PreemptionBounded.ANY),
                    new Pct(Pct.USUAL_DEPTH, 1),
                    new RandomWalk(1));

    /// Two tasks that each read a word and write it back, one higher.
    private static Scenario lostUpdate() {
        Scenario s = new Scenario(2);
        Word x = s.word("x", 0);
        for (int i = 0; i < 2; i++) {
            s.task(() -> x.writeOnce(x.readOnce() + 1));
        }
        return s.seal();
    }

    /// Two tasks that take two locks in either order.
    private static Scenario deadlock() {
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
        return s.seal();
    }

    @Test
    void everyStrategyFindsSeededBugs() {
        Limits limits = Limits.NONE.withMaxExecutions(500);
        for (Strategy strategy : ALL) {
            Scenario lost = lostUpdate();
            strategy.explore(lost, limits, "");
            assertThat(lost.states).as(strategy.describe()).anyMatch(s -> s.startsWith("[x"));
            assertThat(new HashSet<>(lost.states)).as(strategy.describe()).hasSize(2);
            Scenario dead = deadlock();
            strategy.explore(dead, limits, "");
            assertThat(dead.deadlocks).as(strategy.describe()).isPositive();
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
        strategy.explore(watched, Limits.NONE.withMaxExecutions(100), "f");
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
    void distinctTracesAreCounted() {
        int repeated = 0;
        for (long seed = 1; seed <= 200; seed++) {
            Playground ground = new Playground(RandomProgram.of(seed));
            Set<TraceKey.Key> seen = new HashSet<>();
            Program program = Interleavings.program(ground, () -> seen.add(ground.trace()));
            Exploration found =
                    new RandomWalk(seed).explore(program, Limits.NONE.withMaxExecutions(100), "");
            assertThat(found.traces()).as("seed %s", seed).isEqualTo(seen.size());
            repeated += seen.size() < found.executions() ? 1 : 0;
        }
        assertThat(repeated).isGreaterThan(100);
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
    private static Scenario needle(int steps) {
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
        return s.seal();
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
        Scenario program = needle(steps);
        Exploration found =
                new Pct(2, 1).explore(program, Limits.NONE.withMaxExecutions(executions), "");
        long hits = program.states.stream().filter(s -> s.contains("seen=1")).count();
        int accesses = 4 * steps + 4;
        // The flag must be set, and then looked at before it is cleared: depth 2.
        assertThat((double) hits / executions).isGreaterThan(0.9 / (2 * accesses));
        assertThat(found.coverage().statement())
                .contains("2 tasks, up to " + accesses + " accesses");
        assertThat(found.coverage().statement()).doesNotContain("100.0 %");
    }

    @Test
    void theEstimateEndsAtOneAndStaysBelow() {
        for (String name : List.of("ainc", "lastzero", "binc", "sigma")) {
            List<Double> told = new ArrayList<>();
            Limits limits = Limits.NONE.withProgress(e -> told.add(e.coverage().fraction()));
            Exploration found =
                    Explorer.explore(Literature.make(name, name.equals("binc") ? 3 : 5), limits, "");
            assertThat(found.coverage().fraction()).isEqualTo(1);
            assertThat(told).isNotEmpty().allMatch(f -> f >= 0 && f < 1);
        }
    }

    @Test
    void theEstimateIsCloseWhereBranchesAreAlike() {
        List<double[]> told = new ArrayList<>();
        Limits limits =
                Limits.NONE.withProgress(
                        e -> told.add(new double[] {e.executions(), e.coverage().fraction()}));
        double all = Explorer.explore(Literature.make("ainc", 7), limits, "").executions();
        assertThat(told).hasSizeGreaterThan(50);
        for (double[] each : told) {
            assertThat(each[1]).isBetween(each[0] / all - 0.03, each[0] / all + 0.06);
        }
    }
}
