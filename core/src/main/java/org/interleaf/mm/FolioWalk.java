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
    /// @param page the page at the address itself
    /// @param mapping the mapped PTE table; null above PTE level
    public record Found(
            int level, Word entry, Page page, SpinLock ptl, @Nullable PteMapping mapping) {}

    /// mm/pagewalk.c: folio_walk_start(). The page that is mapped at `addr`, which is in the VMA;
    /// null where there is none, or one that must not be looked at. The mmap lock is held.
    public @Nullable Found start(Vma vma, long addr) {
        kernel.mmapLock().assertLocked(vma.mm());
        if (vma.isHugetlb()) { // vma_pgtable_walk_begin()
            kernel.hugetlb().vmas().lockRead(vma);
        }
        Found found = startAtPgd(vma.mm(), addr);
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

    private @Nullable Found startAtPgd(MmStruct mm, long addr) {
        Word entry = kernel.pgtable().pgdOffset(mm, addr);
        for (int level = Geometry.PGD; level > Geometry.PUD; level--) {
            if (kernel.pgtable().noneOrClearBad(level, entry)) {
                return null;
            }
            entry = kernel.pgtable().offset(level - 1, entry, addr);
        }
        if (!geometry.folded(Geometry.PMD)) {
            long pud = entry.readOnce();
            if (Entry.none(pud)) {
                return null;
            }
            if (!Entry.present(pud) || Entry.leaf(pud)) {
                SpinLock ptl = ptLocks.pudLock(mm, entry);
                pud = entry.readOnce();
                if (!Entry.isTable(pud)) {
                    return leaf(Geometry.PUD, entry, pud, ptl, addr);
                }
                ptl.unlock();
            }
            entry = kernel.pgtable().offset(Geometry.PMD, entry, addr);
        }
        return startAtPmd(mm, entry, addr);
    }

    private @Nullable Found startAtPmd(MmStruct mm, Word pmdp, long addr) {
        long pmd = kernel.pgtableGeneric().pmdpGetLockless(pmdp);
        if (Entry.none(pmd)) {
            return null;
        }
        if (!Entry.present(pmd) || Entry.leaf(pmd)) {
            SpinLock ptl = ptLocks.pmdLock(mm, pmdp);
            pmd = pmdp.readOnce();
            if (!Entry.isTable(pmd)) {
                return leaf(Geometry.PMD, pmdp, pmd, ptl, addr);
            }
            ptl.unlock();
        }
        PteMapping mapping = kernel.pgtableGeneric().pteOffsetMapLock(mm, pmdp, addr);
        if (mapping == null) {
            return null;
        }
        long pte = mapping.pte().readOnce();
        if (!Entry.ptePresent(pte) || Entry.special(pte)) {
            mapping.unmapUnlock();
            return null;
        }
        Page page = kernel.memMap().page(Entry.pfn(pte));
        return new Found(Geometry.PTE, mapping.pte(), page, mapping.ptl(), mapping);
    }

    /// What `entry`, read as `value` under `ptl` and no table, maps at `addr`.
    private @Nullable Found leaf(int level, Word entry, long value, SpinLock ptl, long addr) {
        if (!Entry.present(value) || Entry.special(value)) {
            ptl.unlock();
            return null;
        }
        long offset = (addr & (geometry.size(level) - 1)) >> geometry.pageShift();
        return new Found(level, entry, kernel.memMap().page(Entry.pfn(value) + offset), ptl, null);
    }
}
