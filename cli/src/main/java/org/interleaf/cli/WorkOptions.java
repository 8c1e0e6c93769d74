// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Reduction;
import org.interleaf.run.CheckpointOptions;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The options that say who does the work, and where it is kept safe.
final class WorkOptions {
    static final int WORKERS_MAX = 1024;

    @Option(
            names = "--workers",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = {
                "How many threads share a test that takes long; the executions are the same up to"
                        + " equivalence, and as many. Default: one a core."
            })
    private @Nullable Long workers;

    @Mixin private SavingOptions saving;

    /// `options` with what these ask for.
    ///
    /// @param tests how many there are
    /// @throws BadInput if that cannot be
    RunOptions apply(RunOptions options, int tests) {
        return options.withWorkers(workers()).withCheckpoint(saved(options, tests));
    }

    private int workers() {
        if (workers == null) {
            return Runtime.getRuntime().availableProcessors();
        }
        if (workers > WORKERS_MAX) {
            throw new BadInput("--workers " + workers + " are too many", "one a core is best");
        }
        return workers.intValue();
    }

    private @Nullable CheckpointOptions saved(RunOptions options, int tests) {
        CheckpointOptions saved = saving.saved(tests);
        if (saved != null && !(options.strategy() instanceof Reduction)) {
            throw new BadInput(
                    saving.option() + " goes with --strategy dpor or pop only",
                    "leave one of them out");
        }
        return saved;
    }
}
