// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import org.interleaf.report.Ansi.Ink;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Sets texts in columns: as wide as they need to be where all fit beside each other, else narrower
/// and folded. Where that would make them too narrow to read, each column begins a step to the
/// right of the one before and its texts may run on to the edge of the page: no other stands in
/// their row.
final class ColumnTable {
    private static final int GAP = 2;
    private static final int WIDTH_MIN = 30;
    private static final int LAST_WIDTH = 40;

    private final int width;
    private final Ansi ansi;
    private final List<Cell> headers;
    private final List<Cell> cells;
    private final int[] starts;
    private final int[] widths;
    private final boolean staggered;
    private final StringBuilder out = new StringBuilder();

    /// A text in a column of the table, in a row of its own.
    record Cell(int column, int indent, String text, Ink ink) {
        int length() {
            return indent + text.length();
        }
    }

    /// A table with one header for each column.
    ColumnTable(List<Cell> headers, List<Cell> cells, int width, Ansi ansi) {
        this.headers = headers;
        this.cells = cells;
        this.width = width;
        this.ansi = ansi;
        this.widths = new int[headers.size()];
        this.starts = new int[headers.size()];
        this.staggered = !besideEachOther();
        if (staggered) {
            stagger();
        }
    }

    /// The headers, and below them one row for each cell.
    String render() {
        if (staggered) {
            headers.forEach(header -> row(List.of(header)));
        } else {
            row(headers);
        }
        cells.forEach(cell -> row(List.of(cell)));
        return out.toString();
    }

    /// Places the columns beside each other; whether none got too narrow.
    private boolean besideEachOther() {
        headers.forEach(this::widen);
        cells.forEach(this::widen);
        int room = Math.max(1, width - GAP * (widths.length - 1));
        boolean wide = true;
        while (Arrays.stream(widths).sum() > room && wide) {
            int widest = 0;
            for (int c = 1; c < widths.length; c++) {
                widest = widths[c] > widths[widest] ? c : widest;
            }
            wide = --widths[widest] >= WIDTH_MIN || widths.length == 1;
        }
        for (int c = 1; c < widths.length; c++) {
            starts[c] = starts[c - 1] + widths[c - 1] + GAP;
        }
        return wide;
    }

    private void widen(Cell cell) {
        widths[cell.column()] = Math.max(widths[cell.column()], cell.length());
    }

    private void stagger() {
        int step = Math.max(1, (width - LAST_WIDTH) / Math.max(1, widths.length - 1));
        for (int c = 0; c < widths.length; c++) {
            starts[c] = c * step;
            widths[c] = Math.max(LAST_WIDTH, width - starts[c]);
        }
    }

    private void row(List<Cell> row) {
        List<List<String>> folded = new ArrayList<>();
        int height = 0;
        for (Cell cell : row) {
            folded.add(Wrap.lines(cell.text(), cell.indent(), widths[cell.column()]));
            height = Math.max(height, folded.getLast().size());
        }
        for (int line = 0; line < height; line++) {
            int at = 0;
            for (int i = 0; i < row.size(); i++) {
                if (line < folded.get(i).size()) {
                    int start = starts[row.get(i).column()];
                    out.append(" ".repeat(start - at));
                    at = start + put(folded.get(i).get(line), row.get(i).ink());
                }
            }
            out.append('\n');
        }
    }

    private int put(String line, Ink ink) {
        String text = line.stripLeading();
        out.append(" ".repeat(line.length() - text.length())).append(ansi.paint(ink, text));
        return line.length();
    }
}
