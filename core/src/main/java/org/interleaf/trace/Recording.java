// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import java.util.List;

/// One execution, step by step.
///
/// @param tasks the names of all tasks, in the order of their columns
/// @param steps every visible access, in order
/// @param violations what was found in it
/// @param finalState the final state, as in the summary; empty where there is none
/// @param schedule the way to run it again
public record Recording(
        List<String> tasks,
        List<Step> steps,
        List<Violation> violations,
        String finalState,
        Schedule schedule) {}
