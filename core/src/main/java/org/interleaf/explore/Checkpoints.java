// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/// Saves an exploration to a file now and then, and resumes one that was saved.
///
/// What is saved is always consistent: the results of the executions that were made, and what is
/// left to try after them. An execution that had not ended is made again after resuming.
public final class Checkpoints {
    private final Path file;
    private final String identity;
    private final long intervalNanos;
    private final Results results;
    private final boolean resuming;
    private long last = System.nanoTime();
    private boolean begun;

    /// What came out of an exploration, beside the numbers that the explorer counts.
    public interface Results {
        /// Writes the results so far. Called when no worker runs.
        void save(DataOutputStream out) throws IOException;

        /// Begins with results that were saved.
        void load(DataInputStream in) throws IOException;
    }

    /// @param file where; it is replaced as a whole, so that there is one at any moment
    /// @param identity tells what is explored, and by which build; another cannot be resumed
    /// @param interval how often
    /// @param resuming whether to go on from what is in the file
    public Checkpoints(
            Path file, String identity, Duration interval, Results results, boolean resuming) {
        this.file = file;
        this.identity = identity;
        this.intervalNanos = interval.toNanos();
        this.results = results;
        this.resuming = resuming;
    }

    boolean due(long now) {
        return now - last > intervalNanos;
    }

    /// Has `pool` go on where the file says, if it is to be resumed; else makes the file, so that
    /// it is known at once whether it can be written. Returns what was covered.
    ///
    /// @throws CheckpointException where the file cannot be read or written, or is of something
    ///   else
    Exploration begin(Pool<?> pool) {
        if (!resuming || begun) {
            save(Exploration.NOTHING, pool);
            return Exploration.NOTHING;
        }
        begun = true;
        return CheckpointFile.read(file, identity, pool, results);
    }

    /// Saves what was `covered` and what is left.
    ///
    /// @throws CheckpointException where the file cannot be written
    void save(Exploration covered, Pool<?> pool) {
        CheckpointFile.write(file, identity, covered, pool, results);
        last = System.nanoTime();
    }
}
