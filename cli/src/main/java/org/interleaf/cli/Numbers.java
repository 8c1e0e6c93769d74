// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Exploration;

import java.util.Locale;

/// Numbers as they are printed.
final class Numbers {
    private static final double NANOS = 1e9;

    private Numbers() {}

    /// `1 execution`, `12,345 executions`.
    static String count(long n, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", n, noun, n == 1 ? "" : "s");
    }

    /// `12,345`.
    static String grouped(long n) {
        return String.format(Locale.ROOT, "%,d", n);
    }

    /// Wall-clock time in seconds, to the hundredth.
    static String seconds(Exploration exploration) {
        return String.format(Locale.ROOT, "%.2f", exploration.elapsed().toNanos() / NANOS);
    }

    /// Executions a second, in three digits.
    static String rate(Exploration exploration) {
        double seconds = Math.max(1, exploration.elapsed().toNanos()) / NANOS;
        long rate = Math.round(exploration.executions() / seconds);
        long unit = 1;
        while (rate / unit >= 1000) {
            unit *= 10;
        }
        return grouped(rate / unit * unit) + "/s";
    }
}
