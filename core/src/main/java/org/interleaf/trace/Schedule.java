// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import java.util.Arrays;

/// Which task made each access of one execution, in order: all that is needed to run it again.
///
/// As text it is a *token* such as `il1:9f3c:0*4.1*2.0`: the version, four digits that tell the
/// test and its variant apart from others, and the tasks, with `*n` after one that goes n times in
/// a row. A token may be broken over lines.
public final class Schedule {
    private static final String VERSION = "il1";

    private final String fingerprint;
    private final int[] tasks;

    /// The schedule `tasks` of the test that `fingerprint` identifies.
    public Schedule(String fingerprint, int[] tasks) {
        this.fingerprint = fingerprint;
        this.tasks = tasks.clone();
    }

    /// Identifies the test, its configuration and the patches to the model.
    public String fingerprint() {
        return fingerprint;
    }

    public int length() {
        return tasks.length;
    }

    /// The task that makes access number `step`.
    public int task(int step) {
        return tasks[step];
    }

    /// How often another task than before makes the next access.
    public int switches() {
        int switches = 0;
        for (int i = 1; i < tasks.length; i++) {
            switches += tasks[i] == tasks[i - 1] ? 0 : 1;
        }
        return switches;
    }

    /// Reads a token.
    ///
    /// @throws IllegalArgumentException where it is not one; the message says why
    public static Schedule parse(String token) {
        String text = token.replaceAll("\\s+", "");
        String[] parts = text.split(":", -1);
        if (parts.length != 3 || !parts[0].equals(VERSION)) {
            throw new IllegalArgumentException(
                    "not a replay token: it should look like il1:9f3c:0*4.1*2");
        }
        int[] tasks = new int[16];
        int n = 0;
        for (String run : parts[2].isEmpty() ? new String[0] : parts[2].split("\\.", -1)) {
            String[] pair = run.split("\\*", -1);
            int task = number(pair[0], run, 999);
            int count = pair.length == 1 ? 1 : number(pair[1], run, 10_000_000);
            if (pair.length > 2 || count < 1) {
                throw new IllegalArgumentException("replay token: cannot read '" + run + "'");
            }
            if (n + count > tasks.length) {
                tasks = Arrays.copyOf(tasks, Math.max(2 * tasks.length, n + count));
            }
            Arrays.fill(tasks, n, n + count, task);
            n += count;
        }
        return new Schedule(parts[1], Arrays.copyOf(tasks, n));
    }

    private static int number(String text, String run, int max) {
        if (text.isEmpty()
                || text.length() > 8
                || !text.chars().allMatch(c -> c >= '0' && c <= '9')
                || Integer.parseInt(text) > max) {
            throw new IllegalArgumentException("replay token: cannot read '" + run + "'");
        }
        return Integer.parseInt(text);
    }

    /// The token.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(VERSION).append(':').append(fingerprint).append(':');
        int i = 0;
        while (i < tasks.length) {
            int end = i;
            while (end < tasks.length && tasks[end] == tasks[i]) {
                end++;
            }
            text.append(i == 0 ? "" : ".").append(tasks[i]);
            if (end - i > 1) {
                text.append('*').append(end - i);
            }
            i = end;
        }
        return text.toString();
    }
}
