// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WaitQueueTest {
    private final Trial trial = new Trial(2);
    private final WaitQueue queue = new WaitQueue(trial.machine, null, "queue");
    private final Word condition = trial.word("condition", 0);

    private void wakeUp() {
        condition.writeOnce(1);
        queue.wakeAll();
    }

    @Test
    void aWakeUpIsLostWhereTheConditionIsCheckedBeforeQueueing() {
        trial.task(
                0,
                () -> {
                    if (condition.readOnce() == 0) {
                        queue.prepare();
                        queue.sleep();
                        queue.finish();
                    }
                });
        trial.task(1, this::wakeUp);
        assertThat(trial.outcomes(() -> "")).containsExactly("", "deadlock");
    }

    private void waitProperly() {
        queue.prepare();
        if (condition.readOnce() == 0) {
            queue.sleep();
        }
        queue.finish();
    }

    @Test
    void noWakeUpIsLostWhereTheConditionIsCheckedAfterQueueing() {
        trial.task(0, this::waitProperly).task(1, this::wakeUp);
        assertThat(trial.outcomes(() -> "")).containsExactly("");
    }

    @Test
    void allWaitersAreWoken() {
        trial.task(0, this::waitProperly).task(1, this::waitProperly).task(1, this::wakeUp);
        assertThat(trial.outcomes(() -> "")).containsExactly("");
    }

    @Test
    void aWakerMayLookWhetherAnybodyWaits() {
        trial.task(0, this::waitProperly);
        trial.task(
                1,
                () -> {
                    condition.writeOnce(1);
                    if (queue.active()) {
                        queue.wakeAll();
                    }
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("");
    }

    @Test
    void aWakerThatLooksBeforeItSetsTheConditionLosesAWakeUp() {
        trial.task(0, this::waitProperly);
        trial.task(
                1,
                () -> {
                    boolean active = queue.active();
                    condition.writeOnce(1);
                    if (active) {
                        queue.wakeAll();
                    }
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("", "deadlock");
    }
}
