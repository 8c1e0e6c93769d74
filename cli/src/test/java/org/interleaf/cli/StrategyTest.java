// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Parsimonious;
import org.interleaf.explore.Pct;
import org.interleaf.explore.PreemptionBounded;
import org.interleaf.explore.RandomWalk;
import org.interleaf.explore.Strategy;
import org.interleaf.run.RunOptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// How `check` goes through the interleavings, and how it tells how far it is.
final class StrategyTest {
    @TempDir private Path folder;
    private Cli cli;

    @BeforeEach
    void setUp() {
        cli = new Cli(folder);
    }

    private RunOptions options(String... args) throws IOException {
        List<Object> all = new ArrayList<>(List.of("check"));
        all.add(cli.test("t.litmus", "never", "Result: Never"));
        all.addAll(List.of(args));
        assertThat(cli.run(all.toArray())).isZero();
        return Objects.requireNonNull(cli.engine.last());
    }

    private Strategy strategy(String... args) throws IOException {
        return options(args).strategy();
    }

    @Test
    void strategiesHaveParametersAndDefaults() throws IOException {
        assertThat(strategy()).isEqualTo(new Exhaustive());
        assertThat(strategy("--strategy", "pop", "--equivalence", "trace"))
                .isEqualTo(new Parsimonious());
        assertThat(strategy("--strategy", "bounded"))
                .isEqualTo(new PreemptionBounded(PreemptionBounded.ANY));
        assertThat(strategy("--strategy", "bounded", "--preemptions", "0"))
                .isEqualTo(new PreemptionBounded(0));
        assertThat(strategy("--strategy", "pct")).isEqualTo(new Pct(3, 1));
        assertThat(strategy("--strategy", "pct", "--depth=2", "--seed=-7"))
                .isEqualTo(new Pct(2, -7));
        assertThat(strategy("--strategy", "random", "--seed=9")).isEqualTo(new RandomWalk(9));
    }

    @Test
    void aSampleHasALimitEvenIfNobodySetsOne() throws IOException {
        assertThat(options("--strategy", "random").limits().maxExecutions()).isEqualTo(100_000);
        assertThat(options().limits().maxExecutions()).isEqualTo(Long.MAX_VALUE);
        assertThat(options("--strategy", "pct", "--timeout", "1h").limits().maxExecutions())
                .isEqualTo(Long.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    --preemptions 1                      | --preemptions means nothing
                    --strategy pct --preemptions 1       | hint: add --strategy bounded
                    --strategy random --depth 2          | hint: add --strategy pct
                    --strategy bounded --seed 2          | hint: add --strategy pct or random
                    --strategy luck                      | there are dpor, pop, bounded, pct and
                    --strategy pop                       | hint: add --equivalence trace
                    --strategy bounded --preemptions -1  | is not a number from 1 on
                    --strategy pct --depth 0             | is not a number from 1 on
                    --strategy random --symmetry         | --symmetry means nothing
                    --strategy pct --depth 99999999      | --depth 99999999 is too large
                    """)
    void whatDoesNotFitTogetherIsRefused(String args, String message) throws IOException {
        List<Object> all = new ArrayList<>(List.of("check"));
        all.add(cli.test("t.litmus", "never", "Result: Never"));
        all.addAll(List.of(args.split(" ", -1)));
        assertThat(cli.run(all.toArray())).isEqualTo(2);
        assertThat(cli.err()).contains(message).contains("hint: ");
        assertThat(cli.engine.loaded).isEmpty();
    }

    @Test
    void aFindingThatIsDeclaredDecidesAlsoInASample() throws IOException {
        Path test = cli.test("t.litmus", "first", "Result: Sometimes");
        assertThat(cli.run("check", test)).isEqualTo(3);
        assertThat(cli.run("check", test, "--strategy", "random", "--seed", "3")).isZero();
        assertThat(cli.out()).contains("Strategy random, seed 3: 6 distinct traces\n");
        Path never = cli.test("u.litmus", "undecided", "Result: Never");
        assertThat(cli.run("check", never, "--strategy", "random")).isEqualTo(3);
    }

    @Test
    void progressIsALineOfJson() throws IOException {
        Path test = cli.test("t.litmus", "never", "Result: Never");
        Path file = folder.resolve("progress");
        assertThat(cli.run("check", test, "--progress", file)).isZero();
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(1);
        JsonObject line = JsonParser.parseString(lines.getFirst()).getAsJsonObject();
        assertThat(line.get("test").getAsString()).isEqualTo("t.litmus");
        assertThat(line.get("over").getAsBoolean()).isTrue();
        assertThat(line.get("executions").getAsLong()).isEqualTo(8);
        assertThat(line.get("fraction").isJsonNull()).isTrue();
        assertThat(cli.run("check", test, "--progress", "-")).isZero();
        assertThat(cli.err()).startsWith("{\"test\":\"t.litmus\"");
        assertThat(cli.run("check", test, "--progress", folder.resolve("no/such"))).isEqualTo(2);
        assertThat(cli.err()).contains("no/such: cannot be written");
    }

    @Test
    void whatIsOddAboutATestIsSaid() throws IOException {
        assertThat(cli.run("check", cli.test("t.litmus", "odd", "Result: Never"))).isZero();
        assertThat(cli.err()).isEqualTo(FakeEngine.WARNING + "\n");
    }
}
