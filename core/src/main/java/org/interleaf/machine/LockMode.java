// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// How a lock is taken, and held from then on.
public enum LockMode {
    WRITE,
    READ,
    /// Only if that needs no waiting.
    TRY_WRITE,
    TRY_READ;

    /// Whether taking the lock so never waits.
    public boolean isTry() {
        return this == TRY_WRITE || this == TRY_READ;
    }

    /// Whether others may hold the lock at the same time.
    public boolean isRead() {
        return this == READ || this == TRY_READ;
    }

    /// The mode in which a lock taken in this one is held after `downgrade_write()`.
    LockMode downgraded() {
        return isTry() ? TRY_READ : READ;
    }
}
