// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// The counts of executions on which Nidhugg's optimal algorithm and GenMC agree under sequential
/// consistency: ours must be the same, with nothing superfluous.
final class LiteratureTest {
    private record Row(String program, int n, long executions) {
        static Row parse(String line) {
            String[] columns = line.split("\t", -1);
            return new Row(columns[0], Integer.parseInt(columns[1]), Long.parseLong(columns[2]));
        }
    }

    private static List<Row> table() throws IOException {
        try (InputStream in = LiteratureTest.class.getResourceAsStream("counts.tsv")) {
            byte[] bytes = Objects.requireNonNull(in).readAllBytes();
            return new String(bytes, StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .map(Row::parse)
                    .toList();
        }
    }

    @TestFactory
    Stream<DynamicTest> exploresAsManyExecutionsAsPublished() throws IOException {
        List<Row> rows = table();
        assertThat(rows).hasSizeGreaterThan(60);
        return rows.stream()
                .map(row -> dynamicTest(row.program + "(" + row.n + ")", () -> check(row)));
    }

    private static void check(Row row) {
        Scenario program = Literature.make(row.program, row.n);
        Exploration found = Explorer.explore(program, Limits.NONE, "0000");
        assertThat(program.complete).as("complete executions").isEqualTo(row.executions);
        assertThat(found.executions()).isEqualTo(program.complete + program.deadlocks);
        assertThat(found.superfluous()).as("superfluous executions").isZero();
        assertThat(found.complete()).as("explored to the end").isTrue();
    }

    @Test
    void twoRunsOfWritesSeenByTwoReads() {
        // The writes in C(2n, n) orders, and two reads that come in order into 2n + 1 gaps.
        assertThat(complete("redundant_co", 2)).isEqualTo(6 * 15);
        assertThat(complete("redundant_co", 3)).isEqualTo(20 * 28);
        assertThat(complete("redundant_co", 5)).isEqualTo(252 * 66);
    }

    private static long complete(String name, int n) {
        Scenario program = Literature.make(name, n);
        Exploration found = Explorer.explore(program, Limits.NONE, "0000");
        assertThat(found.superfluous()).isZero();
        return program.complete;
    }
}
