// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Unmapping a part of a file from everybody who maps it (unmap_mapping_range() and its like of
/// mm/memory.c). The VMAs are found under `i_mmap_rwsem`, which also keeps their page tables from
/// being freed; neither the mmap lock nor that of the VMA is held.
final class UnmapMapping {
    private final Kernel kernel;
    private final Geometry geometry;

    UnmapMapping(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/memory.c: unmap_mapping_range(). Takes all entries for `length` bytes of the file from
    /// byte `begin` on out of the tables of everybody who maps it; a length of 0 stands for all the
    /// rest.
    ///
    /// @param evenCows whether copies go as well that processes have made of pages
    void unmapMappingRange(Inode inode, long begin, long length, boolean evenCows) {
        long first = begin >> geometry.pageShift();
        long nr = (length + geometry.pageSize() - 1) >> geometry.pageShift();
        unmapMappingPages(inode, first, nr, evenCows);
    }

    /// mm/memory.c: unmap_mapping_pages(). `nr` pages from `first` on, or all from there where that
    /// is 0.
    void unmapMappingPages(Inode inode, long first, long nr, boolean evenCows) {
        long last = nr == 0 ? Long.MAX_VALUE : first + nr - 1;
        unmap(inode, first, last, ZapDetails.file(evenCows));
    }

    /// mm/memory.c: unmap_mapping_folio(). Unmaps a locked folio of a file from everybody who maps
    /// it. Copies that processes have made of it stay.
    void unmapMappingFolio(Inode inode, Folio folio) {
        long first = folio.index.readPlain();
        unmap(inode, first, first + folio.nrPages() - 1, ZapDetails.single(folio));
    }

    private void unmap(Inode inode, long first, long last, ZapDetails details) {
        inode.mmapRwsem().downRead();
        if (kernel.mappingRmap().mappingMapped(inode)) {
            unmapMappingRangeTree(inode, first, last, details);
        }
        inode.mmapRwsem().upRead();
    }

    /// mm/memory.c: unmap_mapping_range_tree().
    private void unmapMappingRangeTree(Inode inode, long first, long last, ZapDetails details) {
        for (Vma vma : kernel.mappingRmap().vmas(inode, first, last)) {
            long pgoff = vma.pgoff();
            long end = Math.min(last, pgoff + pages(vma) - 1) + 1;
            long start = Math.max(first, pgoff);
            long addr = vma.start() + ((start - pgoff) << geometry.pageShift());
            MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
            long to = addr + ((end - start) << geometry.pageShift());
            kernel.zap().zapVmaRangeBatched(tlb, vma, addr, to, details);
            tlb.finish();
        }
    }

    private long pages(Vma vma) {
        return (vma.end() - vma.start()) >> geometry.pageShift();
    }
}
