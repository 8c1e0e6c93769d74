// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Taking pages out of files of other file systems than hugetlbfs (mm/truncate.c).
///
/// # Locking
///
/// The folio is locked: nobody can map it, and it is in the cache as long as it says so. What maps
/// it is unmapped before it is taken out.
final class Truncate {
    private final Kernel kernel;

    Truncate(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/truncate.c: truncate_inode_folio(). False where the folio is not in the file any more.
    boolean truncateInodeFolio(ShmemInode inode, Folio folio) {
        if (!folio.isMappedBy(inode)) {
            return false;
        }
        truncateCleanupFolio(inode, folio);
        kernel.filemap().removeFolio(inode, folio);
        return true;
    }

    /// mm/truncate.c: truncate_cleanup_folio().
    private void truncateCleanupFolio(ShmemInode inode, Folio folio) {
        if (kernel.rmap().folioMapcount(folio) > 0) {
            kernel.unmapMapping().unmapMappingFolio(inode, folio);
        }
        if (folio.testFlag(Folio.PG_DIRTY)) { // folio_cancel_dirty()
            folio.testClearFlag(Folio.PG_DIRTY);
        }
    }

    /// mm/truncate.c: truncate_inode_partial_folio(). Takes what is in the bytes `start` to `end`
    /// out: the folio, if all of it is, else that part is zeroed. Large folios are not split, as
    /// where somebody else has a reference. False where a dirty part of a large folio could not be
    /// given back.
    boolean truncateInodePartialFolio(ShmemInode inode, Folio folio, long start, long end) {
        long pageSize = kernel.geometry().pageSize();
        long pos = folio.index.readPlain() << kernel.geometry().pageShift();
        long size = folio.nrPages() * pageSize;
        long offset = Math.max(start - pos, 0);
        long length = endsInside(pos, size, end) ? end + 1 - pos - offset : size - offset;
        if (length == size) {
            truncateInodeFolio(inode, folio);
            return true;
        }
        zeroRange(folio, offset, length);
        if (!folio.isLarge()) {
            return true;
        }
        if (folio.testFlag(Folio.PG_DIRTY)) {
            return false;
        }
        truncateInodeFolio(inode, folio);
        return true;
    }

    private static boolean endsInside(long pos, long size, long end) {
        return Long.compareUnsigned(pos + size, end) > 0;
    }

    /// include/linux/highmem.h: folio_zero_range().
    private void zeroRange(Folio folio, long offset, long length) {
        long pageSize = kernel.geometry().pageSize();
        long last = offset + length;
        for (long page = offset / pageSize; page * pageSize < last; page++) {
            long from = Math.max(offset - page * pageSize, 0);
            long to = Math.min(last - page * pageSize, pageSize);
            kernel.highmem().zeroSegment(folio.pfn() + page, from, to);
        }
    }
}
