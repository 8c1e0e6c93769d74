// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.time.Duration;

/// What an exploration has covered.
///
/// @param executions executions that ran to their end: one for each Mazurkiewicz trace seen
/// @param superfluous executions given up halfway because an equivalent one had been seen
/// @param cut executions cut at the bound on their length
/// @param steps accesses made in all of them, repeated prefixes included
/// @param complete whether every trace has been seen, and none cut
/// @param elapsed wall-clock time
public record Exploration(
        long executions,
        long superfluous,
        long cut,
        long steps,
        boolean complete,
        Duration elapsed) {
    /// Before anything was explored.
    public static final Exploration NOTHING = new Exploration(0, 0, 0, 0, false, Duration.ZERO);

    /// With what a worker adds.
    Exploration plus(long moreExecutions, long moreSuperfluous, long moreCut, long moreSteps) {
        return new Exploration(
                executions + moreExecutions,
                superfluous + moreSuperfluous,
                cut + moreCut,
                steps + moreSteps,
                complete,
                elapsed);
    }

    /// The same with another answer to whether everything was seen.
    public Exploration withComplete(boolean newComplete) {
        return new Exploration(executions, superfluous, cut, steps, newComplete, elapsed);
    }

    Exploration withElapsed(Duration newElapsed) {
        return new Exploration(executions, superfluous, cut, steps, complete, newElapsed);
    }
}
