// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Program;
import org.interleaf.explore.Replay;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/// All interleavings of a random program that is small enough, by brute force: of each trace and of
/// each outcome the least that one of its interleavings needs. Traces are told apart as the
/// strategies do that these are compared with: updates that commute conflict.
final class Interleavings {
    private static final int MAX = 400;

    final Playground ground;
    final Map<TraceKey.Key, Integer> preemptionsOfTrace = new HashMap<>();
    final Map<TraceKey.Key, Integer> switchesOfTrace = new HashMap<>();
    final Map<String, Integer> switchesOfOutcome = new TreeMap<>();
    private final Playground other;
    private boolean stopsEarly;

    private Interleavings(RandomProgram program) {
        ground = new Playground(program, Equivalence.TRACE);
        other = new Playground(program, Equivalence.TRACE);
    }

    /// Null where there are too many, or loops are cut or begun in vain.
    static @Nullable Interleavings of(RandomProgram program) {
        Interleavings all = new Interleavings(program);
        boolean few = BruteForce.explore(all.ground.machine, all::enter, MAX);
        return few && !all.stopsEarly ? all : null;
    }

    private void enter() {
        Ending.Kind kind = Ending.Kind.of(ground.machine);
        stopsEarly |= kind == Ending.Kind.CUT || kind == Ending.Kind.FRUITLESS;
        Schedule schedule = new Schedule("", ground.went());
        preemptionsOfTrace.merge(ground.trace(), preemptions(schedule), Integer::min);
        switchesOfTrace.merge(ground.trace(), schedule.switches(), Integer::min);
        switchesOfOutcome.merge(ground.outcome(), schedule.switches(), Integer::min);
    }

    /// How often `schedule` takes the turn from a task that could have gone on.
    int preemptions(Schedule schedule) {
        int[] count = new int[1];
        Replay.run(program(other, () -> {}), schedule, director -> new Meter(director, count));
        return count[0];
    }

    static Program program(Playground ground, Runnable atEnd) {
        return new Program() {
            @Override
            public Machine machine() {
                return ground.machine;
            }

            @Override
            public void finished(Ending ending) {
                atEnd.run();
            }
        };
    }

    private static final class Meter implements Scheduler {
        private final Scheduler director;
        private final int[] count;
        private @Nullable Task last;

        Meter(Scheduler director, int[] count) {
            this.director = director;
            this.count = count;
        }

        @Override
        public @Nullable Task pick() {
            Task next = director.pick();
            if (last != null && next != null && next != last && last.ready()) {
                count[0]++;
            }
            last = next;
            return next;
        }

        @Override
        public void executed(Task task, long before, boolean wrote) {
            director.executed(task, before, wrote);
        }
    }
}
