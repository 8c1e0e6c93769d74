// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// How loops are treated.
///
/// @param waiting whether tasks wait instead of going round for nothing; if not, each such round is
///   made and counts as one that changes memory
/// @param changingMax how many rounds a loop may make that change memory and leave the task as it
///   was; then the execution is cut
/// @param countingMax the same for rounds that change the task, as counting does
public record Loops(boolean waiting, int changingMax, int countingMax) {
    /// Waiting, with bounds that are more than any test needs.
    public static final Loops DEFAULT = new Loops(true, 16, 1 << 16);
}
