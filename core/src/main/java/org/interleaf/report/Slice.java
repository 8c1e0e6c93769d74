// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;
import org.interleaf.trace.Violation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds the steps of an execution that bear on how it ended, going back from there by dependence.
///
/// It begins with the steps in which something was found; where the end itself is what counts, with
/// what the final state was told from and with all that a process has learned. What a step depends
/// on is what its task had learned of others before, that is, the loads that conflict with a step
/// of another task; and a load depends on the store that it saw, and on the first one that it came
/// too early for: a stale value is one that somebody changes. A store that nobody looks at any more
/// is not reached, nor is a look at what nobody else changes.
///
/// A step without a kernel function stands in the test itself, and is always shown.
final class Slice {
    private static final Set<String> BLIND =
            Set.of(
                    "write",
                    "WRITE_ONCE",
                    "smp_store_release",
                    "unlock",
                    "atomic_add",
                    "atomic_sub",
                    "atomic_and",
                    "atomic_or",
                    "atomic_xor");

    private static final Pattern FREED = Pattern.compile(" after (.+) was freed");

    private final Recording recording;
    private final List<Step> steps;

    /// The numbers of the steps to choose from.
    private final BitSet noticed = new BitSet();

    private final Map<String, List<Step>> byLocation = new HashMap<>();
    private final Map<String, List<Step>> byTask = new HashMap<>();
    private final BitSet found = new BitSet();
    private final Deque<Step> todo = new ArrayDeque<>();

    private Slice(Recording recording) {
        this.recording = recording;
        this.steps = recording.steps();
    }

    /// The numbers of the steps to show: those that bear on the end, and those in which something
    /// was found.
    static BitSet of(Recording recording) {
        Slice slice = new Slice(recording);
        slice.gather();
        slice.begin();
        slice.follow();
        slice.dropLooksBeforeUpdates();
        slice.found.and(slice.noticed);
        if (slice.found.isEmpty()) {
            // Nobody says what the end was told from.
            slice.found.or(slice.noticed);
        }
        recording.violations().stream()
                .filter(violation -> violation.step() >= 0)
                .forEach(slice::show);
        return slice.found;
    }

    /// Shows where something was found; of a use after free also the freeing.
    private void show(Violation violation) {
        found.set(violation.step());
        Matcher freed = FREED.matcher(violation.text());
        if (violation.kind().startsWith("BUG: KASAN") && freed.find()) {
            String life = freed.group(1) + ".life";
            for (int i = violation.step(); i >= 0; i--) {
                if (steps.get(i).location().equals(life) && steps.get(i).wrote()) {
                    found.set(i);
                    break;
                }
            }
        }
    }

    private void gather() {
        BitSet unnoticed = Unnoticed.in(recording);
        for (Step step : steps) {
            if (step.shared() && !unnoticed.get(step.number())) {
                noticed.set(step.number());
                byLocation.computeIfAbsent(step.location(), x -> new ArrayList<>()).add(step);
                byTask.computeIfAbsent(step.task(), x -> new ArrayList<>()).add(step);
            }
        }
    }

    // ---- where it begins

    private void begin() {
        boolean inAStep = false;
        boolean atTheEnd = false;
        for (Violation violation : recording.violations()) {
            if (violation.step() >= 0) {
                inAStep = true;
                mark(steps.get(violation.step()));
                markSource(steps.get(violation.step()));
            } else {
                atTheEnd = true;
            }
        }
        if (atTheEnd) {
            noticed.stream().forEach(i -> mark(steps.get(i)));
        } else if (!inAStep) {
            beginAtFinalState();
        }
        for (Step step : steps) {
            if (noticed.get(step.number()) && step.callTrace().isEmpty() && !isDaemon(step)) {
                mark(step);
            }
        }
    }

    private void beginAtFinalState() {
        for (String location : recording.looked()) {
            Step last = null;
            for (Step step : byLocation.getOrDefault(location, List.of())) {
                last = step.wrote() ? step : last;
            }
            if (last != null) {
                mark(last);
            }
        }
        for (List<Step> task : byTask.values()) {
            if (!isDaemon(task.getFirst())) {
                markLearned(task, steps.size());
            }
        }
    }

    private static boolean isDaemon(Step step) {
        return step.task().indexOf('/') >= 0;
    }

    // ---- going back

    private void mark(Step step) {
        if (!found.get(step.number())) {
            found.set(step.number());
            todo.add(step);
        }
    }

    private void follow() {
        for (Step step = todo.poll(); step != null; step = todo.poll()) {
            markLearned(byTask.getOrDefault(step.task(), List.of()), step.number());
            if (learns(step)) {
                markSource(step);
            }
        }
    }

    /// Marks what a task had learned of others before step number `end`.
    private void markLearned(List<Step> task, int end) {
        for (Step step : task) {
            if (step.number() < end && learns(step) && conflicts(step)) {
                mark(step);
            }
        }
    }

    /// Marks the store that a load saw, and the next one.
    private void markSource(Step load) {
        Step before = null;
        for (Step other : byLocation.getOrDefault(load.location(), List.of())) {
            if (!other.wrote() || other.number() == load.number()) {
                continue;
            }
            if (other.number() < load.number()) {
                before = other;
            } else if (!other.task().equals(load.task())) {
                mark(other);
                break;
            }
        }
        if (before != null && !before.task().equals(load.task())) {
            mark(before);
        }
    }

    /// Whether the step tells its task something.
    static boolean learns(Step step) {
        return !BLIND.contains(step.operation());
    }

    private boolean conflicts(Step step) {
        return byLocation.getOrDefault(step.location(), List.of()).stream()
                .anyMatch(other -> conflict(step, other));
    }

    /// Whether it makes a difference which of the two comes first.
    static boolean conflict(Step one, Step other) {
        return !one.task().equals(other.task())
                && one.location().equals(other.location())
                && (one.wrote() || other.wrote());
    }

    // ---- what others make superfluous

    /// A load before an update by the same task that finds the same says nothing of its own.
    private void dropLooksBeforeUpdates() {
        for (List<Step> location : byLocation.values()) {
            Map<String, Step> looks = new HashMap<>();
            for (Step step : location) {
                Step look = looks.remove(step.task());
                boolean told = learns(step) && found.get(step.number());
                if (look != null && step.wrote() && told) {
                    found.clear(look.number());
                }
                if (step.wrote()) {
                    looks.clear();
                } else {
                    looks.put(step.task(), step);
                }
            }
        }
    }
}
