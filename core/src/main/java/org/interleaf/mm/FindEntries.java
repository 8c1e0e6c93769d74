// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Looking for all that a file has in a range (mm/filemap.c).
final class FindEntries {
    private final Kernel kernel;
    private final Machine machine;

    FindEntries(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// `struct folio_batch`, with the indexes at which the folios were found: as many as there are,
    /// where the kernel's has room for 31.
    static final class Batch {
        final List<Folio> folios = new ArrayList<>();
        final List<Long> indexes = new ArrayList<>();

        /// Where to look for more.
        long next;

        boolean isEmpty() {
            return folios.isEmpty();
        }

        private void add(Folio folio, long index) {
            folios.add(folio);
            indexes.add(index);
        }
    }

    /// mm/filemap.c: find_get_entry(). The next folio up to index `end`, with a reference.
    private @Nullable Folio findGetEntry(ShmemInode inode, XArray.Cursor at, long end) {
        Rounds retries = null;
        while (inode.pages().find(at, end)) {
            if (at.entry != XArray.RETRY) {
                Folio folio = kernel.filemap().tryGet(inode, at.index, XArray.pfn(at.entry));
                if (folio != null) {
                    return folio;
                }
            }
            at.reset();
            retries = machine.retry(retries, "find_get_entry");
        }
        return null;
    }

    /// mm/filemap.c: find_get_entries(). The folios with a part from `start` to `end`, each with a
    /// reference.
    Batch findGetEntries(ShmemInode inode, long start, long end) {
        Batch batch = new Batch();
        batch.next = start;
        XArray.Cursor at = new XArray.Cursor(start);
        machine.rcu().readLock();
        Folio folio = findGetEntry(inode, at, end);
        while (folio != null) {
            batch.add(folio, at.index);
            folio = findGetEntry(inode, at, end);
        }
        if (!batch.isEmpty()) {
            long nr = batch.folios.getLast().nrPages();
            batch.next = (batch.indexes.getLast() + nr) & -nr;
        }
        machine.rcu().readUnlock();
        return batch;
    }

    /// mm/filemap.c: find_lock_entries(). The same, only of folios that are in the range as a whole
    /// and whose lock is free, which then are locked.
    Batch findLockEntries(ShmemInode inode, long start, long end) {
        Batch batch = new Batch();
        batch.next = start;
        XArray.Cursor at = new XArray.Cursor(start);
        machine.rcu().readLock();
        Folio folio = findGetEntry(inode, at, end);
        while (folio != null) {
            long nr = folio.nrPages();
            long base = folio.index.readPlain();
            if (base >= batch.next && base + nr - 1 <= end && lock(inode, folio)) {
                batch.next = base + nr;
                batch.add(folio, at.index);
            } else {
                kernel.swap().folioPut(folio);
            }
            folio = findGetEntry(inode, at, end);
        }
        machine.rcu().readUnlock();
        return batch;
    }

    private static boolean lock(ShmemInode inode, Folio folio) {
        if (!folio.lock().trylock()) {
            return false;
        }
        if (folio.isMappedBy(inode)) {
            return true;
        }
        folio.lock().unlock();
        return false;
    }

    /// mm/swap.c: folio_batch_release(). Drops the references.
    void release(Batch batch) {
        for (Folio folio : batch.folios) {
            kernel.swap().folioPut(folio);
        }
    }
}
