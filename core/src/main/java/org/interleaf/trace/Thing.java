// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.trace;

import java.util.Map;

/// Something that a picture of the machine shows, as it is at one moment.
///
/// @param kind what it is
/// @param name tells it from all others, and is what steps call it: `table 92`, `folio 94`
/// @param facts what is known of it, by name: entries of a table by their place, such as `[1]`;
///   fields by the names that steps use, such as `_refcount`. In the order to be shown.
public record Thing(Kind kind, String name, Map<String, Fact> facts) {
    /// The kinds of things.
    public enum Kind {
        CPU,
        TASK,
        LOCK,
        /// An address space.
        PROCESS,
        /// A page table.
        TABLE,
        FOLIO,
        /// A swap device.
        SWAP,
        /// What one CPU has cached.
        TLB
    }

    /// What is known.
    ///
    /// @param text in words
    /// @param about the name of the thing that it points to; empty where it points to none
    public record Fact(String text, String about) {
        /// One that points to nothing.
        public static Fact of(String text) {
            return new Fact(text, "");
        }
    }
}
