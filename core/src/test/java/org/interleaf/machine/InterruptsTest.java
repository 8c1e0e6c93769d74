// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class InterruptsTest {
    private static final long CPU0 = 1;
    private static final long CPU1 = 2;

    private final Trial trial = new Trial(2);
    private final Machine machine = trial.machine;
    private final Word x = trial.word("x", 0);
    private final Word r1 = trial.word("r1", -1);
    private final Word r2 = trial.word("r2", -1);

    private void readTwice() {
        r1.poke(x.readOnce());
        r2.poke(x.readOnce());
    }

    @Test
    void aHandlerRunsBetweenTwoAccessesOfTheTaskThere() {
        trial.task(0, this::readTwice);
        trial.task(1, () -> machine.ipi().call(CPU0, cpu -> x.writeOnce(1), true));
        assertThat(trial.outcomes(() -> r1 + " " + r2))
                .containsExactly("r1=0 r2=0", "r1=0 r2=1", "r1=1 r2=1");
    }

    @Test
    void aHandlerDoesNotRunWhileInterruptsAreOff() {
        trial.task(
                0,
                () -> {
                    machine.cpu().irqSave();
                    readTwice();
                    machine.cpu().irqRestore();
                });
        trial.task(1, () -> machine.ipi().call(CPU0, cpu -> x.writeOnce(1), true));
        assertThat(trial.outcomes(() -> r1 + " " + r2)).containsExactly("r1=0 r2=0", "r1=1 r2=1");
    }

    /// P0 looks, inside an interrupts-off section, whether the sender's call has returned. The
    /// sender calls only once it has seen the section begin.
    private void lookForTheEndOfACall(boolean wait) {
        Word begun = trial.word("begun", 0);
        trial.task(
                0,
                () -> {
                    machine.cpu().irqSave();
                    begun.writeOnce(1);
                    r1.poke(x.readOnce());
                    machine.cpu().irqRestore();
                });
        trial.task(
                1,
                () -> {
                    begun.await(-1, 1);
                    machine.ipi().call(CPU0, cpu -> r2.readOnce(), wait);
                    x.writeOnce(1);
                });
    }

    @Test
    void aSenderThatWaitsWaitsForACpuWithInterruptsOff() {
        lookForTheEndOfACall(true);
        assertThat(trial.outcomes(r1::toString)).containsExactly("r1=0");
    }

    @Test
    void aSenderThatDoesNotWaitGoesOn() {
        lookForTheEndOfACall(false);
        assertThat(trial.outcomes(r1::toString)).containsExactly("r1=0", "r1=1");
    }

    @Test
    void interruptsOffNests() {
        trial.task(
                0,
                () -> {
                    machine.cpu().irqSave();
                    machine.cpu().irqSave();
                    machine.cpu().irqRestore();
                    readTwice();
                    machine.cpu().irqRestore();
                });
        trial.task(1, () -> machine.ipi().call(CPU0, cpu -> x.writeOnce(1), true));
        assertThat(trial.outcomes(() -> r1 + " " + r2)).containsExactly("r1=0 r2=0", "r1=1 r2=1");
    }

    @Test
    void theSendersOwnCpuIsLeftOut() {
        trial.task(
                0, () -> machine.ipi().call(CPU0 | CPU1, cpu -> x.fetchAdd(1, Order.FULL), true));
        assertThat(trial.outcomes(x::toString)).containsExactly("x=1");
    }

    @Test
    void everyCallRunsThoughTwoTasksOfACpuSendAtOnce() {
        for (int i = 0; i < 2; i++) {
            trial.task(0, () -> machine.ipi().call(CPU1, cpu -> x.fetchAdd(1, Order.FULL), true));
        }
        assertThat(trial.outcomes(x::toString)).containsExactly("x=2");
    }

    @Test
    void sendersWithInterruptsOffAreToldAndDeadlock() {
        for (int cpu = 0; cpu < 2; cpu++) {
            long other = CPU0 + CPU1 - (1L << cpu);
            trial.task(
                    cpu,
                    () -> {
                        machine.cpu().irqSave();
                        machine.ipi().call(other, c -> x.readOnce(), true);
                        machine.cpu().irqRestore();
                    });
        }
        assertThat(trial.outcomes(() -> ""))
                .containsExactly("WARNING WARNING", "WARNING WARNING deadlock");
    }

    @Test
    void aDaemonAtRestStandsBeforeItsTriggerAlone() {
        Word beside = trial.word("beside", 0);
        Ipi.Handler handler = c -> machine.access(x, Op.LOAD, Order.ONCE, 0, 0, beside, true);
        trial.task(1, () -> machine.ipi().call(CPU0, handler, true));
        trial.task(0, () -> r1.poke(beside.readOnce()));
        Task daemon = machine.tasks().getFirst();
        assertThat(trial.outcomes(() -> daemon + " " + daemon.extra()))
                .containsExactly("irq/0 null");
    }

    @Test
    void aSecondTaskOfTheCpuWaitsToTurnInterruptsOff() {
        Word inside = trial.word("inside", 0);
        for (int i = 0; i < 2; i++) {
            trial.task(
                    0,
                    () -> {
                        machine.cpu().irqSave();
                        long before = inside.fetchAdd(1, Order.FULL);
                        x.poke(Math.max(x.peek(), before));
                        inside.fetchAdd(-1, Order.FULL);
                        machine.cpu().irqRestore();
                    });
        }
        assertThat(trial.outcomes(x::toString)).containsExactly("x=0");
    }
}
