// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

/// Faults on entries that are none (do_anonymous_page() of mm/memory.c). Folios are of order 0:
/// orders between that and the huge page's are off, as they are by default.
final class AnonFault {
    /// `vm_page_prot` of private memory: readable; writing is added entry by entry.
    static final long PAGE_PROT = Entry.PRESENT | Entry.USER | Entry.ACCESSED;

    private final Kernel kernel;
    private final PgtableGeneric pgtableGeneric;

    AnonFault(Kernel kernel) {
        this.kernel = kernel;
        this.pgtableGeneric = kernel.pgtableGeneric();
    }

    /// mm/memory.c: do_anonymous_page(). Maps a new page, or the zero page for a read, where the
    /// entry is still none. The fault's lock is held and no PTE mapped or locked; with `RETRY` in
    /// the result the fault's lock has been dropped.
    int doAnonymousPage(VmFault vmf) {
        if ((vmf.vma.flags() & Vma.VM_SHARED) != 0) {
            return VmFault.SIGBUS;
        }
        if (!kernel.pgtable().pteAlloc(vmf.vma.mm(), vmf.pmd())) {
            return VmFault.OOM;
        }
        return vmf.has(VmFault.FLAG_WRITE) ? mapNewPage(vmf) : mapZeroPage(vmf);
    }

    /// The read half of do_anonymous_page().
    private int mapZeroPage(VmFault vmf) {
        long entry = Entry.mkspecial(Entry.make(kernel.zeroFolio().pfn(), PAGE_PROT));
        PteMapping pte = mapLock(vmf);
        if (pte == null) {
            return 0;
        }
        if (!vmfPteChanged(vmf, pte)) {
            if (vmf.vma.userfaultfdMissing()) {
                pte.unmapUnlock();
                return handleMissing(vmf);
            }
            if (origPteUffdWp(vmf)) {
                entry = Entry.mkuffd(entry);
            }
            // No need to flush: there was no translation before.
            kernel.entries().setPte(pte.pte(), entry);
        }
        pte.unmapUnlock();
        return 0;
    }

    /// The write half of do_anonymous_page().
    private int mapNewPage(VmFault vmf) {
        int ret = kernel.memory().vmfAnonPrepare(vmf);
        if (ret != 0) {
            return ret;
        }
        Folio folio = folioPrealloc(true);
        if (folio == null) {
            return VmFault.OOM;
        }
        // The contents are seen before the entry is.
        folio.markUptodate();
        PteMapping pte = mapLock(vmf);
        if (pte == null) {
            kernel.swap().folioPut(folio);
            return 0;
        }
        if (vmfPteChanged(vmf, pte)) {
            kernel.swap().folioPut(folio);
        } else if (vmf.vma.userfaultfdMissing()) {
            pte.unmapUnlock();
            kernel.swap().folioPut(folio);
            return handleMissing(vmf);
        } else {
            mapAnonFolioPte(vmf, folio, pte);
        }
        pte.unmapUnlock();
        return 0;
    }

    /// The fault is for user space to handle: decided under the PTE lock, under which nothing was
    /// there.
    private int handleMissing(VmFault vmf) {
        return kernel.uffdFault()
                .handleUserfault(vmf.vma, vmf.address, vmf.flags, Vma.VM_UFFD_MISSING);
    }

    private @Nullable PteMapping mapLock(VmFault vmf) {
        PteMapping pte = pgtableGeneric.pteOffsetMapLock(vmf.vma.mm(), vmf.pmd(), vmf.address);
        vmf.pte = pte;
        return pte;
    }

    /// mm/memory.c: vmf_pte_changed(). Whether the entry is another than the one by which the fault
    /// was judged. The PTE lock is held.
    static boolean vmfPteChanged(VmFault vmf, PteMapping pte) {
        long now = pte.pte().readOnce();
        return vmf.has(VmFault.FLAG_ORIG_PTE_VALID) ? now != vmf.origPte : !Entry.none(now);
    }

    /// mm/memory.c: vmf_orig_pte_uffd_wp(). Whether what was there says that the page is to be
    /// write-protected.
    static boolean origPteUffdWp(VmFault vmf) {
        return vmf.vma.userfaultfdWp()
                && vmf.has(VmFault.FLAG_ORIG_PTE_VALID)
                && Entry.isUffdWpMarker(vmf.origPte);
    }

    /// mm/memory.c: folio_prealloc(). A folio of one page, zeroed where `needZero`; null where
    /// memory is out.
    @Nullable Folio folioPrealloc(boolean needZero) {
        Folio folio = kernel.pageAlloc().folioAlloc(0);
        if (folio != null && needZero) {
            kernel.highmem().clearPage(folio.pfn());
        }
        return folio;
    }

    /// mm/memory.c: map_anon_folio_pte_nopf(). The PTE lock is held; the folio's first reference
    /// becomes the mapping's.
    private void mapAnonFolioPte(VmFault vmf, Folio folio, PteMapping pte) {
        long entry = Entry.make(folio.pfn(), PAGE_PROT);
        if ((vmf.vma.flags() & Vma.VM_WRITE) != 0) {
            entry = Entry.mkwrite(Entry.mkdirty(entry));
        }
        if (origPteUffdWp(vmf)) {
            entry = Entry.mkuffd(entry);
        }
        kernel.rmap().folioAddNewAnonRmap(folio, vmf.vma, vmf.address);
        kernel.swap().folioAddLru(folio);
        kernel.entries().setPte(pte.pte(), entry);
    }
}
