// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// What the source says to those who look for data races (include/linux/kcsan-checks.h). None of it
/// is an access, or orders anything.
public enum Annotation {
    /// `data_race(`: what the task accesses from here on may race.
    RACY_BEGIN,
    /// The end of {@link #RACY_BEGIN}; such sections nest.
    RACY_END,
    /// `kcsan_nestable_atomic_begin()`: what the task accesses from here on counts as marked, as in
    /// the sections of a sequence count.
    ATOMIC_BEGIN,
    /// The end of {@link #ATOMIC_BEGIN}; such sections nest.
    ATOMIC_END,
    /// The next access is through a pointer that the task has read: it cannot come before that.
    THROUGH_POINTER
}
