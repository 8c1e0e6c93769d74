// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Parsimonious;
import org.interleaf.explore.Strategy;
import org.interleaf.literature.Literature.Count;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The counts of executions on which Nidhugg's optimal algorithm and GenMC agree under sequential
/// consistency: ours must be the same, with nothing superfluous.
final class LiteratureTest {
    @TestFactory
    Stream<DynamicTest> exploresAsManyExecutionsAsPublished() {
        List<Count> rows = Literature.table();
        assertThat(rows).hasSizeGreaterThan(60);
        return Stream.of(new Exhaustive(), new Parsimonious())
                .flatMap(strategy -> rows.stream().map(row -> test(strategy, row)));
    }

    private static DynamicTest test(Strategy strategy, Count row) {
        return dynamicTest(
                row.name() + "(" + row.n() + "), " + strategy.describe(),
                () -> check(strategy, row, Equivalence.TRACE, row.executions()));
    }

    /// Counters that nobody reads are where the tables count more than makes a difference.
    @TestFactory
    Stream<DynamicTest> exploresFewerWhereUpdatesCommute() {
        return Literature.table().stream()
                .map(
                        row -> {
                            boolean counters = Set.of("ainc", "binc").contains(row.name());
                            long expected = counters ? 1 : row.executions();
                            return dynamicTest(
                                    row.name() + "(" + row.n() + ")",
                                    () -> checkUpdates(row, expected));
                        });
    }

    private static void checkUpdates(Count row, long executions) {
        check(new Exhaustive(), row, Equivalence.UPDATE, executions);
    }

    private static void check(
            Strategy strategy, Count row, Equivalence equivalence, long executions) {
        Scenario program = Literature.make(row.name(), row.n());
        Limits limits = Limits.NONE.withEquivalence(equivalence);
        Exploration found = strategy.explore(program, limits, "0000");
        assertThat(program.complete()).as("complete executions").isEqualTo(executions);
        assertThat(found.executions()).isEqualTo(program.complete() + program.blocked());
        assertThat(found.superfluous() + found.fruitless()).as("superfluous executions").isZero();
        assertThat(found.complete()).as("explored to the end").isTrue();
    }

    /// Counts that one can work out, at sizes that are in no table.
    @Test
    void otherSizesHaveTheirCountsToo() {
        for (int n = 1; n <= 6; n++) {
            assertThat(complete("sbring", n)).isEqualTo((1 << n) - 1);
            assertThat(complete("lbring", n)).isEqualTo((1 << n) - 1);
            assertThat(complete("readers", n)).isEqualTo(1 << n);
            assertThat(complete("ainc", n)).isEqualTo(factorial(n));
            assertThat(complete("mutexinc", n)).isEqualTo(factorial(n));
            assertThat(complete("spinlock", n)).isEqualTo(factorial(n));
            assertThat(complete("ticketlock", n)).isEqualTo(factorial(n));
            assertThat(complete("lastwrite", n)).isEqualTo(factorial(n));
            assertThat(complete("nwriters1reader", n)).isEqualTo(factorial(n + 1));
            assertThat(complete("floating_read", n)).isEqualTo(factorial(n + 1));
            assertThat(complete("circbuf", n)).isEqualTo(choose(2 * n, n));
            assertThat(complete("ssbexp", n)).isEqualTo(2L * n);
            assertThat(complete("seqlock", n)).isEqualTo(n + 1);
        }
        assertThat(complete("binc", 3)).isEqualTo(factorial(3) * factorial(3));
        assertThat(complete("lastzero", 7)).isEqualTo(32 * 10);
        assertThat(complete("sigma", 4)).isEqualTo(3 * 5 * 7);
        assertThat(complete("indexer", 11)).isEqualTo(1);
        assertThat(complete("filesystem", 26)).isEqualTo(1 << 13);
    }

    private static long factorial(int n) {
        return n < 2 ? 1 : n * factorial(n - 1);
    }

    private static long choose(int n, int k) {
        return factorial(n) / factorial(k) / factorial(n - k);
    }

    @Test
    void twoRunsOfWritesSeenByTwoReads() {
        // The writes in C(2n, n) orders, and two reads that come in order into 2n + 1 gaps.
        assertThat(complete("redundant_co", 2)).isEqualTo(6 * 15);
        assertThat(complete("redundant_co", 3)).isEqualTo(20 * 28);
        assertThat(complete("redundant_co", 5)).isEqualTo(252 * 66);
    }

    @ParameterizedTest
    @MethodSource("org.interleaf.literature.Literature#names")
    void everyProgramHasSmallSizes(String name) {
        int smallest = name.equals("ssbexp") ? 1 : 0;
        for (int n = smallest; n < 3; n++) {
            Limits limits = Limits.NONE.withMaxExecutions(1000);
            Exploration found = Explorer.explore(Literature.make(name, n), limits, "0000");
            assertThat(found.executions()).isPositive();
            assertThat(found.superfluous() + found.fruitless() + found.cut()).isZero();
        }
    }

    @Test
    void whatThereIsNotIsSaid() {
        assertThatThrownBy(() -> Literature.make("lastzer", 3))
                .isInstanceOf(LiteratureException.class)
                .hasMessageContaining("no program 'lastzer'")
                .hasMessageContaining("hint: there are mp, ");
        assertThatThrownBy(() -> Literature.make("filesystem", 27))
                .isInstanceOf(LiteratureException.class)
                .hasMessageContaining("filesystem:27: there is no such size")
                .hasMessageContaining("hint: it is from 0 to 26");
        assertThatThrownBy(() -> Literature.make("ssbexp", 0))
                .isInstanceOf(LiteratureException.class);
    }

    private static long complete(String name, int n) {
        Scenario program = Literature.make(name, n);
        Limits plain = Limits.NONE.withEquivalence(Equivalence.TRACE);
        Exploration found = Explorer.explore(program, plain, "0000");
        assertThat(found.superfluous() + found.fruitless()).isZero();
        return program.complete();
    }
}
