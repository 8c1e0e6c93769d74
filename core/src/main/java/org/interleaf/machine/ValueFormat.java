// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// How the values of a word are written in traces.
@FunctionalInterface
public interface ValueFormat {
    /// Signed decimal.
    ValueFormat DECIMAL = Long::toString;

    /// Unsigned hexadecimal.
    ValueFormat HEX = value -> "0x" + Long.toHexString(value);

    /// The text for `value`.
    String show(long value);
}
