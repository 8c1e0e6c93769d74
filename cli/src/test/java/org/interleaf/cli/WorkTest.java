// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.run.CheckpointOptions;
import org.interleaf.run.RunOptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Who does the work of `check`, and where it is kept safe.
final class WorkTest {
    @TempDir private Path folder;
    private Cli cli;

    @BeforeEach
    void setUp() {
        cli = new Cli(folder);
    }

    private int check(String... args) throws IOException {
        List<Object> all = new ArrayList<>(List.of("check"));
        all.add(cli.test("t.litmus", "never", "Result: Never"));
        all.addAll(List.of(args));
        return cli.run(all.toArray());
    }

    private RunOptions options(String... args) throws IOException {
        assertThat(check(args)).isZero();
        return Objects.requireNonNull(cli.engine.last());
    }

    @Test
    void oneWorkerACoreUnlessAskedOtherwise() throws IOException {
        assertThat(options().workers()).isEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(options("--workers", "7").workers()).isEqualTo(7);
    }

    @Test
    void nothingIsSavedUnlessAskedFor() throws IOException {
        assertThat(options().checkpoint()).isNull();
        assertThat(options("--checkpoint", "a"))
                .extracting(RunOptions::checkpoint)
                .isEqualTo(
                        new CheckpointOptions(
                                Path.of("a"), false, CheckpointOptions.USUAL_INTERVAL));
        assertThat(options("--resume", "a"))
                .extracting(RunOptions::checkpoint)
                .isEqualTo(
                        new CheckpointOptions(
                                Path.of("a"), true, CheckpointOptions.USUAL_INTERVAL));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    --workers 0                        | is not a number from 1 on
                    --workers 100000                   | are too many
                    --checkpoint a --resume a          | exclude each other
                    --resume a --strategy pct          | goes with --strategy dpor or pop only
                    """)
    void whatDoesNotFitTogetherIsRefused(String args, String message) throws IOException {
        assertThat(check(args.split(" ", -1))).isEqualTo(2);
        assertThat(cli.err()).contains(message).contains("hint: ");
    }

    @Test
    void aCheckpointIsForOneTest() throws IOException {
        Path other = cli.test("u.litmus", "never", "Result: Never");
        assertThat(check(other.toString(), "--checkpoint", "a")).isEqualTo(2);
        assertThat(cli.err()).contains("for a single test, not 2");
    }
}
