// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// What an execution shows and its simpler relatives must show as well.
@FunctionalInterface
public interface Failure {
    /// The answer of an execution that does not show it.
    int NOT_SHOWN = -1;

    /// Asked when an execution has ended and the program has been told: with how many of its
    /// accesses it shows the failure. All of them where the ending is part of it.
    ///
    /// @param steps how many accesses the execution had
    int shownWithin(int steps);
}
