// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RcuTest {
    private final Trial trial = new Trial(2);
    private final Machine machine = trial.machine;
    private final Rcu rcu = machine.rcu();

    /// A pointer to an object, and the object's memory being free.
    private final Word pointer = trial.word("pointer", 1);

    private final Word freed = trial.word("freed", 0);
    private final Word seen = trial.word("seen", -1);

    /// Follows the pointer: `seen` becomes 1 if the object was freed meanwhile.
    private void follow() {
        if (pointer.readOnce() == 1) {
            seen.poke(freed.readOnce());
        }
    }

    private void read() {
        rcu.readLock();
        follow();
        rcu.readUnlock();
    }

    @Test
    void withoutAGracePeriodAReaderFindsTheObjectFreed() {
        trial.task(0, this::read);
        trial.task(
                1,
                () -> {
                    pointer.writeOnce(0);
                    freed.writeOnce(1);
                });
        assertThat(trial.outcomes(seen::toString)).containsExactly("seen=-1", "seen=0", "seen=1");
    }

    private void freeAfterAGracePeriod() {
        pointer.writeOnce(0);
        rcu.synchronize();
        freed.writeOnce(1);
    }

    @Test
    void synchronizeWaitsForReadSections() {
        trial.task(0, this::read).task(1, this::freeAfterAGracePeriod);
        assertThat(trial.outcomes(seen::toString)).containsExactly("seen=-1", "seen=0");
    }

    @Test
    void synchronizeWaitsForInterruptsOff() {
        trial.task(
                0,
                () -> {
                    machine.cpu().irqSave();
                    follow();
                    machine.cpu().irqRestore();
                });
        trial.task(1, this::freeAfterAGracePeriod);
        assertThat(trial.outcomes(seen::toString)).containsExactly("seen=-1", "seen=0");
    }

    @Test
    void readSectionsNest() {
        trial.task(
                0,
                () -> {
                    rcu.readLock();
                    read();
                    follow();
                    rcu.readUnlock();
                });
        trial.task(1, this::freeAfterAGracePeriod);
        assertThat(trial.outcomes(seen::toString)).containsExactly("seen=-1", "seen=0");
    }

    @Test
    void synchronizeDoesNotWaitForSectionsThatBeginLater() {
        Word done = trial.word("done", 0);
        trial.task(
                0,
                () -> {
                    rcu.readLock();
                    done.await(-1, 1);
                    rcu.readUnlock();
                });
        trial.task(
                1,
                () -> {
                    rcu.synchronize();
                    done.writeOnce(1);
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("", "deadlock");
    }

    @Test
    void aCallbackRunsAfterAGracePeriod() {
        trial.task(0, this::read);
        trial.task(
                1,
                () -> {
                    pointer.writeOnce(0);
                    rcu.call(() -> freed.writeOnce(1));
                });
        assertThat(trial.outcomes(() -> seen + " " + freed))
                .containsExactly("seen=-1 freed=1", "seen=0 freed=1");
    }

    @Test
    void callDoesNotWait() {
        trial.task(
                0,
                () -> {
                    rcu.readLock();
                    rcu.call(() -> freed.writeOnce(1));
                    seen.poke(freed.readOnce());
                    rcu.readUnlock();
                });
        assertThat(trial.outcomes(() -> seen + " " + freed)).containsExactly("seen=0 freed=1");
    }

    @Test
    void callbacksOfACpuRunInTheOrderOfTheCalls() {
        trial.task(
                0,
                () -> {
                    rcu.call(() -> freed.writeOnce(1));
                    rcu.call(() -> freed.writeOnce(2));
                });
        assertThat(trial.outcomes(freed::toString)).containsExactly("freed=2");
    }

    @Test
    void sleepingInAReadSectionIsReported() {
        trial.task(
                0,
                () -> {
                    rcu.readLock();
                    rcu.synchronize();
                    rcu.readUnlock();
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("sleeps");
    }

    @Test
    void endingASectionThatWasNotBegunIsReported() {
        trial.task(0, rcu::readUnlock);
        assertThat(trial.outcomes(() -> "")).containsExactly("WARNING");
    }
}
