// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.junit;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.experiment.Experiment;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;

/// What `@Explore` says of programs that are wrong, or too big, or no programs.
final class ExploreTest {
    /// Not found by the build: they fail, which is what they are for.
    static final class Programs {
        private static final String TOKEN = "il1:00000000:0*1";

        @Explore
        void deadlocks(Experiment test) {
            SpinLock a = test.spinLock("a");
            SpinLock b = test.spinLock("b");
            test.task("ab", () -> both(a, b));
            test.task("ba", () -> both(b, a));
        }

        private static void both(SpinLock first, SpinLock second) {
            first.lock();
            second.lock();
            second.unlock();
            first.unlock();
        }

        @Explore
        void throwsInTask(Experiment test) {
            Word x = test.word("x", 0);
            test.task(
                    "reads",
                    () -> {
                        if (x.readOnce() == 1) {
                            throw new IllegalStateException("x is 1");
                        }
                    });
            test.task("writes", () -> x.writeOnce(1));
        }

        @Explore(maxExecutions = 3)
        void isTooBig(Experiment test) {
            Word x = test.word("x", 0);
            for (int i = 0; i < 4; i++) {
                test.task("t" + i, () -> x.writeOnce(1));
            }
        }

        @Explore(maxSteps = 100)
        void hasNoEnd(Experiment test) {
            Word x = test.word("x", 0);
            test.task(
                    "spins",
                    () -> {
                        while (x.readOnce() == 0) {
                            x.peek();
                        }
                    });
        }

        @Explore(replay = TOKEN)
        void isAnother(Experiment test) {
            Word x = test.word("x", 0);
            test.task("task", () -> x.writeOnce(1));
        }

        @Explore(replay = "il1:13a68546:0*1.1*2.0*1")
        void isReplayed(Experiment test) {
            Word x = test.word("x", 0);
            test.task("one", () -> x.writeOnce(x.readOnce() + 1));
            test.task("two", () -> x.writeOnce(x.readOnce() + 1));
        }
    }

    private static String run(String method) {
        return Run.of(Programs.class, method);
    }

    @Test
    void aDeadlockIsAFailure() {
        assertThat(run("deadlocks")).contains("also found: DEADLOCK (il1:");
    }

    /// The order of locks is complained about in executions that do not come to a stop, too.
    @Test
    void anOrderThatCanDeadlockIsAFailure() {
        assertThat(run("deadlocks"))
                .startsWith("WARNING: possible circular locking dependency detected a -> b -> a\n");
    }

    @Test
    void whatATaskThrowsIsAFailure() {
        assertThat(run("throwsInTask"))
                .startsWith("Exception in reads\n")
                .contains("x is 1", "READ_ONCE(x) -> 1");
    }

    @Test
    void notHavingSeenAllIsAFailure() {
        assertThat(run("isTooBig")).startsWith("Undecided: ").contains("in 3 executions");
        assertThat(run("hasNoEnd")).startsWith("Undecided: ").contains("cut at maxSteps");
    }

    @Test
    void aTokenOfAnotherTestIsRefused() {
        assertThat(run("isAnother")).startsWith("the token is one of another test");
    }

    @Test
    void aTokenIsReplayed() {
        assertThat(run("isReplayed")).startsWith("one execution, replayed: nothing is wrong");
    }
}
