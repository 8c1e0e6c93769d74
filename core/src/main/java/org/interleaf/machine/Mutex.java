// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A sleeping lock for one holder.
public final class Mutex implements Lock {
    private final Machine machine;
    private final Word word;

    public Mutex(Machine machine, @Nullable Object owner, String field) {
        this(machine, null, owner, field);
    }

    /// A free mutex that is field `field` of `owner` and dies with `region`.
    public Mutex(Machine machine, @Nullable Region region, @Nullable Object owner, String field) {
        this.machine = machine;
        this.word = machine.word(region, owner, field, -1, 0);
        this.word.format(v -> v == 0 ? "unlocked" : "locked");
    }

    /// `mutex_lock()`.
    public void lock() {
        machine.mightSleep("mutex_lock", this);
        machine.access(word, Op.LOCK, Order.LOCK, -1, 1);
        machine.current().acquired(this);
    }

    /// `mutex_trylock()`.
    public boolean trylock() {
        boolean taken = machine.access(word, Op.TRY, Order.LOCK, -1, 1) == 0;
        if (taken) {
            machine.current().acquired(this);
        }
        return taken;
    }

    /// `mutex_unlock()`.
    public void unlock() {
        machine.current().released(this);
        machine.access(word, Op.STORE, Order.UNLOCK, 0, 0);
    }

    @Override
    public String name() {
        return word.name();
    }

    @Override
    public boolean sleeps() {
        return true;
    }
}
