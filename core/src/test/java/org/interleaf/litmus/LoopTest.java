// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// Loops that wait are explored to the end; loops that do not end are reported.
final class LoopTest {
    private static String test(String p0, String p1) {
        return "C t\n{}\nP0(int *x, int *y)\n{\n"
                + p0
                + "\n}\nP1(int *x, int *y)\n{\n"
                + p1
                + "\n}\nlocations [x; y]\n";
    }

    @Test
    void aLoopThatWaitsForAFlagIsCompletelyExplored() {
        var result =
                Tests.explore(
                        test("*y = 7; *x = 1; *x = 2;", "while (READ_ONCE(*x) != 2) ; *y += 1;"));
        assertThat(result.complete()).isTrue();
        assertThat(result.program().deadlocks()).isZero();
        assertThat(result.states()).containsExactly("[x]=2; [y]=8;");
    }

    @Test
    void aRegisterThatIsSetInEachRoundDoesNotKeepTheLoopFromWaiting() {
        var result =
                Tests.explore(
                        test("*x = 3;", "int r; do { r = READ_ONCE(*x); } while (!r); *y = r;"));
        assertThat(result.complete()).isTrue();
        assertThat(result.states()).containsExactly("[x]=3; [y]=3;");
    }

    @Test
    void aFailedTrylockWaitsForTheUnlock() {
        String body = "while (!spin_trylock(l)) cpu_relax(); *n += 1; spin_unlock(l);";
        var result =
                Tests.explore(
                        "C t\n{}\nP0(spinlock_t *l, int *n) {"
                                + body
                                + "}\nP1(spinlock_t *l, int *n) {"
                                + body
                                + "}\nforall (n=2 /\\ l=0)\n");
        assertThat(result.complete()).isTrue();
        assertThat(result.verdict()).isEqualTo("Always");
    }

    @Test
    void waitingForWhatNobodyDoesIsADeadlock() {
        var result = Tests.explore(test("*x = 1;", "while (READ_ONCE(*x) != 2) ;"));
        assertThat(result.program().deadlocks()).isPositive();
        assertThat(result.program().cuts()).isZero();
        assertThat(result.states()).isEmpty();
    }

    @Test
    void anEmptyEndlessLoopIsADeadlock() {
        var result = Tests.explore(test("*x = 1;", "while (1) ;"));
        assertThat(result.program().deadlocks()).isPositive();
    }

    @Test
    void aLoopThatLooksAtTwoPlacesWaitsForEither() {
        var result =
                Tests.explore(
                        test("*x = 1;", "while (READ_ONCE(*x) == 0 && READ_ONCE(*y) == 0) ;"));
        assertThat(result.program().cuts()).isZero();
        assertThat(result.complete()).isTrue();
        assertThat(result.states()).containsExactly("[x]=1; [y]=0;");
    }

    @Test
    void aLoopThatWritesForeverIsCut() {
        var result = Tests.explore(test("", "while (1) WRITE_ONCE(*x, 1);"));
        assertThat(result.program().cuts()).isPositive();
        assertThat(result.states()).isEmpty();
        assertThat(result.verdict()).isEqualTo("Undecided");
    }

    @Test
    void aLoopThatCountsForeverIsCut() {
        var result = Tests.explore(test("", "int i = 0; while (1) i++;"));
        assertThat(result.program().cuts()).isPositive();
        assertThat(result.verdict()).isEqualTo("Undecided");
    }

    @Test
    void aCutExecutionDoesNotPoisonTheNext() {
        var result =
                Tests.explore(
                        test(
                                "while (READ_ONCE(*x) == READ_ONCE(*y)) ;",
                                "if (!xchg(x, 1)) *y = 0;"));
        assertThat(result.program().cuts()).isZero();
        assertThat(result.program().deadlocks()).isZero();
        assertThat(result.states()).containsExactly("[x]=1; [y]=0;");
    }

    @Test
    void aCompareAndSwapIsTriedAgainOnlyWhereItCanSucceed() {
        String add = "int r; do { r = READ_ONCE(*x); } while (cmpxchg(x, r, r + 1) != r);";
        var result = Tests.explore(test(add, add));
        assertThat(result.complete()).isTrue();
        assertThat(result.states()).containsExactly("[x]=2; [y]=0;");
    }

    @Test
    void aLoopInALoopWaitsForWhatEndsBoth() {
        String lock = "do { while (READ_ONCE(*x)) cpu_relax(); } while (xchg(x, 1));";
        String body = lock + " *y += 1; WRITE_ONCE(*x, 0);";
        var result = Tests.explore(test(body, body));
        assertThat(result.complete()).isTrue();
        assertThat(result.program().deadlocks()).isZero();
        assertThat(result.states()).containsExactly("[x]=0; [y]=2;");
    }
}
