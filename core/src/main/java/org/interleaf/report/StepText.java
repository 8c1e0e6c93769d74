// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Step;

/// Puts one step into words, as one would write it in a mail.
final class StepText {
    private StepText() {}

    /// The step in one line.
    static String of(Step step) {
        return call(step) + result(step);
    }

    /// What is done, and to what.
    static String call(Step step) {
        return step.operation() + "(" + step.location() + ")";
    }

    /// What comes of it: what was read goes after an arrow, what was changed after a colon, and of
    /// locks only whether they could be had.
    static String result(Step step) {
        if (step.operation().contains("trylock")) {
            return step.wrote() ? " -> taken" : " -> not taken";
        }
        if (isLocking(step.operation())) {
            return "";
        }
        if (step.wrote()) {
            return ": " + step.before() + " -> " + step.after();
        }
        return " -> " + step.before() + (mightHaveWritten(step) ? " (no change)" : "");
    }

    /// Whether the operation is one whose values say nothing that its name does not.
    private static boolean isLocking(String operation) {
        return operation.contains("lock") || operation.equals("take") || operation.equals("wait");
    }

    /// Whether a step that wrote nothing is of a kind that usually does, such as a failed cmpxchg.
    private static boolean mightHaveWritten(Step step) {
        return step.operation().contains("cmpxchg") || step.operation().startsWith("atomic_");
    }
}
