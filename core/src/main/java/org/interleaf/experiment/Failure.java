// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.experiment;

import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

/// Something that went wrong, and the simplest execution seen in which it does.
///
/// @param violation what
/// @param schedule the way to run it again
/// @param switches how often that execution changes from one task to another
/// @param steps number of its accesses
/// @param cause what was thrown; null where a sanitizer found it
public record Failure(
        Violation violation,
        Schedule schedule,
        int switches,
        int steps,
        @Nullable Throwable cause) {

    boolean simplerThan(Failure other) {
        return switches < other.switches || switches == other.switches && steps < other.steps;
    }
}
