// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// Explores branch after branch of a {@link Frontier}.
final class DporWorker extends Worker {
    private final Frontier frontier;
    private final Dpor dpor;

    DporWorker(Program program, Limits limits, String fingerprint, Frontier frontier) {
        this(program, new Dpor(program.machine(), limits, frontier), fingerprint, frontier);
    }

    private DporWorker(Program program, Dpor dpor, String fingerprint, Frontier frontier) {
        super(program, dpor, fingerprint);
        this.frontier = frontier;
        this.dpor = dpor;
    }

    @Override
    void begin() {
        super.begin();
        dpor.enterEverything();
    }

    @Override
    void report() {
        frontier.report(dpor.entered(), dpor.fraction());
    }

    @Override
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
            executeNext();
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

    private void executeNext() {
        dpor.begin();
        execute();
        if (dpor.superfluous()) {
            skip();
            return;
        }
        dpor.checkSymmetry();
        finish();
        dpor.planRaces();
    }
}
