// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// `struct shmem_falloc` (mm/shmem.c): a hole that is being punched into a file, or a part of it
/// that is being preallocated. It is on the stack of who does so.
final class ShmemFalloc extends Shared {
    /// `waitq`: who waits until the hole has been punched; null where pages are preallocated.
    final @Nullable WaitQueue waitq;

    /// `start`: the first page.
    final long start;

    /// `next`: the page after the last one so far.
    final Word next;

    ShmemFalloc(Machine machine, long start, long next, boolean punches) {
        super(machine);
        this.start = start;
        this.next = machine.word(null, this, "next", -1, next);
        waitq = punches ? new WaitQueue(machine, this, "waitq") : null;
    }

    /// Who waits until the hole has been punched.
    WaitQueue waitq() {
        return Objects.requireNonNull(waitq);
    }

    @Override
    public String toString() {
        return waitq == null ? "fallocate" : "hole punch";
    }
}
