// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

/// A statement of a random program, as data: it can be printed, and left out.
///
/// @param kind what it does
/// @param x first operand, most often which word
/// @param y second operand, most often a value
/// @param when whether it depends on what the task saw last
record Statement(Kind kind, int x, int y, When when) {
    /// Whether to run at all, given what the task saw last.
    enum When {
        ALWAYS,
        IF_ZERO,
        IF_NOT_ZERO,
        /// Once more if it is not 0 afterwards.
        UNTIL_ZERO;

        boolean holds(long last) {
            return switch (this) {
                case ALWAYS, UNTIL_ZERO -> true;
                case IF_ZERO -> last == 0;
                case IF_NOT_ZERO -> last != 0;
            };
        }
    }

    void run(Playground on) {
        if (when.holds(on.local().last)) {
            kind.action().run(on, x, y);
            if (when == When.UNTIL_ZERO && on.local().last != 0) {
                kind.action().run(on, x, y);
            }
        }
    }

    @Override
    public String toString() {
        return (when == When.ALWAYS ? "" : when + " ") + kind + "(" + x + "," + y + ")";
    }
}
