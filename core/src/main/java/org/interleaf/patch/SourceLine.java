// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

/// A line of a patched source file, and where it came from.
///
/// @param file the model's source file, or the patch that added the line
/// @param number the line's number there, from 1
/// @param patched whether a patch added the line
record SourceLine(String text, String file, int number, boolean patched) {
    /// `file:line:column` of the character at `column` of the line, both counted from 1.
    String where(int column) {
        return PatchException.where(file, number, column(column));
    }

    /// The column at which `column` of the source stands in {@link #file}: in a patch the mark `+`
    /// comes first.
    int column(int column) {
        return column > 0 && patched ? column + 1 : column;
    }
}
