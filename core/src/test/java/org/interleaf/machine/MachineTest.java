// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

final class MachineTest {
    private final Trial trial = new Trial(2);
    private final Machine machine = trial.machine;
    private final Word x = trial.word("x", 0);
    private final Word y = trial.word("y", 0);

    @Test
    void theSetUpIsWhereEveryExecutionStartsFrom() {
        x.writeOnce(5);
        List<Long> found = new ArrayList<>();
        trial.task(0, () -> found.add(x.fetchAdd(1, Order.FULL)));
        trial.task(1, () -> found.add(x.fetchAdd(10, Order.FULL)));
        assertThat(trial.outcomes(x::toString)).containsExactly("x=16");
        assertThat(found).containsExactlyInAnyOrder(5L, 6L, 5L, 15L);
    }

    @Test
    void twoExplorationsOfOneMachineAreTheSame() {
        Ref<Thing> head = new Ref<>(machine, Thing.class, null, "head", -1);
        Mutex mutex = new Mutex(machine, null, "mutex");
        for (int cpu = 0; cpu < 2; cpu++) {
            trial.task(
                    cpu,
                    () -> {
                        mutex.lock();
                        Thing old = head.readOnce();
                        head.writeOnce(new Thing(machine, x.fetchAdd(1, Order.FULL)));
                        mutex.unlock();
                        if (old != null) {
                            y.writeOnce(old.word.readOnce());
                            machine.rcu().call(() -> old.word.writeOnce(-1));
                        }
                    });
        }
        Set<String> outcomes = trial.outcomes(() -> x + " " + y + " " + head.word().peek());
        List<String> once = trial.explore();
        List<String> twice = trial.explore();
        assertThat(new TreeSet<>(once)).isEqualTo(outcomes);
        assertThat(once).hasSizeGreaterThan(1).isEqualTo(twice);
    }

    /// Made by a running task.
    private static final class Thing extends Shared {
        final Word word;

        Thing(Machine machine, long initial) {
            super(machine);
            word = machine.word(null, this, "word", -1, initial);
        }
    }

    @Test
    void wordsThatATaskMakesAreTheSameLocationsInEveryInterleaving() {
        Set<String> ids = new TreeSet<>();
        for (int cpu = 0; cpu < 2; cpu++) {
            int c = cpu;
            trial.task(
                    cpu,
                    () -> {
                        x.fetchAdd(1, Order.FULL);
                        ids.add(c + " " + machine.word("mine", 7).id());
                        y.fetchAdd(1, Order.FULL);
                        Word second = machine.word("mine too", 8);
                        ids.add(c + " " + second.id() + "=" + second.readOnce());
                        second.writeOnce(9);
                    });
        }
        assertThat(trial.outcomes(() -> "")).containsExactly("");
        assertThat(ids).hasSize(4);
    }

    @Test
    void aWordThatIsMadeAgainShowsItsValuesAsItsNewOwnerWants() {
        Word[] last = new Word[1];
        trial.task(
                0,
                () -> {
                    Word word = machine.word("word", 1);
                    if (x.readOnce() == 0) {
                        word.format(value -> "one");
                    }
                    last[0] = word;
                });
        trial.task(1, () -> x.writeOnce(1));
        assertThat(trial.outcomes(() -> x.peek() + " " + last[0])).contains("1 word=one");
        assertThat(trial.explore()).containsExactlyInAnyOrder("1 word=one", "1 word=1");
    }

    @Test
    void aTaskThatCrashesIsReportedAndItsLocksStayHeld() {
        SpinLock lock = new SpinLock(machine, null, null, "lock");
        trial.task(
                0,
                () -> {
                    lock.lock();
                    throw new IllegalStateException("null pointer");
                });
        trial.task(
                1,
                () -> {
                    lock.lock();
                    lock.unlock();
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("crash", "crash deadlock");
    }

    @Test
    void aTaskThatIsKilledSaysNoMore() {
        trial.task(
                0,
                () -> {
                    x.writeOnce(1);
                    throw TaskKilled.INSTANCE;
                });
        assertThat(trial.outcomes(x::toString)).containsExactly("x=1");
    }

    @Test
    void theSetUpCannotWait() {
        assertThatThrownBy(() -> x.await(-1, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("wait forever for x");
    }

    @Test
    void tasksCannotBeSpawnedLate() {
        machine.seal();
        assertThatThrownBy(() -> trial.task(0, () -> {})).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void oneStepTouchesALocationOnce() {
        assertThatThrownBy(() -> machine.access(x, Op.LOAD, Order.ONCE, 0, 0, x, true))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("touches x twice");
    }
}
