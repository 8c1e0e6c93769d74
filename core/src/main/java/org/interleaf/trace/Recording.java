// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import java.util.List;
import java.util.Set;

/// One execution, step by step.
///
/// @param tasks the names of all tasks, in the order of their columns
/// @param steps every visible access, in order
/// @param violations what was found in it
/// @param finalState the final state, as in the summary; empty where there is none
/// @param looked the locations, as steps name them, that were looked at to tell the final state
/// @param schedule the way to run it again
public record Recording(
        List<String> tasks,
        List<Step> steps,
        List<Violation> violations,
        String finalState,
        Set<String> looked,
        Schedule schedule) {
    /// One of which nobody says what its final state was told from.
    public Recording(
            List<String> tasks,
            List<Step> steps,
            List<Violation> violations,
            String finalState,
            Schedule schedule) {
        this(tasks, steps, violations, finalState, Set.of(), schedule);
    }
}
