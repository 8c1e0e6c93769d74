// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.interleaf.trace.Schedule;

/// How one execution ended.
public interface Ending {
    /// The ways in which an execution can end.
    enum Kind {
        /// Every task has ended.
        COMPLETE,
        /// Some task has not ended and none can go on.
        DEADLOCK,
        /// The same where all that have not ended go round in loops, and nobody will change what
        /// they look at.
        LIVELOCK,
        /// A task has begun a round of a loop that came to nothing, and stopped there. An
        /// equivalent execution without the round is another one.
        FRUITLESS,
        /// The bound on the length, or on the rounds of a loop, was reached.
        CUT;

        /// How the execution ended that `machine` has made last.
        public static Kind of(Machine machine) {
            boolean early = false;
            boolean waits = false;
            boolean spins = false;
            for (Task task : machine.tasks()) {
                if (task.ready() || task.boundReached() != null) {
                    return CUT;
                }
                boolean unfinished = !task.finished() && !task.atRest();
                early |= task.stoppedEarly();
                spins |= unfinished && task.spinning() != null;
                waits |= unfinished && task.spinning() == null;
            }
            return early ? FRUITLESS : waits ? DEADLOCK : spins ? LIVELOCK : COMPLETE;
        }
    }

    Kind kind();

    /// Number of accesses made.
    int steps();

    /// How often another task than before made the next access.
    int switches();

    /// How many executions this one stands for: more than itself where others differ only in who is
    /// who among tasks that are {@link org.interleaf.machine.Machine#identical identical}. Where
    /// several of those are explored as well, each has its share, so that the shares of all
    /// together are the number of executions without symmetry.
    default double share() {
        return 1;
    }

    /// The way to run it again.
    Schedule schedule();
}
