// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.outcome;

/// In how many executions the proposition of the condition holds.
public enum Verdict {
    /// In none, and all have been seen.
    NEVER("Never"),
    /// In some but not in others.
    SOMETIMES("Sometimes"),
    /// In all, and all have been seen.
    ALWAYS("Always"),
    /// Only one kind has been seen so far, and not all executions.
    UNDECIDED("Undecided");

    private final String word;

    Verdict(String word) {
        this.word = word;
    }

    /// The verdict as herd7 writes it.
    public String word() {
        return word;
    }

    /// The verdict for these counts.
    ///
    /// @param complete whether no execution is missing
    static Verdict of(long positive, long negative, boolean complete) {
        if (positive > 0 && negative > 0) {
            return SOMETIMES;
        }
        if (!complete) {
            return UNDECIDED;
        }
        return positive == 0 ? NEVER : ALWAYS;
    }
}
