// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RegionTest {
    private final Trial trial = new Trial(2);
    private final Machine machine = trial.machine;
    private final Region region = new Region(machine);
    private final Word field = machine.word(region, null, "field", -1, 0);

    @Test
    void aUseAfterFreeIsSeenInTheInterleavingsThatHaveIt() {
        region.allocate();
        trial.task(0, field::readOnce).task(1, region::free);
        assertThat(trial.outcomes(() -> "")).containsExactly("", "use-after-free");
    }

    @Test
    void aUseThatComesFirstForSureIsNone() {
        region.allocate();
        Word done = trial.word("done", 0);
        trial.task(
                0,
                () -> {
                    field.readOnce();
                    done.storeRelease(1);
                });
        trial.task(
                1,
                () -> {
                    done.await(-1, 1);
                    region.free();
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("");
    }

    @Test
    void aFreedObjectMayBeAllocatedAgain() {
        region.allocate();
        trial.task(0, field::readOnce);
        trial.task(
                1,
                () -> {
                    region.free();
                    region.allocate();
                });
        assertThat(trial.outcomes(() -> "")).containsExactly("", "use-after-free");
    }

    @Test
    void freeingTwiceIsReported() {
        region.allocate();
        trial.task(0, region::free).task(1, region::free);
        assertThat(trial.outcomes(() -> "")).containsExactly("double-free");
    }

    @Test
    void aLockDiesWithItsObject() {
        region.allocate();
        SpinLock lock = new SpinLock(machine, region, null, "lock");
        trial.task(
                0,
                () -> {
                    lock.lock();
                    lock.unlock();
                });
        trial.task(1, region::free);
        assertThat(trial.outcomes(() -> ""))
                .containsExactly("", "use-after-free", "use-after-free use-after-free");
    }
}
