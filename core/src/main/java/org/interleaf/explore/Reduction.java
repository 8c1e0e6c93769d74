// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// A strategy that sees one execution of each class of equivalent ones, and so can say `Never`.
/// Several workers can share it, and it can be saved and resumed: see {@link Explorer}.
public sealed interface Reduction extends Strategy permits Exhaustive, Parsimonious {
    @Override
    default Exploration explore(Program program, Limits limits, String fingerprint) {
        return new Explorer(this, program, limits, fingerprint).explore();
    }

    @Override
    default boolean ends() {
        return true;
    }

    /// Whether it can tell executions apart in the way that `limits` ask for.
    boolean supports(Limits limits);
}
