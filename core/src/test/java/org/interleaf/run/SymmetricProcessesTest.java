// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Objects;

/// Litmus tests some of whose processes are written the same: the answer is that of all executions.
final class SymmetricProcessesTest {
    private static final String COUNTERS =
            """
            C counters
            {}
            P0(int *x) { int r0; int r1; r0 = atomic_inc_return(x); r1 = READ_ONCE(*x); }
            P1(int *x) { int r0; int r1; r0 = atomic_inc_return(x); r1 = READ_ONCE(*x); }
            P2(int *x) {
                int r0; int r1; /* the same */
                r0 = atomic_inc_return(x);
                r1 = READ_ONCE(*x);
            }
            P3(int *x, spinlock_t *s) { spin_lock(s); WRITE_ONCE(*x, 0); spin_unlock(s); }
            P4(int *x, spinlock_t *s) { spin_lock(s); WRITE_ONCE(*x, 0); spin_unlock(s); }
            """;

    private static Answer check(String text, boolean symmetry, int workers) {
        Limits limits = Limits.NONE.withSymmetry(symmetry);
        RunOptions options = RunOptions.DEFAULT.withLimits(limits).withWorkers(workers);
        return new TestRunner(options).check(Source.of("a.litmus", text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "exists (2:r0=1 /\\ 1:r0=3 /\\ 0:r1=0)",
                "locations [x; 1:r0;] exists (0:r1=3)",
                "forall (~(0:r0=1 /\\ 2:r0=1) \\/ x=2)",
                "~exists (0:r0=0)",
                "locations [0:r0; 1:r0; 2:r0;] exists (x=3)",
            })
    void answersAreThoseOfAllExecutions(String condition) {
        Answer all = check(COUNTERS + condition, false, 1);
        for (int workers = 1; workers <= 2; workers++) {
            Answer some = check(COUNTERS + condition, true, workers);
            assertThat(some.states()).isEqualTo(all.states());
            assertThat(some.verdict()).isEqualTo(all.verdict());
            assertThat(some.positive()).isEqualTo(all.positive());
            assertThat(some.negative()).isEqualTo(all.negative());
            assertThat(some.exploration().represented()).isEqualTo(all.exploration().executions());
            assertThat(some.exploration().executions())
                    .isLessThan(all.exploration().executions() / 6);
            assertThat(some.warnings()).isEmpty();
        }
    }

    /// The explored execution has P0 and P1 the other way round.
    @Test
    void theWitnessIsOneOfTheConditionAsItIs() {
        String text =
                """
                C order
                {}
                P0(int *x) { int r0; r0 = atomic_inc_return(x); }
                P1(int *x) { int r0; r0 = atomic_inc_return(x); }
                exists (0:r0=2 /\\ 1:r0=1)
                """;
        Answer answer = check(text, true, 1);
        assertThat(answer.exploration().executions()).isEqualTo(1);
        assertThat(answer.positive()).isEqualTo(1);
        assertThat(answer.negative()).isEqualTo(1);
        Schedule witness = Objects.requireNonNull(answer.witness());
        assertThat(witness.task(0)).isEqualTo(1);
        Recording recording =
                new TestRunner(RunOptions.DEFAULT).replay(Source.of("a.litmus", text), witness);
        assertThat(recording.finalState()).isEqualTo("0:r0=2; 1:r0=1;");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "C a\n{}\nP0(int *x) { WRITE_ONCE(*x, 1); }\nP1(int *x) { WRITE_ONCE(*x, 2); }"
                        + " exists (x=1) # no two processes are written the same",
                "C a\n{ int 0:r0 = 1; }\nP0(int *x) { WRITE_ONCE(*x, r0); }"
                        + " P1(int *x) { WRITE_ONCE(*x, r0); } exists (x=1) # begin the same",
                "C a\n{}\nP0(int *x) { int r0 = READ_ONCE(*x); }"
                        + " P1(int *x) { int r0 = READ_ONCE(*x); }"
                        + " filter (0:r0=0) exists (x=0) # are the same to the filter",
                "C a\n{}\nP0(int *x) { rcu_read_lock(); WRITE_ONCE(*x, 1); rcu_read_unlock(); }"
                        + " P1(int *x) { rcu_read_lock(); WRITE_ONCE(*x, 1); rcu_read_unlock(); }"
                        + " P2(int *x) { synchronize_rcu(); } exists (x=1)"
                        + " # `synchronize_rcu` has somebody look at the readers one after",
            })
    void whatIsNotSymmetricIsExploredInFull(String textAndWhy) {
        String[] parts = textAndWhy.split(" # ", -1);
        Answer all = check(parts[0], false, 1);
        Answer same = check(parts[0], true, 1);
        assertThat(same.exploration().executions()).isEqualTo(all.exploration().executions());
        assertThat(same.warnings().getLast())
                .startsWith("a.litmus:")
                .contains("warning: all is explored, without --symmetry: ")
                .contains(parts[1]);
    }

    @Test
    void whatCutsAnExecutionIsSaid() {
        String text =
                """
                C undone
                {}
                P0(int *x) {
                    int r0 = 0;
                    while (r0 == 0) {
                        atomic_add(2, x);
                        WRITE_ONCE(*x, 0);
                    }
                }
                exists (x=7)
                """;
        Answer answer = check(text, false, 1);
        assertThat(answer.exploration().complete()).isFalse();
        assertThat(answer.bounds()).containsExactly("loop at a.litmus:5 made 16 rounds");
    }
}
