// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.SplittableRandom;

/// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: *A Randomized
/// Scheduler with Probabilistic Guarantees of Finding Bugs*, ASPLOS 2010).
///
/// Each task draws a priority, and the one with the highest goes, except that at `depth - 1` drawn
/// places in the execution the task that goes falls below all others. A bug of depth d, one that
/// needs d accesses in a certain order, shows in each execution with a probability of at least 1 /
/// (n k^(d-1)), for n tasks and k accesses.
///
/// Both are learned from the executions: n counts the tasks that ever went, k is the length of the
/// longest execution. Only executions since the last time that one of them grew count towards the
/// guarantee.
///
/// @param depth d, at least 1
/// @param seed another seed, other executions
public record Pct(int depth, long seed) implements Strategy {
    /// Most known bugs have this depth or less.
    public static final int USUAL_DEPTH = 3;

    @Override
    public Exploration explore(Program program, Limits limits, String fingerprint) {
        Walk walk = new Prioritised(program.machine(), limits.maxSteps(), depth, seed);
        return new Search(program, limits, fingerprint, walk).run();
    }

    @Override
    public boolean ends() {
        return false;
    }

    @Override
    public String describe() {
        return "pct, depth " + depth + ", seed " + seed;
    }

    /// Nearly certain is not certain.
    private static final double SURE = 0.999;

    private static final class Prioritised extends Walk {
        private final int depth;
        private final SplittableRandom random;
        private final int[] priority;
        private final boolean[] went;

        /// The access after which the priority of its task becomes i, for each i.
        private final int[] fallsAfter;

        private int taskCount;
        private int longest = 1;
        private long counting;

        Prioritised(Machine machine, int maxSteps, int depth, long seed) {
            super(machine, maxSteps);
            this.depth = depth;
            random = new SplittableRandom(seed);
            priority = new int[tasks.size()];
            went = new boolean[tasks.size()];
            fallsAfter = new int[depth - 1];
        }

        @Override
        void begin() {
            super.begin();
            for (int t = 0; t < priority.length; t++) {
                int other = random.nextInt(t + 1);
                priority[t] = priority[other];
                priority[other] = depth + t;
            }
            for (int i = 0; i < fallsAfter.length; i++) {
                fallsAfter[i] = 1 + random.nextInt(longest);
            }
        }

        @Override
        @Nullable Task choose() {
            Task best = null;
            for (Task task : tasks) {
                if (task.ready() && (best == null || priority[task.id()] > priority[best.id()])) {
                    best = task;
                }
            }
            return best;
        }

        @Override
        public void executed(Task task, long before, boolean wrote) {
            super.executed(task, before, wrote);
            if (!went[task.id()]) {
                went[task.id()] = true;
                taskCount++;
                counting = -1;
            }
            for (int i = 0; i < fallsAfter.length; i++) {
                if (fallsAfter[i] == steps()) {
                    priority[task.id()] = i;
                }
            }
        }

        @Override
        boolean next() {
            if (steps() > longest) {
                longest = steps();
                counting = -1;
            }
            counting++;
            return true;
        }

        @Override
        Coverage coverage(long executions, TraceCount traces) {
            double each = 1 / (taskCount * Math.pow(longest, depth - 1));
            double missed = Math.exp(counting * Math.log1p(-each));
            double found = each < 1 ? Math.min(1 - missed, SURE) : 1;
            String statement =
                    taskCount == 0
                            ? ""
                            : "a bug of depth %d had a chance of at least %s to be found (%d tasks,"
                                            .formatted(depth, Percent.of(found), taskCount)
                                    + " up to %d accesses: 1/(n k^%d) = %s in each execution)"
                                            .formatted(longest, depth - 1, Percent.of(each));
            return new Coverage(traces.traces(), traces.exact(), steps(), Double.NaN, statement);
        }
    }
}
