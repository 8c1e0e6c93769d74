// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

/// Faults on pages in swap (the second half of do_swap_page() of mm/memory.c).
///
/// # What must still be true
///
/// The entry was read without the lock of its table, and the folio is found in the swap cache, or
/// read in, without any. By the time that it is locked it may have left the swap cache, and be
/// there again for another slot; the slot may be another page's by then. So the folio is compared
/// with the slot once it is locked, and the entry with what it was once the table is: an entry that
/// still is what it was has kept its slot.
///
/// Whether the process has the page for itself stands in the entry; fork takes that away.
final class SwapIn {
    private final Kernel kernel;
    private final Geometry geometry;

    SwapIn(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// What of a large folio can be mapped at once.
    private record Run(Word pte, long address, Page page, int nr) {}

    /// mm/memory.c: do_swap_page(), for a swap entry. The fault's lock is held, unless there is
    /// `RETRY` in the result.
    int swapIn(VmFault vmf) {
        long offset = Entry.swpOffset(vmf.origPte);
        Folio folio = kernel.swapState().swapCacheGetFolio(offset);
        if (folio != null) {
            swapUpdateReadahead(folio);
        } else {
            folio = kernel.swapState().swapinSync(offset);
            if (folio == null) {
                return notRead(vmf);
            }
        }
        int ret = folioLockOrRetry(folio, vmf);
        if ((ret & VmFault.RETRY) != 0) {
            kernel.swap().folioPut(folio);
            return ret;
        }
        return swapInLocked(vmf, folio, offset);
    }

    /// mm/swap_state.c: swap_update_readahead(). The statistics of the VMA are not modelled; the
    /// flag is the one that reclaim uses otherwise.
    private static void swapUpdateReadahead(Folio folio) {
        if (!folio.isLarge()) {
            folio.testClearFlag(Folio.PG_RECLAIM); // folio_test_clear_readahead()
        }
    }

    /// There is no memory, or nobody uses the slot any more: then somebody else has handled this.
    private int notRead(VmFault vmf) {
        PteMapping pte =
                kernel.pgtableGeneric().pteOffsetMapLock(vmf.vma.mm(), vmf.pmd(), vmf.address);
        if (pte == null) {
            return 0;
        }
        int ret = pte.pte().readOnce() == vmf.origPte ? VmFault.OOM : 0;
        pte.unmapUnlock();
        return ret;
    }

    /// include/linux/pagemap.h: folio_lock_or_retry(); mm/filemap.c: __folio_lock_or_retry(). 0
    /// with the folio locked, or `RETRY`; then the fault's lock is dropped, unless nobody may wait.
    private int folioLockOrRetry(Folio folio, VmFault vmf) {
        kernel.machine().mightSleep("folio_lock_or_retry");
        if (folio.lock().trylock()) {
            return 0;
        }
        boolean first = vmf.has(VmFault.FLAG_ALLOW_RETRY) && !vmf.has(VmFault.FLAG_TRIED);
        if (!first) {
            folio.lock().lock();
            return 0;
        }
        if (!vmf.has(VmFault.FLAG_RETRY_NOWAIT)) {
            if (vmf.has(VmFault.FLAG_VMA_LOCK)) { // release_fault_lock()
                kernel.vmaLock().vmaEndRead(vmf.vma);
            } else {
                kernel.mmapLock().readUnlock(vmf.vma.mm());
            }
            folio.lock().waitUnlocked();
        }
        return VmFault.RETRY;
    }

    /// The part of do_swap_page() with the folio locked, which it unlocks.
    private int swapInLocked(VmFault vmf, Folio folio, long offset) {
        Page page = pageOf(folio, offset); // folio_file_page()
        if (!kernel.swapState().folioMatchesSwapEntry(folio, offset)) {
            return backOut(folio, 0);
        }
        if (kernel.memMap().folioAt(page.pfn()).isHwpoison()) {
            return backOut(folio, VmFault.HWPOISON);
        }
        PteMapping pte =
                kernel.pgtableGeneric().pteOffsetMapLock(vmf.vma.mm(), vmf.pmd(), vmf.address);
        vmf.pte = pte;
        if (pte == null) {
            return backOut(folio, 0);
        }
        if (pte.pte().readOnce() != vmf.origPte) {
            pte.unmapUnlock();
            return backOut(folio, 0);
        }
        if (!folio.testFlag(Folio.PG_UPTODATE)) {
            pte.unmapUnlock();
            return backOut(folio, VmFault.SIGBUS);
        }
        return mapSwapped(vmf, folio, pte, runOf(vmf, folio, page, pte));
    }

    private Page pageOf(Folio folio, long offset) {
        return kernel.memMap().page(folio.pfn() + (offset & folio.nrPages() - 1));
    }

    /// From the label `out_page` of do_swap_page() on.
    private int backOut(Folio folio, int ret) {
        if (folio.testSwapcache()) {
            kernel.swapfile().folioFreeSwap(folio);
        }
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
        return ret;
    }

    /// Which entries are mapped: all of a large folio where they are all in swap, else one.
    private Run runOf(VmFault vmf, Folio folio, Page page, PteMapping pte) {
        Run one = new Run(pte.pte(), vmf.address, page, 1);
        if (!folio.isLarge() || !folio.testSwapcache()) {
            return one;
        }
        int nr = folio.nrPages();
        long idx = page.pfn() - folio.pfn();
        long start = vmf.address - (idx << geometry.pageShift());
        long end = start + ((long) nr << geometry.pageShift());
        long from = Math.max(vmf.address & -geometry.size(Geometry.PMD), vmf.vma.start());
        if (start < from || end > geometry.addrEnd(Geometry.PMD, vmf.address, vmf.vma.end())) {
            return one;
        }
        Word first = PageTable.plus(pte.pte(), (int) -idx);
        long value = first.readOnce();
        if (value != Entry.moveSwpOffset(vmf.origPte, -idx)
                || NonpresentPtes.swapPteBatch(first, nr, value) != nr) {
            return one;
        }
        return new Run(first, start, folio.head(), nr);
    }

    /// From the label `check_folio` of do_swap_page() on: the folio, locked, is that of the entry,
    /// which is locked.
    private int mapSwapped(VmFault vmf, Folio folio, PteMapping pte, Run run) {
        kernel.bugOn(
                folio.isAnon() && run.page.anonExclusive(),
                "an exclusive page in the swap cache: " + folio);
        boolean exclusive = Entry.swpExclusive(vmf.origPte);
        long prot = HugePte.pageProt(vmf.vma.flags()) | Entry.ACCESSED;
        long entry = Entry.make(run.page.pfn(), prot);
        if (Entry.uffd(vmf.origPte)) {
            entry = Entry.mkuffd(entry);
        }
        boolean writable = (vmf.vma.flags() & Vma.VM_WRITE) != 0;
        if (exclusive && writable && !vmf.vma.userfaultfdEntryWp(entry)) {
            entry = Entry.mkwrite(entry);
            if (vmf.has(VmFault.FLAG_WRITE)) {
                entry = Entry.mkdirty(entry);
            }
        }
        if (run.nr > 1) {
            folio.refAdd(run.nr - 1);
        }
        long idx = (vmf.address - run.address) >> geometry.pageShift();
        vmf.origPte = Entry.make(run.page.pfn() + idx, Entry.flags(entry));
        addRmap(vmf.vma, folio, run, exclusive);
        for (int i = 0; i < run.nr; i++) {
            long value = Entry.make(run.page.pfn() + i, Entry.flags(entry));
            kernel.entries().setPte(PageTable.plus(run.pte, i), value);
        }
        if (folio.testSwapcache()) { // should_try_to_free_swap(): the device is synchronous
            kernel.swapfile().folioFreeSwap(folio);
        }
        folio.lock().unlock();
        if (vmf.has(VmFault.FLAG_WRITE) && !Entry.write(entry)) {
            int ret = kernel.wpFault().doWpPage(vmf, pte);
            return (ret & VmFault.ERROR) != 0 ? ret & VmFault.ERROR : ret;
        }
        pte.unmapUnlock();
        return 0;
    }

    private void addRmap(Vma vma, Folio folio, Run run, boolean exclusive) {
        if (!folio.isAnon()) {
            kernel.rmap().folioAddSwappedAnonRmap(folio, vma, run.address, exclusive);
            kernel.swapfile().folioPutSwap(folio, null);
        } else {
            kernel.rmap().folioAddAnonRmapPtes(folio, run.page, run.nr, exclusive);
            kernel.swapfile().folioPutSwap(folio, run.nr == 1 ? run.page : null);
        }
    }
}
