// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import org.interleaf.explore.Ending;
import org.interleaf.trace.Schedule;

import java.util.Arrays;

/// The end of an execution in which processes that are alike have exchanged their names.
///
/// @param of the execution that was made
/// @param names for each task, the one that does the same in this one
record Twin(Ending of, int[] names) implements Ending {
    @Override
    public Kind kind() {
        return of.kind();
    }

    @Override
    public int steps() {
        return of.steps();
    }

    @Override
    public int switches() {
        return of.switches();
    }

    @Override
    public double share() {
        return of.share();
    }

    @Override
    public Schedule schedule() {
        Schedule made = of.schedule();
        int[] tasks = new int[made.length()];
        Arrays.setAll(tasks, step -> names[made.task(step)]);
        return new Schedule(made.fingerprint(), tasks);
    }
}
