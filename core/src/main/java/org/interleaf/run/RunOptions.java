// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Strategy;
import org.interleaf.patch.ModelPatch;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Map;

/// How to run a test.
///
/// @param patches changes to the model, in order
/// @param config configuration over that of the test, by key
/// @param strategy how to go through the interleavings
/// @param limits when to give up
/// @param stopAtFirst whether to stop at the first finding
/// @param workers how many threads share what takes long
/// @param checkpoint where to save the exploration; null for nowhere
public record RunOptions(
        List<ModelPatch> patches,
        Map<String, String> config,
        Strategy strategy,
        Limits limits,
        boolean stopAtFirst,
        int workers,
        @Nullable CheckpointOptions checkpoint) {
    /// The model as it is, the test's own configuration, everything explored, by one worker.
    public static final RunOptions DEFAULT =
            new RunOptions(List.of(), Map.of(), new Exhaustive(), Limits.NONE, false, 1, null);

    public RunOptions withPatches(List<ModelPatch> newPatches) {
        return new RunOptions(
                newPatches, config, strategy, limits, stopAtFirst, workers, checkpoint);
    }

    public RunOptions withConfig(Map<String, String> newConfig) {
        return new RunOptions(
                patches, newConfig, strategy, limits, stopAtFirst, workers, checkpoint);
    }

    public RunOptions withStrategy(Strategy newStrategy) {
        return new RunOptions(
                patches, config, newStrategy, limits, stopAtFirst, workers, checkpoint);
    }

    public RunOptions withLimits(Limits newLimits) {
        return new RunOptions(
                patches, config, strategy, newLimits, stopAtFirst, workers, checkpoint);
    }

    public RunOptions withStopAtFirst(boolean stop) {
        return new RunOptions(patches, config, strategy, limits, stop, workers, checkpoint);
    }

    public RunOptions withWorkers(int newWorkers) {
        return new RunOptions(
                patches, config, strategy, limits, stopAtFirst, newWorkers, checkpoint);
    }

    public RunOptions withCheckpoint(@Nullable CheckpointOptions newCheckpoint) {
        return new RunOptions(
                patches, config, strategy, limits, stopAtFirst, workers, newCheckpoint);
    }
}
