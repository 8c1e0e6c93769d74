// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Rounds;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// The page cache (mm/filemap.c). In files of hugetlbfs, all of whose folios have the same size,
/// indexes count folios; in others ({@link ShmemInode}) they count pages.
///
/// # Locking
///
/// Folios are put in and taken out with the folio and `xa_lock` locked. Who looks one up does so
/// under RCU, takes a reference unless the count is zero, and looks again whether it is still
/// there. The cache holds one reference for each page.
final class Filemap {
    private final Kernel kernel;
    private final Machine machine;

    Filemap(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// mm/filemap.c: filemap_get_folio(), filemap_get_entry(). The folio at `index` with a
    /// reference; null where there is none.
    @Nullable Folio getFolio(Inode inode, long index) {
        machine.rcu().readLock();
        Folio folio = getEntry(inode, index);
        machine.rcu().readUnlock();
        return folio;
    }

    /// mm/filemap.c: filemap_get_entry(), find_get_entry(). A folio whose count is zero, since it
    /// is about to go or to be replaced, is looked up again.
    private @Nullable Folio getEntry(Inode inode, long index) {
        Rounds retries = null;
        long pfn = inode.load(index);
        while (pfn != Inode.NOTHING) {
            Folio folio = pfn == Inode.AGAIN ? null : tryGet(inode, index, pfn);
            if (folio != null) {
                return folio;
            }
            retries = machine.retry(retries, "filemap_get_entry");
            pfn = inode.load(index);
        }
        return null;
    }

    /// A reference on the folio that was seen at `index`, unless it is gone or another is there by
    /// now.
    @Nullable Folio tryGet(Inode inode, long index, long pfn) {
        Folio folio = kernel.memMap().folioAt(pfn);
        if (!folio.refAddUnlessZero(1)) {
            return null;
        }
        if (inode.load(index) == pfn) {
            return folio;
        }
        kernel.swap().folioPut(folio);
        return null;
    }

    /// include/linux/pagemap.h: filemap_lock_folio(). The folio at `index` with a reference,
    /// locked; null where there is none.
    @Nullable Folio lockFolio(Inode inode, long index) {
        Folio folio = getFolio(inode, index);
        while (folio != null) {
            folio.lock().lock();
            if (folio.isMappedBy(inode)) {
                return folio;
            }
            // It has been truncated meanwhile.
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
            folio = getFolio(inode, index);
        }
        return null;
    }

    /// mm/filemap.c: filemap_get_folios(). The indexes from `start` to below `end` at which there
    /// are folios, in order; a reference is taken on each folio, which is the same element of
    /// `folios`.
    Batch getFolios(Inode inode, long start, long end) {
        machine.rcu().readLock();
        long[] indexes = new long[0];
        for (Ref<CacheSlot> slot : inode.slots()) {
            CacheSlot cached = slot.read(Order.DEPENDENCY);
            for (int i = 0; cached != null && i < cached.size(); i++) {
                long index = cached.index(i);
                if (index >= start && index < end) {
                    indexes = Arrays.copyOf(indexes, indexes.length + 1);
                    indexes[indexes.length - 1] = index;
                }
            }
        }
        Arrays.sort(indexes);
        Batch batch = new Batch(indexes);
        for (int i = 0; i < indexes.length; i++) {
            batch.folios[i] = getEntry(inode, indexes[i]);
        }
        machine.rcu().readUnlock();
        return batch;
    }

    /// `struct folio_batch`.
    static final class Batch {
        final long[] indexes;
        final @Nullable Folio[] folios;

        Batch(long[] indexes) {
            this.indexes = indexes;
            this.folios = new Folio[indexes.length];
        }
    }

    /// mm/filemap.c: __filemap_add_folio(). Puts a locked folio at `index`, with references of the
    /// cache's own. 0, or -EEXIST where one is there.
    int addFolio(Inode inode, Folio folio, long index) {
        int nr = folio.nrPages();
        folio.refAdd(nr);
        folio.setMapping(inode, index << folio.order());
        inode.pagesLock().lock();
        Ref<CacheSlot> slot = inode.slot(index);
        CacheSlot cached = slot.read(Order.PLAIN);
        boolean taken = cached != null && cached.pfnAt(index) >= 0;
        if (!taken) {
            slot.write(
                    cached == null
                            ? CacheSlot.of(machine, index, folio.pfn())
                            : cached.plus(machine, index, folio.pfn()),
                    Order.RELEASE);
        }
        inode.pagesLock().unlock();
        if (taken) {
            folio.mapping.writePlain(0);
            kernel.swap().folioPutRefs(folio, nr);
            return -Errno.EEXIST;
        }
        return 0;
    }

    /// mm/migrate.c: migrate_huge_page_move_mapping(), __folio_migrate_mapping(). Puts `dst` in the
    /// place of the locked `src`, with its contents, unless somebody has a reference whom
    /// `expected` does not count.
    boolean replaceFolio(Inode inode, Folio dst, Folio src, long expected) {
        int nr = src.nrPages();
        for (int i = 0; i < nr; i++) { // folio_mc_copy()
            kernel.highmem().copyPage(dst.pfn() + i, src.pfn() + i);
        }
        inode.pagesLock().lock();
        if (src.refcount.cmpxchg(expected, 0, Order.FULL) != expected) { // folio_ref_freeze()
            inode.pagesLock().unlock();
            return false;
        }
        long index = src.index.readPlain();
        dst.setMapping(inode, index);
        dst.refAdd(nr);
        long slotIndex = index >> src.order();
        Ref<CacheSlot> slot = inode.slot(slotIndex);
        CacheSlot without = slot.readPlainNonNull().minus(machine, slotIndex);
        slot.write(without.plus(machine, slotIndex, dst.pfn()), Order.RELEASE);
        src.refcount.writeOnce(expected - nr); // folio_ref_unfreeze()
        inode.pagesLock().unlock();
        return true;
    }

    /// mm/filemap.c: filemap_remove_folio(). Takes a locked folio out and drops the cache's
    /// references.
    void removeFolio(Inode inode, Folio folio) {
        inode.lock().lock();
        inode.pagesLock().lock();
        if (inode instanceof ShmemInode shmem) {
            erase(shmem, folio);
        } else {
            erase(inode, folio);
        }
        folio.mapping.writePlain(0);
        inode.pagesLock().unlock();
        inode.lock().unlock();
        kernel.swap().folioPutRefs(folio, folio.nrPages());
    }

    private void erase(Inode inode, Folio folio) {
        long index = folio.index.readPlain() >> folio.order();
        Ref<CacheSlot> slot = inode.slot(index);
        CacheSlot cached = slot.readPlainNonNull();
        CacheSlot left = cached.size() == 1 ? null : cached.minus(machine, index);
        slot.write(left, Order.RELEASE);
    }

    /// mm/filemap.c: filemap_unaccount_folio(), page_cache_delete().
    private void erase(ShmemInode inode, Folio folio) {
        if (kernel.rmap().folioMapcount(folio) > 0) {
            String text = "BUG: Bad page cache";
            machine.monitor().complained(machine.current(), text, folio + ": still mapped");
        }
        int order = folio.order();
        inode.pages().store(folio.index.readPlain(), order, XArray.NONE);
        inode.nrpages.writePlain(inode.nrpages.readPlain() - (1L << order));
    }
}
