// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// The branches along the path from the root of a search tree to its present leaf, and from them an
/// estimate of how much of the tree has been seen.
///
/// Every branch of a state gets an equal share of the state's weight (Knuth: *Estimating the
/// Efficiency of Backtrack Programs*, 1975; weighted as in Kilby, Slaney, Thiébaux, Walsh:
/// *Estimating Search Tree Size*, AAAI 2006). What has been seen is, at each state of the path, the
/// share of the branches to the left. Nothing is counted but the present path, so the estimate
/// costs nothing while exploring.
public interface Branches {
    /// The states of the path that have been left: the accesses of the latest execution.
    int depth();

    /// How many branches of the state before access number `state` are done.
    int done(int state);

    /// How many branches of that state are known: those done, the present one, and those to come.
    int known(int state);

    /// The estimated part of the tree that has been seen, from 0 to 1.
    default double fraction() {
        double weight = 1;
        double seen = 0;
        int depth = depth();
        for (int state = 0; state < depth; state++) {
            int known = known(state);
            if (known > 1) {
                weight /= known;
                seen += weight * done(state);
            }
        }
        return seen;
    }
}
