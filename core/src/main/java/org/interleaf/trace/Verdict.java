// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import org.jspecify.annotations.Nullable;

/// How often the condition of a test holds at the end of an execution.
public enum Verdict {
    NEVER("Never"),
    SOMETIMES("Sometimes"),
    ALWAYS("Always"),
    /// Not known: some executions have not been seen.
    UNDECIDED("Undecided");

    private final String word;

    Verdict(String word) {
        this.word = word;
    }

    /// The verdict as herd7 prints it.
    public String word() {
        return word;
    }

    /// What follows from the number of executions that fulfil the condition and of those that do
    /// not, where all have been seen or (not `complete`) only some.
    public static Verdict of(long positive, long negative, boolean complete) {
        if (positive > 0 && negative > 0) {
            return SOMETIMES;
        }
        if (!complete) {
            return UNDECIDED;
        }
        return positive > 0 ? ALWAYS : NEVER;
    }

    /// The verdict that `word` names and that a test can declare, or null.
    public static @Nullable Verdict declared(String word) {
        for (Verdict verdict : values()) {
            if (verdict != UNDECIDED && verdict.word.equals(word)) {
                return verdict;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return word;
    }
}
