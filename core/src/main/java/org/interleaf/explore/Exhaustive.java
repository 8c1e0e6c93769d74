// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// Every Mazurkiewicz trace once, by optimal dynamic partial order reduction: see {@link Dpor}. The
/// usual strategy.
public record Exhaustive() implements Reduction {
    @Override
    public boolean supports(Limits limits) {
        return true;
    }

    @Override
    public String describe() {
        return "dpor";
    }
}
