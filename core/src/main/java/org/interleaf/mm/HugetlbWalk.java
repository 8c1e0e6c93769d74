// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.Architecture.Feature;
import org.jspecify.annotations.Nullable;

/// Finding the entry that maps a huge page (mm/hugetlb.c, arch/arm64/mm/hugetlbpage.c). A page that
/// takes several entries is known by its first.
///
/// # Locking
///
/// An entry of a private mapping stays where it is while the mmap lock is held. A mapping that may
/// be shared can lose a PMD table at any time that it shares, see {@link HugetlbPmdShare}: so its
/// hugetlb lock, too, is held from finding an entry to the last use of it; or `i_mmap_rwsem`, under
/// which the table may be lost but does not go away.
final class HugetlbWalk {
    private final Kernel kernel;
    private final Geometry geometry;
    private final Pgtable pgtable;
    private final boolean allocReads;
    private final boolean offsetReads;

    HugetlbWalk(Kernel kernel) {
        this.kernel = kernel;
        this.allocReads = kernel.arch().architecture().has(Feature.HUGE_ALLOC_READS);
        this.offsetReads = kernel.arch().architecture().has(Feature.HUGE_OFFSET_READS);
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
    }

    /// mm/hugetlb.c: huge_pte_alloc(). The entry for the huge page at `addr`, with the tables above
    /// it made; null where memory is out.
    @Nullable Word pteAlloc(Vma vma, Hstate h, long addr) {
        Word ptep = alloc(vma, h, addr);
        if (ptep != null && allocReads) {
            long pte = ptep.readOnce(); // ptep_get_lockless()
            boolean table = h.level() > Geometry.PTE && Entry.isTable(pte);
            kernel.bugOn(table, "huge_pte_alloc: a table where a huge page should be");
        }
        return ptep;
    }

    private @Nullable Word alloc(Vma vma, Hstate h, long addr) {
        MmStruct mm = vma.mm();
        Word pud = pgtable.alloc(Geometry.PUD, mm, addr);
        if (pud == null || h.level() == Geometry.PUD) {
            return pud;
        }
        HugetlbPmdShare pmdShare = kernel.hugetlb().pmdShare();
        if (h.isPmdSize() && pmdShare.wanted(vma, addr) && Entry.none(pud.readOnce())) {
            return pmdShare.share(vma, addr, pud);
        }
        Word pmd = pgtable.allocBelow(Geometry.PMD, mm, pud, addr);
        if (pmd == null || h.level() == Geometry.PMD) {
            return pmd;
        }
        if (!pgtable.pteAlloc(mm, pmd)) { // pte_alloc_huge()
            return null;
        }
        if (h.leaf().tables() > 1) {
            return allocTables(mm, h, pmd);
        }
        return pteOffsetHuge(pmd.readPlain(), addr);
    }

    /// arch/powerpc/mm/hugetlbpage.c: huge_pte_alloc(), for a page whose entries are in several PTE
    /// tables: it is known by the PMD entry that leads to the first.
    private @Nullable Word allocTables(MmStruct mm, Hstate h, Word pmd) {
        for (int i = 1; i < h.leaf().tables(); i++) {
            if (!pgtable.pteAlloc(mm, PageTable.plus(pmd, i))) {
                return null;
            }
        }
        return pmd;
    }

    /// include/linux/hugetlb.h: pte_offset_huge(). Unlike pte_offset_map() it does not ask whether
    /// the table may go away: those of hugetlb VMAs stay.
    private Word pteOffsetHuge(long pmd, long addr) {
        return kernel.memMap().table(Entry.pfn(pmd)).entry(geometry.index(Geometry.PTE, addr));
    }

    /// mm/hugetlb.c, arch/arm64/mm/hugetlbpage.c: huge_pte_offset(). The entry for the huge page at
    /// `addr`, whatever it holds; null where the tables do not go that far down.
    @Nullable Word pteOffset(MmStruct mm, Hstate h, long addr) {
        Word entry = pgtable.pgdOffset(mm, addr);
        for (int level = Geometry.P4D; level >= Geometry.PUD; level--) {
            if (!geometry.folded(level)) {
                if (!Entry.present(entry.readOnce())) {
                    return null;
                }
                entry = pgtable.offset(level, entry, addr);
            }
        }
        if (h.level() < Geometry.PUD) {
            return offsetBelowPud(h, entry, addr);
        }
        return offsetReads && Entry.isTable(entry.readOnce()) ? null : entry;
    }

    private @Nullable Word offsetBelowPud(Hstate h, Word pud, long addr) {
        Word pmd = pud;
        if (!geometry.folded(Geometry.PMD)) {
            long value = pud.readOnce();
            if (!Entry.isTable(value)) {
                return Entry.none(value) ? null : pud;
            }
            pmd = pgtable.offset(Geometry.PMD, pud, addr);
        }
        if (h.level() == Geometry.PMD) {
            return offsetReads && Entry.isTable(pmd.readOnce()) ? null : pmd;
        }
        long value = pmd.readOnce();
        if (!Entry.isTable(value)) {
            return Entry.none(value) ? null : pmd;
        }
        return h.leaf().tables() > 1 ? pmd : pteOffsetHuge(value, addr);
    }

    /// include/linux/hugetlb.h: hugetlb_walk(). As {@link #pteOffset}, for a VMA, of which the
    /// caller must hold the hugetlb lock or `i_mmap_rwsem`.
    @Nullable Word walk(Vma vma, Hstate h, long addr) {
        HugetlbVmas vmas = kernel.hugetlb().vmas();
        if (vmas.peekSharedAndUnlocked(vma) && !vma.inode().mmapRwsem().held()) {
            kernel.warnOn(true, "hugetlb_walk without the hugetlb lock or i_mmap_rwsem", vma);
        }
        return pteOffset(vma.mm(), h, addr);
    }

    /// include/linux/hugetlb.h: huge_pte_lock(). Takes the lock of the entry; it must be read again
    /// after.
    SpinLock lock(MmStruct mm, Hstate h, Word ptep) {
        return kernel.ptLocks().hugePteLock(h.size(), mm, ptep);
    }

    /// mm/hugetlb.c: hugetlb_mask_last_page(). Bits that, set in an address, make it that of the
    /// last huge page of the table; 0 where nothing can be skipped.
    long maskLastPage(Hstate h) {
        long size = h.size();
        if (h.level() == Geometry.PUD) {
            return geometry.size(Geometry.P4D) - size;
        }
        return h.leaf().tables() > 1 ? 0 : geometry.size(h.level() + 1) - size;
    }
}
