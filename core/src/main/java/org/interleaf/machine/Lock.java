// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// What all locks have in common for those who watch them.
public sealed interface Lock permits SpinLock, RwSem, Mutex, BitLock {
    /// The name in reports, such as `mmap_lock`.
    String name();

    /// The location that taking and releasing it change.
    Word word();

    /// Whether a task may sleep while it waits for this lock.
    boolean sleeps();
}
