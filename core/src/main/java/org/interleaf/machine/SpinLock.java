// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A spinlock. Taking it is one visible access, which waits until the lock is free; who of several
/// waiters comes first is left open.
public final class SpinLock implements Lock {
    private static final long FREE = 0;

    private final Machine machine;
    private final Word word;

    /// A free lock that is field `field` of `owner` and dies with `region`.
    public SpinLock(
            Machine machine, @Nullable Region region, @Nullable Object owner, String field) {
        this.machine = machine;
        this.word = machine.word(region, owner, field, -1, FREE);
        this.word.format(v -> v == FREE ? "unlocked" : "locked");
    }

    /// `spin_lock()`.
    public void lock() {
        machine.access(word, Op.LOCK, Order.LOCK, -1, owner());
        machine.current().acquired(this);
    }

    /// `spin_trylock()`.
    public boolean trylock() {
        boolean taken = machine.access(word, Op.TRY, Order.LOCK, -1, owner()) == FREE;
        if (taken) {
            machine.current().acquired(this);
        }
        return taken;
    }

    /// `spin_unlock()`.
    public void unlock() {
        machine.current().released(this);
        machine.access(word, Op.STORE, Order.UNLOCK, FREE, 0);
    }

    /// `spin_is_locked()`.
    public boolean isLocked() {
        return word.readOnce() != FREE;
    }

    /// Whether the running task holds the lock; no access.
    public boolean held() {
        return machine.current().holds(this);
    }

    @Override
    public Word word() {
        return word;
    }

    /// Names the holder by id + 2: the set-up has id -1, and 0 means free.
    private long owner() {
        return machine.current().id() + 2L;
    }

    @Override
    public String name() {
        return word.name();
    }

    @Override
    public boolean sleeps() {
        return false;
    }
}
