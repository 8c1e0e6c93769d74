// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Transparent huge pages at PMD level (mm/huge_memory.c), of anonymous memory and of devices.
///
/// # Locking
///
/// A huge PMD changes under its PMD lock only. Whoever has seen one without the lock takes it and
/// looks again. While it is split the PMD goes from huge to *invalidated huge*, which the hardware
/// ignores but everybody else still takes for huge, and from there to a table that is already
/// filled: a lockless reader sees the one or the other and never a half-filled table.
public final class HugeMemory {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;
    private final PgtableGeneric pgtableGeneric;
    private final Pgtable pgtable;
    private final Rmap rmap;
    private final Thp thp;

    /// `/sys/kernel/mm/transparent_hugepage/enabled`.
    public enum Thp {
        ALWAYS,
        MADVISE,
        NEVER
    }

    HugeMemory(Kernel kernel, Thp thp) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
        this.pgtableGeneric = kernel.pgtableGeneric();
        this.pgtable = kernel.pgtable();
        this.rmap = kernel.rmap();
        this.thp = thp;
    }

    // ---- locks and looks

    /// include/linux/huge_mm.h: pmd_is_huge(): trans huge, or an entry that stands for a huge page
    /// that migrates.
    static boolean pmdIsHuge(long pmd) {
        return Entry.leaf(pmd) || Entry.isSoftleaf(pmd);
    }

    /// include/linux/huge_mm.h: pmd_trans_huge_lock(). The PMD lock, held, where `pmd` is huge;
    /// null where it is not, or no longer.
    public @Nullable SpinLock pmdTransHugeLock(Word pmd, Vma vma) {
        return pmdIsHuge(pmd.readPlain()) ? pmdTransHugeLockSlow(pmd, vma) : null;
    }

    /// mm/huge_memory.c: __pmd_trans_huge_lock(). The same without the look before.
    public @Nullable SpinLock pmdTransHugeLockSlow(Word pmd, Vma vma) {
        SpinLock ptl = kernel.ptLocks().pmdLock(vma.mm(), pmd);
        if (pmdIsHuge(pmd.readPlain())) {
            return ptl;
        }
        ptl.unlock();
        return null;
    }

    /// include/linux/huge_mm.h: thp_vma_allowable_order() for a fault: whether faults in the VMA
    /// may map huge entries of `level`. What a device maps does not depend on settings.
    boolean thpVmaAllowable(Vma vma, int level) {
        if (vma.isAnonymous()) {
            return level == Geometry.PMD && thpAnonAllowable(vma);
        }
        return kernel.arch().thp() && (vma.flags() & Vma.VM_NOHUGEPAGE) == 0;
    }

    /// include/linux/huge_mm.h: thp_vma_allowable_order(), at PMD order. Whether anonymous memory
    /// may be in huge pages; other memory that khugepaged could collapse there is none.
    public boolean thpAnonAllowable(Vma vma) {
        if (!kernel.arch().thp() || !vma.isAnonymous()) {
            return false;
        }
        long flags = vma.flags();
        if ((flags & Vma.VM_NOHUGEPAGE) != 0 || thp == Thp.NEVER) {
            return false;
        }
        return thp == Thp.ALWAYS || (flags & Vma.VM_HUGEPAGE) != 0;
    }

    /// include/linux/huge_mm.h: thp_vma_suitable_order(): whether the PMD range around `addr` is
    /// inside the VMA, and of a file as well aligned as in memory.
    public boolean thpVmaSuitable(Vma vma, long addr) {
        if (!vma.isAnonymous()) {
            long offset = (vma.start() >> geometry.pageShift()) - vma.pgoff();
            if ((offset & (geometry.hpagePmdNr() - 1)) != 0) {
                return false;
            }
        }
        long start = addr & -geometry.size(Geometry.PMD);
        return start >= vma.start() && start + geometry.size(Geometry.PMD) <= vma.end();
    }

    private long haddr(VmFault vmf) {
        return vmf.address & -geometry.size(Geometry.PMD);
    }

    // ---- faults

    /// mm/huge_memory.c: do_huge_pmd_anonymous_page(). A fault on a none PMD: maps a new huge page,
    /// or the huge zero page for a read. `FALLBACK` where a small page must do.
    public int doHugePmdAnonymousPage(VmFault vmf) {
        if (!thpVmaSuitable(vmf.vma, vmf.address)) {
            return VmFault.FALLBACK;
        }
        int ret = kernel.memory().vmfAnonPrepare(vmf);
        if (ret != 0) {
            return ret;
        }
        return vmf.has(VmFault.FLAG_WRITE) ? mapNewHugePage(vmf) : mapHugeZeroPage(vmf);
    }

    /// The read half of do_huge_pmd_anonymous_page().
    private int mapHugeZeroPage(VmFault vmf) {
        PageTable table = pgtable.pteAllocOne();
        if (table == null) {
            return VmFault.OOM;
        }
        Folio zeroFolio = kernel.hugeZeroFolio();
        if (zeroFolio == null) {
            pgtable.freePage(table);
            return VmFault.FALLBACK;
        }
        SpinLock ptl = kernel.ptLocks().pmdLock(vmf.vma.mm(), vmf.pmd());
        boolean none = Entry.none(vmf.pmd().readPlain());
        boolean missing = none && vmf.vma.userfaultfdMissing();
        if (none && !missing) {
            long zero = Entry.make(zeroFolio.pfn(), Entry.PRESENT | Entry.USER);
            pgtableGeneric.pgtableTransHugeDeposit(vmf.vma.mm(), vmf.pmd(), table);
            vmf.pmd().writeOnce(Entry.mkspecial(Entry.mkhuge(zero)));
            pgtable.incPgtables(vmf.vma.mm());
        }
        ptl.unlock();
        if (!none || missing) {
            pgtable.freePage(table);
        }
        return missing ? handleMissing(vmf) : 0;
    }

    /// The fault is for user space to handle: decided under the PMD lock, under which nothing was
    /// there.
    private int handleMissing(VmFault vmf) {
        return kernel.uffdFault()
                .handleUserfault(vmf.vma, vmf.address, vmf.flags, Vma.VM_UFFD_MISSING);
    }

    /// mm/huge_memory.c: __do_huge_pmd_anonymous_page().
    private int mapNewHugePage(VmFault vmf) {
        Folio folio = allocAnonThp();
        if (folio == null) {
            return VmFault.FALLBACK;
        }
        PageTable table = pgtable.pteAllocOne();
        if (table == null) {
            kernel.swap().folioPut(folio);
            return VmFault.OOM;
        }
        SpinLock ptl = kernel.ptLocks().pmdLock(vmf.vma.mm(), vmf.pmd());
        boolean none = Entry.none(vmf.pmd().readPlain());
        if (none && vmf.vma.userfaultfdMissing()) {
            ptl.unlock();
            kernel.swap().folioPut(folio);
            pgtable.freePage(table);
            return handleMissing(vmf);
        }
        if (none) {
            pgtableGeneric.pgtableTransHugeDeposit(vmf.vma.mm(), vmf.pmd(), table);
            mapAnonFolioPmd(folio, vmf.pmd(), vmf.vma, haddr(vmf));
            pgtable.incPgtables(vmf.vma.mm());
        }
        ptl.unlock();
        if (!none) {
            pgtable.freePage(table);
            kernel.swap().folioPut(folio);
        }
        return 0;
    }

    /// mm/huge_memory.c: vma_alloc_anon_folio_pmd(). A zeroed folio of PMD size; null where there
    /// is none.
    private @Nullable Folio allocAnonThp() {
        Folio folio = kernel.pageAlloc().folioAlloc(geometry.hpagePmdOrder());
        if (folio != null) {
            for (int i = 0; i < geometry.hpagePmdNr(); i++) {
                kernel.highmem().clearPage(folio.pfn() + i);
            }
            folio.markUptodate();
        }
        return folio;
    }

    /// mm/huge_memory.c: map_anon_folio_pmd(). Maps a folio that nobody else knows, writable where
    /// the VMA is. The PMD lock is held.
    public void mapAnonFolioPmd(Folio folio, Word pmd, Vma vma, long haddr) {
        long entry = Entry.make(folio.pfn(), Entry.PRESENT | Entry.USER | Entry.ACCESSED);
        entry = Entry.mkdirty(Entry.mkhuge(entry));
        if ((vma.flags() & Vma.VM_WRITE) != 0) {
            entry = Entry.mkwrite(entry);
        }
        rmap.folioAddNewAnonRmap(folio, vma, haddr);
        kernel.swap().folioAddLru(folio);
        pmd.writeOnce(entry);
    }

    /// mm/huge_memory.c: huge_pmd_set_accessed(). Marks the entry that the fault saw young, and
    /// dirty for a write. False where another entry is there by now, or nothing was to be changed.
    public boolean hugePmdSetAccessed(VmFault vmf) {
        SpinLock ptl = kernel.ptLocks().pmdLock(vmf.vma.mm(), vmf.pmd());
        boolean same = vmf.pmd().readPlain() == vmf.origPmd;
        boolean changed = same && touchPmd(vmf.pmd(), vmf.origPmd, vmf.has(VmFault.FLAG_WRITE));
        ptl.unlock();
        return changed;
    }

    /// mm/huge_memory.c: touch_pmd(). The PMD lock is held; the hardware may set bits meanwhile, so
    /// they are added and never overwritten.
    boolean touchPmd(Word pmd, long value, boolean write) {
        long bits = Entry.ACCESSED | (write ? Entry.DIRTY : 0);
        if ((value & bits) == bits) {
            return false;
        }
        pmd.fetchOr(bits, Order.RELAXED);
        return true;
    }

    /// mm/huge_memory.c: do_huge_pmd_wp_page(). A write to (or unsharing of) a PMD that is not
    /// writable: reuses the folio where it is the process' own, else splits and returns `FALLBACK`.
    public int doHugePmdWpPage(VmFault vmf) {
        SpinLock ptl = kernel.ptLocks().pmdLockptr(vmf.vma.mm(), vmf.pmd());
        if (kernel.isHugeZeroPfn(Entry.pfn(vmf.origPmd))) {
            return wpHugeZeroPage(vmf);
        }
        ptl.lock();
        if (vmf.pmd().readPlain() != vmf.origPmd) {
            ptl.unlock();
            return 0;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(vmf.origPmd)));
        if (folio.head().anonExclusive()) {
            return reuse(vmf, ptl);
        }
        if (!folio.lock().trylock()) {
            folio.get();
            ptl.unlock();
            folio.lock().lock();
            ptl.lock();
            boolean same = vmf.pmd().readPlain() == vmf.origPmd;
            if (!same) {
                ptl.unlock();
                folio.lock().unlock();
                kernel.swap().folioPut(folio);
                return 0;
            }
            kernel.swap().folioPut(folio);
        }
        if (folio.head().anonExclusive()) {
            folio.lock().unlock();
            return reuse(vmf, ptl);
        }
        if (folio.refCount() == 1) {
            folio.head().setAnonExclusive();
            folio.lock().unlock();
            return reuse(vmf, ptl);
        }
        folio.lock().unlock();
        ptl.unlock();
        splitHugePmd(vmf.vma, vmf.pmd(), vmf.address);
        return VmFault.FALLBACK;
    }

    private int reuse(VmFault vmf, SpinLock ptl) {
        if (!vmf.has(VmFault.FLAG_UNSHARE)) {
            vmf.pmd().fetchOr(Entry.ACCESSED | Entry.DIRTY | Entry.WRITE, Order.RELAXED);
        }
        ptl.unlock();
        return 0;
    }

    /// mm/huge_memory.c: do_huge_zero_wp_pmd(): a huge page of its own in place of the huge zero
    /// page; where there is none, the PMD is split.
    private int wpHugeZeroPage(VmFault vmf) {
        Folio folio = vmf.has(VmFault.FLAG_UNSHARE) ? null : allocAnonThp();
        if (folio == null) {
            splitHugePmd(vmf.vma, vmf.pmd(), vmf.address);
            return VmFault.FALLBACK;
        }
        MmuNotifierRange range = pmdRange(vmf.vma, vmf.address);
        kernel.mmuNotifier().invalidateRangeStart(range);
        SpinLock ptl = kernel.ptLocks().pmdLock(vmf.vma.mm(), vmf.pmd());
        boolean same = vmf.pmd().readPlain() == vmf.origPmd;
        if (same) {
            pgtableGeneric.pmdpHugeClearFlush(vmf.vma, haddr(vmf), vmf.pmd());
            mapAnonFolioPmd(folio, vmf.pmd(), vmf.vma, haddr(vmf));
        }
        // The folio is dropped under the lock, as it has a reference of nobody else's.
        if (!same) {
            kernel.swap().folioPut(folio);
        }
        ptl.unlock();
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return 0;
    }

    // ---- zapping

    /// mm/huge_memory.c: zap_huge_pmd(). Unmaps a huge PMD as a whole and gives its folio to the
    /// gather. False where the PMD is not huge any more: the caller looks again.
    public boolean zapHugePmd(MmuGather tlb, Vma vma, Word pmd, long addr) {
        SpinLock ptl = pmdTransHugeLockSlow(pmd, vma);
        if (ptl == null) {
            return false;
        }
        long old = pmd.xchg(0, Order.FULL);
        tlb.removePmdTlbEntry(addr);
        if (!vma.isAnonymous()) {
            Folio folio = zapHugePmdFile(old);
            ptl.unlock();
            if (folio != null) {
                tlb.removeFolio(folio);
            }
            return true;
        }
        Folio folio = null;
        if (Entry.isMigration(old)) {
            kernel.memMap().softleafToFolio(kernel, old);
        } else if (!kernel.isHugeZeroPfn(Entry.pfn(old))) {
            folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(old)));
            rmap.folioRemoveRmapPmd(folio);
            kernel.warnOn(rmap.folioMapcount(folio) < 0, "negative mapcount", folio);
        }
        PageTable table = pgtableGeneric.pgtableTransHugeWithdraw(vma.mm(), pmd);
        pgtable.freePage(table);
        pgtable.decPgtables(vma.mm());
        ptl.unlock();
        if (folio != null) {
            tlb.removeFolio(folio);
        }
        return true;
    }

    /// mm/huge_memory.c: zap_huge_pmd_folio(), of memory that is not anonymous and for which no
    /// table is deposited. The folio, or null where the entry has none.
    private @Nullable Folio zapHugePmdFile(long old) {
        if (Entry.special(old) || !Entry.present(old)) { // normal_or_softleaf_folio_pmd()
            return null;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(old)));
        rmap.folioRemoveRmapPmd(folio);
        if (Entry.dirty(old)) {
            kernel.swap().folioMarkDirty(folio);
        }
        if (Entry.young(old)) {
            kernel.swap().folioMarkAccessed(folio);
        }
        return folio;
    }

    // ---- splitting

    /// mm/huge_memory.c: __split_huge_pmd(). Has PTEs map what the huge PMD around `addr` maps; the
    /// folio stays as large as it was. Of other than anonymous memory the PMD is none afterwards.
    /// Nothing happens where the PMD is not huge. What is there afterwards the caller must look at.
    public void splitHugePmd(Vma vma, Word pmd, long addr) {
        MmuNotifierRange range = pmdRange(vma, addr);
        kernel.mmuNotifier().invalidateRangeStart(range);
        SpinLock ptl = kernel.ptLocks().pmdLock(vma.mm(), pmd);
        splitHugePmdLocked(vma, range.start(), pmd);
        ptl.unlock();
        kernel.mmuNotifier().invalidateRangeEnd(range);
    }

    /// What others are told of a change of the PMD around `addr`.
    private MmuNotifierRange pmdRange(Vma vma, long addr) {
        long size = geometry.size(Geometry.PMD);
        long start = addr & -size;
        return kernel.mmuNotifier().range(Event.CLEAR, vma.mm(), start, start + size);
    }

    /// mm/huge_memory.c: split_huge_pmd_locked(). The PMD lock is held.
    public void splitHugePmdLocked(Vma vma, long haddr, Word pmd) {
        splitHugePmdLocked(vma, haddr, pmd, false);
    }

    /// @param freeze to have migration entries instead of PTEs, unless the folio may be pinned
    void splitHugePmdLocked(Vma vma, long haddr, Word pmd, boolean freeze) {
        long value = pmd.readPlain();
        if (!pmdIsHuge(value)) {
            return;
        }
        if (!vma.isAnonymous()) {
            splitFilePmd(vma, haddr, pmd);
        } else if (kernel.isHugeZeroPfn(Entry.pfn(value))) {
            splitHugeZeroPagePmd(vma, haddr, pmd);
        } else if (Entry.isMigration(value)) {
            splitMigrationPmd(vma, haddr, pmd, value);
        } else {
            splitAnonPmd(vma, haddr, pmd, freeze);
        }
    }

    /// mm/huge_memory.c: __split_huge_pmd_locked(), for what faults can map again.
    private void splitFilePmd(Vma vma, long haddr, Word pmd) {
        long old = pgtableGeneric.pmdpHugeClearFlush(vma, haddr, pmd);
        if (vma.isSpecialHuge() || Entry.isMigration(old)) {
            return;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(old)));
        if (!folio.testFlag(Folio.PG_DIRTY) && Entry.dirty(old)) {
            kernel.swap().folioMarkDirty(folio);
        }
        if (!folio.testFlag(Folio.PG_REFERENCED) && Entry.young(old)) {
            folio.setFlag(Folio.PG_REFERENCED);
        }
        rmap.folioRemoveRmapPmd(folio);
        kernel.swap().folioPut(folio);
    }

    /// mm/huge_memory.c: __split_huge_zero_page_pmd(). Special PTEs that map the zero page.
    private void splitHugeZeroPagePmd(Vma vma, long haddr, Word pmd) {
        long old = pgtableGeneric.pmdpHugeClearFlush(vma, haddr, pmd);
        PageTable table = pgtableGeneric.pgtableTransHugeWithdraw(vma.mm(), pmd);
        for (int i = 0; i < geometry.hpagePmdNr(); i++) {
            long prot = Vma.pageProt(vma.flags()) & ~Entry.ACCESSED;
            long zero = Entry.mkspecial(Entry.make(kernel.zeroFolio().pfn(), prot));
            kernel.entries().setPte(table.entry(i), Entry.uffd(old) ? Entry.mkuffd(zero) : zero);
        }
        machine.fence(Fence.WMB);
        pgtable.populate(pmd, table);
    }

    /// mm/huge_memory.c: __split_huge_pmd_locked(), for a folio that migrates: nothing but the size
    /// of the entries changes.
    private void splitMigrationPmd(Vma vma, long haddr, Word pmd, long old) {
        kernel.memMap().softleafToPage(kernel, old);
        PageTable table = pgtableGeneric.pgtableTransHugeWithdraw(vma.mm(), pmd);
        fillDetached(table, haddr, old);
        machine.fence(Fence.WMB);
        pgtable.populate(pmd, table);
    }

    /// mm/huge_memory.c: __split_huge_pmd_locked(), for a present anonymous folio.
    private void splitAnonPmd(Vma vma, long haddr, Word pmd, boolean freeze) {
        // Never straight from huge to table: some CPUs must not hold TLB entries of both sizes for
        // one address. Invalidating also catches the accessed and dirty bits for good.
        long old = pgtableGeneric.pmdpInvalidate(vma, haddr, pmd);
        int nr = geometry.hpagePmdNr();
        Page page = kernel.memMap().page(Entry.pfn(old));
        Folio folio = kernel.memMap().pageFolio(page);
        if (Entry.dirty(old)) {
            folio.setFlag(Folio.PG_DIRTY);
        }
        boolean exclusive = page.anonExclusive();
        // Where the page may be pinned the PMD is split all the same, and the PTEs are mappings.
        boolean frozen =
                freeze && (!exclusive || rmap.folioTryShareAnonRmapPte(machine, folio, page));
        if (!frozen) {
            folio.refAdd(nr - 1);
            rmap.folioAddAnonRmapPtes(folio, page, nr, exclusive);
        }

        // Withdrawn only now: some architectures need the table while the huge entry is valid.
        PageTable table = pgtableGeneric.pgtableTransHugeWithdraw(vma.mm(), pmd);
        long keep = Entry.WRITE | Entry.ACCESSED | Entry.DIRTY | Entry.UFFD;
        long prot = Vma.pageProt(vma.flags()) & ~keep;
        long kind = TryToMigrate.kind(Entry.write(old), exclusive);
        fillDetached(
                table,
                haddr,
                frozen
                        ? Entry.softleaf(kind, page.pfn(), old)
                        : Entry.make(page.pfn(), prot | old & keep));
        rmap.folioRemoveRmapPmd(folio);
        if (frozen) {
            kernel.swap().folioPut(folio);
        }
        machine.fence(Fence.WMB);
        pgtable.populate(pmd, table);
    }

    /// Sets the entries of a table that only a local PMD leads to: the first to `first`, each other
    /// to the same for the page that follows.
    private void fillDetached(PageTable table, long haddr, long first) {
        PteMapping pte = pgtableGeneric.pteOffsetMapValue(Entry.table(table.pfn()), haddr);
        if (pte == null) {
            throw new AssertionError("[interleaf internal] a local PMD leads to no table");
        }
        int nr = geometry.hpagePmdNr();
        for (int i = 0; i < nr; i++) {
            kernel.warnOn(!Entry.none(pte.pte(i).readOnce()), "deposited table is not empty");
        }
        for (int i = 0; i < nr; i++) {
            kernel.entries().setPte(pte.pte(i), Entry.advancePfn(first, i));
        }
        pte.unmap();
    }
}
