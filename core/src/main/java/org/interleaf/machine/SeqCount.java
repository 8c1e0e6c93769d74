// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// A sequence counter whose writers are kept apart by somebody else: odd while one is at work.
public final class SeqCount {
    private final Word word;

    public SeqCount(Machine machine, @Nullable Object owner, String field) {
        this.word = machine.word(null, owner, field, -1, 0);
    }

    /// `raw_read_seqcount()`: the count, odd or even, without waiting.
    public long rawRead() {
        return word.loadAcquire();
    }

    /// `read_seqcount_begin()`: waits until no writer is at work.
    public long readBegin() {
        return word.await(1, 0);
    }

    /// `read_seqcount_retry()`: whether a writer has been at work since the count was `start`.
    public boolean readRetry(long start) {
        return word.readOnce() != start;
    }

    /// `raw_write_seqcount_begin()`.
    public void writeBegin() {
        word.fetchAdd(1, Order.PLAIN);
    }

    /// `raw_write_seqcount_end()`.
    public void writeEnd() {
        word.fetchAdd(1, Order.PLAIN);
    }

    /// The location of the count.
    public Word word() {
        return word;
    }
}
