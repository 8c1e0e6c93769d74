// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

import java.util.Objects;

/// The queues of a userfaultfd: who reads faults from it, and who is woken (mm/userfaultfd.c).
///
/// # Locking
///
/// `fault_pending_wqh.lock` is the outer one. A fault that is read goes from one queue to the
/// other; `refile_seq` tells those who look without the lock that they may have missed it.
public final class UffdQueues {
    private final Kernel kernel;
    private final Machine machine;

    UffdQueues(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// `list_del()` from whichever queue the task is in.
    static void unlink(UserfaultfdCtx ctx, int task) {
        long bit = 1L << task;
        Word queue = (ctx.faultPending.readPlain() & bit) != 0 ? ctx.faultPending : ctx.faults;
        queue.fetchAnd(~bit, Order.ONCE);
        ctx.linked(task).writePlain(0);
    }

    /// mm/userfaultfd.c: userfaultfd_ctx_read(). Address and flags of a fault that nobody has read,
    /// or an event; waits for one, or -EAGAIN.
    public long read(UserfaultfdCtx ctx) {
        ctx.readersLock.lock();
        long ret = 0;
        while (ret == 0) {
            ctx.readers.prepare();
            ctx.faultPendingLock.lock();
            long pending = ctx.faultPending.readPlain();
            if (pending != 0) {
                ret = refile(ctx, last(pending));
            }
            ctx.faultPendingLock.unlock();
            if (ret == 0) {
                ret = readEvent(ctx);
            }
            if (ret == 0 && ctx.nonblock) {
                ret = -Errno.EAGAIN;
            } else if (ret == 0) {
                ctx.readersLock.unlock();
                ctx.readers.sleep();
                ctx.readersLock.lock();
            }
        }
        ctx.readers.finish();
        ctx.readersLock.unlock();
        if ((ret & UffdEvents.EVENT_MASK) == UffdEvents.EVENT_FORK) {
            resolveFork(ctx, ret);
        }
        return ret;
    }

    /// The one of the tasks in a queue that has waited longest, as far as the model knows.
    private static int last(long queue) {
        return Long.SIZE - 1 - Long.numberOfLeadingZeros(queue);
    }

    /// The part of userfaultfd_ctx_read() for events: 0 where there is none. Who is told of a fork
    /// has to be given a descriptor first, which cannot be done here.
    private long readEvent(UserfaultfdCtx ctx) {
        ctx.eventLock.lock();
        long message = 0;
        long queue = ctx.events.readPlain();
        if (queue != 0) {
            int task = last(queue);
            message = ctx.event(task).readPlain();
            if ((message & UffdEvents.EVENT_MASK) == UffdEvents.EVENT_FORK) {
                ctx.events.writeOnce(queue & ~(1L << task));
                ctx.forkEvents.writePlain(1L << task);
                forkChild(message).get();
            } else {
                eventComplete(ctx, task);
            }
        }
        ctx.eventLock.unlock();
        return message;
    }

    private UserfaultfdCtx forkChild(long message) {
        long pointer = message >>> UffdEvents.EVENT_BITS;
        return (UserfaultfdCtx) Objects.requireNonNull(machine.heap().resolve(pointer));
    }

    /// mm/userfaultfd.c: userfaultfd_event_complete(). Lets who waits go on; the queue's lock is
    /// held.
    private static void eventComplete(UserfaultfdCtx ctx, int task) {
        ctx.event(task).writePlain(0);
        ctx.eventWaiters.wakeAll();
        ctx.events.writeOnce(ctx.events.readPlain() & ~(1L << task));
    }

    /// The end of userfaultfd_ctx_read() for a fork: the reader has the child's descriptor. Who
    /// forks may have given up meanwhile; then its reference becomes the descriptor's.
    private void resolveFork(UserfaultfdCtx ctx, long message) {
        ctx.eventLock.lock();
        long forks = ctx.forkEvents.readPlain();
        if (forks != 0) {
            kernel.userfaultfd().ctxPut(forkChild(message));
            ctx.forkEvents.writePlain(0);
            eventComplete(ctx, last(forks));
        }
        ctx.eventLock.unlock();
    }

    /// The part of userfaultfd_ctx_read() that has found the fault of a task: it goes to the other
    /// queue. Returns its message.
    private static long refile(UserfaultfdCtx ctx, int task) {
        long bit = 1L << task;
        ctx.refileSeq.writeBegin();
        ctx.faultPending.writeOnce(ctx.faultPending.readPlain() & ~bit);
        ctx.faultsLock.lock(); // add_wait_queue()
        ctx.faults.writeOnce(ctx.faults.readPlain() | bit);
        ctx.faultsLock.unlock();
        ctx.refileSeq.writeEnd();
        return ctx.message(task).readPlain();
    }

    /// mm/userfaultfd.c: wake_userfault(). Has the faults in a range made again; UFFDIO_WAKE, and
    /// the end of the other requests. A length of 0 stands for all.
    public void wake(UserfaultfdCtx ctx, long start, long len) {
        machine.fence(Fence.MB);
        boolean needWakeup;
        long seq;
        do {
            seq = ctx.refileSeq.readBegin();
            needWakeup = ctx.faultPending.readOnce() != 0 || ctx.faults.readOnce() != 0;
        } while (ctx.refileSeq.readRetry(seq));
        if (needWakeup) {
            wakeQueued(ctx, start, len);
        }
    }

    /// mm/userfaultfd.c: __wake_userfault().
    static void wakeQueued(UserfaultfdCtx ctx, long start, long len) {
        ctx.faultPendingLock.lock();
        wakeQueue(ctx, ctx.faultPending, start, len);
        if (ctx.faults.readOnce() != 0) {
            SpinLock lock = ctx.faultsLock;
            lock.lock();
            wakeQueue(ctx, ctx.faults, start, len);
            lock.unlock();
        }
        ctx.faultPendingLock.unlock();
    }

    /// mm/userfaultfd.c: userfaultfd_wake_function(), for all in a queue.
    private static void wakeQueue(UserfaultfdCtx ctx, Word queue, long start, long len) {
        long left = queue.readPlain();
        for (long bits = left; bits != 0; bits &= bits - 1) {
            int task = Long.numberOfTrailingZeros(bits);
            long address = ctx.message(task).readPlain() & ~Userfaultfd.FLAGS;
            if (len == 0 || address >= start && address < start + len) {
                ctx.waken(task).writeOnce(1);
                left &= ~(1L << task);
                queue.writeOnce(left);
                ctx.linked(task).writeOnce(0); // list_del_init()
            }
        }
    }
}
