// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Faults on entries that are neither none nor present (do_swap_page() of mm/memory.c).
final class SwapFault {
    private final Kernel kernel;

    SwapFault(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/memory.c: do_swap_page(). The fault's lock is held; with `RETRY` in the result it no
    /// longer is. The PTE is mapped and not locked, and unmapped here.
    int doSwapPage(VmFault vmf, PteMapping pte) {
        if (!pteUnmapSame(vmf, pte)) {
            return 0;
        }
        long entry = vmf.origPte;
        if (Entry.isMigration(entry)) {
            kernel.migrationWait().migrationEntryWait(vmf.vma.mm(), vmf.pmd(), vmf.address);
            return 0;
        }
        if (Entry.isHwpoison(entry)) {
            return VmFault.HWPOISON;
        }
        if (Entry.isMarker(entry)) {
            return handlePteMarker(vmf, entry);
        }
        if (Entry.isSwap(entry)) {
            return kernel.swapIn().swapIn(vmf);
        }
        kernel.warnOn(true, "Bad page map: pte " + Long.toHexString(entry)); // print_bad_pte()
        return VmFault.SIGBUS;
    }

    /// mm/memory.c: pte_unmap_same(). Where entries are read in halves what looks like such an
    /// entry may be one that was just changing.
    private boolean pteUnmapSame(VmFault vmf, PteMapping pte) {
        boolean same = true;
        if (kernel.entries().halves()) {
            pte.ptl().lock();
            same = pte.pte().readOnce() == vmf.origPte;
            pte.ptl().unlock();
        }
        pte.unmap();
        vmf.pte = null;
        return same;
    }

    /// mm/memory.c: handle_pte_marker().
    private int handlePteMarker(VmFault vmf, long entry) {
        long marker = Entry.marker(entry);
        if (kernel.warnOn(marker == 0, "an empty marker")) {
            return VmFault.SIGBUS;
        }
        if ((marker & Entry.MARKER_POISONED) != 0) {
            return VmFault.HWPOISON;
        }
        return Entry.isUffdWpMarker(entry) ? pteMarkerHandleUffdWp(vmf) : VmFault.SIGBUS;
    }

    /// mm/memory.c: pte_marker_handle_uffd_wp(). A page is missing; what takes its place is to be
    /// write-protected, if somebody still wants that.
    private int pteMarkerHandleUffdWp(VmFault vmf) {
        return vmf.vma.userfaultfdWp() ? kernel.memory().doPteMissing(vmf) : pteMarkerClear(vmf);
    }

    /// mm/memory.c: pte_marker_clear().
    private int pteMarkerClear(VmFault vmf) {
        PteMapping pte =
                kernel.pgtableGeneric().pteOffsetMapLock(vmf.vma.mm(), vmf.pmd(), vmf.address);
        if (pte == null) {
            return 0;
        }
        if (pte.pte().readOnce() == vmf.origPte) {
            kernel.entries().clear(pte.pte());
        }
        pte.unmapUnlock();
        return 0;
    }
}
