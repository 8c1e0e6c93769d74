// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.RcuDomain;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Telling those who keep translations of their own, such as devices, what changes in an address
/// space (mm/mmu_notifier.c).
///
/// # The protocol of intervals
///
/// Whoever changes entries does so between {@link #invalidateRangeStart} and {@link
/// #invalidateRangeEnd}. Several may be between these at once; who reads translations collides with
/// them and tries again, as with a sequence count. If an interval is hit the count of the address
/// space becomes odd, and stays so until nobody is in between any more; each interval that is hit
/// takes over the odd value, in its callback, under the driver's lock.
///
/// ```
/// driver                              who changes entries
///                                     count made odd; callback: interval's count := count
/// seq = interval's count
/// seq is the count: wait
///                                     entries change
///                                     count made even; wake
/// read the entries
///                                     count made odd; callback: interval's count := count
/// driver's lock
/// interval's count is not seq: again
/// ```
///
/// While the count is odd the tree of intervals does not change: who subscribes or unsubscribes
/// then is put off to the end.
public final class MmuNotifier {
    private final Machine machine;
    private final RcuDomain srcu;

    /// The ranges that are between start and end and are told of; outside of simulated time.
    private final List<MmuNotifierRange> open = new ArrayList<>();

    MmuNotifier(Machine machine) {
        this.machine = machine;
        srcu = machine.rcuDomain("srcu of mmu notifiers");
        machine.onReset(open::clear);
    }

    // ---- who changes entries

    /// include/linux/mmu_notifier.h: mmu_notifier_range_init().
    MmuNotifierRange range(Event event, MmStruct mm, long start, long end) {
        return new MmuNotifierRange(event, mm, start, end, machine.current(), true);
    }

    /// include/linux/mmu_notifier.h: mm_has_notifiers().
    private static boolean mmHasNotifiers(MmStruct mm) {
        return mm.notifierSubscriptions.read(Order.PLAIN) != null;
    }

    /// include/linux/mmu_notifier.h: mmu_notifier_invalidate_range_start(). From here to {@link
    /// #invalidateRangeEnd} entries of the range may change.
    void invalidateRangeStart(MmuNotifierRange range) {
        machine.mightSleep("mmu_notifier_invalidate_range_start");
        if (mmHasNotifiers(range.mm())) {
            startNotified(range);
            open.add(range);
        }
    }

    /// include/linux/mmu_notifier.h: mmu_notifier_invalidate_range_start_nonblock(). As {@link
    /// #invalidateRangeStart}, but nobody who is told may sleep: 0, or -EAGAIN where somebody would
    /// have to, and then there is no end to be told.
    int invalidateRangeStartNonblock(MmuNotifierRange range) {
        if (!mmHasNotifiers(range.mm())) {
            return 0;
        }
        int ret = startNotified(range);
        if (ret == 0) {
            open.add(range);
        }
        return ret;
    }

    /// include/linux/mmu_notifier.h: mmu_notifier_invalidate_range_end().
    void invalidateRangeEnd(MmuNotifierRange range) {
        if (range.blockable()) {
            machine.mightSleep("mmu_notifier_invalidate_range_end");
        }
        open.remove(range);
        if (mmHasNotifiers(range.mm())) {
            endNotified(range);
        }
    }

    /// include/linux/mmu_notifier.h: mmu_notifier_arch_invalidate_secondary_tlbs(). The CPUs have
    /// forgotten translations of `[start, end)`.
    void archInvalidateSecondaryTlbs(MmStruct mm, long start, long end) {
        if (mmHasNotifiers(mm)) {
            inSrcu(mm, ops -> ops.archInvalidateSecondaryTlbs(mm, start, end));
        }
    }

    /// include/linux/mmu_notifier.h: mmu_notifier_test_young(). Whether a device has used the page
    /// at `addr`.
    boolean testYoung(MmStruct mm, long addr) {
        if (!mmHasNotifiers(mm)) {
            return false;
        }
        boolean young = false;
        MmuNotifierSubscriptions subscriptions = mm.notifierSubscriptions.readPlainNonNull();
        srcu.enter();
        MmuNotifierSubscription sub = subscriptions.list.read(Order.DEPENDENCY);
        while (sub != null && !young) {
            young = sub.ops.testYoung(mm, addr);
            sub = sub.next.read(Order.DEPENDENCY);
        }
        srcu.leave();
        return young;
    }

    /// Whether those who subscribe to changes of `mm` have been told that the running task changes
    /// `[start, end)`; looked at from outside.
    public boolean peekTold(MmStruct mm, long start, long end) {
        for (int i = 0; i < open.size(); i++) {
            MmuNotifierRange range = open.get(i);
            if (range.mm() == mm
                    && range.by() == machine.current()
                    && range.start() <= start
                    && end <= range.end()) {
                return true;
            }
        }
        return false;
    }

    /// Whether some device that was told of changes of `mm` maps the page at `addr`; looked at from
    /// outside.
    ///
    /// @param pfn the frame of the page; -1 for any
    /// @param forWriting whether only mappings count by which it could write
    public boolean peekMirrored(MmStruct mm, long addr, long pfn, boolean forWriting) {
        MmuNotifierSubscriptions subscriptions = mm.notifierSubscriptions.peek();
        MmuIntervals itree = subscriptions == null ? null : subscriptions.itree.peek();
        if (itree == null) {
            return false;
        }
        for (MmuIntervalNotifier sub : itree.all()) {
            DmirrorPt pt = sub.ops().peekMirror();
            if (pt != null && pt.peekMaps(addr, pfn, forWriting)) {
                return true;
            }
        }
        return false;
    }

    // ---- telling

    /// mm/mmu_notifier.c: __mmu_notifier_invalidate_range_start().
    private int startNotified(MmuNotifierRange range) {
        MmuNotifierSubscriptions subscriptions =
                range.mm().notifierSubscriptions.readPlainNonNull();
        if (subscriptions.hasItree.readPlain() != 0) {
            int ret = itreeInvalidate(subscriptions, range);
            if (ret != 0) {
                return ret;
            }
        }
        return subscriptions.list.readOnce() == null ? 0 : hlistStart(subscriptions, range);
    }

    /// mm/mmu_notifier.c: __mmu_notifier_invalidate_range_end().
    private void endNotified(MmuNotifierRange range) {
        MmuNotifierSubscriptions subscriptions =
                range.mm().notifierSubscriptions.readPlainNonNull();
        if (subscriptions.hasItree.readPlain() != 0) {
            itreeInvEnd(subscriptions);
        }
        if (subscriptions.list.readOnce() != null) {
            inSrcu(range.mm(), ops -> ops.invalidateRangeEnd(range)); // mn_hlist_invalidate_end()
        }
    }

    /// mm/mmu_notifier.c: mn_hlist_invalidate_range_start(). Tells all, even if one could not do
    /// without sleeping; then those who were told are told of the end.
    private int hlistStart(MmuNotifierSubscriptions subscriptions, MmuNotifierRange range) {
        int ret = 0;
        srcu.enter();
        MmuNotifierSubscription sub = subscriptions.list.read(Order.DEPENDENCY);
        while (sub != null) {
            int err = sub.ops.invalidateRangeStart(range);
            if (err != 0) {
                warnOn(range.blockable() || err != -Errno.EAGAIN, "a notifier fails", sub);
                ret = err;
            }
            sub = sub.next.read(Order.DEPENDENCY);
        }
        if (ret != 0) {
            sub = subscriptions.list.read(Order.DEPENDENCY);
            while (sub != null) {
                sub.ops.invalidateRangeEnd(range);
                sub = sub.next.read(Order.DEPENDENCY);
            }
        }
        srcu.leave();
        return ret;
    }

    /// What is told to one subscription.
    @FunctionalInterface
    private interface Telling {
        void tell(MmuNotifierOps ops);
    }

    /// `hlist_for_each_entry_srcu()` over the subscriptions to all of `mm`.
    private void inSrcu(MmStruct mm, Telling telling) {
        MmuNotifierSubscriptions subscriptions = mm.notifierSubscriptions.readPlainNonNull();
        srcu.enter();
        MmuNotifierSubscription sub = subscriptions.list.read(Order.DEPENDENCY);
        while (sub != null) {
            telling.tell(sub.ops);
            sub = sub.next.read(Order.DEPENDENCY);
        }
        srcu.leave();
    }

    // ---- intervals

    /// mm/mmu_notifier.c: mn_itree_is_invalidating(). The lock is held.
    private static boolean isInvalidating(MmuNotifierSubscriptions subscriptions) {
        return (subscriptions.invalidateSeq.readPlain() & 1) != 0;
    }

    /// `seq |= 1`: somebody changes entries of an interval. The lock is held.
    private static void makeOdd(MmuNotifierSubscriptions subscriptions) {
        subscriptions.invalidateSeq.writePlain(subscriptions.invalidateSeq.readPlain() | 1);
    }

    /// `word += delta` under the lock; returns the new value.
    private static long add(Word word, long delta) {
        long sum = word.readPlain() + delta;
        word.writePlain(sum);
        return sum;
    }

    /// mm/mmu_notifier.c: mn_itree_inv_start_range(). The first interval that the range hits, with
    /// which the count is odd; null where there is none. The count goes to `seq`.
    private @Nullable MmuIntervalNotifier itreeInvStartRange(
            MmuNotifierSubscriptions subscriptions, MmuNotifierRange range, long[] seq) {
        subscriptions.lock.lock();
        add(subscriptions.activeInvalidateRanges, 1);
        MmuIntervalNotifier first = nextHit(subscriptions, null, range);
        if (first != null) {
            makeOdd(subscriptions);
        }
        seq[0] = subscriptions.invalidateSeq.readPlain();
        subscriptions.lock.unlock();
        return first;
    }

    /// mm/mmu_notifier.c: mn_itree_inv_next(). The next interval that the range hits. No lock is
    /// needed, as the tree stays while the count is odd.
    private @Nullable MmuIntervalNotifier nextHit(
            MmuNotifierSubscriptions subscriptions,
            @Nullable MmuIntervalNotifier after,
            MmuNotifierRange range) {
        MmuIntervals itree = subscriptions.itree.read(Order.PLAIN);
        return itree == null ? null : itree.next(after, range.start(), range.end() - 1);
    }

    /// mm/mmu_notifier.c: mn_itree_inv_end(). The last of those that change entries makes the count
    /// even, does what was put off, and wakes those that wait.
    private void itreeInvEnd(MmuNotifierSubscriptions subscriptions) {
        subscriptions.lock.lock();
        if (add(subscriptions.activeInvalidateRanges, -1) != 0 || !isInvalidating(subscriptions)) {
            subscriptions.lock.unlock();
            return;
        }
        add(subscriptions.invalidateSeq, 1);
        MmuIntervals deferred = subscriptions.deferredList.read(Order.PLAIN);
        if (deferred != null) {
            MmuIntervals itree = subscriptions.itree.read(Order.PLAIN);
            for (MmuIntervalNotifier sub : deferred.all()) {
                itree =
                        itree != null && itree.contains(sub)
                                ? itree.minus(machine, sub)
                                : MmuIntervals.plus(machine, itree, sub);
            }
            subscriptions.itree.write(itree, Order.PLAIN);
            subscriptions.deferredList.write(null, Order.PLAIN);
        }
        subscriptions.lock.unlock();
        subscriptions.wq.wakeAll();
    }

    /// mm/mmu_notifier.c: mn_itree_invalidate(). Calls back each interval that the range hits. 0;
    /// or -EAGAIN, and the invalidation is over, where one would have had to sleep.
    private int itreeInvalidate(MmuNotifierSubscriptions subscriptions, MmuNotifierRange range) {
        List<Runnable> finishPasses = new ArrayList<>(0);
        long[] seq = new long[1];
        int err = 0;
        MmuIntervalNotifier sub = itreeInvStartRange(subscriptions, range, seq);
        while (sub != null) {
            boolean done =
                    sub.ops() instanceof MmuIntervalNotifier.TwoPassOps ops
                            ? ops.invalidateStart(sub, range, seq[0], finishPasses::add)
                            : sub.ops().invalidate(sub, range, seq[0]);
            if (!done && !warnOn(range.blockable(), "an interval notifier fails", sub)) {
                err = -Errno.EAGAIN;
                break;
            }
            sub = nextHit(subscriptions, sub, range);
        }
        finishPasses.forEach(Runnable::run); // mn_itree_finish_pass()
        if (err != 0) {
            itreeInvEnd(subscriptions);
        }
        return err;
    }

    private boolean warnOn(boolean condition, String text, Object about) {
        if (condition) {
            machine.monitor().complained(machine.current(), "WARNING", text + ": " + about);
        }
        return condition;
    }

    // ---- the end of an address space

    /// include/linux/mmu_notifier.h: mmu_notifier_release(). Nobody uses the address space any
    /// more; its pages are about to be freed.
    void release(MmStruct mm) {
        if (!mmHasNotifiers(mm)) {
            return;
        }
        MmuNotifierSubscriptions subscriptions = mm.notifierSubscriptions.readPlainNonNull();
        if (subscriptions.hasItree.readPlain() != 0) { // mn_itree_release()
            MmuNotifierRange all = range(Event.RELEASE, mm, 0, MmuNotifierRange.MAX);
            itreeInvalidate(subscriptions, all);
            itreeInvEnd(subscriptions);
        }
        if (subscriptions.list.readOnce() != null) {
            hlistRelease(subscriptions, mm);
        }
    }

    /// mm/mmu_notifier.c: mn_hlist_release(). The subscriptions end; returns when nobody is being
    /// told anything any more.
    private void hlistRelease(MmuNotifierSubscriptions subscriptions, MmStruct mm) {
        srcu.enter();
        MmuNotifierSubscription sub = subscriptions.list.read(Order.DEPENDENCY);
        while (sub != null) {
            sub.ops.release(mm);
            sub = sub.next.read(Order.DEPENDENCY);
        }
        subscriptions.lock.lock();
        MmuNotifierSubscription first = subscriptions.list.readOnce();
        while (first != null) {
            first.delInit();
            first = subscriptions.list.readOnce();
        }
        subscriptions.lock.unlock();
        srcu.leave();
        synchronizeSrcu();
    }

    /// `synchronize_srcu()`: waits until nobody is told anything that began before.
    private void synchronizeSrcu() {
        machine.mightSleep("synchronize_srcu");
        srcu.await(srcu.look());
    }

    // ---- subscribing

    /// mm/mmu_notifier.c: mmu_notifier_register(). Has `ops` be told of all changes of `mm` from
    /// now on. No lock of the memory manager is held.
    MmuNotifierSubscription register(Kernel kernel, MmStruct mm, MmuNotifierOps ops) {
        MmuNotifierSubscription sub = new MmuNotifierSubscription(machine, ops);
        kernel.mmapLock().writeLock(mm);
        registerLocked(kernel, mm, sub);
        kernel.mmapLock().writeUnlock(mm);
        return sub;
    }

    /// mm/mmu_notifier.c: __mmu_notifier_register(). Nobody is changing entries meanwhile: who does
    /// holds one of the locks that are all taken here.
    ///
    /// @param sub null where intervals are to be possible
    private void registerLocked(Kernel kernel, MmStruct mm, @Nullable MmuNotifierSubscription sub) {
        MmuNotifierSubscriptions subscriptions = mm.notifierSubscriptions.read(Order.PLAIN);
        boolean first = subscriptions == null;
        if (subscriptions == null) {
            subscriptions = new MmuNotifierSubscriptions(machine, mm);
        }
        kernel.mmAllLocks().take(mm);
        if (first) {
            mm.notifierSubscriptions.write(subscriptions, Order.RELEASE);
        }
        if (sub != null) {
            mm.grab();
            subscriptions.lock.lock();
            sub.addHead(subscriptions);
            subscriptions.lock.unlock();
        } else {
            subscriptions.hasItree.writePlain(1);
        }
        kernel.mmAllLocks().drop(mm);
    }

    /// mm/mmu_notifier.c: mmu_notifier_unregister(). The subscription is told of its release, and
    /// of nothing more once this has returned.
    void unregister(Kernel kernel, MmuNotifierSubscription sub, MmStruct mm) {
        if (!sub.unhashed()) {
            srcu.enter();
            sub.ops.release(mm);
            srcu.leave();
            MmuNotifierSubscriptions subscriptions = mm.notifierSubscriptions.readPlainNonNull();
            subscriptions.lock.lock();
            sub.delInit();
            subscriptions.lock.unlock();
        }
        synchronizeSrcu();
        kernel.fork().mmdrop(mm);
    }

    /// mm/mmu_notifier.c: mmu_interval_notifier_insert(), __mmu_interval_notifier_insert(). Has the
    /// interval be told of changes; who reads translations must begin with {@link
    /// #mmuIntervalReadBegin} all the same, since this may come into force later. No lock of the
    /// memory manager is held.
    void mmuIntervalNotifierInsert(Kernel kernel, MmuIntervalNotifier sub) {
        MmStruct mm = sub.mm();
        MmuNotifierSubscriptions found = mm.notifierSubscriptions.read(Order.ACQUIRE);
        if (found == null || found.hasItree.readPlain() == 0) {
            kernel.mmapLock().writeLock(mm);
            registerLocked(kernel, mm, null);
            kernel.mmapLock().writeUnlock(mm);
            found = mm.notifierSubscriptions.readPlainNonNull();
        }
        MmuNotifierSubscriptions subscriptions = Objects.requireNonNull(found);
        mm.grab();
        subscriptions.lock.lock();
        if (subscriptions.activeInvalidateRanges.readPlain() != 0) {
            // Which range it is nobody knows here, so it counts as one that hits the interval.
            if (isInvalidating(subscriptions)) {
                addTo(subscriptions.deferredList, sub);
            } else {
                makeOdd(subscriptions);
                addTo(subscriptions.itree, sub);
            }
            sub.invalidateSeq.writePlain(subscriptions.invalidateSeq.readPlain());
        } else {
            warnOn(isInvalidating(subscriptions), "the count of invalidations is odd", sub);
            sub.invalidateSeq.writePlain(subscriptions.invalidateSeq.readPlain() - 1);
            addTo(subscriptions.itree, sub);
        }
        subscriptions.lock.unlock();
    }

    private void addTo(Ref<MmuIntervals> to, MmuIntervalNotifier sub) {
        to.write(MmuIntervals.plus(machine, to.read(Order.PLAIN), sub), Order.PLAIN);
    }

    private void takeFrom(Ref<MmuIntervals> from, MmuIntervalNotifier sub) {
        from.write(from.readPlainNonNull().minus(machine, sub), Order.PLAIN);
    }

    /// mm/mmu_notifier.c: mmu_interval_notifier_remove(). The interval is told of nothing more once
    /// this has returned. No lock is held that its callback takes.
    void mmuIntervalNotifierRemove(Kernel kernel, MmuIntervalNotifier sub) {
        MmStruct mm = sub.mm();
        MmuNotifierSubscriptions subscriptions = mm.notifierSubscriptions.readPlainNonNull();
        machine.mightSleep("mmu_interval_notifier_remove");
        long seq = 0;
        subscriptions.lock.lock();
        MmuIntervals itree = subscriptions.itree.read(Order.PLAIN);
        boolean inTree = itree != null && itree.contains(sub);
        if (!isInvalidating(subscriptions)) {
            if (!warnOn(!inTree, "an interval notifier is removed twice", sub)) {
                takeFrom(subscriptions.itree, sub);
            }
        } else if (inTree) {
            addTo(subscriptions.deferredList, sub);
            seq = subscriptions.invalidateSeq.readPlain();
        } else {
            takeFrom(subscriptions.deferredList, sub);
        }
        subscriptions.lock.unlock();
        if (seq != 0) {
            waitReleased(subscriptions, seq);
        }
        kernel.fork().mmdrop(mm);
    }

    /// `wait_event(wq, mmu_interval_seq_released())` of mmu_interval_notifier_remove().
    private void waitReleased(MmuNotifierSubscriptions subscriptions, long seq) {
        while (!seqReleased(subscriptions, seq)) {
            subscriptions.wq.prepare();
            boolean released = seqReleased(subscriptions, seq);
            if (!released) {
                subscriptions.wq.sleep();
            }
            subscriptions.wq.finish();
            if (released) {
                return;
            }
        }
    }

    /// mm/mmu_notifier.c: mmu_interval_seq_released().
    private static boolean seqReleased(MmuNotifierSubscriptions subscriptions, long seq) {
        subscriptions.lock.lock();
        boolean released = subscriptions.invalidateSeq.readPlain() != seq;
        subscriptions.lock.unlock();
        return released;
    }

    // ---- who reads translations

    /// mm/mmu_notifier.c: mmu_interval_read_begin(). Waits while the interval is being invalidated;
    /// the number to give to {@link #mmuIntervalReadRetry}.
    long mmuIntervalReadBegin(MmuIntervalNotifier sub) {
        MmuNotifierSubscriptions subscriptions = sub.mm().notifierSubscriptions.readPlainNonNull();
        subscriptions.lock.lock();
        long seq = sub.invalidateSeq.readOnce();
        boolean invalidating = seq == subscriptions.invalidateSeq.readPlain();
        subscriptions.lock.unlock();
        if (invalidating) {
            waitChanged(subscriptions, seq);
        }
        return seq;
    }

    /// `wait_event(wq, invalidate_seq != seq)` of mmu_interval_read_begin().
    private static void waitChanged(MmuNotifierSubscriptions subscriptions, long seq) {
        while (subscriptions.invalidateSeq.readOnce() == seq) {
            subscriptions.wq.prepare();
            boolean changed = subscriptions.invalidateSeq.readOnce() != seq;
            if (!changed) {
                subscriptions.wq.sleep();
            }
            subscriptions.wq.finish();
            if (changed) {
                return;
            }
        }
    }

    /// include/linux/mmu_notifier.h: mmu_interval_set_seq(). For {@link
    /// MmuIntervalNotifier.Ops#invalidate}, under the driver's lock.
    void mmuIntervalSetSeq(MmuIntervalNotifier sub, long seq) {
        sub.invalidateSeq.writeOnce(seq);
    }

    /// include/linux/mmu_notifier.h: mmu_interval_read_retry(). Whether what was read since `seq`
    /// is stale. The driver's lock is held, and translations are to be used under it.
    boolean mmuIntervalReadRetry(MmuIntervalNotifier sub, long seq) {
        return sub.invalidateSeq.readPlain() != seq;
    }

    /// include/linux/mmu_notifier.h: mmu_interval_check_retry(). Whether what was read since `seq`
    /// is known to be stale; without the driver's lock, so no says nothing.
    boolean mmuIntervalCheckRetry(MmuIntervalNotifier sub, long seq) {
        return sub.invalidateSeq.readOnce() != seq;
    }
}
