// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Collapsing the small pages of an anonymous PMD range into one huge page (mm/khugepaged.c), at
/// PMD order.
///
/// # Locking
///
/// The PTE table is detached first: with the mmap lock and the VMA locked for writing no fault, GUP
/// with locks, or zap can be in the range; with the anon_vma locked no rmap walk can. What is left
/// are walkers that take no lock. The hardware's are stopped by the TLB flush, GUP-fast by an
/// interrupt to all CPUs after the PMD was cleared, since it walks with interrupts off:
///
/// | CPU 0 collapse_huge_page            | CPU 1 gup_fast                      |
/// |-------------------------------------|-------------------------------------|
/// |                                     | local_irq_save; pmd = *pmdp         |
/// | *pmdp = none; flush; IPI to all ... | takes a reference; local_irq_restore|
/// | ... done: looks at the counts       |                                     |
///
/// A GUP-fast that began before the clear has ended when the counts are looked at, and its
/// reference makes the collapse fail; one that begins after it finds no table.
public final class Khugepaged {
    private final Kernel kernel;
    private final Geometry geometry;
    private final PgtableGeneric pgtableGeneric;
    private final CollapseCopy copy;

    Khugepaged(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtableGeneric = kernel.pgtableGeneric();
        this.copy = new CollapseCopy(kernel);
    }

    // ---- entry points

    /// mm/khugepaged.c: madvise_collapse(). Collapses every whole PMD range in `[start, end)` of
    /// the process, whether or not anything there was used lately. 0 or a negative error number.
    /// Takes the mmap lock itself.
    public long madviseCollapse(MmStruct mm, long start, long end) {
        CollapseControl cc = CollapseControl.madvise(geometry);
        long pmdSize = geometry.size(Geometry.PMD);
        long first = (start + pmdSize - 1) & -pmdSize;
        long last = end & -pmdSize;
        ScanResult lastFail = ScanResult.SUCCEED;
        for (long addr = first; addr < last; addr += pmdSize) {
            ScanResult result = collapseSinglePmd(mm, addr, cc);
            if (result != ScanResult.SUCCEED && result != ScanResult.PMD_MAPPED) {
                lastFail = result;
                if (!result.goesOn()) {
                    break;
                }
            }
        }
        kernel.files().taskWorkRun();
        return lastFail.errno();
    }

    /// mm/khugepaged.c: collapse_single_pmd() as khugepaged itself does it: only where something
    /// was used lately, and within its limits.
    public ScanResult khugepagedScan(MmStruct mm, long addr) {
        ScanResult result = collapseSinglePmd(mm, addr, CollapseControl.khugepaged(geometry));
        kernel.files().taskWorkRun();
        return result;
    }

    /// mm/khugepaged.c: collapse_single_pmd(), with looking for the VMA before.
    private ScanResult collapseSinglePmd(MmStruct mm, long addr, CollapseControl cc) {
        kernel.mmapLock().readLock(mm);
        Vma[] vma = new Vma[1];
        int[] unmapped = new int[1];
        ScanResult result = hugepageVmaRevalidate(mm, addr, false, vma, cc);
        if (result == ScanResult.SUCCEED && !vma[0].isAnonymous()) {
            return collapseFilePmd(vma[0], addr, cc);
        }
        if (result == ScanResult.SUCCEED) {
            result = collapseScanPmd(vma[0], addr, cc, unmapped);
        }
        kernel.mmapLock().readUnlock(mm);
        return result == ScanResult.SUCCEED ? collapseHugePage(mm, addr, cc, unmapped[0]) : result;
    }

    /// The part of collapse_single_pmd() for a file; drops the mmap lock, which is held for
    /// reading. The process has the huge page mapped only afterwards, if the collapse was its own
    /// wish.
    private ScanResult collapseFilePmd(Vma vma, long addr, CollapseControl cc) {
        MmStruct mm = vma.mm();
        OpenFile file = vma.file();
        kernel.files().getFile(file);
        long pgoff = vma.linearPageIndex(geometry, addr);
        kernel.mmapLock().readUnlock(mm);
        ScanResult result = kernel.collapseFile().collapseScanFile(file, pgoff, cc);
        kernel.files().fput(file);
        if (result != ScanResult.PTE_MAPPED_HUGEPAGE) {
            return result;
        }
        kernel.mmapLock().readLock(mm);
        if (mm.users.readOnce() == 0) { // collapse_test_exit_or_disable()
            result = ScanResult.ANY_PROCESS;
        } else {
            boolean install = !cc.isKhugepaged();
            result = kernel.collapsePteMappedThp().tryCollapse(mm, addr, install);
        }
        kernel.mmapLock().readUnlock(mm);
        return result == ScanResult.PMD_MAPPED ? ScanResult.SUCCEED : result;
    }

    /// mm/khugepaged.c: collapse_max_ptes_none(). How many entries may be none, or map the zero
    /// page. What is missing must not be filled in where a userfaultfd is to be told of it.
    private static int collapseMaxPtesNone(CollapseControl cc, Vma vma) {
        return vma.userfaultfdArmed() ? 0 : cc.maxPtesNone();
    }

    // ---- scanning

    /// mm/khugepaged.c: collapse_scan_pmd(). Whether the range looks as if it could be collapsed.
    /// The mmap lock is held for reading.
    private ScanResult collapseScanPmd(Vma vma, long start, CollapseControl cc, int[] unmapped) {
        int maxPtesNone = collapseMaxPtesNone(cc, vma);
        Word[] pmd = new Word[1];
        ScanResult result = findPmdOrThpOrNone(vma.mm(), start, pmd);
        if (result != ScanResult.SUCCEED) {
            return result;
        }
        PteMapping mapping = pgtableGeneric.pteOffsetMapLock(vma.mm(), pmd[0], start);
        if (mapping == null) {
            return ScanResult.NO_PTE_TABLE;
        }
        result = scanPtes(vma, start, mapping, cc, maxPtesNone, unmapped);
        mapping.unmapUnlock();
        return result;
    }

    /// The loop of collapse_scan_pmd() over the entries; the PTE lock is held.
    private ScanResult scanPtes(
            Vma vma,
            long start,
            PteMapping mapping,
            CollapseControl cc,
            int maxPtesNone,
            int[] unmapped) {
        int noneOrZero = 0;
        int shared = 0;
        int referenced = 0;
        for (int i = 0; i < geometry.hpagePmdNr(); i++) {
            long addr = start + i * geometry.pageSize();
            long pte = mapping.pte(i).readOnce();
            if (noneOrZero(pte)) {
                if (++noneOrZero > maxPtesNone) {
                    return ScanResult.EXCEED_NONE_PTE;
                }
                continue;
            }
            if (!Entry.ptePresent(pte)) {
                if (++unmapped[0] > cc.maxPtesSwap()) {
                    return ScanResult.EXCEED_SWAP_PTE;
                }
                if (Entry.uffd(pte) || Entry.isUffdWpMarker(pte)) { // pte_swp_uffd_any()
                    return ScanResult.PTE_UFFD;
                }
                continue;
            }
            if (Entry.uffd(pte)) {
                return ScanResult.PTE_UFFD;
            }
            if (Entry.special(pte)) {
                return ScanResult.PAGE_NULL;
            }
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
            if (!folio.isAnon()) {
                return ScanResult.PAGE_ANON;
            }
            if (kernel.rmap().folioMaybeMappedShared(folio) && ++shared > cc.maxPtesShared()) {
                return ScanResult.EXCEED_SHARED_PTE;
            }
            long flags = folio.readFlags(Folio.PG_LRU | Folio.PG_LOCKED);
            if ((flags & Folio.PG_LRU) == 0) {
                return ScanResult.PAGE_LRU;
            }
            if ((flags & Folio.PG_LOCKED) != 0) {
                return ScanResult.PAGE_LOCK;
            }
            if (kernel.rmap().folioExpectedRefCount(folio) != folio.refCount()) {
                return ScanResult.PAGE_COUNT;
            }
            if (cc.isKhugepaged() && folioPteReferenced(folio, vma.mm(), addr, pte)) {
                referenced++;
            }
        }
        boolean lacking =
                referenced == 0 || (unmapped[0] > 0 && referenced < geometry.hpagePmdNr() / 2);
        return cc.isKhugepaged() && lacking ? ScanResult.LACK_REFERENCED_PAGE : ScanResult.SUCCEED;
    }

    /// mm/khugepaged.c: folio_pte_referenced(). Whether the page was used, by this mapping or by
    /// any, or by a device that has translations of it.
    private boolean folioPteReferenced(Folio folio, MmStruct mm, long addr, long pte) {
        return folio.testFlag(Folio.PG_REFERENCED)
                || Entry.young(pte)
                || kernel.mmuNotifier().testYoung(mm, addr);
    }

    private boolean noneOrZero(long pte) {
        return copy.noneOrZero(pte);
    }

    // ---- collapsing

    /// mm/khugepaged.c: collapse_huge_page() as called for MADV_COLLAPSE.
    public ScanResult collapseHugePage(MmStruct mm, long address) {
        return collapseHugePage(mm, address, CollapseControl.madvise(geometry), 0);
    }

    /// mm/khugepaged.c: collapse_huge_page(). Replaces the PTE table around `address` by a huge PMD
    /// that maps a copy of its pages. No lock is held; sleeps.
    private ScanResult collapseHugePage(
            MmStruct mm, long address, CollapseControl cc, int unmapped) {
        long start = address & -geometry.size(Geometry.PMD);
        Folio folio = kernel.pageAlloc().folioAlloc(geometry.hpagePmdOrder());
        if (folio == null) {
            return ScanResult.ALLOC_HUGE_PAGE_FAIL;
        }
        Vma[] vma = new Vma[1];
        Word[] pmd = new Word[1];
        kernel.mmapLock().readLock(mm);
        ScanResult result = hugepageVmaRevalidate(mm, start, true, vma, cc);
        if (result == ScanResult.SUCCEED) {
            result = findPmdOrThpOrNone(mm, start, pmd);
        }
        boolean locked = true;
        if (result == ScanResult.SUCCEED && unmapped > 0) {
            result = kernel.collapseSwapin().swapin(mm, vma[0], start, pmd[0]);
            locked = result == ScanResult.SUCCEED;
        }
        if (locked) {
            kernel.mmapLock().readUnlock(mm);
        }
        if (result == ScanResult.SUCCEED) {
            result = collapseLocked(mm, start, pmd[0], folio, cc);
        }
        if (result != ScanResult.SUCCEED) {
            kernel.swap().folioPut(folio);
        }
        return result;
    }

    /// The part of collapse_huge_page() with the mmap lock held for writing, which keeps everybody
    /// out who would look for the range in the process.
    private ScanResult collapseLocked(
            MmStruct mm, long start, Word pmd, Folio folio, CollapseControl cc) {
        Vma[] found = new Vma[1];
        kernel.mmapLock().writeLock(mm);
        ScanResult result = hugepageVmaRevalidate(mm, start, true, found, cc);
        if (result == ScanResult.SUCCEED) {
            kernel.vmaLock().vmaStartWrite(found[0]);
            result = checkPmdStillValid(mm, start, pmd);
        }
        if (result == ScanResult.SUCCEED) {
            result = collapseDetached(found[0], start, pmd, folio, cc);
        }
        kernel.mmapLock().writeUnlock(mm);
        return result;
    }

    /// The part of collapse_huge_page() from the anon_vma lock on.
    private ScanResult collapseDetached(
            Vma vma, long start, Word pmd, Folio folio, CollapseControl cc) {
        MmStruct mm = vma.mm();
        AnonVma anonVma = vma.anonVma.readPlainNonNull();
        anonVma.rwsem().downWrite();

        long end = start + geometry.size(Geometry.PMD);
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, mm, start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        SpinLock pmdPtl = kernel.ptLocks().pmdLock(mm, pmd);
        long pmdValue = pgtableGeneric.pmdpCollapseFlush(vma, start, pmd);
        pmdPtl.unlock();
        kernel.mmuNotifier().invalidateRangeEnd(range);
        kernel.tlbRemoveTableSyncOne();

        PteMapping pte = pgtableGeneric.pteOffsetMapLockValue(mm, pmdValue, start);
        if (pte == null) {
            restorePmd(mm, pmd, pmdValue);
            anonVma.rwsem().upWrite();
            return ScanResult.NO_PTE_TABLE;
        }
        List<Folio> compound = new ArrayList<>(2);
        ScanResult result = collapseHugePageIsolate(vma, start, pte, cc, compound);
        pte.ptl().unlock();
        if (result != ScanResult.SUCCEED) {
            restorePmd(mm, pmd, pmdValue);
            pte.unmap();
            anonVma.rwsem().upWrite();
            return result;
        }
        // All pages are isolated and locked, so the rmap can do no harm from here on.
        anonVma.rwsem().upWrite();

        copy.collapseHugePageCopy(pte, folio, compound);
        // The contents must be seen before the PMD is.
        folio.markUptodate();
        install(vma, start, pmd, pmdValue, folio);
        pte.unmap();
        return ScanResult.SUCCEED;
    }

    /// Hangs the old table back where it was: whoever comes next finds everything as before.
    private void restorePmd(MmStruct mm, Word pmd, long pmdValue) {
        SpinLock pmdPtl = kernel.ptLocks().pmdLock(mm, pmd);
        kernel.warnOn(!Entry.none(pmd.readPlain()), "the PMD of a collapse is not none");
        kernel.pgtable().populate(pmd, kernel.memMap().table(Entry.pfn(pmdValue)));
        pmdPtl.unlock();
    }

    /// The end of collapse_huge_page(): the old table is kept for the day of a split.
    private void install(Vma vma, long start, Word pmd, long pmdValue, Folio folio) {
        SpinLock pmdPtl = kernel.ptLocks().pmdLock(vma.mm(), pmd);
        kernel.warnOn(!Entry.none(pmd.readPlain()), "the PMD of a collapse is not none");
        PageTable table = kernel.memMap().table(Entry.pfn(pmdValue));
        pgtableGeneric.pgtableTransHugeDeposit(vma.mm(), pmd, table);
        kernel.hugeMemory().mapAnonFolioPmd(folio, pmd, vma, start);
        pmdPtl.unlock();
    }

    /// mm/khugepaged.c: __collapse_huge_page_isolate(). Locks every folio of the detached table and
    /// takes it off the LRU, provided that nobody has a reference beside the mappings. On failure
    /// all is as before. The PTE lock is held.
    private ScanResult collapseHugePageIsolate(
            Vma vma, long start, PteMapping mapping, CollapseControl cc, List<Folio> compound) {
        int maxPtesNone = collapseMaxPtesNone(cc, vma);
        int noneOrZero = 0;
        int shared = 0;
        int referenced = 0;
        int nr = geometry.hpagePmdNr();
        for (int i = 0; i < nr; i++) {
            long addr = start + i * geometry.pageSize();
            long pte = mapping.pte(i).readOnce();
            if (noneOrZero(pte)) {
                if (++noneOrZero > maxPtesNone) {
                    return giveUp(mapping, i, compound, ScanResult.EXCEED_NONE_PTE);
                }
                continue;
            }
            if (!Entry.ptePresent(pte)) {
                return giveUp(mapping, i, compound, ScanResult.PTE_NON_PRESENT);
            }
            if (Entry.uffd(pte)) {
                return giveUp(mapping, i, compound, ScanResult.PTE_UFFD);
            }
            if (Entry.special(pte)) {
                return giveUp(mapping, i, compound, ScanResult.PAGE_NULL);
            }
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
            kernel.warnOn(!folio.isAnon(), "folio is not anonymous", folio);
            if (kernel.rmap().folioMaybeMappedShared(folio) && ++shared > cc.maxPtesShared()) {
                return giveUp(mapping, i, compound, ScanResult.EXCEED_SHARED_PTE);
            }
            boolean large = folio.isLarge();
            if (!large || !compound.contains(folio)) {
                ScanResult result = isolateFolio(folio);
                if (result != ScanResult.SUCCEED) {
                    return giveUp(mapping, i, compound, result);
                }
                if (large) {
                    compound.add(folio);
                }
            }
            if (cc.isKhugepaged() && folioPteReferenced(folio, vma.mm(), addr, pte)) {
                referenced++;
            }
        }
        return cc.isKhugepaged() && referenced == 0
                ? giveUp(mapping, nr, compound, ScanResult.LACK_REFERENCED_PAGE)
                : ScanResult.SUCCEED;
    }

    /// Locks one folio, looks for references of others, and takes it off the LRU. The page cannot
    /// be freed from under us, and no new pin can come through this process: the table is detached.
    private ScanResult isolateFolio(Folio folio) {
        // Only a trylock: the folio lock is taken before page-table locks.
        if (!folio.lock().trylock()) {
            return ScanResult.PAGE_LOCK;
        }
        if (kernel.rmap().folioExpectedRefCount(folio) != folio.refCount()) {
            folio.lock().unlock();
            return ScanResult.PAGE_COUNT;
        }
        if (!kernel.swap().folioIsolateLru(folio)) {
            folio.lock().unlock();
            return ScanResult.DEL_PAGE_LRU;
        }
        return ScanResult.SUCCEED;
    }

    private ScanResult giveUp(
            PteMapping mapping, int end, List<Folio> compound, ScanResult result) {
        copy.releasePtePages(mapping, end, compound);
        return result;
    }

    // ---- looking again

    /// mm/khugepaged.c: hugepage_vma_revalidate(). Finds the VMA of `address` again after the mmap
    /// lock was taken (again), and whether it can still hold a huge page there.
    private ScanResult hugepageVmaRevalidate(
            MmStruct mm, long address, boolean expectAnon, Vma[] found, CollapseControl cc) {
        Vma vma = kernel.mmap().findVma(mm, address);
        if (vma == null) {
            return ScanResult.VMA_NULL;
        }
        if (!kernel.hugeMemory().thpVmaSuitable(vma, address)) {
            return ScanResult.ADDRESS_RANGE;
        }
        if (!kernel.thpAllowable().collapseAllowable(vma, !cc.isKhugepaged())) {
            return ScanResult.VMA_CHECK;
        }
        // Without an anon_vma nothing was ever mapped there.
        if (expectAnon && vma.anonVma.readOnce() == null) {
            return ScanResult.PAGE_ANON;
        }
        found[0] = vma;
        return ScanResult.SUCCEED;
    }

    /// mm/khugepaged.c: find_pmd_or_thp_or_none().
    ScanResult findPmdOrThpOrNone(MmStruct mm, long address, @Nullable Word[] found) {
        Word pmd = kernel.pgtable().mmFindPmd(mm, address);
        if (pmd == null) {
            return ScanResult.NO_PTE_TABLE;
        }
        found[0] = pmd;
        return checkPmdState(pmd);
    }

    /// mm/khugepaged.c: check_pmd_state().
    ScanResult checkPmdState(Word pmd) {
        long value = pgtableGeneric.pmdpGetLockless(pmd);
        if (Entry.none(value)) {
            return ScanResult.NO_PTE_TABLE;
        }
        if (Entry.leaf(value) || Entry.isMigration(value)) {
            return ScanResult.PMD_MAPPED;
        }
        return Entry.bad(value) ? ScanResult.NO_PTE_TABLE : ScanResult.SUCCEED;
    }

    /// mm/khugepaged.c: check_pmd_still_valid(). The same PMD entry, and still a table.
    private ScanResult checkPmdStillValid(MmStruct mm, long address, Word pmd) {
        @Nullable Word[] again = new Word[1];
        ScanResult result = findPmdOrThpOrNone(mm, address, again);
        if (result == ScanResult.SUCCEED && again[0] != pmd) {
            return ScanResult.NO_PTE_TABLE;
        }
        return result;
    }
}
