// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import java.util.ArrayList;
import java.util.List;

/// Folds one line of text into a column.
final class Wrap {
    private static final int HANGING = 4;

    /// After these a word may be broken where it does not fit otherwise.
    private static final String JOINTS = "(,:/;.*_-=";

    private Wrap() {}

    /// The lines of `text`, none longer than `width`: the first one indented by `indent`, the
    /// others by some more.
    static List<String> lines(String text, int indent, int width) {
        List<String> lines = new ArrayList<>();
        String rest = text;
        int blanks = Math.min(indent, Math.max(0, width - 2));
        while (blanks + rest.length() > width) {
            int room = Math.max(1, width - blanks);
            int cut = cut(rest, room);
            lines.add(" ".repeat(blanks) + rest.substring(0, cut).stripTrailing());
            rest = rest.substring(cut).stripLeading();
            blanks = Math.min(indent + HANGING, Math.max(0, width / 2));
        }
        if (!rest.isEmpty() || lines.isEmpty()) {
            lines.add(" ".repeat(blanks) + rest);
        }
        return lines;
    }

    /// How many characters of `text`, which has more than `room`, to put on the line: up to a
    /// blank, or where that would leave most of the line empty, up to a joint of a word.
    private static int cut(String text, int room) {
        int blank = text.lastIndexOf(' ', room);
        if (blank > room / 3) {
            return blank;
        }
        for (int i = room; i > room / 3; i--) {
            if (JOINTS.indexOf(text.charAt(i - 1)) >= 0 && text.charAt(i) != ')') {
                return i;
            }
        }
        return blank > 0 ? blank : room;
    }
}
