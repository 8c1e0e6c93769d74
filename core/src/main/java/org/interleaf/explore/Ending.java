// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

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
        CUT
    }

    Kind kind();

    /// Number of accesses made.
    int steps();

    /// How often another task than before made the next access.
    int switches();

    /// The way to run it again.
    Schedule schedule();
}
