// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.explore.CheckpointException;
import org.interleaf.explore.Checkpoints;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.literature.Literature;
import org.interleaf.machine.Machine;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    /// The traces that were seen, each as often as it was seen.
    private static final class Seen implements Checkpoints.Results {
        final List<String> traces = Collections.synchronizedList(new ArrayList<>());

        Program watch(RandomProgram program) {
            Playground ground = new Playground(program);
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
    private static @Nullable List<String> alone(RandomProgram program) {
        Seen seen = new Seen();
        Limits limits = Limits.NONE.withMaxExecutions(2_000);
        Exploration found = Explorer.explore(seen.watch(program), limits, "test");
        return found.complete() && found.superfluous() == 0 ? seen.sorted() : null;
    }

    @Test
    void workersSeeTogetherWhatOneSees() {
        long many = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            RandomProgram program = RandomProgram.of(seed);
            List<String> expected = alone(program);
            if (expected == null) {
                continue;
            }
            Seen seen = new Seen();
            Exploration found =
                    new Explorer(seen.watch(program), Limits.NONE, "test")
                            .withWorkers(3, () -> seen.watch(program), Duration.ZERO)
                            .explore();
            assertThat(seen.sorted()).as("program of seed %s", seed).isEqualTo(expected);
            assertThat(found.complete()).isTrue();
            assertThat(found.superfluous()).isZero();
            assertThat(found.executions()).isEqualTo(expected.size());
            many += expected.size() > 50 ? 1 : 0;
        }
        assertThat(many).as("programs that are worth sharing").isGreaterThan(8);
    }

    @Test
    void workersExploreThePublishedNumberOfExecutions() {
        for (String name : List.of("lastzero 8", "exp_bug 2", "fib_bench 3", "ptwalk 2")) {
            String program = name.split(" ", -1)[0];
            int n = Integer.parseInt(name.split(" ", -1)[1]);
            Exploration alone = Explorer.explore(Literature.make(program, n), Limits.NONE, "test");
            Exploration shared =
                    new Explorer(Literature.make(program, n), Limits.NONE, "test")
                            .withWorkers(4, () -> Literature.make(program, n), Duration.ZERO)
                            .explore();
            assertThat(shared.executions()).as(name).isEqualTo(alone.executions());
            assertThat(shared.superfluous()).isZero();
            assertThat(shared.complete()).isTrue();
        }
    }

    @Test
    void whateverTheThreadsDo() {
        for (int i = 0; i < 200; i++) {
            Exploration shared =
                    new Explorer(Literature.make("lastzero", 6), Limits.NONE, "test")
                            .withWorkers(3, () -> Literature.make("lastzero", 6), Duration.ZERO)
                            .explore();
            assertThat(shared.executions()).as("round %s", i).isEqualTo(144);
            assertThat(shared.superfluous()).isZero();
        }
    }

    @Test
    void stoppedAfterEveryExecutionAndResumedOnAnotherMachine() {
        Path file = folder.resolve("checkpoint");
        long resumed = 0;
        for (long seed = 1; seed <= PROGRAMS; seed++) {
            RandomProgram program = RandomProgram.of(seed);
            List<String> expected = alone(program);
            if (expected == null || expected.size() > 60) {
                continue;
            }
            Exploration found;
            Seen seen;
            int runs = 0;
            do {
                seen = new Seen();
                found =
                        new Explorer(
                                        seen.watch(program),
                                        Limits.NONE.withMaxExecutions(runs + 1),
                                        "test")
                                .withCheckpoints(checkpoints(file, seen, runs > 0))
                                .explore();
                runs++;
            } while (!found.complete());
            assertThat(seen.sorted()).as("program of seed %s", seed).isEqualTo(expected);
            assertThat(found.executions()).isEqualTo(expected.size());
            assertThat(found.superfluous()).isZero();
            assertThat(runs).isEqualTo(expected.size());
            resumed += runs - 1;
        }
        assertThat(resumed).as("resumed explorations").isGreaterThan(400);
    }

    @Test
    void whatIsCompleteStaysSoWhenResumed() {
        Path file = folder.resolve("checkpoint");
        RandomProgram program = RandomProgram.of(1);
        Seen seen = new Seen();
        new Explorer(seen.watch(program), Limits.NONE, "test")
                .withCheckpoints(checkpoints(file, seen, false))
                .explore();
        Seen again = new Seen();
        Exploration found =
                new Explorer(again.watch(program), Limits.NONE, "test")
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
        Seen seen = new Seen();
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
        Seen seen = new Seen();
        new Explorer(seen.watch(RandomProgram.of(1)), Limits.NONE, "test")
                .withCheckpoints(new Checkpoints(file, identity, Duration.ofDays(1), seen, true))
                .explore();
    }
}
