// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Region;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;

/// `struct userfaultfd_ctx` (mm/userfaultfd.c): a userfaultfd, and the faults that wait for it. A
/// queue is a set of tasks, a bit for each; what a task waits for is kept beside it.
public final class UserfaultfdCtx extends Shared {
    private final Region life;

    /// `refcount`: of the descriptor, of those who wait, and of those who change the address space.
    private final Word refcount;

    /// `mm`: whose faults it gets.
    final MmStruct mm;

    /// Whether reading fails where there is nothing to read (`O_NONBLOCK`).
    final boolean nonblock;

    /// Whether the descriptor is closed.
    private final Word closed;

    /// `features`: `UFFD_FEATURE_…`.
    final long features;

    /// `map_changing_lock`: held for reading while pages are filled in or moved, for writing while
    /// the address space is known to change.
    final RwSem mapChangingLock;

    /// `mmap_changing`: how many changes of the address space user space has still to be told of.
    final Word mmapChanging;

    /// `released`: whether the descriptor is closed.
    final Word released;

    /// `fault_pending_wqh`: faults that nobody has read yet.
    final Word faultPending;

    final SpinLock faultPendingLock;

    /// `fault_wqh`: faults that have been read.
    final Word faults;

    final SpinLock faultsLock;

    /// `fd_wqh`: who waits for something to read.
    final WaitQueue readers;

    final SpinLock readersLock;

    /// `event_wqh`: changes of the address space that nobody has read of.
    final Word events;

    /// Forks of which somebody is just reading.
    final Word forkEvents;

    final SpinLock eventLock;

    /// The same queue, as those who sleep in it see it.
    final WaitQueue eventWaiters;

    /// `refile_seq`: odd while a fault goes from one queue to the other.
    final SeqCount refileSeq;

    private final Word[] messages;
    private final Word[] linked;
    private final Word[] waken;
    private final Word[] eventMessages;
    private final Word[] busy;

    /// The lock of the wait queue `field`.
    private SpinLock spinLock(Machine machine, String field) {
        return new SpinLock(machine, life, this, field + ".lock", "&ctx->" + field);
    }

    UserfaultfdCtx(Machine machine, MmStruct mm, boolean nonblock, long features) {
        super(machine);
        life = new Region(machine);
        life.owner(this);
        life.allocate();
        refcount = machine.word(life, this, "refcount", -1, 1);
        closed = machine.word(null, this, "closed", -1, 0);
        this.features = features;
        this.mm = mm;
        this.nonblock = nonblock;
        mapChangingLock = new RwSem(machine, life, this, "map_changing_lock");
        mmapChanging = machine.word(life, this, "mmap_changing", -1, 0);
        released = machine.word(life, this, "released", -1, 0);
        faultPending = machine.word(life, this, "fault_pending_wqh", -1, 0);
        faultPendingLock = spinLock(machine, "fault_pending_wqh");
        faults = machine.word(life, this, "fault_wqh", -1, 0);
        faultsLock = spinLock(machine, "fault_wqh");
        readers = new WaitQueue(machine, this, "fd_wqh");
        readersLock = spinLock(machine, "fd_wqh");
        events = machine.word(life, this, "event_wqh", -1, 0);
        forkEvents = machine.word(life, this, "fork_event", -1, 0);
        eventLock = spinLock(machine, "event_wqh");
        eventWaiters = new WaitQueue(machine, this, "event_wqh.waiters");
        refileSeq = new SeqCount(machine, this, "refile_seq");
        int tasks = machine.cpuCount();
        messages = new Word[tasks];
        linked = new Word[tasks];
        waken = new Word[tasks];
        eventMessages = new Word[tasks];
        busy = new Word[tasks];
        for (int i = 0; i < tasks; i++) {
            messages[i] = machine.word(null, this, "msg", i, 0);
            linked[i] = machine.word(null, this, "wq.entry", i, 0);
            waken[i] = machine.word(null, this, "waken", i, 0);
            eventMessages[i] = machine.word(null, this, "event", i, 0);
            busy[i] = machine.word(null, this, "fdget", i, 0);
        }
    }

    /// fs/file.c: fdget(). A request begins; false where the descriptor is closed. Each task has a
    /// flag of its own, so that requests do not depend on each other.
    boolean fdget(int task) {
        setBusy(task, 1);
        return closed.readOnce() == 0;
    }

    /// fs/file.c: fdput(). The request has ended. True where the descriptor has been closed
    /// meanwhile and this was the last one under way: the file is to be released then.
    boolean fdput(int task) {
        setBusy(task, 0);
        return closed.readOnce() != 0 && isLast(task);
    }

    /// In the set-up there is nobody else.
    private void setBusy(int task, long value) {
        if (task >= 0) {
            busy[task].writeOnce(value);
        }
    }

    /// What close(2) has come to.
    enum Closing {
        /// It was closed before.
        NOT_OPEN,
        /// A request is under way: the last one releases the file.
        LEFT,
        /// The file is to be released.
        LAST
    }

    /// close(2).
    Closing close(int task) {
        if (closed.xchg(1, Order.FULL) != 0) {
            return Closing.NOT_OPEN;
        }
        return isLast(task) ? Closing.LAST : Closing.LEFT;
    }

    /// Whether no other task has a request under way, of those who find that only one is told so.
    private boolean isLast(int task) {
        for (int i = 0; i < busy.length; i++) {
            if (i != task && busy[i].readOnce() != 0) {
                return false;
            }
        }
        return closed.cmpxchg(1, 2, Order.FULL) == 1;
    }

    /// mm/userfaultfd.c: userfaultfd_ctx_get().
    void get() {
        refcount.add(1, Order.RELAXED);
    }

    /// mm/userfaultfd.c: userfaultfd_ctx_put(). True where that was the last: the address space has
    /// lost a holder ({@link Fork#mmdrop}).
    boolean put() {
        boolean last = refcount.fetchAdd(-1, Order.RELEASE) == 1;
        if (last) {
            life.free();
        }
        return last;
    }

    /// Whether all of `feature` are on.
    boolean has(long feature) {
        return (features & feature) == feature;
    }

    /// `ewq.msg` of a task that changes the address space: what is to be told of; 0 once it was.
    Word event(int task) {
        return eventMessages[task];
    }

    /// `uwq.msg` of a task: address and flags of its fault.
    Word message(int task) {
        return messages[task];
    }

    /// `uwq.wq.entry` of a task: whether it is in one of the queues.
    Word linked(int task) {
        return linked[task];
    }

    /// `uwq.waken` of a task.
    Word waken(int task) {
        return waken[task];
    }

    @Override
    public String toString() {
        return "userfaultfd " + pointer();
    }
}
