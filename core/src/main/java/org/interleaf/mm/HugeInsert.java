// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// How fault handlers of devices put huge PMDs into page tables (mm/huge_memory.c); as {@link
/// HugePud} a level higher. No table is deposited: huge PMDs of files are not split but taken out.
final class HugeInsert {
    private final Kernel kernel;
    private final Geometry geometry;

    HugeInsert(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    private long haddr(VmFault vmf) {
        return vmf.address & -geometry.size(Geometry.PMD);
    }

    /// mm/huge_memory.c: vmf_insert_pfn_pmd(). Has a PMD map the memory from frame `pfn` on, which
    /// has no `struct page`s. `NOPAGE`, or `SIGBUS` beyond the VMA.
    int vmfInsertPfnPmd(VmFault vmf, long pfn, boolean write) {
        kernel.vmInsert().checkPfnmap(vmf.vma);
        long entry = Entry.mkhuge(Entry.make(pfn, Vma.pageProt(vmf.vma.flags())));
        return insertPmd(vmf.vma, haddr(vmf), vmf.pmd(), null, Entry.mkspecial(entry), write);
    }

    /// mm/huge_memory.c: vmf_insert_folio_pmd(). Has a PMD map a folio of its size. `NOPAGE`, or
    /// `SIGBUS` for a folio of another size or beyond the VMA.
    int vmfInsertFolioPmd(VmFault vmf, Folio folio, boolean write) {
        boolean otherSize = folio.order() != geometry.hpagePmdOrder();
        if (kernel.warnOn(otherSize, "not a folio of PMD size", folio)) {
            return VmFault.SIGBUS;
        }
        long entry = Entry.mkhuge(Entry.make(folio.pfn(), Vma.pageProt(vmf.vma.flags())));
        return insertPmd(vmf.vma, haddr(vmf), vmf.pmd(), folio, entry, write);
    }

    /// mm/huge_memory.c: insert_pmd().
    private int insertPmd(
            Vma vma, long addr, Word pmd, @Nullable Folio folio, long fresh, boolean write) {
        if (addr < vma.start() || addr >= vma.end()) {
            return VmFault.SIGBUS;
        }
        SpinLock ptl = kernel.ptLocks().pmdLock(vma.mm(), pmd);
        if (!Entry.none(pmd.readPlain())) {
            if (write) {
                upgrade(vma, addr, pmd, Entry.pfn(fresh));
            }
            ptl.unlock();
            return VmFault.NOPAGE;
        }
        if (folio != null) {
            folio.get();
            kernel.rmap().folioAddFileRmapPmd(folio);
        }
        long entry = fresh;
        if (write) {
            entry = WpFault.maybeMkwrite(Entry.mkyoung(Entry.mkdirty(entry)), vma);
        }
        kernel.entries().setPte(pmd, entry);
        ptl.unlock();
        return VmFault.NOPAGE;
    }

    private void upgrade(Vma vma, long addr, Word pmd, long pfn) {
        boolean other = Entry.pfn(pmd.readPlain()) != pfn;
        if (!kernel.warnOn(other, "a PMD that a write fault finds maps other memory")) {
            long entry = Entry.mkdirty(Entry.mkyoung(pmd.readPlain()));
            entry = WpFault.maybeMkwrite(entry, vma);
            kernel.pgtableGeneric().ptepSetAccessFlags(vma, addr, pmd, entry, true);
        }
    }
}
