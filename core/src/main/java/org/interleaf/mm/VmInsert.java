// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// How fault handlers of devices put PTEs into page tables (mm/memory.c). Somebody else may have
/// been faster each time; then the access is simply made again.
final class VmInsert {
    private final Kernel kernel;

    VmInsert(Kernel kernel) {
        this.kernel = kernel;
    }

    /// The demands of mm/memory.c: vmf_insert_pfn_prot() and its huge counterparts: the VMA is for
    /// memory without `struct page`s, and no private mapping.
    void checkPfnmap(Vma vma) {
        long flags = vma.flags();
        kernel.bugOn((flags & Vma.VM_PFNMAP) == 0, "a PFN is mapped without VM_PFNMAP");
        kernel.bugOn(Vma.isCowMapping(flags), "a PFN is mapped privately");
    }

    /// mm/memory.c: vmf_insert_pfn(), vmf_insert_pfn_prot(). Has a PTE map frame `pfn`, which has
    /// no `struct page`. `NOPAGE`, `OOM`, or `SIGBUS` beyond the VMA.
    int vmfInsertPfn(Vma vma, long addr, long pfn) {
        checkPfnmap(vma);
        if (addr < vma.start() || addr >= vma.end()) {
            return VmFault.SIGBUS;
        }
        long entry = Entry.mkspecial(Entry.make(pfn, Vma.pageProt(vma.flags())));
        PteMapping pte = getLockedPte(vma.mm(), addr); // insert_pfn()
        if (pte == null) {
            return VmFault.OOM;
        }
        if (Entry.none(pte.pte().readOnce())) {
            kernel.entries().setPte(pte.pte(), entry);
        }
        pte.unmapUnlock();
        return VmFault.NOPAGE;
    }

    /// mm/memory.c: vmf_insert_page_mkwrite(). Has a PTE map a page that has a folio; writable at
    /// once where `write`. `NOPAGE`, `OOM` or `SIGBUS`.
    int vmfInsertPageMkwrite(VmFault vmf, Page page, boolean write) {
        Vma vma = vmf.vma;
        long prot = Vma.pageProt(vma.flags());
        if (vmf.address < vma.start() || vmf.address >= vma.end()) {
            return VmFault.SIGBUS;
        }
        int err = insertPage(vma, vmf.address, page, prot, write);
        if (err == -Errno.ENOMEM) {
            return VmFault.OOM;
        }
        return err < 0 && err != -Errno.EBUSY ? VmFault.SIGBUS : VmFault.NOPAGE;
    }

    /// mm/memory.c: insert_page(). 0 or a negative error number.
    private int insertPage(Vma vma, long addr, Page page, long prot, boolean mkwrite) {
        Folio folio = kernel.memMap().pageFolio(page); // validate_page_before_insert()
        if (folio.refCount() == 0 || folio.isAnon()) {
            return -Errno.EINVAL;
        }
        PteMapping pte = getLockedPte(vma.mm(), addr);
        if (pte == null) {
            return -Errno.ENOMEM;
        }
        int err = insertPageIntoPteLocked(vma, pte.pte(), addr, page, prot, mkwrite);
        pte.unmapUnlock();
        return err;
    }

    /// mm/memory.c: insert_page_into_pte_locked().
    private int insertPageIntoPteLocked(
            Vma vma, Word pte, long addr, Page page, long prot, boolean mkwrite) {
        Folio folio = kernel.memMap().pageFolio(page);
        long old = pte.readOnce();
        if (!Entry.none(old)) {
            if (!mkwrite) {
                return -Errno.EBUSY;
            }
            if (Entry.pfn(old) != page.pfn()) {
                kernel.warnOn(true, "a PTE that a write fault finds maps other memory");
                return -Errno.EFAULT;
            }
            long entry = Entry.mkyoung(WpFault.maybeMkwrite(old, vma));
            kernel.pgtableGeneric().ptepSetAccessFlags(vma, addr, pte, entry, true);
            return 0;
        }
        folio.get();
        long entry = Entry.make(page.pfn(), prot);
        if (mkwrite) {
            entry = WpFault.maybeMkwrite(Entry.mkdirty(Entry.mkyoung(entry)), vma);
        }
        kernel.rmap().folioAddFileRmapPte(folio, page);
        kernel.entries().setPte(pte, entry);
        return 0;
    }

    /// mm/memory.c: get_locked_pte(), walk_to_pmd(). The PTE of `addr`, its table made where it is
    /// missing, mapped and locked; null where memory is out.
    private @Nullable PteMapping getLockedPte(MmStruct mm, long addr) {
        Word pmd = kernel.pgtable().alloc(Geometry.PMD, mm, addr);
        if (pmd == null || !kernel.pgtable().pteAlloc(mm, pmd)) {
            return null;
        }
        return kernel.pgtableGeneric().pteOffsetMapLock(mm, pmd, addr);
    }
}
