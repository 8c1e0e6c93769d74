// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.trace.Schedule;

/// Explores branch after branch of what several workers share, on a machine of its own.
final class Worker {
    /// Told what its workers do; asked whether they shall go on.
    interface Boss {
        /// Asked by each worker before each execution.
        boolean mayExecute();

        /// Called by each worker after each of its executions.
        void executed(Worker worker);
    }

    private final Program program;
    private final Machine machine;
    private final Dpor dpor;
    private final String fingerprint;
    private Frontier frontier;

    // Written by the worker's thread, read by all.
    private volatile long executions;
    private volatile long superfluous;
    private volatile long cut;
    private volatile long steps;
    private volatile double shares;

    Worker(Program program, Limits limits, String fingerprint, Frontier frontier) {
        this.program = program;
        this.machine = program.machine();
        this.dpor = new Dpor(machine, limits, frontier);
        this.fingerprint = fingerprint;
        this.frontier = frontier;
    }

    /// Begins a new exploration.
    void begin(Frontier newFrontier) {
        frontier = newFrontier;
        dpor.begin(newFrontier);
        executions = 0;
        superfluous = 0;
        cut = 0;
        steps = 0;
        shares = 0;
    }

    long executions() {
        return executions;
    }

    long superfluous() {
        return superfluous;
    }

    long cut() {
        return cut;
    }

    long steps() {
        return steps;
    }

    /// What the executions stand for, see {@link Ending#share}.
    double shares() {
        return shares;
    }

    /// Accesses in the latest execution.
    int depth() {
        return dpor.steps();
    }

    /// Says how much of its work is done.
    void report() {
        frontier.report(dpor.entered(), dpor.fraction());
    }

    /// Explores as long as there is something to do, and nobody stops it.
    void run(Boss boss) {
        while (frontier.take(dpor)) {
            explore(boss);
        }
    }

    /// Explores what the worker has entered, or what it keeps of that.
    private void explore(Boss boss) {
        if (!boss.mayExecute()) {
            frontier.giveBack(dpor.entered());
            return;
        }
        boolean more = true;
        while (more) {
            execute();
            more = dpor.backtrack();
            if (!more) {
                frontier.finish(dpor.entered());
            }
            boss.executed(this);
            if (more && frontier.wanted()) {
                more = giveAway();
            }
            if (more && !boss.mayExecute()) {
                dpor.shareAll();
                more = false;
            }
        }
    }

    /// Gives away what others want. False where the worker has nothing left.
    private boolean giveAway() {
        if (frontier.recalls()) {
            dpor.shareAll();
            return false;
        }
        return dpor.giveSome();
    }

    // The counters have one writer.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void execute() {
        dpor.begin();
        machine.run(dpor);
        steps += dpor.steps();
        if (dpor.superfluous()) {
            superfluous++;
            return;
        }
        dpor.checkSymmetry();
        finish(Ending.Kind.of(machine));
        dpor.planRaces();
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void finish(Ending.Kind kind) {
        if (kind == Ending.Kind.FRUITLESS) {
            superfluous++;
            return;
        }
        if (kind == Ending.Kind.CUT) {
            cut++;
        } else {
            executions++;
        }
        double share = dpor.share();
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
            return dpor.steps();
        }

        @Override
        public int switches() {
            return dpor.switches();
        }

        @Override
        public double share() {
            return share;
        }

        @Override
        public Schedule schedule() {
            return new Schedule(fingerprint, dpor.schedule());
        }
    }
}
