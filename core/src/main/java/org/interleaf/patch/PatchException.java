// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

/// A mistake in a patch: what is wrong, where, and how to mend it.
///
/// {@link #getMessage()} is ready to be shown:
///
/// ```
/// before.patch:12: hunk 2 does not apply to core/src/main/java/org/interleaf/mm/GupFast.java: ...
/// hint: make the patch anew against these sources
/// ```
public final class PatchException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final int line;
    private final int column;
    private final String problem;
    private final String hint;

    /// A complaint about the text at `line` and `column` of `file`, both counted from 1; 0 where
    /// the whole line or the whole file is meant.
    PatchException(String file, int line, int column, String problem, String hint) {
        super(where(file, line, column) + ": " + problem + "\nhint: " + hint);
        this.file = file;
        this.line = line;
        this.column = column;
        this.problem = problem;
        this.hint = hint;
    }

    static PatchException at(String file, int line, String problem, String hint) {
        return new PatchException(file, line, 0, problem, hint);
    }

    static PatchException ofFile(String file, String problem, String hint) {
        return new PatchException(file, 0, 0, problem, hint);
    }

    static String where(String file, int line, int column) {
        return file + (line > 0 ? ":" + line : "") + (column > 0 ? ":" + column : "");
    }

    /// The file's name: the patch as the user gave it, or a source file of the model.
    public String file() {
        return file;
    }

    /// The line, counted from 1, or 0 where the file as a whole is meant.
    public int line() {
        return line;
    }

    /// The column, counted from 1, or 0 where the line as a whole is meant.
    public int column() {
        return column;
    }

    /// What is wrong.
    public String problem() {
        return problem;
    }

    /// How to mend it, in one line.
    public String hint() {
        return hint;
    }
}
