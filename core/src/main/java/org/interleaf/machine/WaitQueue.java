// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A wait queue, after kernel/sched/wait.c: tasks put themselves on it, look at their condition
/// once more, and sleep until somebody wakes the queue. A wake-up that comes between the queueing
/// and the sleep is not lost; one that comes before the queueing is.
public final class WaitQueue {
    private final Machine machine;

    /// A bit for each queued task, cleared by the wake-up.
    private final Word queued;

    public WaitQueue(Machine machine, @Nullable Object owner, String field) {
        this.machine = machine;
        this.queued = machine.word(null, owner, field, -1, 0);
    }

    /// `prepare_to_wait()`: a wake-up from now on is for this task too.
    public void prepare() {
        queued.or(self(), Order.FULL);
    }

    /// `schedule()` after {@link #prepare}: sleeps until woken.
    public void sleep() {
        machine.mightSleep("schedule");
        queued.await(self(), 0);
    }

    /// `finish_wait()`: the task is off the queue, woken or not.
    public void finish() {
        queued.and(~self(), Order.FULL);
    }

    /// `wake_up_all()`.
    public void wakeAll() {
        queued.xchg(0, Order.FULL);
    }

    /// `waitqueue_active()`: whether anybody is queued.
    public boolean active() {
        return queued.readOnce() != 0;
    }

    private long self() {
        return 1L << machine.current().id();
    }
}
