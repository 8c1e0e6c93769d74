// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// The locations of one event and which of them it writes: all that independence needs to know. Two
/// events of different tasks commute exactly when no location is in both with a write in one.
///
/// @param task the task whose event this is
/// @param accesses location ids times two, plus one where the location is written
record Footprint(int task, int[] accesses) {
    static int access(int location, boolean written) {
        return location << 1 | (written ? 1 : 0);
    }

    static boolean conflict(int one, int other) {
        return one >> 1 == other >> 1 && ((one | other) & 1) != 0;
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
