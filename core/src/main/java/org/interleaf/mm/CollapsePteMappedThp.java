// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Having a PMD map a huge page of a file that PTEs map (try_collapse_pte_mapped_thp() of
/// mm/khugepaged.c).
///
/// # Locking
///
/// The mmap lock is held in some mode, and the folio is locked, so that faults put no more of it
/// into the PTE table. But those who have its entries write-protected may put copies there, and a
/// userfaultfd fills private memory without a look at the page cache. So all is checked again under
/// the PTE lock, and whether the PMD still leads to the table under the PMD lock.
final class CollapsePteMappedThp {
    private final Kernel kernel;
    private final Geometry geometry;
    private final PgtableGeneric pgtableGeneric;

    CollapsePteMappedThp(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtableGeneric = kernel.pgtableGeneric();
    }

    /// What is being done: the variables of try_collapse_pte_mapped_thp().
    private static final class Attempt {
        final Vma vma;
        final long haddr;
        final Folio folio;
        final Word pmd;

        /// The PMD lock, once it is held.
        @Nullable SpinLock pml;

        @Nullable PteMapping pte;
        int mapped;

        /// The entry that led to the table, once it has been cleared.
        long unhooked;

        Attempt(Vma vma, long haddr, Folio folio, Word pmd) {
            this.vma = vma;
            this.haddr = haddr;
            this.folio = folio;
            this.pmd = pmd;
        }

        MmStruct mm() {
            return vma.mm();
        }

        PteMapping pte() {
            return Objects.requireNonNull(pte);
        }
    }

    /// mm/khugepaged.c: try_collapse_pte_mapped_thp(). Takes the PTE table around `addr` away if it
    /// maps nothing but the huge page that the file has there; and has the PMD map that page where
    /// `installPmd`. The mmap lock is held.
    ScanResult tryCollapse(MmStruct mm, long addr, boolean installPmd) {
        long haddr = addr & -geometry.size(Geometry.PMD);
        Vma vma = kernel.mmap().vmaLookup(mm, haddr);
        kernel.mmapLock().assertLocked(mm);
        if (vma == null || vma.file == null || haddr + geometry.size(Geometry.PMD) > vma.end()) {
            return ScanResult.VMA_CHECK;
        }
        @Nullable Word[] pmd = new Word[1];
        ScanResult result = kernel.khugepaged().findPmdOrThpOrNone(mm, haddr, pmd);
        if (result == ScanResult.PMD_MAPPED) {
            return result;
        }
        if (!kernel.thpAllowable().collapseAllowable(vma, true)) {
            return ScanResult.VMA_CHECK;
        }
        if (vma.userfaultfdWp()) { // userfaultfd_protected()
            return ScanResult.PTE_UFFD;
        }
        long index = vma.linearPageIndex(geometry, haddr);
        Folio folio = kernel.filemap().lockFolio(vma.inode(), index);
        if (folio == null) {
            return ScanResult.PAGE_NULL;
        }
        result = collapseLocked(vma, haddr, folio, installPmd);
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
        return result;
    }

    /// The part of try_collapse_pte_mapped_thp() with the folio locked.
    private ScanResult collapseLocked(Vma vma, long haddr, Folio folio, boolean installPmd) {
        if (folio.order() != geometry.hpagePmdOrder()) {
            return ScanResult.PAGE_COMPOUND;
        }
        @Nullable Word[] pmd = new Word[1];
        ScanResult result = kernel.khugepaged().findPmdOrThpOrNone(vma.mm(), haddr, pmd);
        if (result == ScanResult.SUCCEED) {
            Attempt attempt = new Attempt(vma, haddr, folio, Objects.requireNonNull(pmd[0]));
            result = checkMapped(attempt);
            if (result == ScanResult.SUCCEED) {
                result = removeTable(attempt);
            }
            if (result != ScanResult.SUCCEED) {
                return result;
            }
        } else if (result != ScanResult.NO_PTE_TABLE) {
            return result;
        }
        return installPmd ? setHugePmd(vma, haddr, pmd[0], folio) : ScanResult.SUCCEED;
    }

    /// Step 1 of try_collapse_pte_mapped_thp(): whether all entries are none or map their part of
    /// the folio.
    private ScanResult checkMapped(Attempt attempt) {
        PteMapping pte = pgtableGeneric.pteOffsetMapLock(attempt.mm(), attempt.pmd, attempt.haddr);
        if (pte == null) {
            return ScanResult.FAIL;
        }
        ScanResult result = ScanResult.SUCCEED;
        for (int i = 0; result == ScanResult.SUCCEED && i < geometry.hpagePmdNr(); i++) {
            long value = pte.pte(i).readOnce();
            if (!Entry.none(value)) {
                result = checkPte(attempt.folio, i, value);
            }
        }
        pte.unmapUnlock();
        return result;
    }

    /// Whether an entry maps page `i` of the folio.
    private static ScanResult checkPte(Folio folio, int i, long value) {
        if (!Entry.ptePresent(value)) {
            return ScanResult.PTE_NON_PRESENT;
        }
        boolean same = !Entry.special(value) && Entry.pfn(value) == folio.pfn() + i;
        return same ? ScanResult.SUCCEED : ScanResult.FAIL;
    }

    /// Steps 2 to 4 of try_collapse_pte_mapped_thp(), told to MMU notifiers.
    private ScanResult removeTable(Attempt attempt) {
        long end = attempt.haddr + geometry.size(Geometry.PMD);
        MmuNotifierRange range =
                kernel.mmuNotifier().range(Event.CLEAR, attempt.mm(), attempt.haddr, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        // A userfaultfd of private memory must not get in between the clearing of the entries and
        // of the PMD.
        Vma vma = attempt.vma;
        if (vma.userfaultfdArmed() && (vma.flags() & Vma.VM_SHARED) == 0) {
            attempt.pml = kernel.ptLocks().pmdLock(attempt.mm(), attempt.pmd);
        }
        ScanResult result = clearPtes(attempt);
        if (result == ScanResult.SUCCEED) {
            result = clearPmd(attempt);
        } else {
            abort(attempt);
        }
        kernel.mmuNotifier().invalidateRangeEnd(range);
        if (result == ScanResult.SUCCEED) {
            kernel.pgtable().decPgtables(attempt.mm());
            pgtableGeneric.pteFreeDefer(kernel.pgtable(), attempt.unhooked);
        }
        return result;
    }

    /// Step 2 of try_collapse_pte_mapped_thp(): clears the entries, under the PTE lock, which is
    /// held on return if the table has been mapped.
    private ScanResult clearPtes(Attempt attempt) {
        PteMapping pte =
                pgtableGeneric.pteOffsetMapNolock(attempt.mm(), attempt.pmd, attempt.haddr);
        attempt.pte = pte;
        if (pte == null) {
            return ScanResult.FAIL;
        }
        if (attempt.pml == null) {
            pte.ptl().lock();
        } else {
            CopyPageRange.lockNested(pte.ptl(), attempt.pml);
        }
        if (pgtableGeneric.pmdpGetLockless(attempt.pmd) != pte.pmdValue()) {
            return ScanResult.FAIL;
        }
        int nr = geometry.hpagePmdNr();
        for (int i = 0; i < nr; ) {
            long value = pte.pte(i).readOnce();
            if (Entry.none(value)) {
                i++;
                continue;
            }
            ScanResult result = checkPte(attempt.folio, i, value);
            if (result != ScanResult.SUCCEED) {
                return result;
            }
            i += clearBatch(attempt, i, value, nr - i);
        }
        return ScanResult.SUCCEED;
    }

    /// Clears entry `i` and those after it that map the folio in the same way; returns how many.
    private int clearBatch(Attempt attempt, int i, long value, int max) {
        PteMapping pte = attempt.pte();
        Folio folio = attempt.folio;
        int batch = FolioPteBatch.folioPteBatchFlags(folio, pte, i, value, max, 0);
        for (int k = 0; k < batch; k++) { // clear_ptes()
            pte.pte(i + k).xchg(0, Order.FULL);
        }
        Page page = kernel.memMap().page(folio.pfn() + i);
        kernel.rmap().folioRemoveRmapPtes(folio, page, batch);
        attempt.mapped += batch;
        return batch;
    }

    /// Steps 3 and 4 of try_collapse_pte_mapped_thp(): drops the references of the entries and
    /// takes the table out. Drops all locks. Where there is one lock for all entries of the
    /// process, it is not asked whether the table is still there.
    private ScanResult clearPmd(Attempt attempt) {
        PteMapping pte = attempt.pte();
        SpinLock ptl = pte.ptl();
        if (attempt.pml == null) {
            ptl.unlock();
        }
        if (attempt.mapped > 0) {
            attempt.folio.refSub(attempt.mapped);
        }
        if (attempt.pml == null) {
            attempt.pml = kernel.ptLocks().pmdLock(attempt.mm(), attempt.pmd);
            if (CopyPageRange.lockNested(ptl, attempt.pml)
                    && pgtableGeneric.pmdpGetLockless(attempt.pmd) != pte.pmdValue()) {
                kernel.tlbFlush().flushTlbMm(attempt.mm());
                unlock(attempt);
                return ScanResult.FAIL;
            }
        }
        attempt.unhooked =
                pgtableGeneric.pmdpCollapseFlush(attempt.vma, attempt.haddr, attempt.pmd);
        kernel.pmdpGetLocklessSync();
        unlock(attempt);
        return ScanResult.SUCCEED;
    }

    /// Gives up with a part of the entries cleared.
    private void abort(Attempt attempt) {
        if (attempt.mapped > 0) {
            kernel.tlbFlush().flushTlbMm(attempt.mm());
            attempt.folio.refSub(attempt.mapped);
        }
        unlock(attempt);
    }

    /// Drops the PTE lock and the PMD lock, as far as they are held.
    private static void unlock(Attempt attempt) {
        SpinLock ptl = attempt.pte == null ? null : attempt.pte.ptl();
        if (attempt.pte != null) {
            attempt.pte.unmapUnlock();
        }
        if (attempt.pml != null && attempt.pml != ptl) {
            attempt.pml.unlock();
        }
    }

    /// mm/khugepaged.c: set_huge_pmd(). Has the PMD map the folio, with a reference of its own.
    private ScanResult setHugePmd(Vma vma, long haddr, @Nullable Word found, Folio folio) {
        kernel.mmapLock().assertLocked(vma.mm());
        Word pmd = found;
        if (pmd == null) {
            pmd = kernel.pgtable().alloc(Geometry.PMD, vma.mm(), haddr);
            if (pmd == null) {
                return ScanResult.FAIL;
            }
        }
        VmFault vmf = new VmFault(vma, haddr, 0);
        vmf.pmd = pmd;
        if (kernel.finishFault().doSetPmd(vmf, folio) != 0) {
            return ScanResult.FAIL;
        }
        folio.get();
        return ScanResult.SUCCEED;
    }
}
