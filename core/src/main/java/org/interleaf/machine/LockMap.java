// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// What stands for a lock that is made of other things, such as a count of readers: it tells who
/// watches that the lock is taken and given back, and is no access. `struct lockdep_map`.
public final class LockMap implements Lock {
    private final Machine machine;
    private final Object owner;
    private final LockClass lockClass;

    /// A lock of class `lockClass` that is part of `owner`.
    public LockMap(Machine machine, Object owner, String lockClass) {
        this.machine = machine;
        this.owner = owner;
        this.lockClass = machine.lockClasses().of(lockClass);
    }

    /// `lock_acquire()`, before what may wait.
    public void acquiring(LockMode mode) {
        machine.current().acquiring(this, lockClass, mode);
    }

    /// The lock is held from now on.
    public void acquired(LockMode mode) {
        machine.current().acquired(this, lockClass, mode);
    }

    /// `lock_release()`.
    public void released() {
        machine.current().released(this);
    }

    /// Whether the running task holds it in some mode; no access.
    public boolean held() {
        return machine.current().holds(this);
    }

    @Override
    public String name() {
        return owner + "." + lockClass;
    }

    @Override
    public LockClass lockClass() {
        return lockClass;
    }

    @Override
    public @Nullable Word word() {
        return null;
    }

    @Override
    public boolean sleeps() {
        return true;
    }
}
