// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.explore.CheckpointException;
import org.interleaf.explore.Checkpoints;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Parsimonious;
import org.interleaf.explore.Program;
import org.interleaf.explore.Reduction;
import org.interleaf.literature.Literature;
import org.interleaf.machine.Machine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// An exploration that several workers share, or that was stopped and resumed, sees every trace
/// exactly once, as one that is left alone does.
final class SharedWorkTest {
    private static final int PROGRAMS = 150;

    @TempDir private Path folder;

    /// A way to explore.
    record Way(Reduction reduction, Limits limits) {
        Way(Reduction reduction, Equivalence equivalence) {
            this(reduction, Limits.NONE.withEquivalence(equivalence));
        }

        @Override
        public String toString() {
            return reduction.describe();
        }
    }

    static List<Way> ways() {
        return List.of(
                new Way(new Exhaustive(), Equivalence.UPDATE),
                new Way(new Parsimonious(), Equivalence.TRACE));
    }

    /// The traces that were seen, each as often as it was seen.
    private static final class Seen implements Checkpoints.Results {
        final Equivalence equivalence;
        final List<String> traces = Collections.synchronizedList(new ArrayList<>());

        Seen(Way way) {
            equivalence = way.limits.equivalence();
        }

        Program watch(RandomProgram program) {
            Playground ground = new Playground(program, equivalence);
            return new Program() {
                @Override
                public Machine machine() {
                    return ground.machine;
                }

                @Override
                public void finished(Ending ending) {
                    traces.add(ground.trace() + " " + ground.outcome());
                }
            };
        }

        List<String> sorted() {
            return traces.stream().sorted().toList();
        }

        @Override
        public void save(DataOutputStream out) throws IOException {
            out.writeInt(traces.size());
            for (String trace : traces) {
                out.writeInt(trace.length());
                out.writeChars(trace);
            }
        }

        @Override
        public void load(DataInputStream in) throws IOException {
            int n = in.readInt();
            for (int i = 0; i < n; i++) {
                StringBuilder trace = new StringBuilder();
                for (int c = in.readInt(); c > 0; c--) {
                    trace.append(in.readChar());
                }
                traces.add(trace.toString());
            }
        }
    }

    /// What one explorer sees; null where that is too much, or loops are cut or begun in vain.
    private static @Nullable List<String> alone(RandomProgram program, Way way) {
        Seen seen = new Seen(way);
        Limits limits = way.limits.withMaxExecutions(2_000);
        Exploration found = Explorer.explore(seen.watch(program), limits, "test");
        return found.complete() && found.made() == found.executions() ? seen.sorted() : null;
    }

    @ParameterizedTest
    @MethodSource("ways")
    void workersSeeTogetherWhatOneSees(Way way) {
        long many = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            RandomProgram program = RandomProgram.of(seed);
            List<String> expected = alone(program, way);
            if (expected == null) {
                continue;
            }
            Seen seen = new Seen(way);
            Exploration found =
                    new Explorer(way.reduction, seen.watch(program), way.limits, "test")
                            .withWorkers(3, () -> seen.watch(program), Duration.ZERO)
                            .explore();
            assertThat(seen.sorted()).as("program of seed %s", seed).isEqualTo(expected);
            assertThat(found.complete()).isTrue();
            assertThat(found.superfluous() + found.fruitless()).isZero();
            assertThat(found.executions()).isEqualTo(expected.size());
            many += expected.size() > 50 ? 1 : 0;
        }
        assertThat(many).as("programs that are worth sharing").isGreaterThan(8);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void workersExploreThePublishedNumberOfExecutions(Way way) {
        for (String name : List.of("lastzero 8", "exp_bug 2", "fib_bench 3", "ptwalk 2")) {
            String program = name.split(" ", -1)[0];
            int n = Integer.parseInt(name.split(" ", -1)[1]);
            Exploration alone = Explorer.explore(Literature.make(program, n), way.limits, "test");
            Exploration shared =
                    new Explorer(way.reduction, Literature.make(program, n), way.limits, "test")
                            .withWorkers(4, () -> Literature.make(program, n), Duration.ZERO)
                            .explore();
            assertThat(shared.executions()).as(name).isEqualTo(alone.executions());
            assertThat(shared.superfluous() + shared.fruitless()).isZero();
            assertThat(shared.complete()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void whateverTheThreadsDo(Way way) {
        for (int i = 0; i < 200; i++) {
            Exploration shared =
                    new Explorer(way.reduction, Literature.make("lastzero", 6), way.limits, "test")
                            .withWorkers(3, () -> Literature.make("lastzero", 6), Duration.ZERO)
                            .explore();
            assertThat(shared.executions()).as("round %s", i).isEqualTo(144);
            assertThat(shared.superfluous() + shared.fruitless()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("ways")
    void stoppedAfterEveryExecutionAndResumedOnAnotherMachine(Way way) {
        Path file = folder.resolve("checkpoint");
        long resumed = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            RandomProgram program = RandomProgram.of(seed);
            List<String> expected = alone(program, way);
            if (expected == null || expected.size() > 60) {
                continue;
            }
            Exploration found;
            Seen seen;
            int runs = 0;
            do {
                seen = new Seen(way);
                found =
                        new Explorer(
                                        way.reduction,
                                        seen.watch(program),
                                        way.limits.withMaxExecutions(runs + 1),
                                        "test")
                                .withCheckpoints(checkpoints(file, seen, runs > 0))
                                .explore();
                runs++;
            } while (!found.complete());
            assertThat(seen.sorted()).as("program of seed %s", seed).isEqualTo(expected);
            assertThat(found.executions()).isEqualTo(expected.size());
            assertThat(found.superfluous() + found.fruitless()).isZero();
            assertThat(runs).isEqualTo(expected.size());
            resumed += runs - 1;
        }
        assertThat(resumed).as("resumed explorations").isGreaterThan(400);
    }

    @ParameterizedTest
    @MethodSource("ways")
    void whatIsCompleteStaysSoWhenResumed(Way way) {
        Path file = folder.resolve("checkpoint");
        RandomProgram program = RandomProgram.of(1);
        Seen seen = new Seen(way);
        new Explorer(way.reduction, seen.watch(program), way.limits, "test")
                .withCheckpoints(checkpoints(file, seen, false))
                .explore();
        Seen again = new Seen(way);
        Exploration found =
                new Explorer(way.reduction, again.watch(program), way.limits, "test")
                        .withCheckpoints(checkpoints(file, again, true))
                        .explore();
        assertThat(found.complete()).isTrue();
        assertThat(again.sorted()).isEqualTo(seen.sorted());
    }

    private static Checkpoints checkpoints(Path file, Seen seen, boolean resuming) {
        return new Checkpoints(file, "program", Duration.ofDays(1), seen, resuming);
    }

    @Test
    void filesThatAreNoCheckpointOfThisAreRefused() throws IOException {
        Path file = folder.resolve("checkpoint");
        Seen seen = new Seen(ways().getFirst());
        RandomProgram program = RandomProgram.of(1);
        new Explorer(seen.watch(program), Limits.NONE.withMaxExecutions(1), "test")
                .withCheckpoints(checkpoints(file, seen, false))
                .explore();
        byte[] good = Files.readAllBytes(file);

        assertThatThrownBy(() -> resume(file, "another")).hasMessageContaining("another test");
        Files.write(file, new byte[] {1, 2, 3});
        assertThatThrownBy(() -> resume(file, "program")).hasMessageContaining("not a checkpoint");
        for (int i = 23; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            Files.write(file, bad);
            assertThatThrownBy(() -> resume(file, "program")).hasMessageContaining("damaged");
        }
        Files.delete(file);
        assertThatThrownBy(() -> resume(file, "program"))
                .hasMessageContaining("no such checkpoint");
    }

    private static void resume(Path file, String identity) throws CheckpointException {
        Seen seen = new Seen(ways().getFirst());
        new Explorer(seen.watch(RandomProgram.of(1)), Limits.NONE, "test")
                .withCheckpoints(new Checkpoints(file, identity, Duration.ofDays(1), seen, true))
                .explore();
    }
}
