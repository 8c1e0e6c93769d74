// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.LockGraph.Dependency;
import org.interleaf.machine.Lock;
import org.interleaf.machine.LockClass;
import org.interleaf.machine.LockMode;
import org.interleaf.machine.Task;

import java.util.ArrayList;
import java.util.List;

/// The texts of {@link Lockdep}, in the order in which the kernel gives the same facts.
final class LockReport {
    private static final String LINE = "  ";
    private static final int COLUMN = 34;

    private LockReport() {}

    /// The classes of a circle, beginning with the one whose name is the first in the alphabet, so
    /// that it is called the same whichever lock was the last to close it.
    static String circle(Dependency closing, List<Dependency> rest) {
        List<String> names = new ArrayList<>();
        names.add(closing.from.name());
        rest.forEach(dependency -> names.add(dependency.from.name()));
        int first = 0;
        for (int i = 1; i < names.size(); i++) {
            first = names.get(i).compareTo(names.get(first)) < 0 ? i : first;
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i <= names.size(); i++) {
            text.append(i == 0 ? "" : " -> ").append(names.get((first + i) % names.size()));
        }
        return text.toString();
    }

    static String takes(Task task, Lock lock, LockClass as, LockMode mode) {
        return task.name() + " is trying to take " + as + how(mode) + ", which is " + lock.name();
    }

    static List<String> recursion(Task task, int held, LockClass as, LockMode mode) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "but already holds "
                        + as
                        + how(task.heldMode(held))
                        + ", which is "
                        + task.held(held).name());
        lines.add("");
        lines.add("Possible unsafe locking scenario:");
        lines.add(LINE + "CPU0");
        lines.add(LINE + lock(as, task.heldMode(held)));
        lines.add(LINE + lock(as, mode));
        lines.add(LINE + "*** DEADLOCK ***");
        lines.add("");
        lines.add(held(task));
        return lines;
    }

    static String closes(Task task, Dependency closing) {
        return task.name()
                + " is trying to take "
                + closing.to
                + how(closing.taken)
                + ", holding "
                + closing.from
                + how(closing.held)
                + ", which already depends on it";
    }

    /// Both sides: each dependency with where it comes from, and how they meet.
    static List<String> chains(Task task, Dependency closing, List<Dependency> rest) {
        List<String> lines = new ArrayList<>();
        lines.add("The existing dependency chain, in reverse order:");
        for (int i = rest.size() - 1; i >= 0; i--) {
            chain(i + 1, rest.get(i), lines);
        }
        chain(0, closing, lines);
        lines.add("");
        lines.add("Possible unsafe locking scenario:");
        scenario(closing, rest, lines);
        lines.add("");
        lines.add(held(task));
        return lines;
    }

    private static void chain(int number, Dependency dependency, List<String> lines) {
        lines.add("");
        lines.add(
                "-> #"
                        + number
                        + " "
                        + dependency.to
                        + how(dependency.taken)
                        + ", with "
                        + dependency.from
                        + how(dependency.held)
                        + " held:");
        if (!dependency.how.isEmpty()) {
            lines.add(dependency.how);
        }
    }

    /// As the kernel draws it, with one CPU for all that are not the last.
    private static void scenario(Dependency closing, List<Dependency> rest, List<String> lines) {
        columns("CPU0", "CPU1", lines);
        columns(lock(closing.from, closing.held), "", lines);
        for (Dependency dependency : rest) {
            columns("", lock(dependency.from, dependency.held), lines);
        }
        Dependency last = rest.getLast();
        columns("", lock(last.to, last.taken), lines);
        columns(lock(closing.to, closing.taken), "", lines);
        lines.add(LINE + "*** DEADLOCK ***");
    }

    private static void columns(String left, String right, List<String> lines) {
        String gap = " ".repeat(Math.max(1, COLUMN - left.length()));
        lines.add((LINE + left + gap + right).stripTrailing());
    }

    private static String lock(LockClass lock, LockMode mode) {
        return (mode.isRead() ? "rlock(" : "lock(") + lock + ");";
    }

    private static String how(LockMode mode) {
        return mode.isRead() ? " (for reading)" : "";
    }

    private static String held(Task task) {
        StringBuilder text = new StringBuilder("Locks held by ").append(task.name()).append(": ");
        for (int i = 0; i < task.heldCount(); i++) {
            text.append(i == 0 ? "" : ", ").append(task.held(i).name());
        }
        return text.toString();
    }
}
