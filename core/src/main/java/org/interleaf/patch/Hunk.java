// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.List;

/// One hunk of a unified diff.
///
/// @param number its place among the hunks of its file, from 1
/// @param patchLine the line of its `@@` in the patch
/// @param oldStart the first line that it speaks of in the file before, or where it has no line of
///   that file, the line after which it adds
/// @param lines its lines, in order
record Hunk(int number, int patchLine, int oldStart, List<Line> lines) {
    /// What a line of a hunk says.
    enum Kind {
        CONTEXT,
        REMOVED,
        ADDED
    }

    /// A line of a hunk.
    ///
    /// @param text the line without its mark
    /// @param patchLine its line in the patch
    record Line(Kind kind, String text, int patchLine) {}

    /// The lines that the file must have for the hunk to apply.
    List<Line> before() {
        return lines.stream().filter(line -> line.kind() != Kind.ADDED).toList();
    }

    /// The lines that the file has afterwards.
    List<Line> after() {
        return lines.stream().filter(line -> line.kind() != Kind.REMOVED).toList();
    }

    /// Number of context lines before the first change.
    int leadingContext() {
        int n = 0;
        while (n < lines.size() && lines.get(n).kind() == Kind.CONTEXT) {
            n++;
        }
        return n;
    }

    /// Number of context lines after the last change.
    int trailingContext() {
        int n = 0;
        while (n < lines.size() && lines.get(lines.size() - 1 - n).kind() == Kind.CONTEXT) {
            n++;
        }
        return n;
    }
}
