// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Step;

/// Puts one step into words, as one would write it in a mail.
final class StepText {
    private StepText() {}

    /// The step in one line: what was read goes after an arrow, what was changed after a colon, and
    /// of locks only whether they could be had.
    static String of(Step step) {
        String call = step.operation() + "(" + step.location() + ")";
        if (step.operation().contains("trylock")) {
            return call + (step.wrote() ? " -> taken" : " -> not taken");
        }
        if (isLocking(step.operation())) {
            return call;
        }
        if (step.wrote()) {
            return call + ": " + step.before() + " -> " + step.after();
        }
        return call + " -> " + step.before() + (mightHaveWritten(step) ? " (no change)" : "");
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
