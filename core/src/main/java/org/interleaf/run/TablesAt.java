// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.NoSuchElementException;

/// Notes what the page tables hold at one moment of an execution: when somebody is to be chosen for
/// a step.
final class TablesAt {
    private final Session session;
    private final int step;
    private int made;
    private @Nullable String noted;

    /// @param step before which step; -1 for the end
    TablesAt(Session session, int step) {
        this.session = session;
        this.step = step;
    }

    /// A scheduler that follows `director`.
    Scheduler around(Scheduler director) {
        return new Scheduler() {
            @Override
            public @Nullable Task pick() {
                if (made == step && noted == null) {
                    noted = session.tables();
                }
                return director.pick();
            }

            @Override
            public void executed(Task task, long before, boolean wrote) {
                made++;
                director.executed(task, before, wrote);
            }
        };
    }

    /// What was noted; as it is now, for the end.
    ///
    /// @throws NoSuchElementException if the execution has fewer steps
    String text() {
        if (step > made) {
            throw new NoSuchElementException(
                    "no step " + step + ", the execution has " + made + " steps");
        }
        return noted == null ? session.tables() : noted;
    }
}
