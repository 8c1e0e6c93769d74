// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

import java.util.List;

/// Freeing the page tables of unmapped ranges (the first part of mm/memory.c).
///
/// # Locking
///
/// None of the page tables': nobody can find the VMAs any more, their pages are unmapped, and they
/// are hidden from rmap before the first table is unhooked. Walkers without locks are why tables go
/// through the gather.
final class FreePgtables {
    private final Kernel kernel;
    private final Geometry geometry;
    private final Pgtable pgtable;

    FreePgtables(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
    }

    /// mm/memory.c: free_pgtables(). Hides the detached VMAs from rmap and frees the tables below
    /// them that no VMA outside of `[floor, ceiling)` uses; a ceiling of 0 is the top of the
    /// address space.
    ///
    /// @param mmWrLocked whether the mmap lock is still held for writing
    void freePgtables(MmuGather tlb, List<Vma> vmas, long floor, long ceiling, boolean mmWrLocked) {
        int i = 0;
        while (i < vmas.size()) {
            Vma vma = vmas.get(i++);
            long addr = vma.start();
            hideFromRmap(vma, mmWrLocked);
            // VMAs that are near each other are done together.
            while (i < vmas.size()
                    && vmas.get(i).start() <= vma.end() + geometry.size(Geometry.PMD)) {
                vma = vmas.get(i++);
                hideFromRmap(vma, mmWrLocked);
            }
            long limit = i < vmas.size() ? vmas.get(i).start() : ceiling;
            freePgdRange(tlb, addr, vma.end(), floor, limit);
        }
    }

    private void hideFromRmap(Vma vma, boolean mmWrLocked) {
        if (mmWrLocked) {
            kernel.vmaLock().vmaStartWrite(vma);
        }
        kernel.anonVmas().unlinkAnonVmas(vma);
        if (!vma.isAnonymous()) {
            kernel.mappingRmap().unlinkFileVma(vma);
        }
    }

    /// mm/memory.c: free_pgd_range(). Frees the tables of `[first, last)` that no address outside
    /// of `[floor, ceiling)` needs. Addresses are compared as unsigned numbers minus one, so that 0
    /// can be the top of the address space.
    void freePgdRange(MmuGather tlb, long first, long last, long floor, long ceiling) {
        long pmdSize = geometry.size(Geometry.PMD);
        long addr = first & -pmdSize;
        if (Long.compareUnsigned(addr, floor) < 0) {
            addr += pmdSize;
            if (addr == 0) {
                return;
            }
        }
        long top = ceiling & -pmdSize;
        if (ceiling != 0 && top == 0) {
            return;
        }
        long end = Long.compareUnsigned(last - 1, top - 1) > 0 ? last - pmdSize : last;
        if (Long.compareUnsigned(addr, end - 1) > 0) {
            return;
        }
        do {
            long next = geometry.addrEnd(Geometry.PGD, addr, end);
            Word pgd = pgtable.pgdOffset(tlb.mm(), addr);
            if (!pgtable.noneOrClearBad(Geometry.PGD, pgd)) {
                freeP4dRange(tlb, pgd, addr, next, floor, top);
            }
            addr = next;
        } while (addr != end);
    }

    /// mm/memory.c: free_p4d_range().
    private void freeP4dRange(
            MmuGather tlb, Word pgd, long start, long end, long floor, long ceiling) {
        long addr = start;
        Word p4d = pgtable.offset(Geometry.P4D, pgd, addr);
        do {
            long next = geometry.addrEnd(Geometry.P4D, addr, end);
            if (!pgtable.noneOrClearBad(Geometry.P4D, p4d)) {
                freePudRange(tlb, p4d, addr, next, floor, ceiling);
            }
            addr = next;
            p4d = pgtable.sameTable(Geometry.P4D, p4d, addr);
        } while (addr != end);
        freeTable(tlb, Geometry.P4D, pgd, start, end, floor, ceiling);
    }

    /// mm/memory.c: free_pud_range().
    private void freePudRange(
            MmuGather tlb, Word p4d, long start, long end, long floor, long ceiling) {
        long addr = start;
        Word pud = pgtable.offset(Geometry.PUD, p4d, addr);
        do {
            long next = geometry.addrEnd(Geometry.PUD, addr, end);
            if (!pgtable.noneOrClearBad(Geometry.PUD, pud)) {
                freePmdRange(tlb, pud, addr, next, floor, ceiling);
            }
            addr = next;
            pud = pgtable.sameTable(Geometry.PUD, pud, addr);
        } while (addr != end);
        freeTable(tlb, Geometry.PUD, p4d, start, end, floor, ceiling);
    }

    /// mm/memory.c: free_pmd_range().
    private void freePmdRange(
            MmuGather tlb, Word pud, long start, long end, long floor, long ceiling) {
        long addr = start;
        Word pmd = pgtable.offset(Geometry.PMD, pud, addr);
        do {
            long next = geometry.addrEnd(Geometry.PMD, addr, end);
            if (!pgtable.noneOrClearBad(Geometry.PMD, pmd)) {
                freePteRange(tlb, pmd, addr);
            }
            addr = next;
            pmd = pgtable.sameTable(Geometry.PMD, pmd, addr);
        } while (addr != end);
        freeTable(tlb, Geometry.PMD, pud, start, end, floor, ceiling);
    }

    /// mm/memory.c: free_pte_range().
    private void freePteRange(MmuGather tlb, Word pmd, long addr) {
        PageTable token = kernel.memMap().table(Entry.pfn(pmd.readPlain()));
        kernel.entries().clear(pmd);
        tlb.pteFreeTlb(token, addr);
        pgtable.decPgtables(tlb.mm());
    }

    /// The ends of free_pmd_range(), free_pud_range() and free_p4d_range(): the table of `level`
    /// below `upper`, from which `[from, end)` has been removed, goes if floor and ceiling leave
    /// nobody else in its range.
    private void freeTable(
            MmuGather tlb, int level, Word upper, long from, long end, long floor, long ceiling) {
        long upperMask = -geometry.size(level + 1);
        long start = from & upperMask;
        if (geometry.folded(level) || Long.compareUnsigned(start, floor) < 0) {
            return;
        }
        long top = ceiling & upperMask;
        if ((ceiling != 0 && top == 0) || Long.compareUnsigned(end - 1, top - 1) > 0) {
            return;
        }
        PageTable table = PageTable.of(pgtable.offset(level, upper, start));
        upper.writeOnce(0);
        tlb.tableFreeTlb(table, start);
        if (level < Geometry.P4D) {
            pgtable.decPgtables(tlb.mm());
        }
    }
}
