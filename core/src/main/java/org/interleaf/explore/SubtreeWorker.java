// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.explore.Subtrees.Part;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Explores {@link Subtrees} and what these ask for: the latest one first, which has most in common
/// with the execution before, and has few of them wait at a time.
final class SubtreeWorker extends Worker {
    private final Subtrees pool;
    private final Pop pop;
    private final List<Subtree> waiting;

    /// One element for each that waits: see {@link Part}.
    private double[] share = new double[64];

    /// How much was seen since that was reported.
    private double seen;

    SubtreeWorker(Program program, Limits limits, String fingerprint, Subtrees pool) {
        this(program, limits, fingerprint, pool, new ArrayList<>());
    }

    private SubtreeWorker(
            Program program,
            Limits limits,
            String fingerprint,
            Subtrees pool,
            List<Subtree> waiting) {
        this(
                program,
                new Pop(program.machine(), limits.maxSteps(), waiting::add),
                fingerprint,
                pool,
                waiting);
    }

    private SubtreeWorker(
            Program program, Pop pop, String fingerprint, Subtrees pool, List<Subtree> waiting) {
        super(program, pop, fingerprint);
        this.pool = pool;
        this.pop = pop;
        this.waiting = waiting;
    }

    @Override
    void begin() {
        super.begin();
        waiting.clear();
        seen = 0;
    }

    /// Will explore a subtree.
    void enter(Part part) {
        waiting.add(part.subtree());
        share[0] = part.share();
    }

    @Override
    void report() {
        pool.report(seen);
        seen = 0;
    }

    @Override
    void run(Boss boss) {
        while (pool.take(this)) {
            while (!waiting.isEmpty() && boss.mayExecute()) {
                executeLatest();
                boss.executed(this);
                if (pool.wanted()) {
                    giveAway();
                }
            }
            giveFirst(waiting.size());
            report();
            pool.finish();
        }
    }

    private void executeLatest() {
        int latest = waiting.size() - 1;
        pop.enter(waiting.remove(latest));
        execute();
        finish();
        pop.planRaces();
        divide(latest);
    }

    /// Divides the share of what was number `first` among its execution and what that asked for.
    private void divide(int first) {
        int size = waiting.size();
        if (size > share.length) {
            share = Arrays.copyOf(share, 2 * size);
        }
        double each = share[first] / (size - first + 1);
        Arrays.fill(share, first, size, each);
        seen += each;
    }

    /// Gives away what others want: the earliest subtree, which is likely to be the largest, if it
    /// is not the only one.
    private void giveAway() {
        if (pool.recalls()) {
            giveFirst(waiting.size());
        } else if (waiting.size() > 1) {
            giveFirst(1);
        }
    }

    private void giveFirst(int count) {
        for (int i = 0; i < count; i++) {
            pool.give(new Part(waiting.get(i), share[i]));
        }
        waiting.subList(0, count).clear();
        System.arraycopy(share, count, share, 0, waiting.size());
    }
}
