// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// `struct hugepage_subpool` (include/linux/hugetlb.h): what a mounted hugetlbfs may take of a pool
/// at most, and what is set aside for it. Lives as long as the mount, which is never undone.
public final class Subpool extends Shared {
    private static final long NONE = -1;

    private final Hstate hstate;
    private final SpinLock lock;
    private final long maxHpages;
    private final long minHpages;
    private final Word usedHpages;
    private final Word rsvHpages;

    /// @param maxHpages the most huge pages, -1 for no limit
    /// @param minHpages huge pages set aside, which the pool has accounted for; -1 for none
    Subpool(Machine machine, Hstate hstate, long maxHpages, long minHpages) {
        super(machine);
        this.hstate = hstate;
        this.maxHpages = maxHpages;
        this.minHpages = minHpages;
        lock = new SpinLock(machine, null, this, "lock", "&spool->lock");
        usedHpages = machine.word(null, this, "used_hpages", -1, 0);
        rsvHpages = machine.word(null, this, "rsv_hpages", -1, minHpages);
    }

    Hstate hstate() {
        return hstate;
    }

    /// mm/hugetlb.c: hugepage_subpool_get_pages(). Takes `delta` pages of the subpool; the number
    /// by which the pool's accounts must change, or -ENOMEM.
    long getPages(long delta) {
        lock.lock();
        long ret = takeUsed(delta) ? takeReserved(delta) : -Errno.ENOMEM;
        lock.unlock();
        return ret;
    }

    private boolean takeUsed(long delta) {
        if (maxHpages == NONE) {
            return true;
        }
        if (usedHpages.readPlain() + delta > maxHpages) {
            return false;
        }
        usedHpages.writePlain(usedHpages.readPlain() + delta);
        return true;
    }

    private long takeReserved(long delta) {
        long rsv = minHpages == NONE ? 0 : rsvHpages.readPlain();
        if (rsv == 0) {
            return delta;
        }
        rsvHpages.writePlain(Math.max(0, rsv - delta));
        return Math.max(0, delta - rsv);
    }

    /// mm/hugetlb.c: hugepage_subpool_put_pages(). Gives `delta` pages back; the number of
    /// reservations that the pool must drop.
    long putPages(long delta) {
        lock.lock();
        if (maxHpages != NONE) {
            usedHpages.writePlain(usedHpages.readPlain() - delta);
        }
        long ret = delta;
        if (minHpages != NONE && usedHpages.readPlain() < minHpages) {
            long rsv = rsvHpages.readPlain() + delta;
            ret = Math.max(0, rsv - minHpages);
            rsvHpages.writePlain(Math.min(rsv, minHpages));
        }
        lock.unlock();
        return ret;
    }

    /// The part of mm/hugetlb.c: hugetlb_reserve_pages() that gives back pages for which the pool
    /// had no reservation.
    void unuse(long pages) {
        lock.lock();
        if (maxHpages != NONE) {
            usedHpages.writePlain(usedHpages.readPlain() - pages);
        }
        lock.unlock();
    }

    /// Pages set aside and not in use; looked at from outside.
    public long peekReserved() {
        return minHpages == NONE ? 0 : rsvHpages.peek();
    }

    @Override
    public String toString() {
        return "subpool of " + hstate;
    }
}
