// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.List;

/// A line of a patched source file, and where it came from.
///
/// @param file the model's source file, or the patch that added the line
/// @param number the line's number there, from 1
/// @param patched whether a patch added the line
record SourceLine(String text, String file, int number, boolean patched) {
    /// The text of a file of these lines.
    static String text(List<SourceLine> lines) {
        StringBuilder text = new StringBuilder();
        for (SourceLine line : lines) {
            text.append(line.text()).append('\n');
        }
        return text.toString();
    }

    /// The column at which `column` of the source stands in {@link #file}: in a patch the mark `+`
    /// comes first.
    int column(int column) {
        return column > 0 && patched ? column + 1 : column;
    }
}
