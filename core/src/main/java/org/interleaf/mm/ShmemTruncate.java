// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.jspecify.annotations.Nullable;

/// Taking pages out of files in memory, and putting them in beforehand (mm/shmem.c).
///
/// # Locking
///
/// `i_rwsem` is held for writing. All mappings of the range are removed first, then each page under
/// its lock together with those mappings that have come up meanwhile.
final class ShmemTruncate {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    ShmemTruncate(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    /// mm/shmem.c: shmem_setattr(). ftruncate(2). 0 or a negative error number.
    int setattr(ShmemInode inode, long size) {
        if (size >> geometry.pageShift() > inode.pages().size()) {
            return -Errno.EFBIG;
        }
        inode.rwsem().downWrite(); // do_truncate()
        long old = inode.size.readPlain();
        if (size != old) {
            inode.sizeWrite(size);
        }
        if (size <= old) {
            long hole = (size + geometry.pageSize() - 1) & -geometry.pageSize();
            if (old > hole) {
                kernel.unmapMapping().unmapMappingRange(inode, hole, 0, true);
            }
            if (inode.alloced.readPlain() != 0) {
                truncateRange(inode, size, -1);
            }
            // Once more: private copies can have been made while the pages were still there.
            if (old > hole) {
                kernel.unmapMapping().unmapMappingRange(inode, hole, 0, true);
            }
        }
        inode.rwsem().upWrite();
        return 0;
    }

    /// mm/shmem.c: shmem_truncate_range(). Takes the bytes `start` to `end` out, all from `start`
    /// on where `end` is -1.
    void truncateRange(ShmemInode inode, long start, long end) {
        undoRange(inode, start, end, false);
    }

    private long pageAbove(long bytes) {
        return (bytes + geometry.pageSize() - 1) >> geometry.pageShift();
    }

    /// mm/shmem.c: shmem_undo_range(). With `unfalloc` only pages go that have been preallocated
    /// and never used.
    private void undoRange(ShmemInode inode, long lstart, long lend, boolean unfalloc) {
        long start = pageAbove(lstart);
        long end = lend == -1 ? Long.MAX_VALUE : (lend + 1) >> geometry.pageShift();
        long fallocend = inode.fallocend.readPlain();
        if (fallocend > start && fallocend <= end && !unfalloc) {
            inode.fallocend.writePlain(start);
        }
        removeWhereFree(inode, start, end, unfalloc);
        if (!unfalloc) {
            long[] whole = removePartial(inode, lstart, lend, start, end);
            start = whole[0];
            end = whole[1];
        }
        removeWhole(inode, start, end, lstart, lend, unfalloc);
        kernel.shmem().recalcInode(inode, 0);
    }

    /// The first loop of shmem_undo_range(): what can be had without waiting.
    private void removeWhereFree(ShmemInode inode, long start, long end, boolean unfalloc) {
        long index = start;
        while (index < end) {
            FindEntries.Batch batch = kernel.findEntries().findLockEntries(inode, index, end - 1);
            if (batch.isEmpty()) {
                return;
            }
            index = batch.next;
            for (Folio folio : batch.folios) {
                if (!unfalloc || !folio.testFlag(Folio.PG_UPTODATE)) {
                    kernel.truncate().truncateInodeFolio(inode, folio);
                }
                folio.lock().unlock();
            }
            kernel.findEntries().release(batch);
        }
    }

    /// The part of shmem_undo_range() for the pages of which only a part is in the range; returns
    /// the pages, from the first to before the last, that are left as a whole.
    private long[] removePartial(
            ShmemInode inode, long lstart, long lend, long wholeStart, long wholeEnd) {
        int shift = geometry.pageShift();
        long start = wholeStart;
        long end = wholeEnd;
        boolean same = lstart >> shift == lend >> shift;
        Folio folio = getPartialFolio(inode, lstart >> shift);
        if (folio != null) {
            long index = folio.index.readPlain();
            long next = index + folio.nrPages();
            same = Long.compareUnsigned(lend, next << shift) < 0;
            kernel.swap().folioMarkDirty(folio);
            if (!kernel.truncate().truncateInodePartialFolio(inode, folio, lstart, lend)) {
                start = next;
                end = same ? index : end;
            }
            unlockPut(folio);
        }
        folio = same || lend == -1 ? null : getPartialFolio(inode, lend >> shift);
        if (folio != null) {
            kernel.swap().folioMarkDirty(folio);
            if (!kernel.truncate().truncateInodePartialFolio(inode, folio, lstart, lend)) {
                end = folio.index.readPlain();
            }
            unlockPut(folio);
        }
        return new long[] {start, end};
    }

    private void unlockPut(Folio folio) {
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
    }

    /// mm/shmem.c: shmem_get_partial_folio(). The folio at `index`, locked, also beyond the end of
    /// the file.
    private @Nullable Folio getPartialFolio(ShmemInode inode, long index) {
        Folio folio = kernel.filemap().getFolio(inode, index);
        if (folio == null) {
            return null;
        }
        folio.lock().lock();
        if (folio.isMappedBy(inode)) {
            return folio;
        }
        unlockPut(folio);
        return kernel.shmem().getFolio(inode, index, 0, Shmem.Sgp.READ).folio();
    }

    /// The last loop of shmem_undo_range(): what there still is, waiting for it. A truncation looks
    /// again until nothing is left.
    private void removeWhole(
            ShmemInode inode, long start, long end, long lstart, long lend, boolean unfalloc) {
        Rounds retries = null;
        long index = start;
        while (index < end) {
            FindEntries.Batch batch = kernel.findEntries().findGetEntries(inode, index, end - 1);
            if (batch.isEmpty()) {
                if (index == start || end != Long.MAX_VALUE) {
                    return;
                }
                index = start;
                retries = machine.retry(retries, "shmem_undo_range");
                continue;
            }
            index = batch.next;
            for (int i = 0; i < batch.folios.size(); i++) {
                Folio folio = batch.folios.get(i);
                folio.lock().lock();
                if (!unfalloc || !folio.testFlag(Folio.PG_UPTODATE)) {
                    if (!folio.isMappedBy(inode)) { // replaced
                        folio.lock().unlock();
                        index = batch.indexes.get(i);
                        break;
                    }
                    if (folio.isLarge()) {
                        kernel.truncate().truncateInodePartialFolio(inode, folio, lstart, lend);
                    } else {
                        kernel.truncate().truncateInodeFolio(inode, folio);
                    }
                }
                folio.lock().unlock();
            }
            kernel.findEntries().release(batch);
        }
    }

    // ---- holes, and the contrary

    /// mm/shmem.c: shmem_fallocate(). fallocate(2). 0 or a negative error number.
    int fallocate(ShmemInode inode, int mode, long offset, long len) {
        inode.rwsem().downWrite();
        int error =
                (mode & Mman.FALLOC_FL_PUNCH_HOLE) != 0
                        ? punchHole(inode, offset, len)
                        : preallocate(inode, mode, offset, len);
        inode.rwsem().upWrite();
        return error;
    }

    /// The part of shmem_fallocate() for a hole. Faults in it wait until it has been punched.
    private int punchHole(ShmemInode inode, long offset, long len) {
        long unmapStart = pageAbove(offset) << geometry.pageShift();
        long unmapEnd = ((offset + len) & -geometry.pageSize()) - 1;
        int shift = geometry.pageShift();
        long next = (unmapEnd + 1) >> shift;
        ShmemFalloc falloc = new ShmemFalloc(machine, unmapStart >> shift, next, true);
        announce(inode, falloc);
        if (unmapEnd > unmapStart) {
            kernel.unmapMapping()
                    .unmapMappingRange(inode, unmapStart, 1 + unmapEnd - unmapStart, false);
        }
        truncateRange(inode, offset, offset + len - 1);
        // Not unmapped again: a hole leaves the copies that processes have made.
        inode.lock().lock();
        inode.falloc.writeOnce(null);
        falloc.waitq().wakeAll();
        inode.lock().unlock();
        return 0;
    }

    private static void announce(ShmemInode inode, @Nullable ShmemFalloc falloc) {
        inode.lock().lock();
        inode.falloc.writeOnce(falloc);
        inode.lock().unlock();
    }

    /// The rest of shmem_fallocate(): puts pages where there are none.
    private int preallocate(ShmemInode inode, int mode, long offset, long len) {
        long start = offset >> geometry.pageShift();
        long end = pageAbove(offset + len);
        ShmemFalloc falloc = new ShmemFalloc(machine, start, start, false);
        announce(inode, falloc);
        long undoFallocend = inode.fallocend.readPlain();
        if (undoFallocend < end) {
            inode.fallocend.writePlain(end);
        }
        int error = 0;
        long index = start;
        while (index < end && error == 0) {
            Shmem.Found found =
                    kernel.shmem().getFolio(inode, index, offset + len, Shmem.Sgp.FALLOC);
            error = found.error();
            if (found.folio() != null) {
                index = preallocated(falloc, found.folio());
            }
        }
        if (error != 0) {
            inode.fallocend.writePlain(undoFallocend);
            if (index > start) {
                int shift = geometry.pageShift();
                undoRange(inode, start << shift, (index << shift) - 1, true);
            }
        } else if ((mode & Mman.FALLOC_FL_KEEP_SIZE) == 0
                && offset + len > inode.size.readPlain()) {
            inode.sizeWrite(offset + len);
        }
        announce(inode, null);
        return error;
    }

    /// One folio of shmem_fallocate(); returns the index after it.
    private long preallocated(ShmemFalloc falloc, Folio folio) {
        long next = folio.index.readPlain() + folio.nrPages();
        folio.testFlag(Folio.PG_UPTODATE); // Whether it counts for shmem_writeout().
        falloc.next.writePlain(next);
        kernel.swap().folioMarkDirty(folio);
        unlockPut(folio);
        return next;
    }
}
