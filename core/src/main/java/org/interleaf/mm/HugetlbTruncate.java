// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Mutex;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Taking pages out of files of huge pages (fs/hugetlbfs/inode.c).
///
/// # Locking
///
/// First all mappings of the range go, under `i_mmap_rwsem`; the hugetlb locks of the VMAs belong
/// before that, so they are only tried, and a VMA whose lock is taken is left out. Then each page
/// goes under its fault mutex and the folio lock; if it is mapped (again), it is unmapped now, and
/// locks that are taken are waited for in the right order.
final class HugetlbTruncate {
    private final Kernel kernel;
    private final Hugetlb hugetlb;
    private final Geometry geometry;

    HugetlbTruncate(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
        this.geometry = kernel.geometry();
    }

    /// fs/hugetlbfs/inode.c: hugetlb_vmtruncate(). The file, whose inode is locked, ends at `size`
    /// from now on, a multiple of the huge page size.
    void vmtruncate(HugetlbInode inode, long size) {
        inode.sizeWrite(size);
        inode.mmapRwsem().downWrite();
        if (kernel.mappingRmap().mappingMapped(inode)) {
            vmdeleteList(inode, size >> geometry.pageShift(), 0, true);
        }
        inode.mmapRwsem().upWrite();
        removeInodeHugepages(inode, size, Long.MAX_VALUE);
    }

    /// fs/hugetlbfs/inode.c: hugetlb_vmdelete_list(). Unmaps the pages from `start` to before
    /// `end`, to the end of the file where that is 0. `i_mmap_rwsem` is held for writing.
    ///
    /// @param dropMarkers whether it is forgotten that pages were write-protected for a userfaultfd
    void vmdeleteList(HugetlbInode inode, long start, long end, boolean dropMarkers) {
        long last = end == 0 ? Long.MAX_VALUE : end - 1;
        for (Vma vma : kernel.mappingRmap().vmas(inode, start, last)) {
            if (hugetlb.vmas().trylockWrite(vma)) {
                unmap(vma, start, end, dropMarkers);
                hugetlb.vmas().unlockWrite(vma);
            }
        }
    }

    private void unmap(Vma vma, long start, long end, boolean dropMarkers) {
        HugetlbZap.What what = new HugetlbZap.What(null, dropMarkers);
        long from = offsetStart(vma, start);
        hugetlb.zap().unmapHugepageRange(vma, from, offsetEnd(vma, end), what);
    }

    /// fs/hugetlbfs/inode.c: vma_offset_start(). Where the VMA maps page `start` of the file, or
    /// its own beginning.
    private long offsetStart(Vma vma, long start) {
        long pgoff = vma.pgoff();
        long offset = pgoff < start ? (start - pgoff) << geometry.pageShift() : 0;
        return vma.start() + offset;
    }

    /// fs/hugetlbfs/inode.c: vma_offset_end().
    private long offsetEnd(Vma vma, long end) {
        if (end == 0) {
            return vma.end();
        }
        long at = vma.start() + ((end - vma.pgoff()) << geometry.pageShift());
        return Math.min(at, vma.end());
    }

    /// fs/hugetlbfs/inode.c: remove_inode_hugepages(). Takes the pages of `[start, end)` (in bytes)
    /// out of the file; truncates where `end` is the largest number, else punches a hole.
    void removeInodeHugepages(HugetlbInode inode, long start, long end) {
        Hstate h = inode.hstate();
        boolean truncate = end == Long.MAX_VALUE;
        long freed = 0;
        Filemap.Batch batch =
                kernel.filemap().getFolios(inode, start >> h.shift(), end >> h.shift());
        for (int i = 0; i < batch.indexes.length; i++) {
            Folio folio = batch.folios[i];
            if (folio != null) {
                Mutex mutex = hugetlb.faultMutex(inode, batch.indexes[i]);
                mutex.lock();
                removeFolio(inode, folio, batch.indexes[i], truncate);
                freed++;
                mutex.unlock();
            }
        }
        for (Folio folio : batch.folios) {
            if (folio != null) {
                kernel.swap().folioPut(folio);
            }
        }
        if (truncate) {
            hugetlb.reserve().unreservePages(inode, start >> h.shift(), Long.MAX_VALUE, freed);
        }
    }

    /// fs/hugetlbfs/inode.c: remove_inode_single_folio(). The mutex is held.
    private void removeFolio(HugetlbInode inode, Folio folio, long index, boolean truncate) {
        folio.lock().lock();
        if (kernel.rmap().folioMapcount(folio) > 0) {
            unmapFileFolio(inode, folio, index);
        }
        kernel.bugOn(
                folio.hugetlb().test(HugetlbFolio.RESTORE_RESERVE),
                "a page of a file has a reservation");
        folio.clearFlag(Folio.PG_DIRTY); // hugetlb_delete_from_page_cache()
        folio.clearFlag(Folio.PG_UPTODATE);
        kernel.filemap().removeFolio(inode, folio);
        if (!truncate) {
            hugetlb.reserve().unreservePages(inode, index, index + 1, 1);
        }
        folio.lock().unlock();
    }

    /// fs/hugetlbfs/inode.c: hugetlb_unmap_file_folio(). Unmaps the locked folio everywhere; the
    /// mutex keeps it from being mapped again.
    private void unmapFileFolio(HugetlbInode inode, Folio folio, long index) {
        long start = index << inode.hstate().order();
        long end = (index + 1) << inode.hstate().order();
        inode.mmapRwsem().downWrite();
        while (true) {
            HugetlbVmaLock busy = unmapWhereFree(inode, folio, start, end);
            inode.mmapRwsem().upWrite();
            if (busy == null) {
                return;
            }
            // Neither the VMA nor the lock's belonging to it is sure until both locks are held.
            busy.rwSema().downWrite();
            inode.mmapRwsem().downWrite();
            unmapLocked(busy, folio, start, end);
        }
    }

    /// The loop of hugetlb_unmap_file_folio(); the lock, with a reference, that was not free.
    private @Nullable HugetlbVmaLock unmapWhereFree(
            HugetlbInode inode, Folio folio, long start, long end) {
        for (Vma vma : kernel.mappingRmap().vmas(inode, start, end - 1)) {
            if (!mapsPfn(vma, offsetStart(vma, start), folio)) {
                continue;
            }
            if (!hugetlb.vmas().trylockWrite(vma)) {
                HugetlbVmaLock busy = Objects.requireNonNull(hugetlb.vmas().vmaLock(vma));
                busy.get();
                return busy;
            }
            unmap(vma, start, end, true);
            hugetlb.vmas().unlockWrite(vma);
        }
        return null;
    }

    /// The end of hugetlb_unmap_file_folio(), with the lock held that was not free before.
    private void unmapLocked(HugetlbVmaLock lock, Folio folio, long start, long end) {
        Vma vma = (Vma) kernel.machine().heap().resolve(lock.vma.readPlain());
        if (vma == null) {
            lock.rwSema().upWrite();
            lock.put();
            return;
        }
        if (mapsPfn(vma, offsetStart(vma, start), folio)) {
            unmap(vma, start, end, true);
        }
        lock.put();
        hugetlb.vmas().unlockWrite(vma);
    }

    /// fs/hugetlbfs/inode.c: hugetlb_vma_maps_pfn(). Whether the VMA maps the folio at `addr`, at a
    /// look without the lock of the table.
    private boolean mapsPfn(Vma vma, long addr, Folio folio) {
        Hstate h = HugetlbVmas.hstate(vma);
        Word ptep = hugetlb.walk().walk(vma, h, addr);
        long pte = ptep == null ? 0 : hugetlb.pte().get(h, ptep);
        return Entry.ptePresent(pte) && Entry.pfn(pte) == folio.pfn();
    }
}
