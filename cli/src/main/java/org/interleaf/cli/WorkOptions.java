// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Exhaustive;
import org.interleaf.run.CheckpointOptions;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.nio.file.Path;

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

    @Option(
            names = "--checkpoint",
            paramLabel = "FILE",
            description = {
                "Save the exploration to FILE every two seconds and at its end, so that it can be"
                        + " resumed after Ctrl-C, a limit, or a power cut. For a single test."
            })
    private @Nullable Path checkpoint;

    @Option(
            names = "--resume",
            paramLabel = "FILE",
            description = {
                "Go on with the exploration that was saved to FILE, and go on saving it there. The"
                        + " test and all options that change it must be the same."
            })
    private @Nullable Path resume;

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
        Path file = resume == null ? checkpoint : resume;
        if (file == null) {
            return null;
        }
        if (checkpoint != null && resume != null) {
            throw new BadInput(
                    "--checkpoint and --resume exclude each other",
                    "--resume saves too, to the file that it goes on from");
        }
        String option = resume == null ? "--checkpoint" : "--resume";
        if (tests != 1) {
            throw new BadInput(option + " is for a single test, not " + tests, "name one file");
        }
        if (!(options.strategy() instanceof Exhaustive)) {
            throw new BadInput(option + " goes with --strategy dpor only", "leave one of them out");
        }
        return new CheckpointOptions(file, resume != null, CheckpointOptions.USUAL_INTERVAL);
    }
}
