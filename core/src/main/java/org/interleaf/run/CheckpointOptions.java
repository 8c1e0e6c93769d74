// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import java.nio.file.Path;
import java.time.Duration;

/// Where an exploration is saved.
///
/// @param file replaced as a whole each time
/// @param resume whether to go on from what is in the file
/// @param interval how often; so much work is lost at most
public record CheckpointOptions(Path file, boolean resume, Duration interval) {
    /// How often is good for hours of work and for minutes.
    public static final Duration USUAL_INTERVAL = Duration.ofSeconds(2);
}
