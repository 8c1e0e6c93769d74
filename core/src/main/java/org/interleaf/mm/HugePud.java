// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Memory of devices that PUDs map as a whole (mm/huge_memory.c). Anonymous memory never is.
///
/// # Locking
///
/// A huge PUD changes under the PUD lock, which is the process' `page_table_lock`. Nothing more is
/// needed to put one in or to take one out: faults do so under the lock of the VMA, zaps under the
/// lock of the VMA or that of the file. So somebody who has read a PUD without the lock knows
/// little. It can be none, then a leaf, then none, then a table within one walk:
///
/// | CPU 0 walks                | CPU 1 faults or zaps             |
/// |----------------------------|----------------------------------|
/// | pud = *pudp: a leaf        |                                  |
/// | split_huge_pud(): now none |                                  |
/// |                            | insert_pud(): a leaf again       |
/// | what it takes for a table  |                                  |
///
/// Splitting leaves nothing behind that could be walked: faults are to map the parts again.
public final class HugePud {
    private final Kernel kernel;
    private final Geometry geometry;
    private final PgtableGeneric pgtableGeneric;
    private final Rmap rmap;

    HugePud(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtableGeneric = kernel.pgtableGeneric();
        this.rmap = kernel.rmap();
    }

    // ---- locks and looks

    /// `pud_trans_huge()`. Never where the architecture has no huge PUDs outside of hugetlb.
    public boolean pudTransHuge(long pud) {
        return kernel.arch().thpPud() && Entry.leaf(pud);
    }

    /// The same of what is in `pud`; no access where the answer is known without.
    boolean pudTransHuge(Word pud) {
        return kernel.arch().thpPud() && pudTransHuge(pud.readPlain());
    }

    /// include/linux/huge_mm.h: pud_trans_huge_lock(). The PUD lock, held, where `pud` is huge;
    /// null where it is not, or no longer.
    public @Nullable SpinLock pudTransHugeLock(Word pud, Vma vma) {
        return pudTransHuge(pud) ? pudTransHugeLockSlow(pud, vma) : null;
    }

    /// mm/huge_memory.c: __pud_trans_huge_lock(). The same without the look before.
    public @Nullable SpinLock pudTransHugeLockSlow(Word pud, Vma vma) {
        SpinLock ptl = kernel.ptLocks().pudLock(vma.mm(), pud);
        if (pudTransHuge(pud.readPlain())) {
            return ptl;
        }
        ptl.unlock();
        return null;
    }

    private long haddr(long addr) {
        return addr & -geometry.size(Geometry.PUD);
    }

    private Folio pudFolio(long pud) {
        return kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pud)));
    }

    // ---- inserting

    /// mm/huge_memory.c: vmf_insert_pfn_pud(). Has a PUD map the memory from frame `pfn` on, which
    /// has no `struct page`s. `NOPAGE`, or `SIGBUS` beyond the VMA.
    int vmfInsertPfnPud(VmFault vmf, long pfn, boolean write) {
        kernel.vmInsert().checkPfnmap(vmf.vma);
        long entry = Entry.mkhuge(Entry.make(pfn, Vma.pageProt(vmf.vma.flags())));
        return insertPud(
                vmf.vma, haddr(vmf.address), vmf.pud(), null, Entry.mkspecial(entry), write);
    }

    /// mm/huge_memory.c: vmf_insert_folio_pud(). Has a PUD map a folio of its size. `NOPAGE`, or
    /// `SIGBUS` for a folio of another size or beyond the VMA.
    int vmfInsertFolioPud(VmFault vmf, Folio folio, boolean write) {
        int order = geometry.shift(Geometry.PUD) - geometry.pageShift();
        if (kernel.warnOn(folio.order() != order, "not a folio of PUD size", folio)) {
            return VmFault.SIGBUS;
        }
        long entry = Entry.mkhuge(Entry.make(folio.pfn(), Vma.pageProt(vmf.vma.flags())));
        return insertPud(vmf.vma, haddr(vmf.address), vmf.pud(), folio, entry, write);
    }

    /// mm/huge_memory.c: insert_pud(). Who finds that somebody else was faster leaves it at that:
    /// the access is made again. A write makes an entry of the same memory writable.
    private int insertPud(
            Vma vma, long addr, Word pud, @Nullable Folio folio, long fresh, boolean write) {
        if (addr < vma.start() || addr >= vma.end()) {
            return VmFault.SIGBUS;
        }
        SpinLock ptl = kernel.ptLocks().pudLock(vma.mm(), pud);
        if (!Entry.none(pud.readPlain())) {
            if (write) {
                upgrade(vma, addr, pud, Entry.pfn(fresh));
            }
            ptl.unlock();
            return VmFault.NOPAGE;
        }
        if (folio != null) {
            folio.get();
            rmap.folioAddFileRmapPud(folio);
        }
        long entry = fresh;
        if (write) {
            entry = WpFault.maybeMkwrite(Entry.mkyoung(Entry.mkdirty(entry)), vma);
        }
        kernel.entries().setPte(pud, entry);
        ptl.unlock();
        return VmFault.NOPAGE;
    }

    private void upgrade(Vma vma, long addr, Word pud, long pfn) {
        boolean other = Entry.pfn(pud.readPlain()) != pfn;
        if (!kernel.warnOn(other, "a PUD that a write fault finds maps other memory")) {
            long entry = Entry.mkdirty(Entry.mkyoung(pud.readPlain()));
            entry = WpFault.maybeMkwrite(entry, vma);
            pgtableGeneric.ptepSetAccessFlags(vma, addr, pud, entry, true);
        }
    }

    // ---- faults

    /// mm/huge_memory.c: huge_pud_set_accessed(). Marks the entry that the fault saw young, and
    /// dirty for a write, if it still is there.
    void hugePudSetAccessed(VmFault vmf, long origPud) {
        SpinLock ptl = kernel.ptLocks().pudLock(vmf.vma.mm(), vmf.pud());
        if (vmf.pud().readPlain() == origPud) {
            touchPud(vmf.vma, vmf.address, vmf.pud(), vmf.has(VmFault.FLAG_WRITE));
        }
        ptl.unlock();
    }

    /// mm/huge_memory.c: touch_pud(). The PUD lock is held.
    private void touchPud(Vma vma, long addr, Word pud, boolean write) {
        long entry = Entry.mkyoung(pud.readPlain());
        entry = write ? Entry.mkdirty(entry) : entry;
        pgtableGeneric.ptepSetAccessFlags(vma, haddr(addr), pud, entry, write);
    }

    // ---- fork and protection

    /// mm/huge_memory.c: copy_huge_pud(). Has the child map what the parent's huge PUD maps. 0, or
    /// -EAGAIN where the PUD is not huge any more. Nothing is counted: who maps memory that has
    /// folios is not copied at all, since faults will find them.
    int copyHugePud(Vma dst, Vma src, Word dstPud, Word srcPud) {
        SpinLock dstPtl = kernel.ptLocks().pudLock(dst.mm(), dstPud);
        SpinLock srcPtl = kernel.ptLocks().pudLockptr(src.mm(), srcPud);
        boolean nested = CopyPageRange.lockNested(srcPtl, dstPtl);
        long pud = srcPud.readPlain();
        boolean huge = pudTransHuge(pud);
        if (huge) {
            if (Vma.isCowMapping(src.flags()) && Entry.write(pud)) {
                srcPud.fetchAnd(~Entry.WRITE, Order.RELAXED); // pudp_set_wrprotect()
                pud = Entry.wrprotect(pud);
            }
            kernel.entries().setPte(dstPud, Entry.mkold(pud));
        }
        if (nested) {
            srcPtl.unlock();
        }
        dstPtl.unlock();
        return huge ? 0 : -Errno.EAGAIN;
    }

    /// mm/huge_memory.c: change_huge_pud(). A huge PUD gets another protection. It is never none
    /// meanwhile: somebody who zaps would take it for zapped. 0 where it is not huge any more, 1
    /// where it is left alone, else the number of its pages.
    int changeHugePud(Mprotect.Change change, Word pud, long addr) {
        if (change.has(Mprotect.MM_CP_PROT_NUMA)) {
            return 1; // device memory does not migrate
        }
        SpinLock ptl = pudTransHugeLockSlow(pud, change.vma());
        if (ptl == null) {
            return 0;
        }
        long old = pgtableGeneric.pudpInvalidate(change.vma(), addr, pud);
        kernel.entries().setPte(pud, Entry.modify(old, change.newprot()));
        change.tlb().removePudTlbEntry(addr); // tlb_flush_pud_range()
        ptl.unlock();
        return 1 << (geometry.shift(Geometry.PUD) - geometry.pageShift()); // HPAGE_PUD_NR
    }

    // ---- zapping

    /// mm/huge_memory.c: zap_huge_pud(). Unmaps a huge PUD as a whole and gives its folio to the
    /// gather. False where the PUD is not huge any more.
    boolean zapHugePud(MmuGather tlb, Vma vma, Word pud, long addr) {
        SpinLock ptl = pudTransHugeLockSlow(pud, vma);
        if (ptl == null) {
            return false;
        }
        long old = pud.xchg(0, Order.FULL);
        tlb.removePudTlbEntry(addr);
        if (vma.isSpecialHuge()) {
            ptl.unlock();
            return true;
        }
        Folio folio = pudFolio(old);
        rmap.folioRemoveRmapPud(folio);
        ptl.unlock();
        tlb.removeFolio(folio);
        return true;
    }

    // ---- splitting

    /// include/linux/huge_mm.h: split_huge_pud(). Takes the PUD out if it is huge. Afterwards it is
    /// none, unless somebody has put a leaf or a table in again; the caller must look.
    public void splitHugePud(Vma vma, Word pud, long addr) {
        if (pudTransHuge(pud)) {
            splitHugePudSlow(vma, pud, addr);
        }
    }

    /// mm/huge_memory.c: __split_huge_pud(). The same without the look before.
    public void splitHugePudSlow(Vma vma, Word pud, long addr) {
        if (!kernel.arch().thpPud()) {
            return;
        }
        long start = haddr(addr);
        long end = start + geometry.size(Geometry.PUD);
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, vma.mm(), start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        SpinLock ptl = kernel.ptLocks().pudLock(vma.mm(), pud);
        if (pudTransHuge(pud.readPlain())) {
            splitHugePudLocked(vma, pud, start);
        }
        ptl.unlock();
        kernel.mmuNotifier().invalidateRangeEnd(range);
    }

    /// mm/huge_memory.c: __split_huge_pud_locked(). The PUD lock is held.
    private void splitHugePudLocked(Vma vma, Word pud, long haddr) {
        long old = pgtableGeneric.pudpHugeClearFlush(vma, haddr, pud);
        if (!vma.isDax()) {
            return;
        }
        Folio folio = pudFolio(old);
        if (!folio.testFlag(Folio.PG_DIRTY) && Entry.dirty(old)) {
            kernel.swap().folioMarkDirty(folio);
        }
        if (!folio.testFlag(Folio.PG_REFERENCED) && Entry.young(old)) {
            folio.setFlag(Folio.PG_REFERENCED);
        }
        rmap.folioRemoveRmapPud(folio);
        kernel.swap().folioPut(folio);
    }
}
