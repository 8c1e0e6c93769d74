// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// Every Mazurkiewicz trace once, by optimal dynamic partial order reduction: see {@link Dpor}. The
/// one strategy that is made for saying `Never`.
public record Exhaustive() implements Strategy {
    @Override
    public Exploration explore(Program program, Limits limits, String fingerprint) {
        return Explorer.explore(program, limits, fingerprint);
    }

    @Override
    public boolean ends() {
        return true;
    }

    @Override
    public String describe() {
        return "dpor";
    }
}
