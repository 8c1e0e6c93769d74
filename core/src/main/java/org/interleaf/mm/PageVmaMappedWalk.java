// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Finding where a VMA maps the pages of a folio (mm/page_vma_mapped.c): one walk, of one task.
/// Each call of {@link #walk} goes on to the next entry.
///
/// # Locking
///
/// Whoever walks has the rmap lock of the folio, or the mmap lock: page tables stay. Entries change
/// until their lock is held, so what was seen before is looked at again under it. Where the walk
/// may miss mappings that just go, it reads entries without the lock of their table at first; with
/// {@link #SYNC} it takes each lock that it comes by, and so waits for those who unmap.
///
/// Huge PUDs, and memory of devices that the CPU cannot reach, are not looked for.
public final class PageVmaMappedWalk {
    /// `PVMW_SYNC`.
    public static final int SYNC = 1;

    /// `PVMW_MIGRATION`: look for migration entries, not for mappings.
    public static final int MIGRATION = 1 << 1;

    /// `PVMW_PGTABLE_CROSSED`: the walk has come from one PTE table to another.
    public static final int PGTABLE_CROSSED = 1 << 2;

    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;
    private final long pfn;
    private final long nrPages;
    private final long pgoff;
    private final Vma vma;

    private int flags;
    private long address;
    private @Nullable Word pmd;
    private long pmde;
    private @Nullable Word pte;

    /// The PTE table that `pte` is in; null for hugetlb.
    private @Nullable PteMapping mapping;

    /// The lock that is held.
    private @Nullable SpinLock ptl;

    private @Nullable Rounds retries;

    /// Where the last retry was.
    private long retried = -1;

    /// Where the walk goes on.
    private enum Next {
        RESTART,
        /// The same, if the end has not been reached.
        STEPPED,
        THIS_PTE,
        NEXT_PTE,
        NEXT_PMD,
        FOUND,
        NOT_FOUND
    }

    private PageVmaMappedWalk(
            Kernel kernel, long pfn, long nr, long pgoff, Vma vma, long address, int flags) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
        this.pfn = pfn;
        this.nrPages = nr;
        this.pgoff = pgoff;
        this.vma = vma;
        this.address = address;
        this.flags = flags;
    }

    /// include/linux/rmap.h: DEFINE_FOLIO_VMA_WALK(). A walk for all pages of `folio`.
    ///
    /// @param address where the VMA has the first page of the folio that it can map
    static PageVmaMappedWalk ofFolio(Kernel kernel, Folio folio, Vma vma, long address, int flags) {
        long nr = folio.nrPages();
        long pgoff = folio.index.readPlain();
        return new PageVmaMappedWalk(kernel, folio.pfn(), nr, pgoff, vma, address, flags);
    }

    /// A walk for a single page, which the VMA can map at `address` only.
    static PageVmaMappedWalk ofPage(Kernel kernel, Page page, Vma vma, long address, int flags) {
        return new PageVmaMappedWalk(kernel, page.pfn(), 1, 0, vma, address, flags);
    }

    // ---- what was found

    /// The address of the entry that was found.
    public long address() {
        return address;
    }

    /// The PTE that was found, or the entry of a huge page of hugetlb; null where a PMD maps the
    /// folio.
    public @Nullable Word pte() {
        return pte;
    }

    /// The PMD that was found, or that leads to the PTE; null for hugetlb.
    public @Nullable Word pmd() {
        return pmd;
    }

    /// Whether the walk has come from one PTE table to another.
    public boolean pgtableCrossed() {
        return (flags & PGTABLE_CROSSED) != 0;
    }

    // ---- the walk

    /// mm/page_vma_mapped.c: page_vma_mapped_walk(). Goes to the next entry: where there is one, it
    /// is locked and tells of the folio; where there is none, nothing is locked and the walk is
    /// over. {@link #done} ends it before.
    public boolean walk() {
        if (pmd != null && pte == null) {
            return notFound(); // A folio has but one PMD.
        }
        if (vma.isHugetlb()) {
            return walkHugetlb();
        }
        long end = vmaAddressEnd();
        Next next = pte == null ? Next.RESTART : Next.NEXT_PTE;
        while (true) {
            next =
                    switch (next) {
                        case RESTART -> restart();
                        case STEPPED -> address < end ? restart() : Next.NOT_FOUND;
                        case THIS_PTE -> checkPte(1) ? Next.FOUND : Next.NEXT_PTE;
                        case NEXT_PTE -> nextPte(end);
                        case NEXT_PMD -> nextPmd();
                        case FOUND, NOT_FOUND -> next;
                    };
            if (next == Next.FOUND) {
                return true;
            }
            if (next == Next.NOT_FOUND) {
                return notFound();
            }
        }
    }

    /// mm/page_vma_mapped.c: not_found().
    private boolean notFound() {
        done();
        return false;
    }

    /// include/linux/rmap.h: page_vma_mapped_walk_done(). Gives up what the walk holds.
    public void done() {
        if (mapping != null) {
            mapping.unmap();
            mapping = null;
        }
        if (ptl != null) {
            ptl.unlock();
            ptl = null;
        }
    }

    /// include/linux/rmap.h: page_vma_mapped_walk_restart(). The PMD that was found has changed:
    /// the next call of {@link #walk} begins with it again.
    void walkRestart() {
        SpinLock held = Objects.requireNonNull(ptl);
        held.unlock();
        ptl = null;
        pmd = null;
    }

    /// mm/internal.h: vma_address_end().
    long vmaAddressEnd() {
        if (nrPages == 1) {
            return address + geometry.pageSize();
        }
        long start = vma.start();
        long end = start + ((pgoff + nrPages - vma.pgoff()) << geometry.pageShift());
        long vmaEnd = vma.end();
        return end < start || end > vmaEnd ? vmaEnd : end;
    }

    private boolean walkHugetlb() {
        Hstate h = HugetlbVmas.hstate(vma);
        if (pte != null) {
            return notFound();
        }
        Word found = kernel.hugetlb().walk().walk(vma, h, address);
        if (found == null) {
            return false;
        }
        pte = found;
        ptl = kernel.hugetlb().walk().lock(vma.mm(), h, found);
        return checkPte(h.pages()) || notFound();
    }

    private Next stepForward(int level) {
        long size = geometry.size(level);
        address = (address + size) & -size;
        return Next.STEPPED;
    }

    /// From the label `restart` of page_vma_mapped_walk() to the first PTE.
    private Next restart() {
        Word entry = kernel.pgtable().pgdOffset(vma.mm(), address);
        for (int level = Geometry.PGD; level > Geometry.PMD; level--) {
            if (!geometry.folded(level - 1) && !Entry.present(entry.readPlain())) {
                return stepForward(level);
            }
            entry = kernel.pgtable().offset(level - 1, entry, address);
        }
        pmd = entry;
        pmde = kernel.pgtableGeneric().pmdpGetLockless(entry);
        if (HugeMemory.pmdIsHuge(pmde)) {
            Next next = hugePmd(entry);
            if (next != null) {
                return next;
            }
        } else if (!Entry.present(pmde)) {
            if ((flags & SYNC) != 0
                    && kernel.hugeMemory().thpVmaSuitable(vma, address)
                    && nrPages >= geometry.hpagePmdNr()) {
                kernel.ptLocks().pmdLock(vma.mm(), entry).unlock(); // sync_with_folio_pmd_zap()
            }
            return Next.NEXT_PMD;
        }
        if (mapPte(entry)) {
            return Next.THIS_PTE;
        }
        if (pte != null) {
            return Next.NEXT_PTE;
        }
        kernel.entries().settle(entry);
        if (address != retried) {
            machine.hasEffect(); // the walk has gone on
        }
        retried = address;
        retries = machine.retry(retries, "page_vma_mapped_walk");
        return Next.RESTART;
    }

    /// A PMD that was huge without the lock; null where it is a table by now.
    private @Nullable Next hugePmd(Word pmdp) {
        ptl = kernel.ptLocks().pmdLock(vma.mm(), pmdp);
        pmde = pmdp.readPlain();
        if (Entry.isMigration(pmde)) {
            boolean hit = (flags & MIGRATION) != 0 && overlaps(Entry.pfn(pmde), pmdPages());
            return hit ? Next.FOUND : Next.NEXT_PMD;
        }
        if (!Entry.present(pmde)) {
            return Next.NEXT_PMD;
        }
        if (Entry.leaf(pmde)) {
            boolean hit = (flags & MIGRATION) == 0 && overlaps(Entry.pfn(pmde), pmdPages());
            return hit ? Next.FOUND : Next.NEXT_PMD;
        }
        ptl.unlock();
        ptl = null;
        return null;
    }

    private int pmdPages() {
        return geometry.hpagePmdNr();
    }

    /// mm/page_vma_mapped.c: map_pte(). Whether the PTE of the address is mapped and locked and
    /// worth a look; where it is only mapped it is not. Without a table it is not mapped.
    private boolean mapPte(Word pmdp) {
        if ((flags & SYNC) != 0) {
            mapping = kernel.pgtableGeneric().pteOffsetMapLock(vma.mm(), pmdp, address);
            pte = mapping == null ? null : mapping.pte();
            ptl = mapping == null ? null : mapping.ptl();
            return mapping != null;
        }
        Rounds again = null;
        while (true) {
            mapping = kernel.pgtableGeneric().pteOffsetMapNolock(vma.mm(), pmdp, address);
            if (mapping == null) {
                pte = null;
                return false;
            }
            pmde = mapping.pmdValue();
            pte = mapping.pte();
            long value = kernel.entries().getLockless(pte);
            boolean migration = (flags & MIGRATION) != 0;
            // Neither none nor of the kind that nobody looks for.
            if (Entry.none(value) || Entry.ptePresent(value) == migration) {
                return false;
            }
            if (lockSamePmd(pmdp)) {
                return true;
            }
            again = machine.retry(again, "map_pte");
        }
    }

    /// Takes the lock of the mapped table, if the PMD still leads there; else the table is not
    /// mapped any more.
    private boolean lockSamePmd(Word pmdp) {
        PteMapping table = Objects.requireNonNull(mapping);
        table.ptl().lock();
        if (kernel.pgtableGeneric().pmdpGetLockless(pmdp) == pmde) {
            ptl = table.ptl();
            return true;
        }
        table.unmapUnlock();
        mapping = null;
        pte = null;
        return false;
    }

    /// mm/page_vma_mapped.c: check_pte(). Whether the entry, which maps `nr` pages, tells of a page
    /// that is looked for. Its lock is held.
    private boolean checkPte(int nr) {
        Word ptep = Objects.requireNonNull(pte);
        long value =
                vma.isHugetlb()
                        ? kernel.hugetlb().pte().get(HugetlbVmas.hstate(vma), ptep)
                        : ptep.readOnce();
        boolean kind =
                (flags & MIGRATION) != 0 ? Entry.isMigration(value) : Entry.ptePresent(value);
        return kind && overlaps(Entry.pfn(value), nr);
    }

    private boolean overlaps(long first, int nr) {
        return first + nr - 1 >= pfn && first <= pfn + nrPages - 1;
    }

    private Next nextPte(long end) {
        PteMapping table = Objects.requireNonNull(mapping);
        Word next;
        long value;
        do {
            address += geometry.pageSize();
            if (address >= end) {
                return Next.NOT_FOUND;
            }
            if ((address & (geometry.size(Geometry.PMD) - geometry.pageSize())) == 0) {
                return crossTable(table);
            }
            next = PageTable.plus(Objects.requireNonNull(pte), 1);
            pte = next;
            value = ptl == null ? kernel.entries().getLockless(next) : next.readOnce();
        } while (Entry.none(value));
        return ptl != null || lockSamePmd(Objects.requireNonNull(pmd))
                ? Next.THIS_PTE
                : Next.RESTART;
    }

    private Next crossTable(PteMapping table) {
        if (ptl != null) {
            ptl.unlock();
            ptl = null;
        }
        table.unmap();
        mapping = null;
        pte = null;
        flags |= PGTABLE_CROSSED;
        return Next.RESTART;
    }

    /// A large folio can be mapped by PTEs below several PMDs: one that does not match is not the
    /// end.
    private Next nextPmd() {
        if (ptl != null) {
            ptl.unlock();
            ptl = null;
        }
        pmd = null;
        return stepForward(Geometry.PMD);
    }

    /// mm/page_vma_mapped.c: page_mapped_in_vma(). Where the VMA maps `page`, which is the one at
    /// `address` of what it maps; -EFAULT where it does not.
    public static long pageMappedInVma(Kernel kernel, Page page, Vma vma) {
        Folio folio = kernel.memMap().pageFolio(page);
        long pgoff = folio.index.readPlain() + page.pfn() - folio.pfn();
        long start = vma.start();
        long addr = start + ((pgoff - vma.pgoff()) << kernel.geometry().pageShift());
        if (addr < start || addr >= vma.end()) {
            return -Errno.EFAULT;
        }
        PageVmaMappedWalk pvmw = ofPage(kernel, page, vma, addr, SYNC);
        if (!pvmw.walk()) {
            return -Errno.EFAULT;
        }
        pvmw.done();
        return pvmw.address();
    }
}
