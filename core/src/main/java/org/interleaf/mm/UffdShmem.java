// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

/// What a userfaultfd needs of files in memory (`shmem_uffd_ops` of mm/shmem.c).
final class UffdShmem {
    private final Kernel kernel;
    private final Geometry geometry;

    UffdShmem(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    private static ShmemInode inode(Vma vma) {
        return (ShmemInode) vma.inode();
    }

    /// mm/userfaultfd.c: mfill_file_over_size(). Whether `addr` is beyond the end of the file.
    boolean overSize(Vma vma, long addr) {
        if (vma.file == null) {
            return false;
        }
        long bytes = vma.inode().sizeRead();
        long max = (bytes + geometry.pageSize() - 1) >> geometry.pageShift();
        return vma.linearPageIndex(geometry, addr) >= max;
    }

    /// mm/shmem.c: shmem_mfill_folio_alloc(). A new folio for `addr`; null where that is beyond the
    /// end of the file or memory is out.
    @Nullable Folio allocFolio(Vma vma, long addr) {
        return overSize(vma, addr) ? null : kernel.pageAlloc().folioAlloc(0);
    }

    /// mm/shmem.c: shmem_mfill_filemap_add(). Puts a new folio into the page cache, locked. 0 or a
    /// negative error number.
    int filemapAdd(Folio folio, Vma vma, long addr) {
        folio.setLocked();
        folio.setFlag(Folio.PG_SWAPBACKED);
        ShmemInode inode = inode(vma);
        int err = kernel.shmem().addToPageCache(folio, inode, vma.linearPageIndex(geometry, addr));
        if (err != 0) {
            folio.lock().unlock();
            return err;
        }
        kernel.swap().folioAddLru(folio);
        kernel.shmem().recalcInode(inode, 1);
        return 0;
    }

    /// mm/shmem.c: shmem_mfill_filemap_remove(). Undoes {@link #filemapAdd}.
    void filemapRemove(Folio folio, Vma vma) {
        kernel.filemap().removeFolio(inode(vma), folio);
        kernel.shmem().recalcInode(inode(vma), 0);
        folio.lock().unlock();
    }

    /// mm/shmem.c: shmem_get_folio_noalloc(). The folio that the file has for `addr`, locked and
    /// with a reference; null where it has none.
    @Nullable Folio getFolioNoalloc(Vma vma, long addr) {
        long index = vma.linearPageIndex(geometry, addr);
        return kernel.shmem().getFolio(inode(vma), index, 0, Shmem.Sgp.NOALLOC).folio();
    }
}
