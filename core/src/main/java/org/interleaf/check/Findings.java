// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import java.util.ArrayList;
import java.util.List;
import org.interleaf.check.KernelNames.Origin;
import org.interleaf.machine.Task;
import org.interleaf.trace.Violation;

/// What the sanitizers found in the execution at hand, each finding once.
public final class Findings {
    private final KernelNames names;
    private final List<Violation> found = new ArrayList<>();

    public Findings(KernelNames names) {
        this.names = names;
    }

    /// Forgets the findings of the execution before.
    public void clear() {
        found.clear();
    }

    /// The findings, in the order of their appearance.
    public List<Violation> all() {
        return List.copyOf(found);
    }

    /// Reports `text`, found where the running thread is.
    void report(String kind, Task task, String text) {
        report(kind, task, text, List.of());
    }

    void report(String kind, Task task, String text, List<String> details) {
        report(kind, task, text, names.callTrace(), details);
    }

    void report(
            String kind, Task task, String text, List<Origin> trace, List<String> details) {
        Origin origin = trace.isEmpty() ? new Origin("", "") : trace.getFirst();
        Violation violation =
                new Violation(
                        kind,
                        origin.function(),
                        origin.file(),
                        text,
                        task.name(),
                        task.cpu(),
                        trace.stream().map(Origin::function).toList(),
                        details);
        if (found.stream().noneMatch(v -> v.title().equals(violation.title()))) {
            found.add(violation);
        }
    }

    /// The functions that the running thread is in, in one line.
    String here(Task task) {
        StringBuilder text = new StringBuilder(task.name()).append(" on CPU ").append(task.cpu());
        String sign = ": ";
        for (Origin origin : names.callTrace()) {
            text.append(sign).append(origin.function());
            sign = " <- ";
        }
        return text.toString();
    }
}
