// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;

/// Programs whose tasks are identical, explored with symmetry.
final class IdenticalTasksTest {
    private static final Limits PLAIN = Limits.NONE.withEquivalence(Equivalence.TRACE);
    private static final Limits SYMMETRIC = PLAIN.withSymmetry(true);

    /// Where the first accesses conflict with each other, all orders of them are different traces,
    /// and one of n! is explored: binc(5) has 5! * 5! traces. Of the readers of one write, only it
    /// matters how many come first.
    @ParameterizedTest
    @CsvSource({
        "ainc, 8, 1, 40320",
        "binc, 5, 120, 14400",
        "mutexinc, 7, 1, 5040",
        "spinlock, 4, 1, 24",
        "ticketlock, 4, 1, 24",
        "nwriters1reader, 7, 8, 40320",
        "floating_read, 6, 7, 5040",
        "readers, 13, 14, 8192",
        "readers, 20, 21, 1048576",
        "co2_2w, 4, 105, 2520",
        "race_param, 4, 1667, 3334",
        "redundant_co, 5, 8316, 16632",
        "opt_lock, 3, 63, 126",
    })
    void oneOfThoseThatDifferInWhoIsWho(String name, int n, long executions, long all) {
        Exploration found = explore(name, n, SYMMETRIC);
        assertThat(found.executions()).isEqualTo(executions);
        assertThat(found.represented()).isEqualTo(all);
        assertThat(found.superfluous()).isZero();
        assertThat(found.complete()).isTrue();
    }

    /// The counts that are published, of executions few of which are made.
    @ParameterizedTest
    @MethodSource("org.interleaf.literature.Literature#names")
    void thoseThatAreLeftOutAreCounted(String name) {
        for (int n = 1; n <= 3; n++) {
            if (Literature.make(name, n).machine().alike().isEmpty()) {
                continue;
            }
            for (Equivalence equivalence : Equivalence.values()) {
                Limits few = PLAIN.withEquivalence(equivalence).withMaxExecutions(2_000);
                Exploration all = explore(name, n, few);
                if (!all.complete()) {
                    continue;
                }
                Exploration some = explore(name, n, SYMMETRIC.withEquivalence(equivalence));
                assertThat(some.represented()).isEqualTo(all.executions());
                assertThat(some.executions()).isLessThanOrEqualTo(all.executions());
                assertThat(some.superfluous()).isZero();
            }
        }
    }

    private static Exploration explore(String name, int n, Limits limits) {
        return Explorer.explore(Literature.make(name, n), limits, "0000");
    }

    @Test
    void whoSharesACpuWithSomebodyElseIsNotLikeTheOthers() {
        Machine machine = new Machine(2);
        Word x = machine.word("x", 0);
        Task first = machine.spawn("P0", 0, () -> x.writeOnce(1));
        Task second = machine.spawn("P1", 1, () -> x.writeOnce(1));
        machine.spawn("P2", 1, x::readOnce);
        machine.identical(first, second);
        assertThatThrownBy(machine::seal)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("P0, P1 are not identical: CPU 1 also runs P2");
    }

    @Test
    void tasksThatAreNotIdenticalAreNoticed() {
        Scenario program = new Scenario(1);
        Word x = program.word("x", 0);
        Word y = program.word("y", 0);
        List<Word> waitedFor = List.of(x, y);
        program.identicalTasks(2, i -> () -> waitedFor.get(i).await(-1, 1));
        program.task(() -> y.writeOnce(1));
        program.seal();
        assertThatThrownBy(() -> Explorer.explore(program, SYMMETRIC, "0000"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("P1 could begin where a task that it was declared identical");
        assertThatThrownBy(() -> program.machine().identical(program.machine().tasks().getLast()))
                .isInstanceOf(IllegalStateException.class);
    }
}
