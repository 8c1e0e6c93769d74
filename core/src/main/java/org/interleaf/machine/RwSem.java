// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A reader-writer semaphore, fair to writers as the kernel's (kernel/locking/rwsem.c): once a
/// writer waits, readers that come later wait behind it. A second read lock by one task can
/// therefore deadlock, and does here.
///
/// A writer that finds the semaphore taken first announces itself and then waits: two accesses. A
/// reader that would have queued before that writer is one that took the semaphore before the
/// announcement, so nothing is lost by readers' waiting without announcing themselves.
///
/// Readers do not notice each other: the order in which they come and go makes no difference.
public final class RwSem implements Lock {
    private static final long WRITER = 1;
    private static final long WAITER = 0x100;
    private static final long WAITERS = 0xff00;
    private static final long READER = 0x10000;
    private static final long READERS = 0x7fff0000;

    private final Machine machine;
    private final Word word;
    private final LockClass lockClass;

    /// A free semaphore that is field `field` of `owner` and dies with `region`, in a class of the
    /// name of the field.
    public RwSem(Machine machine, @Nullable Region region, @Nullable Object owner, String field) {
        this(machine, region, owner, field, field);
    }

    /// The same, in class `lockClass`.
    public RwSem(
            Machine machine,
            @Nullable Region region,
            @Nullable Object owner,
            String field,
            String lockClass) {
        this.machine = machine;
        this.lockClass = machine.lockClasses().of(lockClass);
        this.word = machine.word(region, owner, field, -1, 0);
        this.word.format(RwSem::show);
    }

    private static String show(long v) {
        String waiting = (v & WAITERS) == 0 ? "" : ", a writer waits";
        if ((v & WRITER) != 0) {
            return "write-locked" + waiting;
        }
        return (v & READERS) == 0 ? "free" + waiting : v / READER + " reader(s)" + waiting;
    }

    /// `down_read()`.
    public void downRead() {
        machine.mightSleep("down_read", this);
        machine.current().acquiring(this, lockClass, LockMode.READ);
        machine.access(word, Op.LOCK_SHARED, Order.LOCK, WRITER | WAITERS, READER);
        machine.current().acquired(this, lockClass, LockMode.READ);
    }

    /// `might_lock_read()`: what follows may take the semaphore for reading, though it seldom does.
    public void mightRead() {
        machine.current().acquiring(this, lockClass, LockMode.READ);
    }

    /// `down_read_trylock()`.
    public boolean downReadTrylock() {
        return taken(
                machine.access(word, Op.TRY_SHARED, Order.LOCK, WRITER | WAITERS, READER)
                        & (WRITER | WAITERS),
                LockMode.TRY_READ);
    }

    /// `up_read()`.
    public void upRead() {
        machine.current().released(this);
        machine.access(word, Op.UNLOCK_SHARED, Order.UNLOCK, -READER, 0);
    }

    /// `down_write()`.
    public void downWrite() {
        downWriteAs(lockClass);
    }

    /// `down_write_nested()`: inside another one of the class.
    public void downWriteNested(int subclass) {
        downWriteAs(lockClass.nested(subclass));
    }

    private void downWriteAs(LockClass as) {
        machine.mightSleep("down_write", this);
        machine.current().acquiring(this, as, LockMode.WRITE);
        long before =
                machine.access(
                        word,
                        Op.TAKE_OR_QUEUE,
                        Order.LOCK,
                        WRITER | READERS,
                        WAITER << 32 | WRITER);
        if ((before & (WRITER | READERS)) != 0) {
            machine.access(word, Op.LOCK, Order.LOCK, WRITER | READERS, WRITER - WAITER);
        }
        machine.current().acquired(this, as, LockMode.WRITE);
    }

    /// `down_write_trylock()`.
    public boolean downWriteTrylock() {
        return taken(
                machine.access(word, Op.TRY, Order.LOCK, WRITER | READERS, WRITER)
                        & (WRITER | READERS),
                LockMode.TRY_WRITE);
    }

    /// `up_write()`.
    public void upWrite() {
        machine.current().released(this);
        machine.access(word, Op.ADD, Order.UNLOCK, -WRITER, 0);
    }

    /// `downgrade_write()`: the write lock becomes a read lock, with no moment in between.
    public void downgradeWrite() {
        machine.access(word, Op.ADD, Order.UNLOCK, READER - WRITER, 0);
        machine.current().downgraded(this);
    }

    private boolean taken(long inTheWay, LockMode mode) {
        if (inTheWay == 0) {
            machine.current().acquired(this, lockClass, mode);
        }
        return inTheWay == 0;
    }

    /// `rwsem_is_locked()`: whether anybody holds it or waits for it.
    public boolean isLocked() {
        return word.readOnce() != 0;
    }

    /// Whether the running task holds it for writing; no access.
    public boolean heldForWriting() {
        return machine.current().holdsForWriting(this);
    }

    /// Whether the running task holds it in some mode; no access.
    public boolean held() {
        return machine.current().holds(this);
    }

    @Override
    public String name() {
        return word.name();
    }

    @Override
    public LockClass lockClass() {
        return lockClass;
    }

    @Override
    public Word word() {
        return word;
    }

    @Override
    public boolean sleeps() {
        return true;
    }
}
