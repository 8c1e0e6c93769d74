// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;

import java.util.ArrayList;
import java.util.List;

/// Replacing the pages of a PMD range of a file in memory by one huge page (collapse_file() of
/// mm/khugepaged.c).
///
/// # Locking
///
/// No lock of any process is held. Each old folio is locked, unmapped everywhere and taken off the
/// LRU, and must then have no reference but the cache's, that of being off the LRU and ours: new
/// users have to find it in the cache, and wait for its lock. Holes are marked in the cache, under
/// `xa_lock`, from the moment at which nobody may have been told that there are any. The new folio
/// is locked until all PTE tables have gone that mapped old ones.
final class CollapseFile {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    CollapseFile(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    /// What is being done: the variables of collapse_file().
    private static final class Collapse {
        final ShmemInode inode;
        final long start;
        final long end;
        final Folio fresh;

        /// `pagelist`: the old folios.
        final List<Folio> old = new ArrayList<>();

        final TlbBatch.Pending ubc = new TlbBatch.Pending();
        int nrNone;

        /// The next page to be looked at.
        long index;

        Collapse(ShmemInode inode, long start, long end, Folio fresh) {
            this.inode = inode;
            this.start = start;
            this.end = end;
            this.fresh = fresh;
            index = start;
        }
    }

    // ---- scanning

    /// mm/khugepaged.c: collapse_scan_file(). Whether the range of the file at page `start` looks
    /// as if it could be collapsed; and does so.
    ScanResult collapseScanFile(OpenFile file, long start, CollapseControl cc) {
        ShmemInode inode = (ShmemInode) file.inode();
        int[] present = new int[1];
        machine.rcu().readLock();
        ScanResult result = scan(inode, start, present);
        machine.rcu().readUnlock();
        if (result != ScanResult.SUCCEED) {
            return result;
        }
        boolean tooFew = present[0] < geometry.hpagePmdNr() - cc.maxPtesNone();
        return tooFew ? ScanResult.EXCEED_NONE_PTE : collapseFile(inode, start, cc);
    }

    /// The loop of collapse_scan_file(); counts the pages that are there.
    private ScanResult scan(ShmemInode inode, long start, int[] present) {
        XArray.Cursor at = new XArray.Cursor(start);
        Rounds retries = null;
        while (inode.pages().find(at, start + geometry.hpagePmdNr() - 1)) {
            Folio folio =
                    at.entry == XArray.RETRY
                            ? null
                            : kernel.filemap().tryGet(inode, at.index, XArray.pfn(at.entry));
            if (folio == null) {
                at.reset();
                retries = machine.retry(retries, "collapse_scan_file");
                continue;
            }
            ScanResult result = scanFolio(folio);
            present[0] += result == ScanResult.SUCCEED ? folio.nrPages() : 0;
            kernel.swap().folioPut(folio);
            if (result != ScanResult.SUCCEED) {
                return result;
            }
            machine.hasEffect(); // it is counted
        }
        return ScanResult.SUCCEED;
    }

    private ScanResult scanFolio(Folio folio) {
        if (folio.order() == geometry.hpagePmdOrder()) {
            return ScanResult.PTE_MAPPED_HUGEPAGE;
        }
        if (!folio.testFlag(Folio.PG_LRU)) {
            return ScanResult.PAGE_LRU;
        }
        boolean others = kernel.rmap().folioExpectedRefCount(folio) + 1 != folio.refCount();
        return others ? ScanResult.PAGE_COUNT : ScanResult.SUCCEED;
    }

    // ---- collapsing

    /// mm/khugepaged.c: collapse_file(). No lock is held; sleeps. `PTE_MAPPED_HUGEPAGE` where the
    /// file has the huge page and the caller wants to have it mapped.
    private ScanResult collapseFile(ShmemInode inode, long start, CollapseControl cc) {
        Folio fresh = kernel.pageAlloc().folioAlloc(geometry.hpagePmdOrder());
        if (fresh == null) {
            return ScanResult.ALLOC_HUGE_PAGE_FAIL;
        }
        fresh.setLocked();
        fresh.setFlag(Folio.PG_SWAPBACKED);
        fresh.setMapping(inode, start);
        long end = start + geometry.hpagePmdNr();
        Collapse collapse = new Collapse(inode, start, end, fresh);
        ScanResult result = isolateAll(collapse);
        // Before anything is copied.
        kernel.tlbBatch().tryToUnmapFlush(collapse.ubc);
        if (result != ScanResult.SUCCEED) {
            collapse.nrNone = 0;
        } else {
            if (collapse.nrNone > 0) {
                kernel.shmem().charge(inode, collapse.nrNone);
            }
            copy(collapse);
            result = collapse.nrNone > 0 ? fillHoles(collapse) : lockPages(inode);
        }
        if (result != ScanResult.SUCCEED) {
            rollback(collapse);
            return result;
        }
        replace(collapse);
        return cc.isKhugepaged() ? ScanResult.SUCCEED : ScanResult.PTE_MAPPED_HUGEPAGE;
    }

    private static ScanResult lockPages(ShmemInode inode) {
        inode.pagesLock().lock();
        return ScanResult.SUCCEED;
    }

    /// The first loop of collapse_file(): locks, unmaps and isolates what is in the range.
    private ScanResult isolateAll(Collapse collapse) {
        ShmemInode inode = collapse.inode;
        inode.pagesLock().lock();
        while (collapse.index < collapse.end) {
            long entry = inode.pages().load(collapse.index);
            if (entry == XArray.NONE) {
                if (collapse.index == collapse.start && restIsEmpty(collapse)) {
                    inode.pagesLock().unlock();
                    return ScanResult.TRUNCATED;
                }
                collapse.nrNone++;
                collapse.index++;
                continue;
            }
            ScanResult result = isolate(collapse, entry);
            if (result != ScanResult.SUCCEED) {
                return result;
            }
        }
        inode.pagesLock().unlock();
        return ScanResult.SUCCEED;
    }

    private static boolean restIsEmpty(Collapse collapse) {
        XArray.Cursor at = new XArray.Cursor(collapse.start + 1);
        return !collapse.inode.pages().find(at, collapse.end - 1);
    }

    /// One folio of that loop. `xa_lock` is held, and on return only with `SUCCEED`.
    private ScanResult isolate(Collapse collapse, long entry) {
        ShmemInode inode = collapse.inode;
        Folio folio = kernel.memMap().folioAt(XArray.pfn(entry));
        if (!folio.testFlag(Folio.PG_UPTODATE)) {
            inode.pagesLock().unlock();
            // It has only been preallocated.
            folio = kernel.shmem().getFolio(inode, collapse.index, 0, Shmem.Sgp.NOALLOC).folio();
            if (folio == null) {
                return ScanResult.FAIL;
            }
        } else if (folio.lock().trylock()) {
            folio.get();
            inode.pagesLock().unlock();
        } else {
            inode.pagesLock().unlock();
            return ScanResult.PAGE_LOCK;
        }
        ScanResult result = isolateLocked(collapse, folio);
        if (result != ScanResult.SUCCEED) {
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
            return result;
        }
        collapse.old.add(folio);
        collapse.index += folio.nrPages();
        return result;
    }

    /// The part of collapse_file() with one folio locked and `xa_lock` not held; on `SUCCEED` it
    /// is.
    private ScanResult isolateLocked(Collapse collapse, Folio folio) {
        if (!folio.testFlag(Folio.PG_UPTODATE)) {
            return ScanResult.FAIL;
        }
        if (folio.order() == geometry.hpagePmdOrder()) {
            return ScanResult.PTE_MAPPED_HUGEPAGE;
        }
        if (!folio.isMappedBy(collapse.inode)) {
            return ScanResult.TRUNCATED;
        }
        if (!kernel.swap().folioIsolateLru(folio)) {
            return ScanResult.DEL_PAGE_LRU;
        }
        if (kernel.rmap().folioMapped(folio)) {
            int flags = TryToUnmap.IGNORE_MLOCK | TryToUnmap.BATCH_FLUSH;
            kernel.tryToUnmap().tryToUnmap(folio, flags, collapse.ubc);
        }
        collapse.inode.pagesLock().lock();
        if (folio.refCount() != 2 + folio.nrPages()) {
            collapse.inode.pagesLock().unlock();
            kernel.swap().folioPutbackLru(folio);
            return ScanResult.PAGE_COUNT;
        }
        return ScanResult.SUCCEED;
    }

    /// The part of collapse_file() that fills the new folio. The old ones are locked, so they do
    /// not change.
    private void copy(Collapse collapse) {
        long index = collapse.start;
        long to = collapse.fresh.pfn();
        for (Folio folio : collapse.old) {
            long first = folio.index.readPlain();
            while (index < first) {
                kernel.highmem().clearPage(to++);
                index++;
            }
            int nr = folio.nrPages();
            for (int i = 0; i < nr; i++) {
                kernel.highmem().copyPage(to++, folio.pfn() + i);
                index++;
            }
        }
        while (index < collapse.end) {
            kernel.highmem().clearPage(to++);
            index++;
        }
    }

    /// The part of collapse_file() that marks the holes: from then on nobody finds a page missing
    /// there. Where somebody may have found one, and waits to be told by a userfaultfd, all must
    /// stay as it was. On `SUCCEED` `xa_lock` is held.
    private ScanResult fillHoles(Collapse collapse) {
        ShmemInode inode = collapse.inode;
        XArray pages = inode.pages();
        inode.mmapRwsem().downRead();
        inode.pagesLock().lock();
        int holes = 0;
        for (long i = collapse.start; i < collapse.end; i++) {
            if (pages.load(i) == XArray.NONE) {
                pages.store(i, 0, XArray.RETRY);
                holes++;
            }
        }
        ScanResult result = ScanResult.SUCCEED;
        if (holes != collapse.nrNone) {
            result = ScanResult.PAGE_FILLED;
        } else if (userfaultfdMissing(collapse)) {
            result = ScanResult.EXCEED_NONE_PTE;
        }
        inode.mmapRwsem().upRead();
        if (result != ScanResult.SUCCEED) {
            for (long i = collapse.start; i < collapse.end; i++) {
                if (pages.load(i) == XArray.RETRY) {
                    pages.store(i, 0, XArray.NONE);
                }
            }
            inode.pagesLock().unlock();
        }
        return result;
    }

    private boolean userfaultfdMissing(Collapse collapse) {
        for (Vma vma : kernel.mappingRmap().vmas(collapse.inode, collapse.start, collapse.end)) {
            if (vma.userfaultfdMissing()) {
                return true;
            }
        }
        return false;
    }

    /// The end of collapse_file() that puts the new folio in the place of the old ones. `xa_lock`
    /// is held, and dropped.
    private void replace(Collapse collapse) {
        Folio fresh = collapse.fresh;
        fresh.markUptodate();
        fresh.refAdd(geometry.hpagePmdNr() - 1);
        kernel.swap().folioMarkDirty(fresh);
        kernel.swap().folioAddLru(fresh);
        XArray pages = collapse.inode.pages();
        pages.store(collapse.start, geometry.hpagePmdOrder(), XArray.entry(fresh));
        collapse.inode.pagesLock().unlock();
        kernel.retractPageTables().retractPageTables(collapse.inode, collapse.start);
        fresh.lock().unlock();
        for (Folio folio : collapse.old) {
            folio.mapping.writePlain(0);
            folio.lock().unlock();
            kernel.swap().folioPutRefs(folio, 2 + folio.nrPages());
        }
    }

    /// The end of collapse_file() where something went wrong.
    private void rollback(Collapse collapse) {
        ShmemInode inode = collapse.inode;
        if (collapse.nrNone > 0) {
            inode.pagesLock().lock();
            inode.nrpages.writePlain(inode.nrpages.readPlain() - collapse.nrNone);
            inode.pagesLock().unlock();
            kernel.shmem().recalcInode(inode, 0); // shmem_uncharge()
        }
        for (Folio folio : collapse.old) {
            folio.lock().unlock();
            kernel.swap().folioPutbackLru(folio);
            kernel.swap().folioPut(folio);
        }
        collapse.fresh.mapping.writePlain(0);
        collapse.fresh.lock().unlock();
        kernel.swap().folioPut(collapse.fresh);
    }
}
