// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.report.Ansi.Ink;
import org.interleaf.report.ColumnTable.Cell;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Step;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// One execution as a text with a column for each task, in the notation of the kernel's comments
/// and commit messages:
///
/// ```
/// CPU 0  P0: collapse_huge_page()            CPU 1  P1: pin_user_pages_fast()
///                                            gup_fast_pte_range()
///                                              READ_ONCE(pte[1] of table 5) -> page 7
/// pmdp_collapse_flush()
///   xchg(pmd[0] of table 4): table 5 -> none
/// ```
///
/// Time runs downwards, one step a line. Shown are the steps that bear on how the execution ended
/// ({@link Slice}); of many in a row of one CPU only the first and the last. `^^^` below a step
/// says what was found in it, or what another CPU goes by that the step changes ({@link Breaks}).
/// The text is ASCII throughout.
public final class ColumnTrace {
    private static final int STEP_INDENT = 2;
    private static final int CALLS_IN_HEADER_MAX = 3;

    private final Recording recording;
    private final TraceStyle style;
    private final Shown shown;
    private final List<String> tasks;
    private final List<Cell> cells = new ArrayList<>();
    private final Map<String, String> functions = new LinkedHashMap<>();

    private ColumnTrace(Recording recording, TraceStyle style) {
        this.recording = recording;
        this.style = style;
        this.shown = Shown.of(recording, style.allSteps());
        this.tasks = recording.tasks().stream().filter(this::hasColumn).toList();
    }

    /// The trace, ending in a newline; below it the final state, if there is one.
    public static String render(Recording recording, TraceStyle style) {
        return new ColumnTrace(recording, style).render();
    }

    private String render() {
        List<Cell> headers = tasks.stream().map(this::header).toList();
        List<Step> steps = shown.steps();
        int[] folded = style.allSteps() ? new int[steps.size()] : shown.fold();
        for (int i = 0; i < steps.size(); i++) {
            if (shown.contains(steps.get(i))) {
                addStep(steps.get(i), folded[i]);
            }
        }
        ColumnTable table = new ColumnTable(headers, cells, style.width(), style.ansi());
        StringBuilder text = new StringBuilder(table.render());
        if (cells.isEmpty()) {
            text.append("(no two tasks touch the same thing)\n");
        }
        if (!recording.finalState().isEmpty()) {
            text.append('\n');
            String state = ascii("Final state: " + recording.finalState());
            Wrap.lines(state, 0, style.width()).forEach(line -> text.append(line).append('\n'));
        }
        return text.toString();
    }

    /// Whether a task has a column. The machine's own work, called `irq/1` or `rcuc/0`, is there in
    /// every test and does something in few.
    private boolean hasColumn(String task) {
        return task.indexOf('/') < 0
                || recording.steps().stream()
                        .anyMatch(s -> s.task().equals(task) && shown.contains(s));
    }

    private Cell header(String task) {
        StringBuilder text = new StringBuilder();
        Set<String> calls = new LinkedHashSet<>();
        for (Step step : recording.steps()) {
            if (step.task().equals(task)) {
                if (text.isEmpty()) {
                    text.append("CPU ").append(step.cpu()).append("  ");
                }
                if (!step.callTrace().isEmpty()) {
                    calls.add(step.callTrace().getLast());
                }
            }
        }
        text.append(task);
        if (!calls.isEmpty()) {
            text.append(": ").append(calls(calls));
        }
        if (calls.size() == 1) {
            functions.put(task, calls.iterator().next());
        }
        return new Cell(tasks.indexOf(task), 0, ascii(text.toString()), Ink.HEADER);
    }

    private static String calls(Set<String> names) {
        String shown =
                names.stream()
                        .limit(CALLS_IN_HEADER_MAX)
                        .map(name -> name + "()")
                        .collect(Collectors.joining(", "));
        return names.size() > CALLS_IN_HEADER_MAX ? shown + ", ..." : shown;
    }

    private void addStep(Step step, int folded) {
        int column = tasks.indexOf(step.task());
        String function = step.callTrace().isEmpty() ? "" : step.callTrace().getFirst();
        if (!function.equals(functions.getOrDefault(step.task(), ""))) {
            functions.put(step.task(), function);
            if (!function.isEmpty()) {
                cells.add(new Cell(column, 0, ascii(function + "()"), Ink.FUNCTION));
            }
        }
        int indent = function.isEmpty() ? 0 : STEP_INDENT;
        Ink ink = step.wrote() ? Ink.WRITE : Ink.PLAIN;
        cells.add(new Cell(column, indent, ascii(StepText.of(step)), ink));
        for (String mark : shown.marks(step)) {
            cells.add(new Cell(column, indent, ascii("^^^ " + mark), Ink.BAD));
        }
        if (folded > 0) {
            functions.remove(step.task());
            cells.add(new Cell(column, 0, "[... " + folded + " steps ...]", Ink.ASIDE));
        }
    }

    private static String ascii(String text) {
        return text.replaceAll("[^ -~]", "?");
    }
}
