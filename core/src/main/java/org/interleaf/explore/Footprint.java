// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Op;

/// The locations of one event and how it touches them: all that independence needs to know. Two
/// events of different tasks commute exactly when no location is in both, but for locations that
/// both read, or that both change in ways that commute.
///
/// @param task the task whose event this is
/// @param accesses location ids and modes, see {@link #access}
record Footprint(int task, int[] accesses) {
    /// Looks at a location.
    static final int READ = 0;

    /// Conflicts with everything that touches the location.
    static final int WRITE = 1;

    private static final int BITS = 3;
    private static final int MODES = (1 << BITS) - 1;

    /// The mode of an operation that commutes with those of the same mode.
    static int commuting(Op op) {
        if (op.isShared()) {
            return WRITE + 1;
        }
        return op == Op.ENTER ? WRITE + 2 : WRITE + 3 + op.ordinal() - Op.UPDATE_ADD.ordinal();
    }

    static int access(int location, int mode) {
        return location << BITS | mode;
    }

    static int location(int access) {
        return access >> BITS;
    }

    static int mode(int access) {
        return access & MODES;
    }

    static boolean conflict(int one, int other) {
        return one == other ? mode(one) == WRITE : location(one) == location(other);
    }

    /// How the event touches a location; -1 if it does not.
    int modeAt(int location) {
        int found = -1;
        for (int mine : accesses) {
            if (location(mine) == location) {
                found = Math.max(found, mode(mine));
            }
        }
        return found;
    }

    /// Whether the event writes to a location or updates it.
    boolean changes(int location) {
        return modeAt(location) > READ;
    }

    /// Whether the two events conflict; both belong to different tasks.
    boolean conflictsWith(Footprint other) {
        for (int mine : accesses) {
            for (int theirs : other.accesses) {
                if (conflict(mine, theirs)) {
                    return true;
                }
            }
        }
        return false;
    }
}
