// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// One execution as commit messages of the kernel draw it: a column for each CPU, set with tabs,
/// functions as nested calls, and behind an arrow what they find or do.
///
/// ```
/// 	CPU0				CPU1
/// 	----				----
/// 					pin_user_pages_fast()
/// 					  gup_fast_pte_range() <-- *pte == page
/// 	collapse_huge_page()
/// 	  pmdp_collapse_flush() <-- *pmd: table -> none
/// ```
public final class CommitMessage {
    private static final int TAB = 8;
    private static final int WIDTH_MAX = 39;

    private final Recording recording;
    private final Shown shown;
    private final List<Step> steps;
    private final ShortNames names;
    private final List<String> columns;
    private final Map<String, CallTree> calls = new LinkedHashMap<>();
    private final Map<String, List<String>> open = new LinkedHashMap<>();
    private final List<Row> rows = new ArrayList<>();

    private record Row(int column, String text) {}

    private CommitMessage(Recording recording) {
        this.recording = recording;
        this.shown = Shown.of(recording, false);
        this.steps = shown.steps();
        this.names = new ShortNames(steps);
        Set<String> used = new LinkedHashSet<>();
        steps.forEach(step -> used.add(step.task()));
        this.columns = recording.tasks().stream().filter(used::contains).toList();
        for (String task : columns) {
            calls.put(
                    task, CallTree.of(steps.stream().filter(s -> s.task().equals(task)).toList()));
        }
    }

    /// The drawing, ending in a newline.
    public static String render(Recording recording) {
        return new CommitMessage(recording).render();
    }

    private String render() {
        for (Step step : steps) {
            add(step);
        }
        StringBuilder out = new StringBuilder();
        int[] starts = starts();
        StringBuilder titles = new StringBuilder();
        StringBuilder rules = new StringBuilder();
        for (int c = 0; c < columns.size(); c++) {
            String title = title(columns.get(c));
            pad(titles, starts[c]);
            pad(rules, starts[c]);
            titles.append(title);
            rules.append("-".repeat(title.length()));
        }
        out.append(titles).append('\n').append(rules).append('\n');
        for (Row row : rows) {
            StringBuilder line = new StringBuilder();
            pad(line, starts[row.column]);
            out.append(line).append(row.text).append('\n');
        }
        return out.toString();
    }

    /// A task of the machine's own shares its CPU with another, and needs a name.
    private String title(String task) {
        int cpu =
                recording.steps().stream()
                        .filter(step -> step.task().equals(task))
                        .mapToInt(Step::cpu)
                        .findFirst()
                        .orElse(0);
        return "CPU" + cpu + (task.indexOf('/') < 0 ? "" : " (" + task + ")");
    }

    // ---- rows

    private void add(Step step) {
        int column = columns.indexOf(step.task());
        List<String> path = Objects.requireNonNull(calls.get(step.task())).path(step);
        List<String> before = open.getOrDefault(step.task(), List.of());
        int depth = 0;
        while (depth < Math.min(path.size(), before.size())
                && path.get(depth).equals(before.get(depth))) {
            depth++;
        }
        String note = note(step);
        if (depth == path.size()) {
            put(column, depth, note);
        }
        for (int d = depth; d < path.size(); d++) {
            String call = path.get(d) + "()";
            boolean last = d == path.size() - 1;
            String whole = call + " <-- " + note;
            if (!last) {
                put(column, d, call);
            } else if (2 * d + whole.length() <= WIDTH_MAX) {
                put(column, d, whole);
            } else {
                put(column, d, call);
                put(column, d + 1, note);
            }
        }
        for (String mark : shown.found(step)) {
            put(column, path.size(), "*** " + mark);
        }
        open.put(step.task(), path);
    }

    private void put(int column, int depth, String text) {
        for (String line : Wrap.lines(text, 2 * depth, WIDTH_MAX)) {
            rows.add(new Row(column, line.replaceAll("[^ -~]", "?")));
        }
    }

    private String note(Step step) {
        String location = names.location(step);
        if (ShortNames.isContents(step)) {
            return (step.wrote() ? "write to " : "read ") + location;
        }
        if (step.operation().contains("lock")) {
            return step.operation() + "(" + location + ")";
        }
        String after = names.value(step.after());
        return step.wrote()
                ? location + ": " + names.value(step.before()) + " -> " + after
                : location + " == " + after;
    }

    // ---- columns

    private int[] starts() {
        int[] starts = new int[columns.size()];
        int at = TAB;
        for (int c = 0; c < starts.length; c++) {
            starts[c] = at;
            int width = title(columns.get(c)).length();
            for (Row row : rows) {
                width = row.column == c ? Math.max(width, row.text.length()) : width;
            }
            at = (at + width) / TAB * TAB + TAB;
        }
        return starts;
    }

    /// Fills up `line` with tabs to `start`, which is a multiple of their width.
    private static void pad(StringBuilder line, int start) {
        int at = 0;
        for (int i = 0; i < line.length(); i++) {
            at = line.charAt(i) == '\t' ? at / TAB * TAB + TAB : at + 1;
        }
        while (at < start) {
            line.append('\t');
            at = at / TAB * TAB + TAB;
        }
    }
}
