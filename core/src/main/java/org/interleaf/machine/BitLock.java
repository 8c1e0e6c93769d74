// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A lock that is one bit of a word of flags, such as `PG_locked`.
public final class BitLock implements Lock {
    private final Machine machine;
    private final Word word;
    private final long mask;
    private final String name;
    private final String className;
    private final boolean sleeps;
    private @Nullable LockClass lockClass;
    private long waiters;
    private @Nullable Runnable wake;

    /// The lock in the bits `mask` of `word`.
    ///
    /// @param sleeps whether waiters sleep (`folio_lock()`) or spin (`bit_spin_lock()`)
    public BitLock(Machine machine, Word word, long mask, String name, boolean sleeps) {
        this(machine, word, mask, name, name, sleeps);
    }

    /// The same, in a class of its own that is called `className`.
    public BitLock(
            Machine machine, Word word, long mask, String name, String className, boolean sleeps) {
        this.machine = machine;
        this.className = className;
        this.word = word;
        this.mask = mask;
        this.name = name;
        this.sleeps = sleeps;
    }

    /// Takes the lock, waiting until it is free.
    public void lock() {
        machine.current().acquiring(this, lockClass(), LockMode.WRITE);
        take(LockMode.WRITE);
    }

    /// The same for a lock of which nobody else knows yet: no order follows from it, as nobody
    /// waits.
    public void lockUnshared() {
        take(LockMode.TRY_WRITE);
    }

    private void take(LockMode mode) {
        if (sleeps) {
            machine.mightSleep("lock", this);
        }
        machine.access(word, Op.LOCK, Order.LOCK, mask, mask);
        machine.current().acquired(this, lockClass(), mode);
    }

    /// Takes the lock if it is free.
    public boolean trylock() {
        boolean taken = (machine.access(word, Op.TRY, Order.LOCK, mask, mask) & mask) == 0;
        if (taken) {
            machine.current().acquired(this, lockClass(), LockMode.TRY_WRITE);
        }
        return taken;
    }

    /// Gives the lock back; the other bits stay as they are.
    public void unlock() {
        machine.current().released(this);
        long before = machine.access(word, Op.AND, Order.UNLOCK, ~mask, 0);
        if (wake != null && (before & waiters) != 0) {
            wake.run();
        }
    }

    /// Has `wakeUp` run after each unlock that finds `bits` set in the word: somebody waits in
    /// another way than by {@link #lock}, and said so by these.
    public void onUnlock(long bits, Runnable wakeUp) {
        waiters = bits;
        wake = wakeUp;
    }

    /// Whether somebody holds the lock: one access.
    public boolean isLocked() {
        return (word.readOnce() & mask) != 0;
    }

    /// Waits until nobody holds the lock, without taking it.
    public void waitUnlocked() {
        machine.mightSleep("wait for", this);
        machine.current().acquiring(this, lockClass(), LockMode.WRITE);
        word.await(mask, 0);
    }

    @Override
    public String name() {
        return word.owner() + "." + name;
    }

    /// A class of its own.
    @Override
    public LockClass lockClass() {
        LockClass known = lockClass;
        if (known == null) {
            known = machine.lockClasses().exact(className);
            lockClass = known;
        }
        return known;
    }

    @Override
    public Word word() {
        return word;
    }

    @Override
    public boolean sleeps() {
        return sleeps;
    }
}
