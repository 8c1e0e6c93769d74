// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.io.Serial;
import java.nio.file.Path;

/// A checkpoint cannot be written, or not be resumed; the message says why, and what to do.
public final class CheckpointException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    CheckpointException(Path file, String problem) {
        super(file + ": " + problem);
    }
}
