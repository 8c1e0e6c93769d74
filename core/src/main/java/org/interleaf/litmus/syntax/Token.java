// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// One word, number, literal or punctuation mark of a test.
///
/// @param start offset of its first character
/// @param end offset just after its last one
/// @param text what was written; for a string or character constant, what it stands for
/// @param value the value of a number or character constant, else 0
record Token(Kind kind, int start, int end, String text, long value) {
    enum Kind {
        NAME,
        NUMBER,
        STRING,
        PUNCTUATION,
        END
    }

    boolean is(String mark) {
        return kind == Kind.PUNCTUATION && text.equals(mark);
    }

    boolean isName(String word) {
        return kind == Kind.NAME && text.equals(word);
    }

    /// The token as a message quotes it.
    String quoted() {
        return switch (kind) {
            case END -> "the end of the file";
            case STRING -> "a string";
            case NAME, NUMBER, PUNCTUATION -> "`" + text + "`";
        };
    }
}
