// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Op;

/// Which executions count as the same, so that one of them stands for all.
public enum Equivalence {
    /// Mazurkiewicz traces, as the literature counts them: two accesses of a location conflict if
    /// one of them writes.
    TRACE,
    /// Coarser: updates of one kind whose result nobody uses do not conflict with each other
    /// either, such as two `atomic_inc()`, nor do those who lock an rwsem for reading. They
    /// conflict with everything else.
    UPDATE;

    /// How an access touches its location, as {@link Footprint} has it.
    int mode(Op op, boolean wrote) {
        if (!wrote) {
            return Footprint.READ;
        }
        return op.commutes() && this == UPDATE ? Footprint.commuting(op) : Footprint.WRITE;
    }
}
