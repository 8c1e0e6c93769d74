// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// A way to go through the interleavings of a program. Each is one file: what it promises, and the
/// scheduler that keeps the promise.
///
/// A strategy is a value: the same one explores the same program in the same way, every time.
public sealed interface Strategy permits Reduction, PreemptionBounded, Pct, RandomWalk {
    /// Explores `program` until it is done or reaches a limit.
    ///
    /// @param fingerprint identifies the program in the schedules that are handed out
    Exploration explore(Program program, Limits limits, String fingerprint);

    /// Whether the strategy ends by itself. One that does not needs a limit.
    boolean ends();

    /// The strategy with all that is needed to have it again, such as `pct, depth 3, seed 1`.
    String describe();
}
