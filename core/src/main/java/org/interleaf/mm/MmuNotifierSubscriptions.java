// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;

/// `struct mmu_notifier_subscriptions` (mm/mmu_notifier.c): who wants to be told of changes in an
/// address space. See {@link MmuNotifier} for what the fields mean together.
final class MmuNotifierSubscriptions extends Shared {
    /// Subscriptions to the whole address space. Changed under {@link #lock}, read under SRCU.
    final Ref<MmuNotifierSubscription> list;

    /// Whether anybody has ever subscribed to an interval.
    final Word hasItree;

    final SpinLock lock;

    /// Changed under {@link #lock}; odd while an interval is being invalidated.
    final Word invalidateSeq;

    /// How many invalidations are under way. Used under {@link #lock}.
    final Word activeInvalidateRanges;

    /// Subscriptions to intervals. Changed under {@link #lock} while {@link #invalidateSeq} is
    /// even, so who has made it odd reads without the lock.
    final Ref<MmuIntervals> itree;

    /// Who waits for {@link #invalidateSeq} to change.
    final WaitQueue wq;

    /// Intervals that go in or out once {@link #itree} may change. Used under {@link #lock}.
    final Ref<MmuIntervals> deferredList;

    private final MmStruct mm;

    MmuNotifierSubscriptions(Machine machine, MmStruct mm) {
        super(machine);
        this.mm = mm;
        list = new Ref<>(machine, MmuNotifierSubscription.class, this, "list", -1);
        hasItree = machine.word(null, this, "has_itree", -1, 0);
        lock = new SpinLock(machine, null, this, "lock");
        invalidateSeq = machine.word(null, this, "invalidate_seq", -1, 2);
        activeInvalidateRanges = machine.word(null, this, "active_invalidate_ranges", -1, 0);
        itree = new Ref<>(machine, MmuIntervals.class, this, "itree", -1);
        wq = new WaitQueue(machine, this, "wq");
        deferredList = new Ref<>(machine, MmuIntervals.class, this, "deferred_list", -1);
    }

    @Override
    public String toString() {
        return "notifiers of " + mm;
    }
}
