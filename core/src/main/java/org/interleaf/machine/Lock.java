// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// What all locks have in common for those who watch them.
public sealed interface Lock permits SpinLock, RwSem, Mutex, BitLock, LockMap {
    /// The name in reports, such as `mmap_lock`.
    String name();

    /// The class of the lock; that in which it is taken may be a subclass.
    LockClass lockClass();

    /// Number of the word that says whether it is taken, the same in every execution; -1 where
    /// there is none.
    int location();

    /// Whether a task may sleep while it waits for this lock.
    boolean sleeps();
}
