// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;

/// `struct userfaultfd_ctx` (mm/userfaultfd.c): a userfaultfd, and the faults that wait for it. A
/// queue is a set of tasks, a bit for each; what a task waits for is kept beside it.
public final class UserfaultfdCtx extends Shared {
    /// `mm`: whose faults it gets.
    final MmStruct mm;

    /// Whether reading fails where there is nothing to read (`O_NONBLOCK`).
    final boolean nonblock;

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

    /// `refile_seq`: odd while a fault goes from one queue to the other.
    final SeqCount refileSeq;

    private final Word[] messages;
    private final Word[] linked;
    private final Word[] waken;

    /// The lock of the wait queue `field`.
    private SpinLock spinLock(Machine machine, String field) {
        return new SpinLock(machine, null, this, field + ".lock", "&ctx->" + field);
    }

    UserfaultfdCtx(Machine machine, MmStruct mm, boolean nonblock) {
        super(machine);
        this.mm = mm;
        this.nonblock = nonblock;
        mapChangingLock = new RwSem(machine, null, this, "map_changing_lock");
        mmapChanging = machine.word(null, this, "mmap_changing", -1, 0);
        released = machine.word(null, this, "released", -1, 0);
        faultPending = machine.word(null, this, "fault_pending_wqh", -1, 0);
        faultPendingLock = spinLock(machine, "fault_pending_wqh");
        faults = machine.word(null, this, "fault_wqh", -1, 0);
        faultsLock = spinLock(machine, "fault_wqh");
        readers = new WaitQueue(machine, this, "fd_wqh");
        readersLock = spinLock(machine, "fd_wqh");
        refileSeq = new SeqCount(machine, this, "refile_seq");
        int tasks = machine.cpuCount();
        messages = new Word[tasks];
        linked = new Word[tasks];
        waken = new Word[tasks];
        for (int i = 0; i < tasks; i++) {
            messages[i] = machine.word(null, this, "msg", i, 0);
            linked[i] = machine.word(null, this, "wq.entry", i, 0);
            waken[i] = machine.word(null, this, "waken", i, 0);
        }
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
