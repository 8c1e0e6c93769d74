// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// What all locks have in common for those who watch them.
public sealed interface Lock permits SpinLock, RwSem, Mutex, BitLock, LockMap {
    /// The name in reports, such as `mmap_lock`.
    String name();

    /// The class of the lock; that in which it is taken may be a subclass.
    LockClass lockClass();

    /// The location that taking and releasing it change; null where there is none.
    @Nullable Word word();

    /// Number of that location, the same in every execution; -1 where there is none.
    default int location() {
        Word word = word();
        return word == null ? -1 : word.id();
    }

    /// Whether a task may sleep while it waits for this lock.
    boolean sleeps();
}
