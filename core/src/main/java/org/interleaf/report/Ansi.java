// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

/// Whether text is coloured, by the escape sequences of terminals. Who prints decides; who renders
/// says what a piece of text is.
public enum Ansi {
    OFF,
    ON;

    /// What a piece of text is.
    public enum Ink {
        PLAIN(""),
        HEADER("1"),
        FUNCTION("36"),
        WRITE("33"),
        GOOD("32"),
        BAD("1;31"),
        ASIDE("2");

        private final String code;

        Ink(String code) {
            this.code = code;
        }
    }

    /// `text` in the colour of `ink`, or as it is.
    public String paint(Ink ink, String text) {
        return this == OFF || ink.code.isEmpty() || text.isEmpty()
                ? text
                : "\033[" + ink.code + "m" + text + "\033[0m";
    }
}
