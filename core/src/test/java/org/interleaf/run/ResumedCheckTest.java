// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.explore.CheckpointException;
import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A check that is stopped again and again, each time resumed on another machine, comes to what one
/// does that nobody stops.
final class ResumedCheckTest {
    private static final Path RACE = Path.of("..", "races", "gup-fast-vs-collapse");

    @TempDir private Path folder;

    private static RunOptions patched(String name) throws IOException {
        Path file = RACE.resolve(name);
        ModelPatch patch = ModelPatch.parse(name, Files.readString(file));
        return RunOptions.DEFAULT.withPatches(List.of(patch));
    }

    private Answer stopped(
            TestRunner runner, Source test, RunOptions options, int executionsAtATime) {
        Path file = folder.resolve("saved");
        long end = executionsAtATime;
        Answer answer =
                step(
                        runner,
                        test,
                        options,
                        new CheckpointOptions(file, false, Duration.ofDays(1)),
                        end);
        while (!answer.exploration().complete()) {
            assertThat(answer.exploration().executions()).isEqualTo(end);
            end += executionsAtATime;
            answer =
                    step(
                            runner,
                            test,
                            options,
                            new CheckpointOptions(file, true, Duration.ofDays(1)),
                            end);
        }
        return answer;
    }

    private static Answer step(
            TestRunner runner,
            Source test,
            RunOptions options,
            CheckpointOptions saved,
            long executions) {
        Limits limits = options.limits().withMaxExecutions(executions);
        return runner.with(options.withLimits(limits).withCheckpoint(saved)).check(test);
    }

    private static void expectSame(Answer actual, Answer expected) {
        assertThat(actual.verdict()).isEqualTo(expected.verdict());
        assertThat(actual.positive()).isEqualTo(expected.positive());
        assertThat(actual.negative()).isEqualTo(expected.negative());
        assertThat(actual.states()).isEqualTo(expected.states());
        assertThat(actual.deadlocks()).isEqualTo(expected.deadlocks());
        assertThat(actual.violations()).isEqualTo(expected.violations());
        assertThat(actual.exploration().executions())
                .isEqualTo(expected.exploration().executions());
        assertThat(actual.exploration().steps()).isEqualTo(expected.exploration().steps());
    }

    @Test
    void conditions() throws IOException {
        Source test = Source.read(RACE.resolve("race.litmus"));
        RunOptions options = patched("before.patch");
        TestRunner runner = new TestRunner(options);
        expectSame(stopped(runner, test, options, 7), runner.check(test));
    }

    @Test
    void findings() throws IOException {
        Source test = Source.read(RACE.resolve("zap.litmus"));
        RunOptions options = patched("atomic-add.patch");
        TestRunner runner = new TestRunner(options);
        Answer expected = runner.check(test);
        assertThat(expected.violations()).isNotEmpty();
        expectSame(stopped(runner, test, options, 20), expected);
    }

    @Test
    void anotherModelCannotGoOn() throws IOException {
        Source test = Source.read(RACE.resolve("race.litmus"));
        Path file = folder.resolve("saved");
        RunOptions options = patched("before.patch");
        TestRunner runner = new TestRunner(options);
        step(runner, test, options, new CheckpointOptions(file, false, Duration.ofDays(1)), 3);
        CheckpointOptions resumed = new CheckpointOptions(file, true, Duration.ofDays(1));
        assertThatThrownBy(() -> step(runner, test, RunOptions.DEFAULT, resumed, 10))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("another test, configuration or build");
    }
}
