// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Exploration;
import org.jspecify.annotations.Nullable;

import java.util.Locale;

/// Numbers as they are printed.
final class Numbers {
    private static final double NANOS = 1e9;
    private static final double PERCENT = 0.01;
    private static final long MINUTE = 60;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;
    private static final long YEARS = 2 * 365 * DAY;

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

    /// Executions a second.
    static long perSecond(Exploration exploration) {
        double seconds = Math.max(1, exploration.elapsed().toNanos()) / NANOS;
        return Math.round(exploration.executions() / seconds);
    }

    /// Executions a second, in three digits.
    static String rate(Exploration exploration) {
        long rate = perSecond(exploration);
        long unit = 1;
        while (rate / unit >= 1000) {
            unit *= 10;
        }
        return grouped(rate / unit * unit) + "/s";
    }

    /// An estimate of how long the rest takes, in seconds; null where there is none.
    static @Nullable Long secondsLeft(Exploration exploration) {
        double fraction = exploration.coverage().fraction();
        if (!(fraction > 0)) {
            return null;
        }
        double seconds = exploration.elapsed().toNanos() / NANOS;
        return Math.round(seconds / fraction - seconds);
    }

    /// A duration for people, such as `40 s`, `3 min`, `5 h` or `12 d`.
    static String about(long seconds) {
        if (seconds < 2 * MINUTE) {
            return seconds + " s";
        }
        if (seconds < 2 * HOUR) {
            return seconds / MINUTE + " min";
        }
        return seconds < 2 * DAY
                ? seconds / HOUR + " h"
                : seconds < YEARS ? grouped(seconds / DAY) + " d" : "years";
    }

    /// A part of the whole: `12 %`; `< 1 %` where it is little and not nothing.
    static String part(double fraction) {
        return fraction > 0 && fraction < PERCENT ? "< 1 %" : (long) (fraction / PERCENT) + " %";
    }
}
