// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import java.util.Objects;

/// A mistake in a litmus test: what is wrong, where, and how to mend it.
///
/// It is the only exception that reading and compiling a test throws for a mistake of its author.
/// {@link #getMessage()} is ready to be shown:
///
/// ```
/// my.litmus:7:9: unknown function `READ_ONC`
///     r0 = READ_ONC(*x);
///          ^
/// hint: did you mean `READ_ONCE`?
/// ```
public final class LitmusException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// How much of an overlong line is shown around the caret, in characters.
    private static final int WINDOW = 100;

    private final String file;
    private final int line;
    private final int column;
    private final String problem;
    private final String hint;

    private LitmusException(
            String file, int line, int column, String problem, String excerpt, String hint) {
        // No stack trace: where our code found the mistake helps nobody mend it.
        super(render(file, line, column, problem, excerpt, hint), null, false, false);
        this.file = file;
        this.line = line;
        this.column = column;
        this.problem = problem;
        this.hint = hint;
    }

    static LitmusException at(Source source, int offset, String problem, String hint) {
        int line = source.line(offset);
        int column = source.column(offset);
        String excerpt = excerpt(source.lineText(line), column);
        return new LitmusException(source.name(), line, column, problem, excerpt, hint);
    }

    /// A complaint about the file as a whole, or about what was given beside it; its line and
    /// column are 0.
    static LitmusException ofFile(String file, String problem, String hint) {
        return new LitmusException(file, 0, 0, problem, "", hint);
    }

    private static String render(
            String file, int line, int column, String problem, String excerpt, String hint) {
        StringBuilder out = new StringBuilder(file);
        if (line > 0) {
            out.append(':').append(line).append(':').append(column);
        }
        out.append(": ").append(problem).append('\n').append(excerpt);
        return out.append("hint: ").append(hint).toString();
    }

    private static String excerpt(String lineText, int column) {
        int caret = Math.min(column - 1, lineText.length());
        int from = Math.max(0, caret - WINDOW);
        int to = Math.min(lineText.length(), caret + WINDOW);
        StringBuilder shown = new StringBuilder();
        StringBuilder below = new StringBuilder();
        for (int i = from; i < to; i++) {
            char c = lineText.charAt(i);
            shown.append(c == '\t' || !Character.isISOControl(c) ? c : '?');
            if (i < caret) {
                below.append(c == '\t' ? '\t' : ' ');
            }
        }
        return shown.append('\n').append(below).append("^\n").toString();
    }

    @Override
    public String getMessage() {
        return Objects.requireNonNull(super.getMessage());
    }

    /// The file's name as the user gave it.
    public String file() {
        return file;
    }

    /// The line, counted from 1, or 0 where the file as a whole is meant.
    public int line() {
        return line;
    }

    /// The column, counted from 1, or 0 where the file as a whole is meant.
    public int column() {
        return column;
    }

    /// What is wrong, in one line.
    public String problem() {
        return problem;
    }

    /// How to mend it, in one line.
    public String hint() {
        return hint;
    }
}
