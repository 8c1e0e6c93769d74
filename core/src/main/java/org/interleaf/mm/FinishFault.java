// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;

import java.util.Objects;

/// Mapping the page that a fault on a file has found (finish_fault() and do_set_pmd() of
/// mm/memory.c).
///
/// # Locking
///
/// The folio is locked. The PMD and the entry are looked at again under their locks, since others
/// may have been faster, or the PTE table may have been taken away.
final class FinishFault {
    private final Kernel kernel;
    private final Geometry geometry;

    FinishFault(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/memory.c: finish_fault(). Maps the page of the fault, or its copy; of a large folio all
    /// that goes into the PTE table, or the whole by a PMD. The reference becomes the mapping's
    /// where the result is 0. What is beyond the end of the file is mapped in shmem only.
    int finishFault(VmFault vmf) {
        boolean cow = vmf.has(VmFault.FLAG_WRITE) && (vmf.vma.flags() & Vma.VM_SHARED) == 0;
        Page page = Objects.requireNonNull(cow ? vmf.cowPage : vmf.page);
        Folio folio = kernel.memMap().pageFolio(page);
        boolean perPage = false;
        if (vmf.vma.file != null) {
            long size = vmf.vma.inode().sizeRead();
            perPage = !vmf.vma.isShmem() && beyond(folio, size);
        }
        int ret = makeTable(vmf, folio, perPage);
        if (ret != VmFault.FALLBACK) {
            return ret;
        }
        int nr = folio.nrPages();
        int index = 0;
        if (nr > 1) {
            index = (int) (page.pfn() - folio.pfn());
            perPage |= vmf.vma.userfaultfdArmed() || sticksOut(vmf, index, nr);
        }
        if (nr == 1 || perPage) {
            return mapPage(vmf, folio, page);
        }
        ret = mapFolio(vmf, folio, index, nr);
        if (ret == VmFault.FALLBACK) {
            ret = makeTable(vmf, folio, true);
        }
        return ret == VmFault.FALLBACK ? mapPage(vmf, folio, page) : ret;
    }

    /// Whether a part of the folio is beyond `size` bytes.
    private boolean beyond(Folio folio, long size) {
        long end = (size + geometry.pageSize() - 1) >> geometry.pageShift();
        return end < folio.index.readPlain() + folio.nrPages();
    }

    /// The part of finish_fault() for a PMD that is none: maps the folio by it or hangs a table
    /// below. `FALLBACK` where there is a table, or was.
    private int makeTable(VmFault vmf, Folio folio, boolean perPage) {
        if (!Entry.none(vmf.pmd().readPlain())) {
            return VmFault.FALLBACK;
        }
        if (!perPage && folio.order() >= geometry.hpagePmdOrder()) {
            int ret = doSetPmd(vmf, folio);
            if (ret != VmFault.FALLBACK) {
                return ret;
            }
        }
        if (vmf.preallocPte != null) {
            installPrealloc(vmf);
        } else if (!kernel.pgtable().pteAlloc(vmf.vma.mm(), vmf.pmd())) {
            return VmFault.OOM;
        }
        return VmFault.FALLBACK;
    }

    /// `pmd_install(mm, vmf->pmd, &vmf->prealloc_pte)`.
    void installPrealloc(VmFault vmf) {
        PageTable table = Objects.requireNonNull(vmf.preallocPte);
        if (kernel.pgtable().pmdInstall(vmf.vma.mm(), vmf.pmd(), table)) {
            vmf.preallocPte = null;
        }
    }

    /// Whether a folio, of which the page of the fault is number `index`, is not in the VMA or in
    /// the PTE table as a whole.
    private boolean sticksOut(VmFault vmf, int index, int nr) {
        long vmaOff = vmf.pgoff - vmf.vma.pgoff();
        long vmaPages = (vmf.vma.end() - vmf.vma.start()) >> geometry.pageShift();
        int pteOff = geometry.index(Geometry.PTE, vmf.address);
        return vmaOff < index
                || vmaOff + (nr - index) > vmaPages
                || pteOff < index
                || pteOff + (nr - index) > geometry.entries(Geometry.PTE);
    }

    /// The end of finish_fault() for all pages of a folio. `FALLBACK` where not all entries are
    /// none.
    private int mapFolio(VmFault vmf, Folio folio, int index, int nr) {
        long addr = vmf.address - index * geometry.pageSize();
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(vmf.vma.mm(), vmf.pmd(), addr);
        if (pte == null) {
            return VmFault.NOPAGE;
        }
        for (int i = 0; i < nr; i++) { // pte_range_none()
            if (!Entry.none(pte.pte(i).readOnce())) {
                pte.unmapUnlock();
                return VmFault.FALLBACK;
            }
        }
        folio.refAdd(nr - 1);
        setPteRange(vmf, folio, folio.head(), nr, pte, 0);
        pte.unmapUnlock();
        return 0;
    }

    /// The end of finish_fault() for one page.
    private int mapPage(VmFault vmf, Folio folio, Page page) {
        PteMapping pte =
                kernel.pgtableGeneric().pteOffsetMapLock(vmf.vma.mm(), vmf.pmd(), vmf.address);
        if (pte == null) {
            return VmFault.NOPAGE;
        }
        boolean changed = AnonFault.vmfPteChanged(vmf, pte);
        if (!changed) {
            setPteRange(vmf, folio, page, 1, pte, 0);
        }
        pte.unmapUnlock();
        return changed ? VmFault.NOPAGE : 0;
    }

    /// mm/memory.c: set_pte_range(). `nr` entries, from that on which is `first` after the mapped
    /// one, map `page` and those after it. The PTE lock is held.
    void setPteRange(VmFault vmf, Folio folio, Page page, int nr, PteMapping pte, int first) {
        boolean write = vmf.has(VmFault.FLAG_WRITE);
        long vmFlags = vmf.vma.flags();
        long prot = Vma.pageProt(vmFlags);
        if (write) {
            prot = WpFault.maybeMkwrite(Entry.mkdirty(prot), vmf.vma);
        } else if (Entry.write(prot) && folio.testFlag(Folio.PG_DIRTY)) {
            prot = Entry.mkdirty(prot);
        }
        if (write && (vmFlags & Vma.VM_SHARED) == 0) {
            kernel.rmap().folioAddNewAnonRmap(folio, vmf.vma, vmf.address);
            kernel.swap().folioAddLru(folio);
        } else {
            kernel.rmap().folioAddFileRmapPtes(folio, page, nr);
        }
        boolean uffdWp = AnonFault.origPteUffdWp(vmf);
        for (int i = 0; i < nr; i++) {
            long mapped = Entry.make(page.pfn() + i, prot);
            long entry = uffdWp ? Entry.mkuffd(mapped) : mapped;
            kernel.entries().setPte(pte.pte(first + i), entry);
        }
    }

    /// mm/memory.c: do_set_pmd(). Has a PMD that is none map the whole folio, whose reference
    /// becomes the mapping's. 0; `FALLBACK` where PTEs must do, or the PMD is not none any more.
    int doSetPmd(VmFault vmf, Folio folio) {
        Vma vma = vmf.vma;
        boolean thp = kernel.arch().architecture().has(Architecture.Feature.THP);
        if (!thp || (vma.flags() & Vma.VM_NOHUGEPAGE) != 0) {
            return VmFault.FALLBACK;
        }
        if (!kernel.hugeMemory().thpVmaSuitable(vma, vmf.address)
                || folio.order() != geometry.hpagePmdOrder()) {
            return VmFault.FALLBACK;
        }
        SpinLock ptl = kernel.ptLocks().pmdLock(vma.mm(), vmf.pmd());
        if (!Entry.none(vmf.pmd().readPlain())) {
            ptl.unlock();
            return VmFault.FALLBACK;
        }
        long entry = Entry.mkhuge(Entry.make(folio.pfn(), Vma.pageProt(vma.flags())));
        if (vmf.has(VmFault.FLAG_WRITE)) {
            entry = WpFault.maybeMkwrite(Entry.mkdirty(entry), vma);
        }
        kernel.rmap().folioAddFileRmapPmd(folio);
        kernel.entries().setPte(vmf.pmd(), entry);
        ptl.unlock();
        return 0;
    }
}
