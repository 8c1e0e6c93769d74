// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.SplittableRandom;

/// Every access by a task drawn from those that can go, all equally likely.
///
/// Nothing is promised, but what has been missed can be estimated: the chance that the next
/// execution is a trace not seen before is about the part of the executions whose trace came only
/// once (Good 1953, after Turing).
///
/// @param seed another seed, other executions
public record RandomWalk(long seed) implements Strategy {
    @Override
    public Exploration explore(Program program, Limits limits, String fingerprint) {
        Walk walk = new Drawn(program.machine(), limits.maxSteps(), seed);
        return new Search(program, limits, fingerprint, walk).run();
    }

    @Override
    public boolean ends() {
        return false;
    }

    @Override
    public String describe() {
        return "random, seed " + seed;
    }

    private static final class Drawn extends Walk {
        private final SplittableRandom random;

        Drawn(Machine machine, int maxSteps, long seed) {
            super(machine, maxSteps);
            random = new SplittableRandom(seed);
        }

        @Override
        @Nullable Task choose() {
            int ready = 0;
            for (Task task : tasks) {
                ready += task.ready() ? 1 : 0;
            }
            int skip = ready == 1 ? 0 : random.nextInt(ready);
            for (Task task : tasks) {
                if (task.ready() && skip-- == 0) {
                    return task;
                }
            }
            return null;
        }

        @Override
        boolean next() {
            return true;
        }

        @Override
        Coverage coverage(long executions, TraceCount traces) {
            String statement = "";
            if (executions > 0) {
                double unseen = Math.min(1, (double) traces.singles() / executions);
                statement =
                        "the chance that another random execution is a new trace is about "
                                + Percent.of(unseen);
            }
            return new Coverage(traces.traces(), traces.exact(), steps(), Double.NaN, statement);
        }
    }
}
