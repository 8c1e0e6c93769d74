// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class LocksTest {
    private final Trial trial = new Trial(2);
    private final Machine machine = trial.machine;
    private final Word inside = trial.word("inside", 0);
    private final long[] most = new long[1];

    /// One that enters, looks how many are inside, and leaves.
    private void visit() {
        most[0] = Math.max(most[0], 1 + inside.fetchAdd(1, Order.FULL));
        inside.fetchAdd(-1, Order.FULL);
    }

    @Test
    void aSpinlockLetsOneIn() {
        SpinLock lock = new SpinLock(machine, null, null, "lock");
        for (int cpu = 0; cpu < 2; cpu++) {
            trial.task(
                    cpu,
                    () -> {
                        lock.lock();
                        visit();
                        lock.unlock();
                    });
        }
        assertThat(trial.outcomes(inside::toString)).containsExactly("inside=0");
        assertThat(most[0]).isEqualTo(1);
    }

    @Test
    void aTrylockFailsWhereTheLockIsHeld() {
        SpinLock lock = new SpinLock(machine, null, null, "lock");
        Word failures = trial.word("failures", 0);
        for (int cpu = 0; cpu < 2; cpu++) {
            trial.task(
                    cpu,
                    () -> {
                        if (lock.trylock()) {
                            visit();
                            lock.unlock();
                        } else {
                            failures.fetchAdd(1, Order.FULL);
                        }
                    });
        }
        assertThat(trial.outcomes(failures::toString)).containsExactly("failures=0", "failures=1");
        assertThat(most[0]).isEqualTo(1);
    }

    @Test
    void twoLocksTakenInOppositeOrdersDeadlock() {
        Mutex a = new Mutex(machine, null, "a");
        Mutex b = new Mutex(machine, null, "b");
        trial.task(0, () -> lockBoth(a, b)).task(1, () -> lockBoth(b, a));
        assertThat(trial.outcomes(() -> "")).containsExactly("", "deadlock");
    }

    private static void lockBoth(Mutex first, Mutex second) {
        first.lock();
        second.lock();
        second.unlock();
        first.unlock();
    }

    @Test
    void aBitLockLeavesTheOtherBitsAlone() {
        Word flags = trial.word("flags", 1);
        BitLock lock = new BitLock(machine, flags, 4, "PG_locked", true);
        trial.task(
                0,
                () -> {
                    lock.lock();
                    visit();
                    lock.unlock();
                });
        trial.task(1, () -> flags.fetchOr(2, Order.FULL));
        trial.task(
                1,
                () -> {
                    lock.waitUnlocked();
                    lock.lock();
                    visit();
                    lock.unlock();
                });
        assertThat(trial.outcomes(flags::toString)).containsExactly("flags=3");
        assertThat(most[0]).isEqualTo(1);
    }

    @Test
    void aSleepingLockInsideASpinlockIsReported() {
        SpinLock spin = new SpinLock(machine, null, null, "spin");
        Mutex mutex = new Mutex(machine, null, "mutex");
        trial.task(
                0,
                () -> {
                    spin.lock();
                    mutex.lock();
                    mutex.unlock();
                    spin.unlock();
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("sleeps");
    }

    @Test
    void givingBackALockThatIsNotHeldIsReported() {
        Mutex mutex = new Mutex(machine, null, "mutex");
        trial.task(0, mutex::unlock);
        assertThat(trial.outcomes(() -> "")).containsExactly("unheld");
    }

    @Test
    void readersOfAnRwsemShareIt() {
        RwSem sem = new RwSem(machine, null, null, "sem");
        for (int cpu = 0; cpu < 2; cpu++) {
            trial.task(
                    cpu,
                    () -> {
                        sem.downRead();
                        visit();
                        sem.upRead();
                    });
        }
        assertThat(trial.outcomes(() -> "")).containsExactly("");
        assertThat(most[0]).isEqualTo(2);
    }

    @Test
    void aWriterOfAnRwsemIsAlone() {
        RwSem sem = new RwSem(machine, null, null, "sem");
        trial.task(
                0,
                () -> {
                    sem.downRead();
                    visit();
                    sem.upRead();
                });
        for (int cpu = 0; cpu < 2; cpu++) {
            trial.task(
                    cpu,
                    () -> {
                        sem.downWrite();
                        visit();
                        sem.upWrite();
                    });
        }
        assertThat(trial.outcomes(() -> "")).containsExactly("");
        assertThat(most[0]).isEqualTo(1);
    }

    @Test
    void aSecondReadLockBehindAWaitingWriterDeadlocks() {
        RwSem sem = new RwSem(machine, null, null, "mmap_lock");
        trial.task(
                0,
                () -> {
                    sem.downRead();
                    sem.downRead();
                    sem.upRead();
                    sem.upRead();
                });
        trial.task(
                1,
                () -> {
                    sem.downWrite();
                    sem.upWrite();
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("", "deadlock");
    }

    @Test
    void aReadTrylockFailsBehindAWaitingWriterAndDoesNotDeadlock() {
        RwSem sem = new RwSem(machine, null, null, "mmap_lock");
        Word second = trial.word("second", -1);
        trial.task(
                0,
                () -> {
                    sem.downRead();
                    boolean taken = sem.downReadTrylock();
                    second.poke(taken ? 1 : 0);
                    if (taken) {
                        sem.upRead();
                    }
                    sem.upRead();
                });
        trial.task(
                1,
                () -> {
                    sem.downWrite();
                    sem.upWrite();
                });
        assertThat(trial.outcomes(second::toString)).containsExactly("second=0", "second=1");
    }

    @Test
    void aDowngradeLetsNoWriterIn() {
        RwSem sem = new RwSem(machine, null, null, "sem");
        Word x = trial.word("x", 0);
        Word seen = trial.word("seen", 0);
        trial.task(
                0,
                () -> {
                    sem.downWrite();
                    x.writeOnce(1);
                    sem.downgradeWrite();
                    seen.poke(x.readOnce());
                    sem.upRead();
                });
        trial.task(
                1,
                () -> {
                    sem.downWrite();
                    x.writeOnce(2);
                    sem.upWrite();
                });
        assertThat(trial.outcomes(() -> x + " " + seen))
                .containsExactly("x=1 seen=1", "x=2 seen=1");
    }
}
