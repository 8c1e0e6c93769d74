// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;

import java.util.ArrayList;
import java.util.List;

/// TLB flushes that reclaim puts off (mm/rmap.c): after a batch of pages has been unmapped, but
/// before any of them is written or freed.
///
/// # Who else must know
///
/// The lock of the page table is dropped while other CPUs may still use the old translation. Who
/// takes it then, finds nothing to flush and returns to user code would promise too much:
///
/// | CPU 0 reclaim                    | CPU 1 mprotect                        |
/// |----------------------------------|---------------------------------------|
/// | clears the entry, counts it      |                                       |
/// | in `tlb_flush_batched`, unlocks  |                                       |
/// |                                  | locks; counted and not flushed:       |
/// |                                  | flushes all of the address space      |
/// | flushes                          |                                       |
final class TlbBatch {
    private static final int FLUSHED_SHIFT = 16;
    private static final long PENDING_MASK = (1 << FLUSHED_SHIFT - 1) - 1;
    private static final long PENDING_LARGE = PENDING_MASK / 2;

    private final Kernel kernel;

    TlbBatch(Kernel kernel) {
        this.kernel = kernel;
    }

    /// What one invalidation that is on its way covers.
    record Range(MmStruct mm, long start, long end) {}

    /// `struct tlbflush_unmap_batch`: what one task has put off.
    static final class Pending {
        /// CPUs that may have the translations.
        long cpumask;

        /// Invalidations that are on their way, where the hardware broadcasts them.
        final List<Range> ranges = new ArrayList<>(1);

        private boolean flushRequired;
        private boolean writable;
    }

    /// mm/rmap.c: should_defer_flush(), arch_tlbbatch_should_defer(). Interrupting nobody costs
    /// nothing.
    boolean shouldDeferFlush(MmStruct mm, int flags) {
        if (!kernel.arch().batchedUnmapTlbFlush() || (flags & TryToUnmap.BATCH_FLUSH) == 0) {
            return false;
        }
        return kernel.tlbFlush().batchShouldDefer(mm);
    }

    /// mm/rmap.c: set_tlb_ubc_flush_pending(). The entry of `[start, end)` held `pte` and has been
    /// cleared; its lock is held.
    void setTlbUbcFlushPending(Pending ubc, MmStruct mm, long pte, long start, long end) {
        if (!kernel.entries().pteAccessible(mm, pte)) {
            return;
        }
        kernel.tlbFlush().batchAddPending(ubc, mm, start, end);
        ubc.flushRequired = true;
        long batch = mm.tlbFlushBatched.readOnce();
        while ((batch & PENDING_MASK) > PENDING_LARGE) {
            long seen = mm.tlbFlushBatched.cmpxchg(batch, 1, Order.FULL);
            if (seen == batch) {
                break;
            }
            batch = seen;
        }
        if ((batch & PENDING_MASK) <= PENDING_LARGE) {
            mm.tlbFlushBatched.add(1, Order.RELAXED);
        }
        ubc.writable |= Entry.dirty(pte);
    }

    /// mm/rmap.c: try_to_unmap_flush().
    void tryToUnmapFlush(Pending ubc) {
        if (ubc.flushRequired) {
            kernel.tlbFlush().batchFlush(ubc);
            ubc.flushRequired = false;
            ubc.writable = false;
        }
    }

    /// mm/rmap.c: try_to_unmap_flush_dirty(). Where nobody may write to the pages a flush can wait
    /// until they are freed.
    void tryToUnmapFlushDirty(Pending ubc) {
        if (ubc.writable) {
            tryToUnmapFlush(ubc);
        }
    }

    /// mm/rmap.c: flush_tlb_batched_pending(). Flushes what reclaim has put off, if there is
    /// something. The lock of the table is held that the caller is about to look at.
    void flushTlbBatchedPending(MmStruct mm) {
        if (!kernel.arch().batchedUnmapTlbFlush()) {
            return;
        }
        long batch = mm.tlbFlushBatched.readOnce();
        long pending = batch & PENDING_MASK;
        long flushed = batch >> FLUSHED_SHIFT;
        if (pending != flushed) {
            kernel.tlbFlush().flushTlbMm(mm);
            // Where more was put off meanwhile it stays as it is.
            mm.tlbFlushBatched.cmpxchg(batch, pending | pending << FLUSHED_SHIFT, Order.FULL);
        }
    }
}
