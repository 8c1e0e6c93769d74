// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.time.Duration;

/// What an exploration has covered.
///
/// @param executions executions that ran to their end: one for each that is not equivalent to
///   another, see {@link Equivalence}
/// @param superfluous executions that were given up or do not count, because an equivalent one had
///   been seen; an optimal exploration has none
/// @param fruitless executions that do not count because a task begins a round of a loop in them
///   that comes to nothing, see {@link Ending.Kind#FRUITLESS}
/// @param cut executions cut at the bound on their length
/// @param steps accesses made in all of them, repeated prefixes included
/// @param shares how many executions those that ended or were cut stand for, see {@link
///   Ending#share}
/// @param complete whether every trace has been seen, and none cut
/// @param elapsed wall-clock time
/// @param coverage how far that is
public record Exploration(
        long executions,
        long superfluous,
        long fruitless,
        long cut,
        long steps,
        double shares,
        boolean complete,
        Duration elapsed,
        Coverage coverage) {
    /// Before anything was explored.
    public static final Exploration NOTHING = new Exploration(0, 0, 0, 0, false, Duration.ZERO);

    /// One of which no more is known, explored without symmetry.
    public Exploration(
            long executions,
            long superfluous,
            long cut,
            long steps,
            boolean complete,
            Duration elapsed) {
        this(
                executions,
                superfluous,
                0,
                cut,
                steps,
                (double) (executions + cut),
                complete,
                elapsed,
                Coverage.UNKNOWN);
    }

    /// Distinct traces among the executions that ran to their end or were cut; an estimate where
    /// there are more than a million.
    public long traces() {
        return coverage.traces() < 0 ? executions + cut : coverage.traces();
    }

    /// How many executions were made, whether or not they count.
    public long made() {
        return executions + superfluous + fruitless + cut;
    }

    /// How many executions, cut ones included, there would have been without symmetry; those that
    /// were made, where it was not used.
    public long represented() {
        return Math.round(shares);
    }

    /// The same with another answer to whether everything was seen.
    public Exploration withComplete(boolean newComplete) {
        return new Exploration(
                executions,
                superfluous,
                fruitless,
                cut,
                steps,
                shares,
                newComplete,
                elapsed,
                coverage);
    }
}
