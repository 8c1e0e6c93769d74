// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.trace.Violation;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

/// Data races in litmus tests, with `config kcsan=yes`.
final class KcsanTest {
    private static Answer check(String kcsan, String test) {
        Map<String, String> config = Map.of("kcsan", kcsan);
        return new TestRunner(RunOptions.DEFAULT.withConfig(config))
                .check(Source.of("t.litmus", "C t\n{}\n" + test + "\nforall (true)\n"));
    }

    private static List<String> races(String test) {
        return titles(check("yes", test));
    }

    private static List<String> titles(Answer answer) {
        assertThat(answer.exploration().complete()).isTrue();
        return answer.violations().stream().map(Violation::title).toList();
    }

    @Test
    void aPlainWriteRacesWithAMarkedRead() {
        String test =
                """
                P0(int *x) { *x = 1; }
                P1(int *x) { int r0 = READ_ONCE(*x); }\
                """;
        assertThat(races(test)).containsExactly("BUG: KCSAN: data-race P0 / P1");
        assertThat(titles(check("atomic-writes", test))).isEmpty();
        assertThat(titles(check("no", test))).isEmpty();
    }

    @Test
    void aPlainReadRacesWithAMarkedWrite() {
        String test =
                """
                P0(int *x) { WRITE_ONCE(*x, 1); }
                P1(int *x) { int r0 = *x; }\
                """;
        assertThat(races(test)).hasSize(1);
        assertThat(titles(check("atomic-writes", test))).hasSize(1);
    }

    @Test
    void twoMarkedAccessesDoNotRace() {
        assertThat(
                        races(
                                """
                                P0(int *x, atomic_t *n) { WRITE_ONCE(*x, 1); atomic_inc(n); }
                                P1(int *x, atomic_t *n) {
                                    int r0 = READ_ONCE(*x);
                                    int r1 = atomic_read(n);
                                }\
                                """))
                .isEmpty();
    }

    @Test
    void twoPlainReadsDoNotRace() {
        String test = "P0(int *x) { int r0 = *x; }\nP1(int *x) { int r0 = *x; }";
        assertThat(races(test)).isEmpty();
    }

    @Test
    void whatIsUnderDataRaceMayRace() {
        assertThat(
                        races(
                                """
                                P0(int *x) { WRITE_ONCE(*x, 1); }
                                P1(int *x) { int r0 = data_race(*x); }\
                                """))
                .isEmpty();
        assertThat(
                        races(
                                """
                                P0(int *x) { WRITE_ONCE(*x, 1); }
                                P1(int *x) { int r0 = data_race(*x) + *x; }\
                                """))
                .hasSize(1);
    }

    @Test
    void aLockOrders() {
        assertThat(
                        races(
                                """
                                P0(int *x, spinlock_t *l) { spin_lock(l); *x = 1; spin_unlock(l); }
                                P1(int *x, spinlock_t *l) { spin_lock(l); *x = 2; spin_unlock(l); }
                                """))
                .isEmpty();
    }

    @Test
    void readersOfARwsemDoNotOrderEachOther() {
        String test =
                """
                P0(int *x, struct rw_semaphore *s) { down_read(s); *x = 1; up_read(s); }
                P1(int *x, struct rw_semaphore *s) { down_KIND(s); *x = 2; up_KIND(s); }
                """;
        assertThat(races(test.replace("KIND", "read"))).hasSize(1);
        assertThat(races(test.replace("KIND", "write"))).isEmpty();
    }

    @Test
    void aMessageNeedsBothSides() {
        String test =
                """
                P0(int *x, int *y) { *x = 1; WRITE; }
                P1(int *x, int *y) { int r0 = READ; if (r0) { BARRIER; int r1 = *x; } }
                """;
        assertThat(
                        races(
                                message(
                                        test,
                                        "smp_store_release(y, 1)",
                                        "smp_load_acquire(y)",
                                        "barrier()")))
                .isEmpty();
        assertThat(races(message(test, "smp_store_release(y, 1)", "READ_ONCE(*y)", "smp_rmb()")))
                .isEmpty();
        assertThat(
                        races(
                                message(
                                        test,
                                        "smp_wmb(); WRITE_ONCE(*y, 1)",
                                        "smp_load_acquire(y)",
                                        "barrier()")))
                .isEmpty();
        assertThat(races(message(test, "WRITE_ONCE(*y, 1)", "smp_load_acquire(y)", "barrier()")))
                .hasSize(1);
        assertThat(races(message(test, "smp_store_release(y, 1)", "READ_ONCE(*y)", "barrier()")))
                .hasSize(1);
    }

    private static String message(String test, String write, String read, String barrier) {
        return test.replace("WRITE;", write + ";")
                .replace("READ;", read + ";")
                .replace("BARRIER", barrier);
    }

    @Test
    void aWriteThatDependsOnAReadComesAfterIt() {
        assertThat(
                        races(
                                """
                                P0(int *x, int *y) { int r0 = *x; smp_store_release(y, 1); }
                                P1(int *x, int *y) { int r0 = READ_ONCE(*y); if (r0) { *x = 1; } }
                                """))
                .isEmpty();
    }

    @Test
    void rcuPublishesAnObjectAndWaitsForItsReaders() {
        String test =
                """
                P0(int *x, int **p) { *x = 1; rcu_assign_pointer(*p, x); }
                P1(int **p) {
                    int r1 = 0;
                    rcu_read_lock();
                    int *r0 = DEREFERENCE(*p);
                    if (r0) { r1 = *r0; }
                    rcu_read_unlock();
                }
                """;
        assertThat(races(test.replace("DEREFERENCE", "rcu_dereference"))).isEmpty();
        assertThat(races(test.replace("DEREFERENCE", "READ_ONCE"))).isEmpty();
        assertThat(
                        races(
                                test.replace("rcu_assign_pointer(*p, x)", "WRITE_ONCE(*p, x)")
                                        .replace("DEREFERENCE", "rcu_dereference")))
                .hasSize(1);
    }

    @Test
    void whoSeesThatAWriteIsOverDoesNotRaceWithIt() {
        String test =
                """
                P0(int *x) { WRITE_ONCE(*x, 1); }
                P1(int *x) { int r1 = 0; int r0 = READ_ONCE(*x); if (r0) { BARRIER; r1 = *x; } }
                """;
        assertThat(races(test.replace("BARRIER", "smp_rmb()"))).isEmpty();
        assertThat(races(test.replace("BARRIER", "barrier()"))).hasSize(1);
    }

    @Test
    void aReportHasBothSides() {
        Answer answer =
                check(
                        "yes",
                        """
                        P0(int *x) { WRITE_ONCE(*x, 1); }
                        P1(int *x) { int r0 = *x; }
                        """);
        assertThat(answer.violations().getFirst().details())
                .contains("write (marked) to x by P0 on CPU 0:", "value changed: 0 -> 1")
                .contains("read to x by P1 on CPU 1:");
    }

    @Test
    void aWrongValueIsRefused() {
        assertThatThrownBy(() -> check("maybe", "P0(int *x) { *x = 1; }"))
                .isInstanceOf(LitmusException.class)
                .hasMessageContaining("unknown value `maybe` of `kcsan`");
    }
}
