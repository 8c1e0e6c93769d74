// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.KernelNames.Origin;
import org.interleaf.machine.Task;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// What the sanitizers found in the execution at hand, each finding once.
///
/// Two findings with one title are the same finding. Its text is written when it is first met: an
/// exploration may meet it a million times.
public final class Findings {
    private final KernelNames names;
    private final Map<String, Violation> known = new LinkedHashMap<>();
    private final List<Violation> found = new ArrayList<>();

    /// What the set-up has shown, which is part of every execution.
    private final List<Violation> ofSetUp = new ArrayList<>();

    public Findings(KernelNames names) {
        this.names = names;
    }

    /// Forgets the findings of the execution before.
    public void clear() {
        found.clear();
        found.addAll(ofSetUp);
    }

    /// The findings, in the order of their appearance.
    public List<Violation> all() {
        return found.isEmpty() ? List.of() : List.copyOf(found);
    }

    /// Reports something found where the running thread is.
    void report(String kind, Task task, Supplier<String> text) {
        report(kind, task, text, List::of);
    }

    void report(String kind, Task task, Supplier<String> text, Supplier<List<String>> details) {
        String where = names.innermost();
        Violation violation = known.get(Violation.title(kind, where));
        if (violation == null) {
            violation = describe(kind, task, text.get(), names.callTrace(), details.get());
        }
        add(violation, task);
    }

    /// Reports something that `where` tells from others of its kind, and not the function that the
    /// running thread is in. If it is the set-up that shows it, every execution does.
    void reportAs(
            String kind,
            String where,
            Task task,
            Supplier<String> text,
            Supplier<List<String>> details) {
        Violation violation = known.get(Violation.title(kind, where));
        if (violation == null) {
            List<String> functions = names.callTrace().stream().map(Origin::function).toList();
            violation =
                    new Violation(
                            kind,
                            where,
                            "",
                            text.get(),
                            task.name(),
                            task.cpu(),
                            functions,
                            details.get());
            known.put(violation.title(), violation);
        }
        add(violation, task);
        if (task.id() < 0 && !ofSetUp.contains(violation)) {
            ofSetUp.add(violation);
        }
    }

    /// Reports something found in the functions of `trace`.
    void report(String kind, Task task, String text, List<Origin> trace) {
        report(kind, task, text, trace, List.of());
    }

    void report(String kind, Task task, String text, List<Origin> trace, List<String> details) {
        add(describe(kind, task, text, trace, details), task);
    }

    /// Reports something found in several functions; `describe` is asked where it is new.
    void report(String kind, String where, Task task, Supplier<Violation> describe) {
        add(known.computeIfAbsent(Violation.title(kind, where), title -> describe.get()), task);
    }

    private Violation describe(
            String kind, Task task, String text, List<Origin> trace, List<String> details) {
        Origin origin = trace.isEmpty() ? Origin.UNKNOWN : trace.getFirst();
        List<String> functions = trace.stream().map(Origin::function).toList();
        Violation violation =
                new Violation(
                        kind,
                        origin.function(),
                        origin.file(),
                        text,
                        task.name(),
                        task.cpu(),
                        functions,
                        details);
        known.putIfAbsent(violation.title(), violation);
        return violation;
    }

    private void add(Violation violation, Task task) {
        for (Violation other : found) {
            if (other.title().equals(violation.title())) {
                return;
            }
        }
        found.add(violation.withStep(task.machine().steps() - 1));
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
