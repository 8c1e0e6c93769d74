// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What happened before what in an execution, as a graph in the language of Graphviz: a column for
/// each task, and between them an arrow from a step to one that conflicts with it and comes later,
/// where no other arrows say the same.
public final class DotGraph {
    private final Shown shown;
    private final List<Step> steps;
    private final List<String> tasks;
    private final StringBuilder out = new StringBuilder();

    /// For each step that is drawn, how many of each task happened before it or are it.
    private final Map<Integer, int[]> clocks = new HashMap<>();

    /// The place of each step that is drawn among those of its task, from 1.
    private final Map<Integer, Integer> places = new HashMap<>();

    private DotGraph(Recording recording, boolean all) {
        this.shown = Shown.of(recording, all);
        this.steps = shown.steps();
        this.tasks = recording.tasks();
    }

    /// The graph.
    ///
    /// @param all whether to draw every step, not only those that bear on the end
    public static String render(Recording recording, boolean all) {
        return new DotGraph(recording, all).render();
    }

    private String render() {
        out.append("digraph execution {\n");
        out.append("  node [shape=box fontname=monospace fontsize=10];\n");
        for (String task : tasks) {
            column(task, steps.stream().filter(step -> step.task().equals(task)).toList());
        }
        Map<String, Step> latest = new HashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            clocks.put(step.number(), clock(latest.get(step.task())));
            advance(step);
            conflicts(step, i);
            latest.put(step.task(), step);
        }
        return out.append("}\n").toString();
    }

    /// The steps of a task, one below the other.
    private void column(String task, List<Step> column) {
        if (column.isEmpty()) {
            return;
        }
        String title = "CPU " + column.getFirst().cpu() + "  " + task;
        out.append("  subgraph ").append(quote("cluster " + task)).append(" {\n");
        out.append("    label=").append(quote(title)).append(";\n");
        for (Step step : column) {
            out.append("    s").append(step.number()).append(" [label=").append(label(step));
            out.append(shown.marks(step).isEmpty() ? "" : " color=red penwidth=2");
            out.append("];\n");
        }
        for (int i = 0; i < column.size(); i++) {
            places.put(column.get(i).number(), i + 1);
            out.append(i == 0 ? "    " : " -> ").append('s').append(column.get(i).number());
        }
        out.append(column.size() > 1 ? " [weight=10];\n  }\n" : ";\n  }\n");
    }

    private String label(Step step) {
        List<String> lines = new ArrayList<>();
        if (!step.callTrace().isEmpty()) {
            lines.add(step.callTrace().getFirst() + "()");
        }
        lines.add(StepText.of(step));
        lines.addAll(shown.marks(step));
        return quote(String.join("\n", lines));
    }

    // ---- what happened before what

    private int[] clock(@Nullable Step before) {
        return before == null ? new int[tasks.size()] : clockOf(before).clone();
    }

    private int[] clockOf(Step step) {
        return clocks.getOrDefault(step.number(), new int[0]);
    }

    private int place(Step step) {
        return places.getOrDefault(step.number(), 0);
    }

    private void advance(Step step) {
        clockOf(step)[tasks.indexOf(step.task())] = place(step);
    }

    /// Draws the arrows to `step`, the latest first: those before them may follow from them.
    private void conflicts(Step step, int index) {
        int[] clock = clockOf(step);
        for (int i = index - 1; i >= 0; i--) {
            Step other = steps.get(i);
            if (!Slice.conflict(step, other)
                    || clock[tasks.indexOf(other.task())] >= place(other)) {
                continue;
            }
            out.append("  s").append(other.number()).append(" -> s").append(step.number());
            out.append(" [color=blue];\n");
            int[] before = clockOf(other);
            for (int t = 0; t < clock.length; t++) {
                clock[t] = Math.max(clock[t], before[t]);
            }
        }
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> quoted.append('\\').append(c);
                case '\n' -> quoted.append("\\l");
                default -> quoted.append(c >= ' ' && c <= '~' ? c : '?');
            }
        }
        return quoted.append(text.contains("\n") ? "\\l\"" : "\"").toString();
    }
}
