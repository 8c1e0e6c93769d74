// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.function.Supplier;

/// A spinlock. Taking it is one visible access, which waits until the lock is free; who of several
/// waiters comes first is left open.
public final class SpinLock implements Lock {
    private static final long FREE = 0;

    private final Machine machine;
    private final Word word;
    private final Supplier<LockClass> lockClass;

    /// A free lock that is field `field` of `owner` and dies with `region`, in a class of the name
    /// of the field.
    public SpinLock(
            Machine machine, @Nullable Region region, @Nullable Object owner, String field) {
        this(machine, region, owner, field, field);
    }

    /// The same, in class `lockClass`.
    public SpinLock(
            Machine machine,
            @Nullable Region region,
            @Nullable Object owner,
            String field,
            String lockClass) {
        this(machine, region, owner, field, always(machine.lockClasses().of(lockClass)));
    }

    private static Supplier<LockClass> always(LockClass lockClass) {
        return () -> lockClass;
    }

    /// The same, in the class that `lockClass` says, as the lock may be initialised anew.
    public SpinLock(
            Machine machine,
            @Nullable Region region,
            @Nullable Object owner,
            String field,
            Supplier<LockClass> lockClass) {
        this.machine = machine;
        this.lockClass = lockClass;
        this.word = machine.word(region, owner, field, -1, FREE);
        this.word.format(v -> v == FREE ? "unlocked" : "locked");
    }

    /// `spin_lock()`.
    public void lock() {
        lockAs(lockClass.get());
    }

    /// `spin_lock_nested()`: inside another lock of the class.
    public void lockNested(int subclass) {
        lockAs(lockClass.get().nested(subclass));
    }

    private void lockAs(LockClass as) {
        machine.current().acquiring(this, as, LockMode.WRITE);
        machine.access(word, Op.LOCK, Order.LOCK, -1, owner());
        machine.current().acquired(this, as, LockMode.WRITE);
    }

    /// `spin_trylock()`.
    public boolean trylock() {
        boolean taken = machine.access(word, Op.TRY, Order.LOCK, -1, owner()) == FREE;
        if (taken) {
            machine.current().acquired(this, lockClass.get(), LockMode.TRY_WRITE);
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
    public LockClass lockClass() {
        return lockClass.get();
    }

    @Override
    public boolean sleeps() {
        return false;
    }
}
