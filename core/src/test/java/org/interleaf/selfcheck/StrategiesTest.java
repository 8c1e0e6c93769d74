// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.PreemptionBounded;
import org.interleaf.explore.Program;
import org.interleaf.explore.RandomWalk;
import org.interleaf.literature.Literature;
import org.interleaf.literature.Scenario;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// Strategies that count traces, against brute force and against keys of traces.
final class StrategiesTest {
    private static final int PROGRAMS = 600;

    @Test
    void everyTraceIsSeenOnceAndThoseWithFewPreemptionsFirst() {
        int checked = 0;
        int beyondOne = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            Interleavings all = Interleavings.of(RandomProgram.of(seed));
            if (all == null) {
                continue;
            }
            List<Integer> order = new ArrayList<>();
            Exploration found = explore(all, PreemptionBounded.ANY, order);
            assertThat(found.complete()).as("seed %s", seed).isTrue();
            assertThat(order).as("seed %s", seed).isSorted();
            assertThat(order).as("seed %s", seed).hasSize(all.preemptionsOfTrace.size());
            assertThat(found.executions()).isEqualTo(order.size());
            assertThat(found.traces()).isEqualTo(order.size());
            checked++;
            beyondOne += order.getLast() > 1 ? 1 : 0;
        }
        assertThat(checked).isGreaterThan(PROGRAMS / 2);
        assertThat(beyondOne).as("programs that need two preemptions").isGreaterThan(20);
    }

    @Test
    void aBoundShowsAllThatNeedsNoMoreAndClaimsNoMore() {
        int incomplete = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            Interleavings all = Interleavings.of(RandomProgram.of(seed));
            if (all == null) {
                continue;
            }
            for (int bound = 0; bound < 3; bound++) {
                int allowed = bound;
                long expected =
                        all.preemptionsOfTrace.values().stream().filter(p -> p <= allowed).count();
                List<Integer> order = new ArrayList<>();
                Exploration found = explore(all, bound, order);
                assertThat(order).as("seed %s, bound %s", seed, bound).hasSize((int) expected);
                if (found.complete()) {
                    assertThat(order).hasSize(all.preemptionsOfTrace.size());
                } else {
                    incomplete++;
                }
            }
        }
        assertThat(incomplete).isGreaterThan(PROGRAMS / 2);
    }

    /// Explores, and enters in `order` how many preemptions the trace of each execution needs.
    private static Exploration explore(Interleavings all, int bound, List<Integer> order) {
        Set<TraceKey.Key> seen = new HashSet<>();
        Program program =
                Interleavings.program(
                        all.ground,
                        () -> {
                            TraceKey.Key trace = all.ground.trace();
                            assertThat(seen.add(trace)).as("seen once").isTrue();
                            order.add(Objects.requireNonNull(all.preemptionsOfTrace.get(trace)));
                        });
        return new PreemptionBounded(bound).explore(program, Limits.NONE, "");
    }

    @Test
    void theProgramsOfTheLiteratureHaveAsManyTracesAsPublished() {
        for (String each : List.of("ainc 4", "binc 3", "lastzero 5", "casrot 3", "mutexinc 4")) {
            String[] part = each.split(" ", -1);
            Scenario program = Literature.make(part[0], Integer.parseInt(part[1]));
            Exploration found =
                    new PreemptionBounded(PreemptionBounded.ANY).explore(program, Limits.NONE, "");
            Exploration known =
                    Explorer.explore(
                            Literature.make(part[0], Integer.parseInt(part[1])),
                            Limits.NONE.withEquivalence(Equivalence.TRACE),
                            "");
            assertThat(found.executions()).as(each).isEqualTo(known.executions());
            assertThat(found.complete()).isTrue();
        }
    }

    @Test
    void distinctTracesAreCounted() {
        int repeated = 0;
        for (long seed = 1; seed <= 200; seed++) {
            Playground ground = new Playground(RandomProgram.of(seed), Equivalence.TRACE);
            Set<TraceKey.Key> seen = new HashSet<>();
            Program program = Interleavings.program(ground, () -> seen.add(ground.trace()));
            Exploration found =
                    new RandomWalk(seed).explore(program, Limits.NONE.withMaxExecutions(100), "");
            assertThat(found.traces()).as("seed %s", seed).isEqualTo(seen.size());
            repeated += seen.size() < found.executions() ? 1 : 0;
        }
        assertThat(repeated).isGreaterThan(100);
    }
}
