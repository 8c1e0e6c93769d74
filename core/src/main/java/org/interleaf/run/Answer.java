// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Exploration;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Verdict;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// What came out of exploring one test.
///
/// @param verdict how often the proposition of the condition holds
/// @param positive executions in which it holds
/// @param negative executions in which it does not
/// @param states the final states, as herd7 writes them
/// @param violations everything that was found beside the condition, each title once
/// @param warnings what is odd about the test though it can run, as lines `file:line:column:
///   warning: …`
/// @param deadlocks executions that ended in a deadlock
/// @param bounds at which bounds executions were cut, such as `loop at a.litmus:5:2 made 16 rounds`
/// @param herd the summary as herd7 prints it
/// @param witness the execution to show: the first violation, or one that decides the condition;
///   null where there is nothing to show
/// @param recording the same execution, step by step
public record Answer(
        LitmusTest test,
        Verdict verdict,
        long positive,
        long negative,
        List<String> states,
        List<Violation> violations,
        List<String> warnings,
        long deadlocks,
        Exploration exploration,
        List<String> bounds,
        String herd,
        @Nullable Schedule witness,
        @Nullable Recording recording) {}
