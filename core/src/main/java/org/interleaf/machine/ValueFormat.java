// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// How the values of a word are written in traces.
@FunctionalInterface
public interface ValueFormat {
    /// Signed decimal.
    ValueFormat DECIMAL = Long::toString;

    /// The text for `value`.
    String show(long value);
}
