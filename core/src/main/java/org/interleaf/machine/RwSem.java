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
public final class RwSem implements Lock {
    private static final long WRITER = 1;
    private static final long WAITER = 0x100;
    private static final long WAITERS = 0xff00;
    private static final long READER = 0x10000;
    private static final long READERS = 0x7fff0000;

    private final Machine machine;
    private final Word word;

    public RwSem(Machine machine, @Nullable Region region, @Nullable Object owner, String field) {
        this.machine = machine;
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
        machine.access(word, Op.LOCK, Order.LOCK, WRITER | WAITERS, READER);
        machine.current().acquired(this);
    }

    /// `down_read_trylock()`.
    public boolean downReadTrylock() {
        return taken(
                machine.access(word, Op.TRY, Order.LOCK, WRITER | WAITERS, READER)
                        & (WRITER | WAITERS));
    }

    /// `up_read()`.
    public void upRead() {
        machine.current().released(this);
        machine.access(word, Op.ADD, Order.UNLOCK, -READER, 0);
    }

    /// `down_write()`.
    public void downWrite() {
        machine.mightSleep("down_write", this);
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
        machine.current().acquired(this);
    }

    /// `down_write_trylock()`.
    public boolean downWriteTrylock() {
        return taken(
                machine.access(word, Op.TRY, Order.LOCK, WRITER | READERS, WRITER)
                        & (WRITER | READERS));
    }

    /// `up_write()`.
    public void upWrite() {
        machine.current().released(this);
        machine.access(word, Op.ADD, Order.UNLOCK, -WRITER, 0);
    }

    /// `downgrade_write()`: the write lock becomes a read lock, with no moment in between.
    public void downgradeWrite() {
        machine.access(word, Op.ADD, Order.UNLOCK, READER - WRITER, 0);
    }

    private boolean taken(long inTheWay) {
        if (inTheWay == 0) {
            machine.current().acquired(this);
        }
        return inTheWay == 0;
    }

    /// `rwsem_is_locked()`: whether anybody holds it or waits for it.
    public boolean isLocked() {
        return word.readOnce() != 0;
    }

    /// Whether somebody holds it for writing; looked at from outside.
    public boolean writeLocked() {
        return (word.peek() & WRITER) != 0;
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
    public Word word() {
        return word;
    }

    @Override
    public boolean sleeps() {
        return true;
    }
}
