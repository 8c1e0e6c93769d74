// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.literature.Literature;
import org.interleaf.literature.Scenario;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Task;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.HashSet;
import java.util.Set;

/// The programs of the literature at small sizes, by brute force over all interleavings: as many
/// different traces as the explorer finds.
final class LiteratureOracleTest {
    private static final long INTERLEAVINGS_MAX = 2_000_000;

    @ParameterizedTest
    @CsvSource({
        "mp, 0",
        "iriw, 0",
        "wrc, 0",
        "twoplus2w, 0",
        "peterson, 0",
        "sat_example, 0",
        "race_param, 2",
        "casrot, 3",
        "casrot, 5",
        "casw, 2",
        "co2_2w, 3",
        "redundant_co, 2",
        "lastzero, 3",
        "lastzero, 4",
        "fib_bench, 1",
        "fib_bench, 2",
        "opt_lock, 1",
        "opt_lock, 2",
        "control_flow, 1",
        "control_flow, 2",
        "sigma, 3",
        "ssbexp, 4",
        "exp_bug, 0",
        "exp_bug, 1",
        "mcs, 2",
        "mcs, 3",
        "treiber, 2",
        "seqlock, 2",
        "ptwalk, 0",
        "ptwalk, 1",
        "ticketlock, 3",
        "circbuf, 3",
    })
    void bruteForceFindsAsManyTraces(String name, int n) {
        Scenario explored = Literature.make(name, n);
        Explorer.explore(explored, Limits.NONE.withEquivalence(Equivalence.TRACE), "0000");

        Machine machine = Literature.make(name, n).machine();
        TraceKey trace = new TraceKey(machine.tasks().size(), Equivalence.TRACE);
        machine.monitor(
                new Monitor() {
                    @Override
                    public void started() {
                        trace.begin();
                    }

                    @Override
                    public void stepped(Task task, long before) {
                        trace.step(task, before);
                    }
                });
        Set<TraceKey.Key> complete = new HashSet<>();
        Set<TraceKey.Key> blocked = new HashSet<>();
        boolean all =
                BruteForce.exploreMerging(
                        machine,
                        trace::key,
                        () -> "",
                        () -> {
                            boolean ended = Ending.Kind.of(machine) == Ending.Kind.COMPLETE;
                            (ended ? complete : blocked).add(trace.key());
                        },
                        INTERLEAVINGS_MAX);

        assertThat(all).isTrue();
        assertThat(explored.complete()).as("complete").isEqualTo(complete.size());
        assertThat(explored.blocked()).as("blocked").isEqualTo(blocked.size());
    }
}
