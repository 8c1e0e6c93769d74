// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// Telling user space that the address space changes (the events of mm/userfaultfd.c). Who changes
/// it waits until somebody has read the event, or has closed the userfaultfd.
///
/// # Order
///
/// From before the change until the event was read `mmap_changing` keeps pages from being filled
/// in: whoever fills in decides by what he knows of the address space.
///
/// | mremap                            | UFFDIO_COPY                   |
/// |-----------------------------------|-------------------------------|
/// | mmap_changing++ under map_changing_lock | map_changing_lock, held for reading |
/// | moves the pages                   | mmap_changing? -EAGAIN        |
/// | event; waits until it is read     |                               |
/// | mmap_changing--                   |                               |
public final class UffdEvents {
    /// `UFFD_EVENT_…`: what has happened. A message is one of these and an address.
    public static final int EVENT_FORK = 0x13;

    public static final int EVENT_REMAP = 0x14;
    public static final int EVENT_REMOVE = 0x15;
    public static final int EVENT_UNMAP = 0x16;

    /// Which part of a message says what has happened; above it is the child's userfaultfd in a
    /// message of a fork, and the address in the others.
    static final int EVENT_BITS = 8;

    static final int EVENT_MASK = (1 << EVENT_BITS) - 1;

    private final Kernel kernel;
    private final Machine machine;

    UffdEvents(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// `struct userfaultfd_fork_ctx`: the userfaultfd of a VMA that is copied, and that of the
    /// copy.
    record Forked(UserfaultfdCtx orig, UserfaultfdCtx child) {}

    /// `struct userfaultfd_unmap_ctx`: a range that is unmapped.
    record Unmapped(UserfaultfdCtx ctx, long start, long end) {}

    /// The start of every change: no page is being filled in when it returns, and none will be.
    private static void changing(UserfaultfdCtx ctx) {
        ctx.get();
        ctx.mapChangingLock.downWrite();
        ctx.mmapChanging.fetchAdd(1, Order.RELAXED);
        ctx.mapChangingLock.upWrite();
    }

    /// The end of a change that nobody is told of.
    private void changed(UserfaultfdCtx ctx) {
        ctx.mmapChanging.fetchAdd(-1, Order.RELAXED);
        kernel.userfaultfd().ctxPut(ctx);
    }

    /// mm/userfaultfd.c: userfaultfd_event_wait_completion().
    ///
    /// @param child what a fork has made, which goes away with an event that nobody reads
    private void eventWaitCompletion(
            UserfaultfdCtx ctx, long message, @Nullable UserfaultfdCtx child) {
        int task = machine.current().id();
        long bit = 1L << task;
        boolean released = false;
        ctx.event(task).writePlain(message);
        ctx.eventLock.lock();
        ctx.events.writeOnce(ctx.events.readPlain() | bit);
        while (true) {
            ctx.eventWaiters.prepare();
            if (ctx.event(task).readPlain() == 0) {
                break;
            }
            if (ctx.released.readOnce() != 0) {
                ctx.events.writeOnce(ctx.events.readPlain() & ~bit);
                ctx.forkEvents.writePlain(ctx.forkEvents.readPlain() & ~bit);
                released = true;
                break;
            }
            ctx.eventLock.unlock();
            UffdFault.wakeUpPoll(ctx);
            ctx.eventWaiters.sleep();
            ctx.eventLock.lock();
        }
        ctx.eventWaiters.finish();
        ctx.eventLock.unlock();
        if (released && child != null) {
            releaseNew(child);
            kernel.userfaultfd().ctxPut(child);
        }
        changed(ctx);
    }

    /// mm/userfaultfd.c: userfaultfd_release_new(). Nobody will ever have the descriptor.
    private void releaseNew(UserfaultfdCtx child) {
        kernel.mmapLock().writeLock(child.mm);
        for (Vma vma : kernel.munmap().tree(child.mm).vmas()) {
            if (vma.userfaultfdCtx() == child) {
                kernel.vmaLock().vmaStartWrite(vma);
                vma.setUserfaultfd(null, 0);
            }
        }
        kernel.mmapLock().writeUnlock(child.mm);
    }

    // ---- fork

    /// mm/userfaultfd.c: dup_userfaultfd(). Decides who handles the faults of a VMA's copy for
    /// another process: nobody, unless the userfaultfd wants to be told of forks.
    void dup(Vma copy, List<Forked> forks) {
        UserfaultfdCtx orig = copy.userfaultfdCtx();
        if (orig == null) {
            return;
        }
        if (!orig.has(Userfaultfd.FEATURE_EVENT_FORK)) {
            copy.setUserfaultfd(null, 0); // userfaultfd_reset_ctx()
            return;
        }
        UserfaultfdCtx child = null;
        for (Forked fork : forks) {
            child = fork.orig() == orig ? fork.child() : child;
        }
        if (child == null) {
            copy.mm().grab();
            child = new UserfaultfdCtx(machine, copy.mm(), orig.nonblock, orig.features);
            changing(orig);
            forks.add(new Forked(orig, child));
        }
        copy.setUserfaultfd(child, copy.flags() & Vma.VM_UFFD_FLAGS);
    }

    /// mm/userfaultfd.c: dup_userfaultfd_complete(), dup_fctx().
    void dupComplete(List<Forked> forks) {
        for (Forked fork : forks) {
            long message = fork.child().pointer() << EVENT_BITS | EVENT_FORK;
            eventWaitCompletion(fork.orig(), message, fork.child());
        }
    }

    /// mm/userfaultfd.c: dup_userfaultfd_fail().
    void dupFail(List<Forked> forks) {
        for (Forked fork : forks) {
            changed(fork.orig());
            kernel.userfaultfd().ctxPut(fork.child());
        }
    }

    // ---- mremap

    /// mm/userfaultfd.c: mremap_userfaultfd_prep(). Who is to be told that the pages are in `vma`
    /// by now; null for nobody, and then nobody handles its faults.
    @Nullable UserfaultfdCtx mremapPrep(Vma vma) {
        UserfaultfdCtx ctx = vma.userfaultfdCtx();
        if (ctx == null) {
            return null;
        }
        if (ctx.has(Userfaultfd.FEATURE_EVENT_REMAP)) {
            changing(ctx);
            return ctx;
        }
        kernel.vmaLock().vmaStartWrite(vma);
        vma.setUserfaultfd(null, 0); // userfaultfd_reset_ctx()
        return null;
    }

    /// mm/userfaultfd.c: mremap_userfaultfd_complete().
    void mremapComplete(@Nullable UserfaultfdCtx ctx, long from) {
        if (ctx != null) {
            eventWaitCompletion(ctx, from | EVENT_REMAP, null);
        }
    }

    /// mm/userfaultfd.c: mremap_userfaultfd_fail().
    void mremapFail(@Nullable UserfaultfdCtx ctx) {
        if (ctx != null) {
            changed(ctx);
        }
    }

    // ---- madvise

    /// mm/userfaultfd.c: userfaultfd_remove(). Tells that pages of `vma` are about to be taken out.
    /// False where that has dropped the mmap lock.
    boolean remove(Vma vma, long start) {
        MmStruct mm = vma.mm();
        UserfaultfdCtx ctx = vma.userfaultfdCtx();
        if (ctx == null || !ctx.has(Userfaultfd.FEATURE_EVENT_REMOVE)) {
            return true;
        }
        changing(ctx);
        kernel.mmapLock().readUnlock(mm);
        eventWaitCompletion(ctx, start | EVENT_REMOVE, null);
        return false;
    }

    // ---- munmap

    /// mm/userfaultfd.c: userfaultfd_unmap_prep(). Notes that `[start, end)`, of which `vma` is a
    /// part, is being unmapped.
    void unmapPrep(Vma vma, long start, long end, List<Unmapped> unmaps) {
        UserfaultfdCtx ctx = vma.userfaultfdCtx();
        if (ctx == null
                || !ctx.has(Userfaultfd.FEATURE_EVENT_UNMAP)
                || unmaps.contains(new Unmapped(ctx, start, end))) {
            return;
        }
        changing(ctx);
        unmaps.add(new Unmapped(ctx, start, end));
    }

    /// mm/userfaultfd.c: userfaultfd_unmap_complete().
    void unmapComplete(List<Unmapped> unmaps) {
        for (Unmapped unmap : unmaps) {
            eventWaitCompletion(unmap.ctx(), unmap.start() | EVENT_UNMAP, null);
        }
    }
}
