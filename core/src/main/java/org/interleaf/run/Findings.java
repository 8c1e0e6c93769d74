// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Ending;
import org.interleaf.litmus.LitmusProgram;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
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

    /// Enters what another worker found.
    void add(Findings other) {
        other.byTitle.forEach(
                (title, found) ->
                        byTitle.merge(
                                title,
                                found,
                                (a, b) -> a.simplerThan(b.switches, b.steps) ? a : b));
        positive = simpler(positive, other.positive);
        negative = simpler(negative, other.negative);
    }

    private static @Nullable Found simpler(@Nullable Found one, @Nullable Found other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        return one.simplerThan(other.switches, other.steps) ? one : other;
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

    /// The execution that shows the violation that tells most; null where there is none.
    @Nullable Schedule ofViolation() {
        Found found = telling();
        return found == null ? null : found.schedule;
    }

    /// The title of that violation; null where there is none.
    @Nullable String firstTitle() {
        Found found = telling();
        return found == null ? null : Objects.requireNonNull(found.violation).title();
    }

    /// The first of those that have really happened, or else of all.
    private @Nullable Found telling() {
        Found latent = null;
        for (Found found : byTitle.values()) {
            if (!Objects.requireNonNull(found.violation).latent()) {
                return found;
            }
            latent = latent == null ? found : latent;
        }
        return latent;
    }

    /// An execution in which the proposition holds, or does not hold; null where none was seen.
    @Nullable Schedule ofCondition(boolean holds) {
        Found found = holds ? positive : negative;
        return found == null ? null : found.schedule;
    }

    // ---- checkpoints

    void save(DataOutputStream out) throws IOException {
        out.writeInt(byTitle.size());
        for (Found found : byTitle.values()) {
            ViolationFormat.write(Objects.requireNonNull(found.violation), out);
            save(found, out);
        }
        for (Found found : Arrays.asList(positive, negative)) {
            out.writeBoolean(found != null);
            if (found != null) {
                save(found, out);
            }
        }
    }

    private static void save(Found found, DataOutputStream out) throws IOException {
        out.writeInt(found.switches);
        out.writeInt(found.steps);
        ViolationFormat.writeText(found.schedule.toString(), out);
    }

    /// Enters what was saved.
    void load(DataInputStream in) throws IOException {
        Findings saved = new Findings();
        for (int n = in.readInt(); n > 0; n--) {
            Violation violation = ViolationFormat.read(in);
            saved.byTitle.put(violation.title(), load(violation, in));
        }
        saved.positive = in.readBoolean() ? load(null, in) : null;
        saved.negative = in.readBoolean() ? load(null, in) : null;
        add(saved);
    }

    private static Found load(@Nullable Violation violation, DataInputStream in)
            throws IOException {
        int switches = in.readInt();
        int steps = in.readInt();
        Schedule schedule = Schedule.parse(ViolationFormat.readText(in));
        return new Found(violation, switches, steps, schedule);
    }
}
