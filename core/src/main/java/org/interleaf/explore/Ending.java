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
        /// The bound on the length was reached.
        CUT;

        /// How the execution ended that `machine` has made last.
        public static Kind of(Machine machine) {
            boolean waiting = false;
            for (Task task : machine.tasks()) {
                if (task.ready()) {
                    return CUT;
                }
                waiting |= !task.finished() && !task.atRest();
            }
            return waiting ? DEADLOCK : COMPLETE;
        }
    }

    Kind kind();

    /// Number of accesses made.
    int steps();

    /// How often another task than before made the next access.
    int switches();

    /// The way to run it again.
    Schedule schedule();
}
