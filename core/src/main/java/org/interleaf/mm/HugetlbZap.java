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

    /// What is unmapped, and what is left.
    ///
    /// @param only the folio to unmap, as opposed to whatever is there; null for all
    /// @param dropMarkers `ZAP_FLAG_DROP_MARKER`: whether it is forgotten that pages were
    ///   write-protected for a userfaultfd
    record What(@Nullable Folio only, boolean dropMarkers) {}

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
    void unmapHugepageRange(Vma vma, long start, long end, What what) {
        MmuNotifierRange range = hugetlb.pmdShare().adjusted(Event.CLEAR, vma, start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        unmapRange(tlb, vma, start, end, what);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        tlb.finish();
    }

    /// mm/hugetlb.c: __unmap_hugepage_range(). Unmaps `[start, end)`, whose ends are multiples of
    /// the page size; the pages are freed by the gather.
    void unmapRange(MmuGather tlb, Vma vma, long start, long end, What what) {
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
                } else if (unmapOne(tlb, vma, addr, ptep, ptl, what)) {
                    break;
                }
            }
            addr += h.size();
        }
        tlb.endVma();
        hugetlb.pmdShare().unshareFlush(tlb, vma);
    }

    /// One round of __unmap_hugepage_range(), which gives the lock back; true where it was the one
    /// folio that was to be unmapped.
    private boolean unmapOne(
            MmuGather tlb, Vma vma, long addr, Word ptep, SpinLock ptl, What what) {
        Hstate h = HugetlbVmas.hstate(vma);
        long pte = hugetlb.pte().get(h, ptep);
        if (Entry.none(pte)) {
            ptl.unlock();
            return false;
        }
        if (!Entry.ptePresent(pte)) {
            // A page that migrates or is poisoned is unmapped already.
            if (what.dropMarkers() || !keepProtected(vma, addr, ptep, pte)) {
                hugetlb.pte().clear(h, ptep);
            }
            ptl.unlock();
            return false;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
        if (what.only() != null) {
            if (folio != what.only()) {
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
        if (!what.dropMarkers()) {
            keepProtected(vma, addr, ptep, pte);
        }
        kernel.rmap().hugetlbRemoveRmap(folio);
        ptl.unlock();

        restoreReserve(vma, addr, folio, h);
        tlb.removeFolio(folio);
        return what.only() != null;
    }

    /// Has a marker say that the page, whose entry was `old`, is write-protected for a userfaultfd.
    /// False where it is not.
    private boolean keepProtected(Vma vma, long addr, Word ptep, long old) {
        boolean marked = Entry.uffd(old) || Entry.isUffdWpMarker(old); // pte_swp_uffd_any()
        boolean keep = vma.userfaultfdWp() && marked;
        if (keep) {
            long marker = Entry.makeMarker(Entry.MARKER_UFFD_WP);
            hugetlb.pte().set(vma.mm(), HugetlbVmas.hstate(vma), addr, ptep, marker);
        }
        return keep;
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
