// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// How far an exploration has come, beside counts of executions.
///
/// @param traces distinct Mazurkiewicz traces among the executions; -1 where each execution is one
/// @param tracesExact whether `traces` is a count and not an estimate
/// @param depth accesses in the latest execution
/// @param fraction estimate of the part that has been explored, from 0 to 1; NaN where there is
///   none, see {@link Branches}
/// @param statement what is certain, or how likely, in a sentence without its full stop; may be
///   empty
public record Coverage(
        long traces, boolean tracesExact, int depth, double fraction, String statement) {
    /// Nothing is known.
    public static final Coverage UNKNOWN = new Coverage(-1, true, 0, Double.NaN, "");

    /// Each execution is a trace of its own.
    static Coverage ofTree(int depth, double fraction) {
        return new Coverage(-1, true, depth, fraction, "");
    }
}
