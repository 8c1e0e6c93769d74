// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Step;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Finds the step at which an execution stops being as good as one call after another.
///
/// Calls of which one does something before the other that conflicts with it are in an order. As
/// long as these orders form no circle, the calls might as well have been made one by one. The step
/// that closes the first circle changes what another call has seen already and goes on with: it is
/// where the assumption breaks that somebody made.
final class Breaks {
    /// The step, and what it breaks.
    ///
    /// @param step the step that closes the circle
    /// @param seen the step of another task whose result holds no longer
    record Break(Step step, Step seen) {
        /// In a few words.
        String text() {
            return "CPU " + seen.cpu() + " has seen " + seen.after() + " here, and relies on it";
        }
    }

    private final Map<String, Integer> calls = new HashMap<>();
    private final Map<String, String> open = new HashMap<>();
    private final List<Step> before = new ArrayList<>();
    private final List<String> callOf = new ArrayList<>();
    private final Map<String, Set<String>> order = new HashMap<>();

    private Breaks() {}

    /// The break among `steps`, which are those that matter.
    static Optional<Break> first(List<Step> steps) {
        Breaks breaks = new Breaks();
        for (Step step : steps) {
            Step seen = step.operation().contains("lock") ? null : breaks.broken(step);
            if (seen != null) {
                return Optional.of(new Break(step, seen));
            }
        }
        return Optional.empty();
    }

    private @Nullable Step broken(Step step) {
        String call = call(step);
        Step seen = null;
        for (int i = 0; i < before.size(); i++) {
            Step other = before.get(i);
            if (Slice.conflict(step, other)) {
                if (step.wrote() && Slice.learns(other) && reaches(call, callOf.get(i))) {
                    seen = other;
                }
                order.computeIfAbsent(callOf.get(i), x -> new HashSet<>()).add(call);
            }
        }
        before.add(step);
        callOf.add(call);
        return seen;
    }

    /// The call that the step is part of; what is in no function is one of its own.
    private String call(Step step) {
        String function = step.callTrace().isEmpty() ? "" : step.callTrace().getLast();
        if (function.isEmpty() || !function.equals(open.put(step.task(), function))) {
            calls.merge(step.task(), 1, Integer::sum);
        }
        return step.task() + " " + calls.get(step.task());
    }

    private boolean reaches(String from, String to) {
        Set<String> seen = new HashSet<>();
        List<String> todo = new ArrayList<>(List.of(from));
        while (!todo.isEmpty()) {
            String call = todo.removeLast();
            if (seen.add(call)) {
                todo.addAll(order.getOrDefault(call, Set.of()));
            }
        }
        return !from.equals(to) && seen.contains(to);
    }
}
