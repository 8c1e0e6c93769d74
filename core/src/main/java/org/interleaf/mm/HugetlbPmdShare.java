// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Sharing PMD tables between mappings of a hugetlbfs file (mm/hugetlb.c): where two address spaces
/// map the same part of a file in the same way, a whole PUD entry's worth of it, the PUD entries of
/// both lead to one PMD table.
///
/// # Locking
///
/// - To share: `i_mmap_rwsem` for reading, under which the other mapping's table is found, counted
///   and hooked in; and the own mapping's hugetlb lock for reading.
/// - To unshare: `i_mmap_rwsem` and the own mapping's hugetlb lock for writing. The TLBs are
///   flushed before the first of them is dropped; and if only one address space is left that uses
///   the table, every CPU has left GUP-fast by then.
/// - The entries of a shared table change under the lock of the table, which all find.
///
/// A table that is shared is not freed: `free_pgtables()` of the others does not find it any more.
///
/// | one process               | another process, which shares the table               |
/// |---------------------------|-------------------------------------------------------|
/// | finds an entry            |                                                       |
/// |                           | somebody unshares: the first one's PUD entry is clear |
/// |                           | unmaps, and frees the table, with its lock            |
/// | takes the entry's lock    |                                                       |
final class HugetlbPmdShare {
    private final Kernel kernel;
    private final Geometry geometry;
    private final Hugetlb hugetlb;

    HugetlbPmdShare(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.hugetlb = hugetlb;
    }

    /// include/linux/mm_types.h: ptdesc_pmd_is_shared(). Whether others use the table of `ptep`,
    /// too.
    boolean isShared(Word ptep) {
        return kernel.arch().hugePmdShare() && PageTable.of(ptep).shareCount.readOnce() != 0;
    }

    // ---- what can be shared

    /// include/linux/userfaultfd_k.h: uffd_disable_huge_pmd_share(). Minor faults are told of, and
    /// pages write-protected, for each mapping by itself.
    static boolean disabledByUffd(Vma vma) {
        return (vma.flags() & (Vma.VM_UFFD_MINOR | Vma.VM_UFFD_WP)) != 0;
    }

    /// mm/hugetlb.c: want_pmd_share(). Whether the mapping may share the PMD table of `addr`: all
    /// that one table maps is inside of it.
    boolean wanted(Vma vma, long addr) {
        if (!kernel.arch().hugePmdShare() || disabledByUffd(vma) || !vma.mayShare()) {
            return false;
        }
        if (vma.privateData().readPlain() == 0) {
            return false;
        }
        long start = addr & -geometry.size(Geometry.PUD);
        return rangeInVma(vma, start, start + geometry.size(Geometry.PUD));
    }

    /// include/linux/mm.h: range_in_vma().
    private static boolean rangeInVma(Vma vma, long start, long end) {
        return vma.start() <= start && end <= vma.end();
    }

    /// mm/hugetlb.c: page_table_shareable(). The address at which `svma` has the page of the file
    /// that `vma` has at `addr`, if its PMD table can be had for both; else 0.
    private long shareable(Vma svma, Vma vma, long addr, long idx) {
        long saddr = ((idx - svma.pgoff()) << geometry.pageShift()) + svma.start();
        long sbase = saddr & -geometry.size(Geometry.PUD);
        boolean like =
                geometry.index(Geometry.PMD, addr) == geometry.index(Geometry.PMD, saddr)
                        && vma.flags() == svma.flags()
                        && rangeInVma(svma, sbase, sbase + geometry.size(Geometry.PUD))
                        && svma.privateData().readPlain() != 0;
        return like ? saddr : 0;
    }

    /// mm/hugetlb.c: adjust_range_if_pmd_sharing_possible(). The part of an address space in which
    /// entries may change when `[start, end)` of the mapping is changed: with a table that turns
    /// out to be shared all that it maps goes.
    MmuNotifierRange adjusted(Event event, Vma vma, long start, long end) {
        MmuNotifier notifier = kernel.mmuNotifier();
        long size = geometry.size(Geometry.PUD);
        if (!kernel.arch().hugePmdShare() || !vma.mayShare()) {
            return notifier.range(event, vma.mm(), start, end);
        }
        long vStart = (vma.start() + size - 1) & -size;
        long vEnd = vma.end() & -size;
        boolean possible = vEnd > vStart && end > vStart && start < vEnd;
        long from = possible && start > vStart ? start & -size : start;
        long to = possible && end < vEnd ? (end + size - 1) & -size : end;
        return notifier.range(event, vma.mm(), from, to);
    }

    // ---- sharing

    /// mm/hugetlb.c: huge_pmd_share(). The PMD entry of `addr` below `pud`, which led nowhere: in a
    /// table of another mapping if there is one that fits, else in a new one. Null where memory is
    /// out. New tables, too, are made under `i_mmap_rwsem`: who comes next shall find them.
    @Nullable Word share(Vma vma, long addr, Word pud) {
        MmStruct mm = vma.mm();
        long idx = vma.linearPageIndex(geometry, addr);
        vma.inode().mmapRwsem().downRead();
        PageTable table = tableToShare(vma, addr, idx);
        if (table != null) {
            mm.pageTableLock().lock();
            if (Entry.none(pud.readPlain())) {
                kernel.pgtable().populate(pud, table);
                kernel.pgtable().incPgtables(mm);
            } else {
                table.shareCount.add(-1, Order.RELAXED); // ptdesc_pmd_pts_dec()
            }
            mm.pageTableLock().unlock();
        }
        Word pte = kernel.pgtable().allocBelow(Geometry.PMD, mm, pud, addr);
        vma.inode().mmapRwsem().upRead();
        return pte;
    }

    /// The part of huge_pmd_share() that looks for a table. It is counted as shared at once.
    private @Nullable PageTable tableToShare(Vma vma, long addr, long idx) {
        for (Vma svma : kernel.mappingRmap().vmas(vma.inode(), idx, idx)) {
            long saddr = svma == vma ? 0 : shareable(svma, vma, addr, idx);
            Word spte =
                    saddr == 0 ? null : hugetlb.walk().walk(svma, HugetlbVmas.hstate(svma), saddr);
            if (spte != null) {
                PageTable table = PageTable.of(spte);
                table.shareCount.add(1, Order.RELAXED); // ptdesc_pmd_pts_inc()
                return table;
            }
        }
        return null;
    }

    // ---- unsharing

    /// mm/hugetlb.c: huge_pmd_unshare(). If the table of `ptep` is shared, this mapping loses it
    /// and what it maps, and the result is true. The lock of the table is held, and those that the
    /// class names; {@link #unshareFlush} comes after.
    boolean unshare(MmuGather tlb, Vma vma, long addr, Word ptep) {
        return unshare(tlb, vma, addr, ptep, true);
    }

    /// The part of try_to_migrate_one() and of try_to_unmap_poisoned_hugetlb_one() (mm/rmap.c) that
    /// unshares, and so unmaps the folio they are about. As {@link #unshare}, with the flush; gives
    /// back the hugetlb lock, which is held for writing.
    boolean unshareOne(Vma vma, long addr, Word ptep) {
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        boolean unshared = unshare(tlb, vma, addr, ptep);
        hugetlb.vmas().unlockWrite(vma);
        if (unshared) {
            unshareFlush(tlb, vma);
        }
        tlb.finish();
        return unshared;
    }

    /// mm/hugetlb.c: __huge_pmd_unshare().
    ///
    /// @param checkLocks false where the hugetlb lock need not be held, as nobody can walk
    private boolean unshare(MmuGather tlb, Vma vma, long addr, Word ptep, boolean checkLocks) {
        if (!HugetlbVmas.hstate(vma).isPmdSize() || !isShared(ptep)) {
            return false;
        }
        kernel.warnOn(!vma.inode().mmapRwsem().heldForWriting(), "i_mmap_rwsem is not held", vma);
        if (checkLocks) {
            hugetlb.vmas().assertLocked(vma);
        }
        kernel.entries().clear(pudOffset(vma.mm(), addr)); // pud_clear()
        tlb.unsharePmdPtdesc(PageTable.of(ptep), addr);
        kernel.pgtable().decPgtables(vma.mm());
        return true;
    }

    /// `pud_offset(p4d_offset(pgd_offset(mm, addr), addr), addr)`.
    private Word pudOffset(MmStruct mm, long addr) {
        Word entry = kernel.pgtable().pgdOffset(mm, addr);
        for (int level = Geometry.P4D; level >= Geometry.PUD; level--) {
            entry = kernel.pgtable().offset(level, entry, addr);
        }
        return entry;
    }

    /// mm/hugetlb.c: huge_pmd_unshare_flush(). Ends a sequence of {@link #unshare}, before
    /// `i_mmap_rwsem` is dropped.
    void unshareFlush(MmuGather tlb, Vma vma) {
        if (!kernel.arch().hugePmdShare()) {
            return;
        }
        kernel.warnOn(!vma.inode().mmapRwsem().heldForWriting(), "i_mmap_rwsem is not held", vma);
        tlb.flushUnsharedTables();
    }

    /// mm/hugetlb.c: hugetlb_split(). The mapping is about to be cut at `addr`: a table that maps
    /// parts on both sides cannot be shared any more. Mapping, address space and file are locked
    /// for writing.
    void split(Vma vma, long addr) {
        long size = geometry.size(Geometry.PUD);
        long floor = addr & -size;
        if (addr != floor && floor >= vma.start() && floor + size <= vma.end()) {
            // The hugetlb lock comes before i_mmap_rwsem, and nobody can walk anyway.
            unsharePmds(vma, floor, floor + size, false);
        }
    }

    /// mm/hugetlb.c: hugetlb_unshare_all_pmds(). The mapping shares nothing any more.
    void unshareAll(Vma vma) {
        long size = geometry.size(Geometry.PUD);
        unsharePmds(vma, (vma.start() + size - 1) & -size, vma.end() & -size, true);
    }

    /// mm/hugetlb.c: hugetlb_unshare_pmds(). Unshares the tables of `[start, end)`.
    private void unsharePmds(Vma vma, long start, long end, boolean takeLocks) {
        if (!vma.mayShare() || start >= end || !kernel.arch().hugePmdShare()) {
            return;
        }
        Hstate h = HugetlbVmas.hstate(vma);
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, vma.mm(), start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        if (takeLocks) {
            hugetlb.vmas().lockWrite(vma);
            vma.inode().mmapRwsem().downWrite();
        }
        for (long addr = start; addr < end; addr += geometry.size(Geometry.PUD)) {
            Word ptep = hugetlb.walk().walk(vma, h, addr);
            if (ptep != null) {
                SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, ptep);
                unshare(tlb, vma, addr, ptep, takeLocks);
                ptl.unlock();
            }
        }
        unshareFlush(tlb, vma);
        if (takeLocks) {
            vma.inode().mmapRwsem().upWrite();
            hugetlb.vmas().unlockWrite(vma);
        }
        kernel.mmuNotifier().invalidateRangeEnd(range);
        tlb.finish();
    }
}
