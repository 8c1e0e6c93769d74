// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.trace.Schedule;

/// Explores part after part of what several workers share in a {@link Pool}, on a machine of its
/// own, and counts what it did.
abstract class Worker {
    /// Told what its workers do; asked whether they shall go on.
    interface Boss {
        /// Asked by each worker before each execution.
        boolean mayExecute();

        /// Called by each worker after each of its executions.
        void executed(Worker worker);
    }

    /// What decides on the executions.
    interface Director extends Scheduler {
        /// Accesses in the latest execution.
        int steps();

        /// How often another task than before made the next access in it.
        int switches();

        /// The tasks of its accesses, in order.
        int[] schedule();

        /// How many executions it stands for, see {@link Ending#share}.
        default double share() {
            return 1;
        }
    }

    private final Program program;
    private final Machine machine;
    private final Director director;
    private final String fingerprint;

    // Written by the worker's thread, read by all.
    private volatile long executions;
    private volatile long superfluous;
    private volatile long fruitless;
    private volatile long cut;
    private volatile long steps;
    private volatile double shares;

    Worker(Program program, Director director, String fingerprint) {
        this.program = program;
        this.machine = program.machine();
        this.director = director;
        this.fingerprint = fingerprint;
    }

    /// Begins a new exploration.
    void begin() {
        executions = 0;
        superfluous = 0;
        fruitless = 0;
        cut = 0;
        steps = 0;
        shares = 0;
    }

    final long executions() {
        return executions;
    }

    final long superfluous() {
        return superfluous;
    }

    final long fruitless() {
        return fruitless;
    }

    final long cut() {
        return cut;
    }

    final long steps() {
        return steps;
    }

    /// What the executions stand for, see {@link Ending#share}.
    final double shares() {
        return shares;
    }

    /// Accesses in the latest execution.
    final int depth() {
        return director.steps();
    }

    /// Says how much of its work is done.
    abstract void report();

    /// Explores as long as there is something to do, and nobody stops it.
    abstract void run(Boss boss);

    // The counters have one writer.

    /// Makes an execution.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    final void execute() {
        machine.run(director);
        steps += director.steps();
    }

    /// The execution that was made stopped because whatever could follow has been seen elsewhere.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    final void skip() {
        superfluous++;
    }

    /// The execution that was made ran to its end, or was cut.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    final void finish() {
        Ending.Kind kind = Ending.Kind.of(machine);
        if (kind == Ending.Kind.FRUITLESS) {
            fruitless++;
            return;
        }
        if (kind == Ending.Kind.CUT) {
            cut++;
        } else {
            executions++;
        }
        double share = director.share();
        shares += share;
        program.finished(new Ended(kind, share));
    }

    private final class Ended implements Ending {
        private final Kind kind;
        private final double share;

        Ended(Kind kind, double share) {
            this.kind = kind;
            this.share = share;
        }

        @Override
        public Kind kind() {
            return kind;
        }

        @Override
        public int steps() {
            return director.steps();
        }

        @Override
        public int switches() {
            return director.switches();
        }

        @Override
        public double share() {
            return share;
        }

        @Override
        public Schedule schedule() {
            return new Schedule(fingerprint, director.schedule());
        }
    }
}
