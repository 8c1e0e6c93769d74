// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// The oracle that decides which task makes the next visible access. It is asked at every
/// scheduling point, when each task that has begun stands before an access that {@link Task#op} and
/// its neighbours describe.
public interface Scheduler {
    /// The task to go next, which must be {@link Task#ready}; null ends the execution.
    @Nullable Task pick();

    /// The access that `task` stood before has been made: it found `before` and, if `wrote`,
    /// changed the word.
    void executed(Task task, long before, boolean wrote);
}
