// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.experiment;

import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

/// Something that went wrong, and the simplest execution found in which it does.
///
/// @param violation what
/// @param schedule the way to run it again
/// @param cause what was thrown; null where a sanitizer found it
public record Failure(Violation violation, Schedule schedule, @Nullable Throwable cause) {
    Failure withSchedule(Schedule newSchedule) {
        return new Failure(violation, newSchedule, cause);
    }
}
