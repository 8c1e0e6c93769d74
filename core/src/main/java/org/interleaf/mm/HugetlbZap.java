// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Unmapping huge pages (mm/hugetlb.c).
///
/// # Locking
///
/// The hugetlb lock of the VMA and `i_mmap_rwsem` are held for writing: no fault is under way in
/// the VMA, and none maps a page of the file anew by way of a page table that is shared. Entries
/// change under the lock of their table. The last mapping of an anonymous page gives its
/// reservation back to the VMA, which is counted under `i_mmap_rwsem`, as are mappings.
final class HugetlbZap {
    private final Kernel kernel;
    private final Hugetlb hugetlb;

    HugetlbZap(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
    }

    /// mm/hugetlb.c: __hugetlb_zap_begin().
    void begin(Vma vma) {
        hugetlb.vmas().lockWrite(vma);
        vma.inode().mmapRwsem().downWrite();
    }

    /// mm/hugetlb.c: __hugetlb_zap_end().
    ///
    /// @param last whether the VMA is going away (`ZAP_FLAG_UNMAP`): its lock goes first, so that
    ///   nobody shares page tables with it any more
    void end(Vma vma, boolean last) {
        if (last) {
            hugetlb.vmas().unlockWriteFree(vma);
        } else {
            hugetlb.vmas().unlockWrite(vma);
        }
        vma.inode().mmapRwsem().upWrite();
    }

    /// mm/hugetlb.c: unmap_hugepage_range(). Unmaps `[start, end)` and flushes.
    ///
    /// @param only the folio to unmap, as opposed to whatever is there; null for all
    void unmapHugepageRange(Vma vma, long start, long end, @Nullable Folio only) {
        MmuNotifierRange range = hugetlb.pmdShare().adjusted(Event.CLEAR, vma, start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        unmapRange(tlb, vma, start, end, only);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        tlb.finish();
    }

    /// mm/hugetlb.c: __unmap_hugepage_range(). Unmaps `[start, end)`, whose ends are multiples of
    /// the page size; the pages are freed by the gather.
    void unmapRange(MmuGather tlb, Vma vma, long start, long end, @Nullable Folio only) {
        Hstate h = HugetlbVmas.hstate(vma);
        vma.inode().assertMmapWriteLocked(kernel);
        kernel.bugOn(((start | end) & ~h.mask()) != 0, "a part of a huge page is unmapped");
        long lastAddrMask = hugetlb.walk().maskLastPage(h);
        long addr = start;
        while (addr < end) {
            Word ptep = hugetlb.walk().walk(vma, h, addr);
            if (ptep == null) {
                addr |= lastAddrMask;
            } else {
                SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, ptep);
                if (hugetlb.pmdShare().unshare(tlb, vma, addr, ptep)) {
                    ptl.unlock();
                    addr |= lastAddrMask;
                } else if (unmapOne(tlb, vma, addr, ptep, ptl, only)) {
                    break;
                }
            }
            addr += h.size();
        }
        tlb.endVma();
        hugetlb.pmdShare().unshareFlush(tlb, vma);
    }

    /// One round of __unmap_hugepage_range(), which gives the lock back; true where it was `only`
    /// that was unmapped.
    private boolean unmapOne(
            MmuGather tlb, Vma vma, long addr, Word ptep, SpinLock ptl, @Nullable Folio only) {
        Hstate h = HugetlbVmas.hstate(vma);
        long pte = hugetlb.pte().get(h, ptep);
        if (Entry.none(pte)) {
            ptl.unlock();
            return false;
        }
        if (!Entry.ptePresent(pte)) {
            // A page that migrates or is poisoned is unmapped already.
            hugetlb.pte().clear(h, ptep);
            ptl.unlock();
            return false;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
        if (only != null) {
            if (folio != only) {
                ptl.unlock();
                return false;
            }
            // Faults in this VMA must fail from now on: they would find other contents.
            hugetlb.vmas().setResvFlags(vma, HugetlbVmas.RESV_UNMAPPED);
        }
        pte = hugetlb.pte().getAndClear(h, ptep);
        tlb.removeHugeTlbEntry(addr, h.size());
        if (Entry.dirty(pte)) {
            folio.setFlag(Folio.PG_DIRTY);
        }
        kernel.rmap().hugetlbRemoveRmap(folio);
        ptl.unlock();

        restoreReserve(vma, addr, folio, h);
        tlb.removeFolio(folio);
        return only != null;
    }

    /// The part of __unmap_hugepage_range() that keeps the reservation of an anonymous page for its
    /// owner, unless the page will be taken out of the pool.
    private void restoreReserve(Vma vma, long addr, Folio folio, Hstate h) {
        SpinLock lock = hugetlb.pool().lock();
        lock.lock();
        boolean adjust =
                h.surplusHugePages.readPlain() == 0
                        && hugetlb.vmas().privateLock(vma)
                        && kernel.rmap().folioMapcount(folio) == 0
                        && folio.isAnon();
        if (adjust) {
            folio.hugetlb().set(HugetlbFolio.RESTORE_RESERVE);
        }
        lock.unlock();
        if (adjust) {
            hugetlb.reserve().restoreForUnmapped(vma, addr);
        }
    }
}
