// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Step;

import java.util.ArrayList;
import java.util.List;

/// Writes down recordings, step by step.
final class Traces {
    private final List<String> tasks;
    private final List<Step> steps = new ArrayList<>();
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
        return new Recording(tasks, List.copyOf(steps), List.of(), state, schedule);
    }
}
