// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A sequence counter whose writers are kept apart by somebody else: odd while one is at work. What
/// is accessed between beginning and end counts as marked for the data-race sanitizer, as in
/// include/linux/seqlock.h.
public final class SeqCount {
    private final Machine machine;
    private final Word word;

    public SeqCount(Machine machine, @Nullable Object owner, String field) {
        this.machine = machine;
        this.word = machine.word(null, owner, field, -1, 0);
    }

    /// `raw_read_seqcount()`: the count, odd or even, without waiting. Where it is odd no section
    /// begins.
    public long rawRead() {
        long count = word.loadAcquire();
        if ((count & 1) == 0) {
            machine.annotate(Annotation.ATOMIC_BEGIN);
        }
        return count;
    }

    /// `read_seqcount_begin()`: waits until no writer is at work.
    public long readBegin() {
        long count = word.await(1, 0);
        machine.annotate(Annotation.ATOMIC_BEGIN);
        return count;
    }

    /// `read_seqcount_retry()`: whether a writer has been at work since the count was `start`.
    public boolean readRetry(long start) {
        machine.annotate(Annotation.ATOMIC_END);
        machine.fence(Fence.RMB);
        return word.readOnce() != start;
    }

    /// `raw_write_seqcount_begin()`.
    public void writeBegin() {
        machine.annotate(Annotation.ATOMIC_BEGIN);
        word.fetchAdd(1, Order.PLAIN);
        machine.fence(Fence.WMB);
    }

    /// `raw_write_seqcount_end()`.
    public void writeEnd() {
        machine.fence(Fence.WMB);
        word.fetchAdd(1, Order.PLAIN);
        machine.annotate(Annotation.ATOMIC_END);
    }

    /// The location of the count.
    public Word word() {
        return word;
    }
}
