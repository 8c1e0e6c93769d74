// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.literature.Scenario;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Word;
import org.interleaf.trace.Schedule;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/// Schedules that fit are replayed by the cross-check of random programs; here are those that do
/// not.
final class ReplayTest {
    private final Scenario program = new Scenario(1);
    private final Word x = program.word("x", 0);
    private final List<String> ends = new ArrayList<>();

    ReplayTest() {
        Mutex mutex = program.mutex("mutex");
        program.task(
                () -> {
                    mutex.lock();
                    x.writeOnce(1);
                    mutex.unlock();
                });
        program.task(
                () -> {
                    mutex.lock();
                    x.writeOnce(x.readOnce() + 10);
                    mutex.unlock();
                });
        program.seal();
    }

    private Ending replay(String token) {
        Program watched =
                new Program() {
                    @Override
                    public Machine machine() {
                        return program.machine();
                    }

                    @Override
                    public void finished(Ending ending) {
                        ends.add(x + " " + ending.kind());
                    }
                };
        return Replay.run(watched, Schedule.parse(token));
    }

    @Test
    void aScheduleIsFollowed() {
        assertThat(replay("il1:test:0*3.1*4").kind()).isEqualTo(Ending.Kind.COMPLETE);
        assertThat(replay("il1:test:1*4.0*3").kind()).isEqualTo(Ending.Kind.COMPLETE);
        assertThat(ends).containsExactly("x=11 COMPLETE", "x=1 COMPLETE");
    }

    @Test
    void aScheduleThatEndsEarlyIsFollowedAsFarAsItGoes() {
        assertThat(replay("il1:test:0*2").kind()).isEqualTo(Ending.Kind.CUT);
        assertThat(ends).containsExactly("x=1 CUT");
    }

    @Test
    void aTaskThatWaitsIsNamedWithWhatItWaitsFor() {
        assertMisfit(
                "il1:test:0*2.1",
                2,
                "at step 2 it has P1 go, but it waits for mutex=locked; these could: P0");
    }

    @Test
    void aTaskThatHasEndedIsNamed() {
        assertMisfit(
                "il1:test:0*4.1*4", 3, "at step 3 it has P0 go, but it has ended; these could: P1");
    }

    @Test
    void aTaskThatDoesNotExistIsNamed() {
        assertMisfit(
                "il1:test:7",
                0,
                "at step 0 it has task 7 go, but of 2 tasks there is none such;"
                        + " these could: P0, P1");
    }

    @Test
    void aScheduleThatGoesOnAfterTheEndIsNone() {
        assertMisfit(
                "il1:test:0*3.1*5",
                7,
                "at step 7 it has P1 go, but it has ended; no task could go");
    }

    private void assertMisfit(String token, int step, String message) {
        assertThatThrownBy(() -> replay(token))
                .isInstanceOfSatisfying(
                        ReplayException.class, e -> assertThat(e.step()).isEqualTo(step))
                .hasMessageContaining(message);
        assertThat(ends).as("endings told").isEmpty();
    }
}
