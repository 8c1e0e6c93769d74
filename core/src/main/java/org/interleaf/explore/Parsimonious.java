// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// Every Mazurkiewicz trace once, as {@link Exhaustive} does, in another way: see {@link Pop}. The
/// memory that it needs grows with the length of executions and not with their number, and no part
/// of the exploration need know of another.
///
/// It needs {@link Equivalence#TRACE}: where updates commute, several of them can change what a
/// later access finds, and still come in any order, so there is no first one to which the
/// executions after it could belong.
public record Parsimonious() implements Reduction {
    @Override
    public boolean supports(Limits limits) {
        return limits.equivalence() == Equivalence.TRACE && !limits.symmetry();
    }

    @Override
    public String describe() {
        return "pop";
    }
}
