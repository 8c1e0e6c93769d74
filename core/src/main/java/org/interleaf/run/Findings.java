// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Ending;
import org.interleaf.litmus.LitmusProgram;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What one exploration has found, and for each finding the execution with the fewest switches
/// between tasks that shows it.
final class Findings {
    private final Map<String, Found> byTitle = new LinkedHashMap<>();
    private @Nullable Found positive;
    private @Nullable Found negative;

    private record Found(
            @Nullable Violation violation, int switches, int steps, Schedule schedule) {
        boolean simplerThan(int otherSwitches, int otherSteps) {
            return switches < otherSwitches || switches == otherSwitches && steps <= otherSteps;
        }
    }

    /// Enters an execution that ended with `end`, in which `violations` were found.
    void enter(Ending ending, LitmusProgram.End end, List<Violation> violations) {
        for (Violation violation : violations) {
            Found known = byTitle.get(violation.title());
            byTitle.put(violation.title(), better(known, violation, ending));
        }
        if (end == LitmusProgram.End.POSITIVE) {
            positive = better(positive, null, ending);
        } else if (end == LitmusProgram.End.NEGATIVE && negative == null) {
            negative = better(null, null, ending);
        }
    }

    private static Found better(
            @Nullable Found known, @Nullable Violation violation, Ending ending) {
        int switches = ending.switches();
        if (known != null && known.simplerThan(switches, ending.steps())) {
            return known;
        }
        return new Found(violation, switches, ending.steps(), ending.schedule());
    }

    boolean anyViolation() {
        return !byTitle.isEmpty();
    }

    /// Each violation once, in the order in which they were first seen.
    List<Violation> violations() {
        return byTitle.values().stream()
                .map(found -> Objects.requireNonNull(found.violation))
                .toList();
    }

    /// The execution that shows the first violation; null where there is none.
    @Nullable Schedule ofViolation() {
        return byTitle.isEmpty() ? null : byTitle.values().iterator().next().schedule;
    }

    /// The title of the first violation; null where there is none.
    @Nullable String firstTitle() {
        return byTitle.isEmpty() ? null : byTitle.keySet().iterator().next();
    }

    /// An execution in which the proposition holds, or does not hold; null where none was seen.
    @Nullable Schedule ofCondition(boolean holds) {
        Found found = holds ? positive : negative;
        return found == null ? null : found.schedule;
    }
}
