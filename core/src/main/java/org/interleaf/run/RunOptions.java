// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Strategy;
import org.interleaf.patch.ModelPatch;

import java.util.List;
import java.util.Map;

/// How to run a test.
///
/// @param patches changes to the model, in order
/// @param config configuration over that of the test, by key
/// @param strategy how to go through the interleavings
/// @param limits when to give up
/// @param stopAtFirst whether to stop at the first finding
public record RunOptions(
        List<ModelPatch> patches,
        Map<String, String> config,
        Strategy strategy,
        Limits limits,
        boolean stopAtFirst) {
    /// The model as it is, the test's own configuration, everything explored.
    public static final RunOptions DEFAULT =
            new RunOptions(List.of(), Map.of(), new Exhaustive(), Limits.NONE, false);

    public RunOptions withPatches(List<ModelPatch> newPatches) {
        return new RunOptions(newPatches, config, strategy, limits, stopAtFirst);
    }

    public RunOptions withConfig(Map<String, String> newConfig) {
        return new RunOptions(patches, newConfig, strategy, limits, stopAtFirst);
    }

    public RunOptions withStrategy(Strategy newStrategy) {
        return new RunOptions(patches, config, newStrategy, limits, stopAtFirst);
    }

    public RunOptions withLimits(Limits newLimits) {
        return new RunOptions(patches, config, strategy, newLimits, stopAtFirst);
    }

    public RunOptions withStopAtFirst(boolean stop) {
        return new RunOptions(patches, config, strategy, limits, stop);
    }
}
