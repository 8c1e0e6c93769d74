// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.List;

/// What a patch does to one source file.
///
/// @param path the file, from the top of the source tree, with slashes
/// @param patchLine the line of the patch that names the file
record FileChange(Kind kind, String path, int patchLine, List<Hunk> hunks) {
    /// The things that can be done to a file.
    enum Kind {
        ADD,
        CHANGE,
        DELETE
    }
}
