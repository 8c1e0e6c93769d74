// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// Looking at what is mapped at one address, with its lock held (mm/pagewalk.c): the walk of
/// core-mm in its simplest form. It takes hugetlb pages as it finds them, at whatever level they
/// are.
public final class FolioWalk {
    private final Kernel kernel;
    private final Geometry geometry;
    private final PtLocks ptLocks;

    FolioWalk(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.ptLocks = kernel.ptLocks();
    }

    /// What was found: `struct folio_walk`. Its lock is held until {@link #end}.
    ///
    /// @param level level of the entry
    /// @param folio the folio that is mapped there
    /// @param page the page at the address itself; null for a zero page
    /// @param mapping the mapped PTE table; null above PTE level
    public record Found(
            int level,
            Word entry,
            Folio folio,
            @Nullable Page page,
            SpinLock ptl,
            @Nullable PteMapping mapping) {}

    /// mm/pagewalk.c: folio_walk_start(). The page that is mapped at `addr`, which is in the VMA;
    /// null where there is none, or one that must not be looked at. The mmap lock is held.
    ///
    /// @param zeropage whether zero pages are wanted as well: `FW_ZEROPAGE`
    public @Nullable Found start(Vma vma, long addr, boolean zeropage) {
        kernel.mmapLock().assertLocked(vma.mm());
        if (vma.isHugetlb()) { // vma_pgtable_walk_begin()
            kernel.hugetlb().vmas().lockRead(vma);
        }
        boolean outside = addr < vma.start() || addr >= vma.end();
        kernel.warnOn(outside, "folio_walk_start outside of the VMA");
        Found found = outside ? null : startAtPgd(vma.mm(), addr, zeropage);
        if (found == null && vma.isHugetlb()) {
            kernel.hugetlb().vmas().unlockRead(vma);
        }
        return found;
    }

    /// include/linux/pagewalk.h: folio_walk_end(). The folio may go away after it.
    public void end(Found found, Vma vma) {
        found.ptl.unlock();
        if (found.mapping != null) {
            found.mapping.unmap();
        }
        if (vma.isHugetlb()) { // vma_pgtable_walk_end()
            kernel.hugetlb().vmas().unlockRead(vma);
        }
    }

    private @Nullable Found startAtPgd(MmStruct mm, long addr, boolean zeropage) {
        Word entry = kernel.pgtable().pgdOffset(mm, addr);
        for (int level = Geometry.PGD; level > Geometry.PUD; level--) {
            if (kernel.pgtable().noneOrClearBad(level, entry)) {
                return null;
            }
            entry = kernel.pgtable().offset(level - 1, entry, addr);
        }
        long pud = entry.readOnce();
        boolean table = geometry.folded(Geometry.PMD) || Entry.isTable(pud);
        if (!table) {
            if (Entry.none(pud)) {
                return null;
            }
            SpinLock ptl = ptLocks.pudLock(mm, entry);
            pud = entry.readOnce();
            if (!Entry.isTable(pud)) {
                return leaf(Geometry.PUD, entry, pud, ptl, addr, zeropage);
            }
            ptl.unlock();
        }
        return startAtPmd(mm, kernel.pgtable().offset(Geometry.PMD, entry, addr), addr, zeropage);
    }

    private @Nullable Found startAtPmd(MmStruct mm, Word pmdp, long addr, boolean zeropage) {
        long pmd = kernel.pgtableGeneric().pmdpGetLockless(pmdp);
        if (Entry.none(pmd)) {
            return null;
        }
        if (!Entry.present(pmd) || Entry.leaf(pmd)) {
            SpinLock ptl = ptLocks.pmdLock(mm, pmdp);
            pmd = pmdp.readOnce();
            if (!Entry.isTable(pmd)) {
                return leaf(Geometry.PMD, pmdp, pmd, ptl, addr, zeropage);
            }
            ptl.unlock();
        }
        PteMapping mapping = kernel.pgtableGeneric().pteOffsetMapLock(mm, pmdp, addr);
        if (mapping == null) {
            return null;
        }
        long pte = mapping.pte().readOnce();
        boolean zero = zeropage && kernel.isZeroPfn(Entry.pfn(pte));
        if (!Entry.ptePresent(pte) || Entry.special(pte) && !zero) {
            mapping.unmapUnlock();
            return null;
        }
        return found(Geometry.PTE, mapping.pte(), pte, mapping.ptl(), addr, mapping);
    }

    /// What `entry`, read as `value` under `ptl` and no table, maps at `addr`. There is no huge
    /// zero page at PUD level.
    private @Nullable Found leaf(
            int level, Word entry, long value, SpinLock ptl, long addr, boolean zeropage) {
        boolean zero = zeropage && level == Geometry.PMD && kernel.isHugeZeroPfn(Entry.pfn(value));
        if (!Entry.present(value) || Entry.special(value) && !zero) {
            ptl.unlock();
            return null;
        }
        return found(level, entry, value, ptl, addr, null);
    }

    private Found found(
            int level,
            Word entry,
            long value,
            SpinLock ptl,
            long addr,
            @Nullable PteMapping mapping) {
        long offset = (addr & (geometry.size(level) - 1)) >> geometry.pageShift();
        Page first = kernel.memMap().page(Entry.pfn(value));
        Page page = Entry.special(value) ? null : kernel.memMap().page(first.pfn() + offset);
        return new Found(level, entry, kernel.memMap().pageFolio(first), page, ptl, mapping);
    }
}
