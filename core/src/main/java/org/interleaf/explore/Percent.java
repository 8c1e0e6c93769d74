// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.util.Locale;

/// Writes probabilities for people to read.
final class Percent {
    private static final double SMALL = 0.001;

    private Percent() {}

    /// `p` as `12.3 %`; what is tiny as `4.5e-06 %`.
    static String of(double p) {
        // Rounded down: what is not certain must not look so.
        return p > 0 && p < SMALL
                ? String.format(Locale.ROOT, "%.1e %%", 100 * p)
                : String.format(Locale.ROOT, "%.1f %%", Math.floor(1000 * p) / 10);
    }
}
