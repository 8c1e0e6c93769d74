// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Step;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Writes down recordings, step by step.
final class Traces {
    private final List<String> tasks;
    private final List<Step> steps = new ArrayList<>();
    private final List<Violation> found = new ArrayList<>();
    private final Set<String> looked = new LinkedHashSet<>();
    private String state = "";
    private boolean shared = true;

    Traces(String... tasks) {
        this.tasks = List.of(tasks);
    }

    /// The next steps touch what no other task touches.
    Traces unshared() {
        shared = false;
        return this;
    }

    /// In the step that was made last a violation was found.
    Traces found(String kind) {
        return found(kind, "");
    }

    Traces found(String kind, String text) {
        int step = steps.size() - 1;
        found.add(new Violation(kind, "", "", text, "P0", 0, List.of(), List.of(), step));
        return this;
    }

    /// The final state is told from these locations.
    Traces looked(String... locations) {
        looked.addAll(List.of(locations));
        return this;
    }

    Traces finalState(String text) {
        state = text;
        return this;
    }

    Traces read(String task, String functions, String operation, String location, String value) {
        return step(task, functions, operation, location, value, value, false);
    }

    Traces write(
            String task,
            String functions,
            String operation,
            String location,
            String before,
            String after) {
        return step(task, functions, operation, location, before, after, true);
    }

    private Traces step(
            String task,
            String functions,
            String operation,
            String location,
            String before,
            String after,
            boolean wrote) {
        List<String> trace = functions.isEmpty() ? List.of() : List.of(functions.split(" ", -1));
        steps.add(
                new Step(
                        steps.size(),
                        task,
                        tasks.indexOf(task) % 2,
                        trace,
                        operation,
                        location,
                        before,
                        after,
                        wrote,
                        shared));
        shared = true;
        return this;
    }

    Recording recording() {
        Schedule schedule = new Schedule("beef", new int[] {0, 1});
        return new Recording(
                tasks, List.copyOf(steps), List.copyOf(found), state, looked, schedule);
    }
}
