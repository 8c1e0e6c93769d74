// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.SpinLock;
import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// The pools of huge pages (the first part of mm/hugetlb.c).
///
/// # Accounts
///
/// Of each pool's `nr` pages `free` are in its list; `resv` of them are promised to mappings and
/// taken only by those; `surplus` are more than the administrator asked for and go back to the page
/// allocator when they are free. A page can be had without a promise where `free > resv`.
///
/// Everything is under `hugetlb_lock`, a spinlock that is dropped around the page allocator; what
/// was known before must be looked at again after.
public final class HugetlbPool {
    private final Kernel kernel;
    private final Machine machine;
    private final SpinLock lock;
    private final List<Hstate> hstates = new ArrayList<>();

    HugetlbPool(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.lock = new SpinLock(machine, null, null, "hugetlb_lock");
    }

    /// mm/hugetlb.c: hugetlb_add_hstate(), hugetlb_hstate_alloc_pages(). For the set-up: a pool of
    /// huge pages of one size, with `nr` pages, as far as there is memory, and at most `overcommit`
    /// more.
    public Hstate addHstate(LeafSize leaf, int nr, int overcommit) {
        int order = Long.numberOfTrailingZeros(leaf.size()) - kernel.geometry().pageShift();
        int capacity = kernel.memMap().memory().blockCount(order);
        Hstate h = new Hstate(machine, kernel.geometry(), leaf, capacity);
        hstates.add(h);
        h.nrOvercommitHugePages.writePlain(overcommit);
        setMaxHugePages(h, nr);
        return h;
    }

    /// All pools.
    public List<Hstate> hstates() {
        return hstates;
    }

    /// mm/hugetlb.c: size_to_hstate(). Null where pages of `size` bytes have no pool.
    public @Nullable Hstate sizeToHstate(long size) {
        for (Hstate h : hstates) {
            if (h.size() == size) {
                return h;
            }
        }
        return null;
    }

    /// include/linux/hugetlb.h: hstate_sizelog(). The pool of pages of `2^log` bytes, the default
    /// one where `log` is 0; null where there is none. Pages of PMD size are the default.
    @Nullable Hstate hstateSizelog(int log) {
        if (log == 0) {
            return sizeToHstate(kernel.geometry().size(Geometry.PMD));
        }
        return log < Long.SIZE ? sizeToHstate(1L << log) : null;
    }

    /// mm/hugetlb.c: folio_hstate().
    Hstate folioHstate(Folio folio) {
        Hstate h = sizeToHstate(kernel.geometry().pageSize() << folio.order());
        if (h == null) {
            throw new NullPointerException("folio_hstate: no pool has folios like " + folio);
        }
        return h;
    }

    /// `hugetlb_lock`.
    SpinLock lock() {
        return lock;
    }

    // ---- the list; the lock is held

    /// mm/hugetlb.c: enqueue_hugetlb_folio().
    private void enqueue(Hstate h, Folio folio) {
        kernel.assertHeld(lock);
        kernel.warnOn(folio.refCount() != 0, "references to a free huge page", folio);
        kernel.bugOn(!h.push(folio), "more huge pages are free than there are");
        folio.hugetlb().set(HugetlbFolio.FREED);
    }

    /// mm/hugetlb.c: dequeue_hugetlb_folio(), dequeue_hugetlb_folio_node_exact(). With one
    /// reference; null where none is free, or only such whose memory is bad.
    private @Nullable Folio dequeue(Hstate h) {
        kernel.assertHeld(lock);
        long n = h.freeHugePages.readPlain();
        for (long i = n - 1; i >= 0; i--) {
            Folio folio = kernel.memMap().folioAt(h.freeAt(i));
            if (!folio.isHwpoison()) {
                folio.refcount.writeOnce(1); // folio_ref_unfreeze()
                folio.hugetlb().clear(HugetlbFolio.FREED);
                h.removeAt(i, n);
                return folio;
            }
        }
        return null;
    }

    /// mm/hugetlb.c: available_huge_pages(). Free pages that are not promised to anybody.
    private long availableHugePages(Hstate h) {
        return h.freeHugePages.readPlain() - h.resvHugePages.readPlain();
    }

    /// mm/hugetlb.c: persistent_huge_pages(). Pages that are not surplus.
    private long persistentHugePages(Hstate h) {
        return h.nrHugePages.readPlain() - h.surplusHugePages.readPlain();
    }

    /// mm/hugetlb.c: remove_hugetlb_folio(). The folio belongs to the pool no longer; who calls
    /// this frees it after dropping the lock.
    private void removeFolio(Hstate h, Folio folio, boolean adjustSurplus) {
        kernel.assertHeld(lock);
        if (folio.hugetlb().test(HugetlbFolio.FREED)) {
            folio.hugetlb().clear(HugetlbFolio.FREED);
            h.remove(folio);
        }
        if (adjustSurplus) {
            h.surplusHugePages.writePlain(h.surplusHugePages.readPlain() - 1);
        }
        folio.pageType.writePlain(0); // __folio_clear_hugetlb()
        h.nrHugePages.writePlain(h.nrHugePages.readPlain() - 1);
    }

    /// mm/hugetlb.c: remove_pool_hugetlb_folio(). A free folio that belongs to the pool no longer;
    /// null where there is none.
    private @Nullable Folio removePoolFolio(Hstate h, boolean acctSurplus) {
        kernel.assertHeld(lock);
        if (acctSurplus && h.surplusHugePages.readPlain() == 0) {
            return null;
        }
        long pfn = h.top();
        if (pfn < 0) {
            return null;
        }
        Folio folio = kernel.memMap().folioAt(pfn);
        removeFolio(h, folio, acctSurplus);
        return folio;
    }

    // ---- to and from the page allocator; the lock is not held

    /// mm/hugetlb.c: update_and_free_hugetlb_folio(). Gives a folio without references back, unless
    /// nobody knows which of its pages are bad.
    private void updateAndFree(Folio folio) {
        if (folio.hugetlb().test(HugetlbFolio.RAW_HWP_UNRELIABLE)) {
            return;
        }
        if (folio.isHwpoison()) {
            kernel.memoryFailure().clearHugetlbHwpoison(folio);
        }
        kernel.pageAlloc().freeFolio(folio);
    }

    /// mm/hugetlb.c: alloc_fresh_hugetlb_folio(). A folio for the pool, without a reference; null
    /// where memory is out.
    private @Nullable Folio allocFresh(Hstate h) {
        Folio folio = kernel.pageAlloc().allocFrozen(h.order());
        if (folio != null) {
            folio.pageType.writePlain(Folio.PGTY_HUGETLB); // init_new_hugetlb_folio()
            folio.hugetlb().reset();
        }
        return folio;
    }

    /// mm/hugetlb.c: free_huge_folio(). The last reference is gone: the folio goes back to its
    /// pool, or to the page allocator where the pool has a surplus.
    void freeHugeFolio(Folio folio) {
        Hstate h = folioHstate(folio);
        HugetlbFolio state = folio.hugetlb();
        Subpool spool = (Subpool) machine.heap().resolve(state.subpool.readPlain());
        checkUnused(folio);
        state.subpool.writePlain(0);
        if (folio.isAnon()) {
            folio.head().clearAnonExclusive();
        }
        folio.mapping.writePlain(0);
        boolean restoreReserve = state.test(HugetlbFolio.RESTORE_RESERVE);
        state.clear(HugetlbFolio.RESTORE_RESERVE);
        if (!restoreReserve && spool != null && spool.putPages(1) == 0) {
            // The subpool would be below its minimum.
            restoreReserve = true;
        }
        lock.lock();
        state.clear(HugetlbFolio.MIGRATABLE);
        if (restoreReserve) {
            h.resvHugePages.writePlain(h.resvHugePages.readPlain() + 1);
        }
        if (state.test(HugetlbFolio.TEMPORARY)) {
            removeFolio(h, folio, false);
            lock.unlock();
            updateAndFree(folio);
        } else if (h.surplusHugePages.readPlain() != 0) {
            removeFolio(h, folio, true);
            lock.unlock();
            updateAndFree(folio);
        } else {
            enqueue(h, folio);
            lock.unlock();
        }
    }

    private void checkUnused(Folio folio) {
        kernel.bugOn(folio.refCount() != 0, "a huge page is freed with references");
        kernel.bugOn(kernel.rmap().folioMapcount(folio) != 0, "a huge page is freed while mapped");
    }

    /// mm/hugetlb.c: alloc_surplus_hugetlb_folio(). A new folio without a reference, beyond what
    /// the administrator asked for; null where that is not allowed or memory is out.
    private @Nullable Folio allocSurplus(Hstate h) {
        lock.lock();
        boolean full = surplusExhausted(h);
        lock.unlock();
        Folio folio = full ? null : allocFresh(h);
        if (folio == null) {
            return null;
        }
        lock.lock();
        h.nrHugePages.writePlain(h.nrHugePages.readPlain() + 1);
        if (surplusExhausted(h)) {
            // Somebody was quicker.
            folio.hugetlb().set(HugetlbFolio.TEMPORARY);
            lock.unlock();
            freeHugeFolio(folio);
            return null;
        }
        h.surplusHugePages.writePlain(h.surplusHugePages.readPlain() + 1);
        lock.unlock();
        return folio;
    }

    private boolean surplusExhausted(Hstate h) {
        return h.surplusHugePages.readPlain() >= h.nrOvercommitHugePages.readPlain();
    }

    // ---- reservations

    /// mm/hugetlb.c: gather_surplus_pages(). Promises `delta` more pages, for which new ones are
    /// allocated where the free ones are too few. 0 or -ENOMEM. The lock is held, and dropped
    /// meanwhile.
    private int gatherSurplusPages(Hstate h, long delta) {
        kernel.assertHeld(lock);
        long needed = h.resvHugePages.readPlain() + delta - h.freeHugePages.readPlain();
        if (needed <= 0) {
            h.resvHugePages.writePlain(h.resvHugePages.readPlain() + delta);
            return 0;
        }
        Deque<Folio> allocated = new ArrayDeque<>();
        boolean more = true;
        while (needed > 0 && more) {
            lock.unlock();
            for (long i = 0; i < needed && more; i++) {
                Folio folio = allocSurplus(h);
                if (folio == null) {
                    more = false;
                } else {
                    allocated.addFirst(folio);
                }
            }
            lock.lock();
            long have = h.freeHugePages.readPlain() + allocated.size();
            needed = h.resvHugePages.readPlain() + delta - have;
        }
        if (needed <= 0) {
            // Promised at once: as free pages they could be taken away before.
            h.resvHugePages.writePlain(h.resvHugePages.readPlain() + delta);
            for (long use = allocated.size() + needed; use > 0; use--) {
                enqueue(h, allocated.removeFirst());
            }
        }
        lock.unlock();
        allocated.forEach(this::freeHugeFolio);
        lock.lock();
        return needed <= 0 ? 0 : -Errno.ENOMEM;
    }

    /// mm/hugetlb.c: return_unused_surplus_pages(). Takes `unused` promises back, and with them as
    /// many surplus pages as are free. The lock is held, and dropped meanwhile.
    private void returnUnusedSurplusPages(Hstate h, long unused) {
        kernel.assertHeld(lock);
        h.resvHugePages.writePlain(h.resvHugePages.readPlain() - unused);
        long nr = Math.min(unused, h.surplusHugePages.readPlain());
        List<Folio> list = new ArrayList<>();
        for (; nr > 0; nr--) {
            Folio folio = removePoolFolio(h, true);
            if (folio == null) {
                break;
            }
            list.add(folio);
        }
        lock.unlock();
        list.forEach(this::updateAndFree);
        lock.lock();
    }

    /// mm/hugetlb.c: hugetlb_acct_memory(). Promises `delta` more pages, or takes promises back
    /// where it is negative. 0 or -ENOMEM.
    int acctMemory(Hstate h, long delta) {
        if (delta == 0) {
            return 0;
        }
        int ret = 0;
        lock.lock();
        if (delta > 0) {
            ret = gatherSurplusPages(h, delta);
            if (ret == 0 && delta > h.freeHugePages.readPlain()) { // allowed_mems_nr()
                returnUnusedSurplusPages(h, delta);
                ret = -Errno.ENOMEM;
            }
        } else {
            returnUnusedSurplusPages(h, -delta);
        }
        lock.unlock();
        return ret;
    }

    /// mm/hugetlb.c: hugetlb_alloc_folio(). A folio with one reference, of those that are promised
    /// where `useReservation`; null where there is none.
    @Nullable Folio allocFolio(Hstate h, boolean useReservation) {
        lock.lock();
        Folio folio = null;
        if (useReservation || availableHugePages(h) != 0) {
            folio = dequeue(h);
        }
        if (folio == null) {
            lock.unlock();
            folio = allocSurplus(h); // alloc_buddy_hugetlb_folio()
            if (folio == null) {
                return null;
            }
            lock.lock();
            folio.refcount.writeOnce(1); // folio_ref_unfreeze()
        }
        if (useReservation) {
            folio.hugetlb().set(HugetlbFolio.RESTORE_RESERVE);
            h.resvHugePages.writePlain(h.resvHugePages.readPlain() - 1);
        }
        lock.unlock();
        return folio;
    }

    // ---- migration

    /// mm/hugetlb.c: folio_isolate_hugetlb(). Takes the folio, with a reference, for migration;
    /// false where it is free or somebody else has taken it.
    boolean isolate(Folio folio) {
        lock.lock();
        boolean taken =
                folio.isHugetlb()
                        && folio.hugetlb().test(HugetlbFolio.MIGRATABLE)
                        && folio.refAddUnlessZero(1);
        if (taken) {
            folio.hugetlb().clear(HugetlbFolio.MIGRATABLE);
        }
        lock.unlock();
        return taken;
    }

    /// mm/hugetlb.c: folio_putback_hugetlb(). Undoes {@link #isolate}.
    void putback(Folio folio) {
        setMigratable(folio);
        kernel.swap().folioPut(folio);
    }

    /// The folio is in use like others.
    void setMigratable(Folio folio) {
        lock.lock();
        folio.hugetlb().set(HugetlbFolio.MIGRATABLE);
        lock.unlock();
    }

    /// mm/hugetlb.c: alloc_hugetlb_folio_nodemask(). A folio to move another one to, or to copy to
    /// for a moment: a free one that is not promised, or one that is made for that time; null where
    /// there is neither.
    @Nullable Folio allocFolioNodemask(Hstate h) {
        lock.lock();
        Folio folio = availableHugePages(h) != 0 ? dequeue(h) : null;
        lock.unlock();
        if (folio == null) {
            folio = allocFresh(h); // alloc_migrate_hugetlb_folio()
            if (folio != null) {
                lock.lock();
                h.nrHugePages.writePlain(h.nrHugePages.readPlain() + 1);
                lock.unlock();
                folio.refcount.writeOnce(1);
                folio.hugetlb().set(HugetlbFolio.TEMPORARY);
            }
        }
        return folio;
    }

    // ---- the administrator

    /// mm/hugetlb.c: set_max_huge_pages(). Writes nr_hugepages: grows or shrinks the pool to
    /// `count` pages, as far as there is memory and pages are free and not promised.
    public void setMaxHugePages(Hstate h, long count) {
        h.resizeLock.lock();
        lock.lock();
        while (h.surplusHugePages.readPlain() != 0 && count > persistentHugePages(h)) {
            h.surplusHugePages.writePlain(h.surplusHugePages.readPlain() - 1);
        }
        if (grow(h, count)) {
            shrink(h, count);
        }
        h.maxHugePages.writePlain(persistentHugePages(h));
        lock.unlock();
        h.resizeLock.unlock();
    }

    /// The growing half of set_max_huge_pages(); false where memory is out. The lock is held.
    private boolean grow(Hstate h, long count) {
        List<Folio> list = new ArrayList<>();
        boolean more = true;
        while (more && count > persistentHugePages(h) + list.size()) {
            lock.unlock();
            Folio folio = allocFresh(h);
            if (folio == null) {
                more = false;
            } else {
                list.add(folio);
            }
            lock.lock();
        }
        for (Folio folio : list) { // prep_and_add_allocated_folios()
            h.nrHugePages.writePlain(h.nrHugePages.readPlain() + 1);
            enqueue(h, folio);
        }
        return more;
    }

    /// The shrinking half of set_max_huge_pages(). What cannot be freed now becomes surplus.
    private void shrink(Hstate h, long count) {
        long free = h.freeHugePages.readPlain();
        if (free > persistentHugePages(h)) {
            free = Math.max(0, free - h.surplusHugePages.readPlain());
        }
        long min = Math.max(count, h.resvHugePages.readPlain() + persistentHugePages(h) - free);
        List<Folio> list = new ArrayList<>();
        while (min < persistentHugePages(h)) {
            Folio folio = removePoolFolio(h, false);
            if (folio == null) {
                break;
            }
            list.add(folio);
        }
        lock.unlock();
        list.forEach(this::updateAndFree);
        lock.lock();
        while (count < persistentHugePages(h)
                && h.surplusHugePages.readPlain() < h.nrHugePages.readPlain()) {
            h.surplusHugePages.writePlain(h.surplusHugePages.readPlain() + 1);
        }
    }

    /// mm/hugetlb.c: dissolve_free_hugetlb_folio(). Gives a free, unpromised folio back to the page
    /// allocator. 0, also where it is no huge page; -EBUSY where it is in use or promised.
    public int dissolveFreeHugetlbFolio(Folio folio) {
        while (true) {
            if (!folio.isHugetlb()) {
                return 0;
            }
            lock.lock();
            if (!folio.isHugetlb()) {
                lock.unlock();
                return 0;
            }
            Hstate h = folio.refCount() == 0 ? folioHstate(folio) : null;
            if (h == null || availableHugePages(h) == 0) {
                lock.unlock();
                return -Errno.EBUSY;
            }
            if (folio.hugetlb().test(HugetlbFolio.FREED)) {
                dissolve(h, folio);
                return 0;
            }
            lock.unlock();
            machine.spin("dissolve_free_hugetlb_folio", () -> isOnItsWay(folio));
        }
    }

    /// Whether the folio is just on its way to the list of free ones, or to the page allocator: to
    /// try again would be in vain.
    private static boolean isOnItsWay(Folio folio) {
        return folio.isHugetlb()
                && folio.refCount() == 0
                && !folio.hugetlb().test(HugetlbFolio.FREED);
    }

    /// The end of dissolve_free_hugetlb_folio(), which drops the lock.
    private void dissolve(Hstate h, Folio folio) {
        boolean adjustSurplus = h.surplusHugePages.readPlain() != 0;
        removeFolio(h, folio, adjustSurplus);
        if (!adjustSurplus) {
            h.maxHugePages.writePlain(h.maxHugePages.readPlain() - 1);
        }
        lock.unlock();
        updateAndFree(folio);
    }
}
