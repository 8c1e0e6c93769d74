// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.util.List;

/// A schedule does not fit the program that it was given for.
public final class ReplayException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int step;

    ReplayException(int step, String who, String why, List<String> others) {
        super(
                "the schedule is not one of this program: at step "
                        + step
                        + " it has "
                        + who
                        + " go, but "
                        + why
                        + (others.isEmpty()
                                ? "; no task could go"
                                : "; these could: " + String.join(", ", others)));
        this.step = step;
    }

    /// The step that cannot be made, from 0.
    public int step() {
        return step;
    }
}
