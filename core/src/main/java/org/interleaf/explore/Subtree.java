// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A part of an exploration that anybody can explore at any time, with nothing else known: one
/// execution, which begins with given steps, and all the subtrees that it asks for. No two subtrees
/// have an execution in common, and none ever has to be told anything by another.
///
/// Its text form is what `toString` says and {@link #parse} reads: the tasks that go, in order,
/// with `'` after a fixed one and `]` after the head of a block, and `~n` after one that n heads
/// precede; then what may follow, in the same way, and the write that was overtaken.
///
/// @param steps the first accesses, packed by {@link #step}
/// @param next the task that goes next if it can; -1 if any may
/// @param heads how many heads hold others back from `next`, see {@link Overtaking}
/// @param overtaken where the last step is a waiting access: the event that the execution before
///   already had it come before; -1 if there is none
record Subtree(int[] steps, int next, int heads, int overtaken) {
    /// Every execution.
    static final Subtree ALL = new Subtree(new int[0], -1, 0, -1);

    /// The kind of an access that was chosen freely: another one may be put before it.
    static final int FREE = 0;

    /// The kind of an access in a block, which stays where it is and comes before the head.
    static final int FIXED = 1;

    /// The kind of the last access of a block: the one that was put before another.
    static final int HEAD = 2;

    private static final String MARKS = " ']";
    private static final Pattern STEP = Pattern.compile("(\\d+)(['\\]]?)(?:~(\\d+))?");
    private static final Pattern WHOLE =
            Pattern.compile("((?:\\d+['\\]]?(?:~\\d+)? )*)\\| (-|(\\d+)(?:~(\\d+))?) \\| (-|\\d+)");

    static int step(int task, int kind, int heads) {
        return task << 20 | heads << 2 | kind;
    }

    static int task(int step) {
        return step >>> 20;
    }

    static int kind(int step) {
        return step & 3;
    }

    static int heads(int step) {
        return step >>> 2 & 0x3ffff;
    }

    /// The subtree with the text form `text`.
    ///
    /// @throws IllegalArgumentException if there is none
    static Subtree parse(String text) {
        Matcher whole = WHOLE.matcher(text);
        if (!whole.matches()) {
            throw new IllegalArgumentException("not a subtree: " + text);
        }
        int[] steps =
                STEP.matcher(whole.group(1))
                        .results()
                        .mapToInt(
                                m -> {
                                    String mark = m.group(2);
                                    int kind = mark.isEmpty() ? FREE : MARKS.indexOf(mark);
                                    return step(
                                            Integer.parseInt(m.group(1)),
                                            kind,
                                            number(m.group(3), 0));
                                })
                        .toArray();
        return new Subtree(
                steps,
                number(whole.group(3), -1),
                number(whole.group(4), 0),
                whole.group(5).equals("-") ? -1 : Integer.parseInt(whole.group(5)));
    }

    private static int number(String digits, int otherwise) {
        return digits == null ? otherwise : Integer.parseInt(digits);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int step : steps) {
            text.append(task(step));
            if (kind(step) != FREE) {
                text.append(MARKS.charAt(kind(step)));
            }
            held(text, heads(step)).append(' ');
        }
        text.append("| ");
        if (next >= 0) {
            held(text.append(next), heads).append(" | ");
        } else {
            text.append("- | ");
        }
        return text.append(overtaken < 0 ? "-" : Integer.toString(overtaken)).toString();
    }

    private static StringBuilder held(StringBuilder text, int heads) {
        return heads == 0 ? text : text.append('~').append(heads);
    }
}
