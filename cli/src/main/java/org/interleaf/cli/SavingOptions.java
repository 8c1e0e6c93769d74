// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.run.CheckpointOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.nio.file.Path;

/// The options that say where an exploration is kept safe.
final class SavingOptions {
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

    /// The option that is given, if one is.
    String option() {
        return resume == null ? "--checkpoint" : "--resume";
    }

    /// Where to save; null for nowhere.
    ///
    /// @param explorations how many there are
    /// @throws BadInput if that cannot be
    @Nullable CheckpointOptions saved(int explorations) {
        Path file = resume == null ? checkpoint : resume;
        if (file == null) {
            return null;
        }
        if (checkpoint != null && resume != null) {
            throw new BadInput(
                    "--checkpoint and --resume exclude each other",
                    "--resume saves too, to the file that it goes on from");
        }
        if (explorations != 1) {
            throw new BadInput(option() + " is for a single test, not " + explorations, "name one");
        }
        return new CheckpointOptions(file, resume != null, CheckpointOptions.USUAL_INTERVAL);
    }
}
