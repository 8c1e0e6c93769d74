// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

final class BenchTest {
    @TempDir private Path folder;
    private Cli cli;

    @BeforeEach
    void setUp() {
        cli = new Cli(folder);
    }

    @Test
    void exploresOnce() {
        assertThat(cli.run("bench", "--once", "lastzero:5", "peterson", "casw:2")).isZero();
        assertThat(cli.out().lines().map(line -> line.replaceAll("[\\d.]+(E-\\d)? s", "T s")))
                .containsExactly(
                        "lastzero:5: 64 executions, 0 blocked, T s",
                        "peterson: 4 executions, 4 blocked, T s",
                        "casw:2: 6 executions, 0 blocked, T s");
    }

    @Test
    void severalWorkersFindAsMany() {
        assertThat(cli.run("bench", "--once", "--workers", "2", "lastzero:13")).isZero();
        assertThat(cli.out()).startsWith("lastzero:13: 32768 executions, 0 blocked, ");
        assertThat(cli.run("bench", "--workers", "5000", "mp")).isEqualTo(2);
    }

    @Test
    void theParsimoniousStrategyFindsAsMany() {
        assertThat(cli.run("bench", "--once", "--strategy", "pop", "lastzero:13")).isZero();
        assertThat(cli.out()).startsWith("lastzero:13: 32768 executions, 0 blocked, ");
        assertThat(cli.run("bench", "--strategy", "pct", "mp")).isEqualTo(2);
        assertThat(cli.err()).contains("there are dpor and pop");
    }

    @Test
    void exploresTheWholeTableAndFindsThePublishedCounts() {
        assertThat(cli.run("bench", "--once", "dpor")).isZero();
        assertThat(cli.out().lines())
                .hasSizeGreaterThan(60)
                .noneMatch(line -> line.contains("but"));
    }

    @Test
    void measuresAProgramAndATest() throws IOException {
        Path test =
                cli.file(
                        "a.litmus",
                        """
                        C a

                        {}

                        P0(int *x) { WRITE_ONCE(*x, 1); }

                        P1(int *x) { int r0; r0 = READ_ONCE(*x); }

                        exists (1:r0=1)
                        """);
        Path json = folder.resolve("out.json");
        assertThat(cli.run("bench", "--seconds", "20ms", "--json", json, "ainc:3", test)).isZero();
        assertThat(cli.out().lines().map(line -> line.replaceAll(" +[\\d.]+ .*", "")))
                .hasSize(3)
                .first(org.assertj.core.api.InstanceOfAssertFactories.STRING)
                .contains("exec/s");
        List<String> lines = Files.readAllLines(json);
        assertThat(lines.getFirst())
                .startsWith("{\"cold\":{\"program\":\"ainc:3\",\"executions\":6,\"blocked\":0,")
                .contains("\"nanosPerStep\":");
        assertThat(lines.getLast()).contains("a.litmus\",\"executions\":2,");
    }

    @Test
    void trainsWithoutAWord() throws IOException {
        cli.test("races/gup-fast-vs-collapse/race.litmus", "never", "Result: Never");
        assertThat(cli.run("train")).isZero();
        assertThat(cli.out() + cli.err()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    lastzer | there is no program 'lastzer'
                    lastzer:3 | there is no program 'lastzer'
                    lastzero:x | 'x' is not a size
                    lastzero:-1 | '-1' is not a size
                    filesystem:27 | filesystem:27: there is no such size
                    no.litmus | no such file or folder
                    """)
    void whatThereIsNotIsSaid(String word, String message) {
        assertThat(cli.run("bench", "--once", word)).isEqualTo(2);
        assertThat(cli.err()).contains(message).contains("hint: ");
        assertThat(cli.err().lines()).hasSize(2);
    }
}
