// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Region;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.TaskKilled;
import org.interleaf.machine.Word;

/// `struct resv_map` (include/linux/hugetlb.h): for a file, the huge pages for which there is a
/// reservation or a page; for a private mapping, those whose reservation has been used up.
///
/// A change is announced first, which takes all the memory that it needs, and then made or called
/// off. That memory is only counted: it never runs short.
final class ResvMap extends Shared {
    private final Machine machine;
    private final Region life;
    private final SpinLock lock;
    private final RwSem rwSema;
    private final Word refs;
    private final Word addsInProgress;
    private final Word regionCacheCount;

    /// `regions`: the number of the {@link FileRegions}.
    private final Word regions;

    /// mm/hugetlb.c: resv_map_alloc().
    ResvMap(Machine machine) {
        super(machine);
        this.machine = machine;
        life = new Region(machine);
        life.owner(this);
        life.allocate();
        lock = new SpinLock(machine, life, this, "lock", "&resv_map->lock");
        rwSema = new RwSem(machine, life, this, "rw_sema", "&resv_map->rw_sema");
        refs = machine.word(life, this, "refs", -1, 1);
        addsInProgress = machine.word(life, this, "adds_in_progress", -1, 0);
        regionCacheCount = machine.word(life, this, "region_cache_count", -1, 1);
        regions =
                machine.word(life, this, "regions", -1, FileRegions.none(machine).pointer())
                        .format(value -> String.valueOf(machine.heap().resolve(value)));
    }

    /// The lock of private mappings that own the map, see {@link HugetlbVmaLocks}.
    RwSem rwSema() {
        return rwSema;
    }

    // ---- life

    /// `kref_get()`.
    void get() {
        refs.fetchAdd(1, Order.RELAXED);
    }

    /// `kref_put()`; mm/hugetlb.c: resv_map_release().
    void put() {
        if (refs.fetchAdd(-1, Order.RELEASE) == 1) {
            release();
        }
    }

    /// mm/hugetlb.c: resv_map_release().
    void release() {
        regionDel(0, Long.MAX_VALUE);
        bugOn(addsInProgress.readPlain() != 0, "adds_in_progress when a reserve map is freed");
        life.free();
    }

    // ---- changes

    private FileRegions regions() {
        return (FileRegions) resolve(regions.readPlain());
    }

    private Object resolve(long pointer) {
        Object target = machine.heap().resolve(pointer);
        if (target == null) {
            throw new NullPointerException("the list of regions is null");
        }
        return target;
    }

    private void regions(FileRegions fresh) {
        regions.writePlain(fresh.pointer());
    }

    /// mm/hugetlb.c: region_chg(). Announces that `[from, to)` will be added; how many of it are
    /// not there yet. Ended by {@link #regionAdd} or {@link #regionAbort}, with `needed[0]`.
    long regionChg(long from, long to, int[] needed) {
        lock.lock();
        FileRegions now = regions();
        needed[0] = Math.max(1, now.holes(from, to));
        allocateEntries(needed[0]);
        addsInProgress.writePlain(addsInProgress.readPlain() + needed[0]);
        lock.unlock();
        return to - from - now.count(from, to);
    }

    /// mm/hugetlb.c: allocate_file_region_entries(). Sees to it that there are entries for all adds
    /// under way and `needed` more. The lock is held, and dropped for the allocation.
    private void allocateEntries(int needed) {
        while (regionCacheCount.readPlain() < addsInProgress.readPlain() + needed) {
            long missing = addsInProgress.readPlain() + needed - regionCacheCount.readPlain();
            lock.unlock();
            machine.mightSleep("allocate_file_region_entries");
            lock.lock();
            regionCacheCount.writePlain(regionCacheCount.readPlain() + missing);
        }
    }

    /// mm/hugetlb.c: region_add(). Adds `[from, to)`, announced with `needed`; how many of it were
    /// not there yet.
    long regionAdd(long from, long to, int needed) {
        lock.lock();
        int actual = regions().holes(from, to);
        while (actual > needed
                && regionCacheCount.readPlain() < addsInProgress.readPlain() + actual - needed) {
            bugOn(to - from <= 1, "region_add of one page needs several regions");
            allocateEntries(actual - needed);
            actual = regions().holes(from, to);
        }
        FileRegions before = regions();
        regionCacheCount.writePlain(regionCacheCount.readPlain() - actual);
        if (actual > 0) {
            regions(before.plus(machine, from, to));
        }
        addsInProgress.writePlain(addsInProgress.readPlain() - needed);
        lock.unlock();
        return to - from - before.count(from, to);
    }

    /// mm/hugetlb.c: region_abort(). Calls an announced addition off.
    void regionAbort(int needed) {
        lock.lock();
        bugOn(regionCacheCount.readPlain() == 0, "region_abort without an entry");
        addsInProgress.writePlain(addsInProgress.readPlain() - needed);
        lock.unlock();
    }

    /// mm/hugetlb.c: region_del(). Takes `[from, to)` out; how many of it were there.
    long regionDel(long from, long to) {
        lock.lock();
        if (regions().splits(from, to)) {
            takeEntryForSplit();
        }
        FileRegions before = regions();
        long removed = before.count(from, to);
        if (removed > 0) {
            regions(before.minus(machine, from, to));
        }
        lock.unlock();
        return removed;
    }

    /// The part of region_del() that gets an entry for the end of a region that is cut in two.
    private void takeEntryForSplit() {
        if (regionCacheCount.readPlain() > addsInProgress.readPlain()) {
            regionCacheCount.writePlain(regionCacheCount.readPlain() - 1);
            return;
        }
        lock.unlock();
        machine.mightSleep("region_del");
        lock.lock();
    }

    /// mm/hugetlb.c: region_count(). How many of `[from, to)` are there.
    long regionCount(long from, long to) {
        lock.lock();
        long n = regions().count(from, to);
        lock.unlock();
        return n;
    }

    private void bugOn(boolean condition, String text) {
        if (condition) {
            machine.monitor().complained(machine.current(), "BUG", text);
            throw TaskKilled.INSTANCE;
        }
    }

    /// How many of `[from, to)` are there; looked at from outside.
    long peekCount(long from, long to) {
        return ((FileRegions) resolve(regions.peek())).count(from, to);
    }

    /// Whether it has not been freed; looked at from outside.
    boolean peekAlive() {
        return life.alive();
    }

    @Override
    public String toString() {
        return "resv_map " + pointer();
    }
}
