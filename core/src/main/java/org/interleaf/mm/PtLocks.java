// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// Which lock protects which entry (include/linux/mm.h, include/linux/hugetlb.h). Where locks are
/// not split, all of a process' entries are under `mm->page_table_lock`.
public final class PtLocks {
    private final Arch arch;
    private final MemMap memMap;

    PtLocks(Arch arch, MemMap memMap) {
        this.arch = arch;
        this.memMap = memMap;
    }

    /// include/linux/mm.h: pte_lockptr(). The lock of the PTE table that the PMD *value* points to;
    /// the PMD itself may hold another by now.
    public SpinLock pteLockptr(MmStruct mm, long pmdValue) {
        return arch.splitPtePtlocks()
                ? memMap.table(Entry.pfn(pmdValue)).ptl()
                : mm.pageTableLock();
    }

    /// include/linux/mm.h: pte_lockptr(). The lock of the PTE table that the PMD, which is locked,
    /// points to.
    SpinLock pteLockptr(MmStruct mm, Word pmd) {
        return arch.splitPtePtlocks() ? pteLockptr(mm, pmd.readPlain()) : mm.pageTableLock();
    }

    /// include/linux/mm.h: ptep_lockptr(). The lock of the page that `pte` is in, which is that of
    /// its PTE table if the table is one page.
    ///
    /// @throws ImpossibleConfig with HIGHPTE: the kernel does not compile if somebody calls it
    public SpinLock ptepLockptr(MmStruct mm, Word pte) {
        if (!arch.splitPtePtlocks()) {
            return mm.pageTableLock();
        }
        if (arch.highpte()) {
            throw new ImpossibleConfig(
                    "highpte",
                    "ptep_lockptr() does not compile with HIGHPTE: BUILD_BUG_ON in"
                            + " include/linux/mm.h",
                    "the address of a mapped PTE does not lead to its page");
        }
        return PageTable.of(pte).ptlOfPage(pte);
    }

    /// include/linux/mm.h: pmd_lockptr(). The lock of the PMD table that `pmd` is in.
    public SpinLock pmdLockptr(MmStruct mm, Word pmd) {
        return arch.splitPmdPtlocks() ? PageTable.of(pmd).ptl() : mm.pageTableLock();
    }

    /// include/linux/mm.h: pmd_lock(). Takes the lock of `pmd`; the entry must be read again after.
    public SpinLock pmdLock(MmStruct mm, Word pmd) {
        SpinLock ptl = pmdLockptr(mm, pmd);
        ptl.lock();
        return ptl;
    }

    /// include/linux/mm.h: pud_lockptr(). PUD tables have no locks of their own.
    public SpinLock pudLockptr(MmStruct mm, Word pud) {
        return mm.pageTableLock();
    }

    /// include/linux/mm.h: pud_lock(). Takes the lock of `pud`; the entry must be read again after.
    public SpinLock pudLock(MmStruct mm, Word pud) {
        SpinLock ptl = pudLockptr(mm, pud);
        ptl.lock();
        return ptl;
    }

    /// include/linux/hugetlb.h: huge_pte_lockptr(). The lock of the entry, or entries, that map a
    /// hugetlb page of `size` bytes, of which `pte` is the first, whatever their level: the one
    /// that the walkers of core-mm take for it.
    public SpinLock hugePteLockptr(long size, MmStruct mm, Word pte) {
        Geometry geometry = arch.geometry();
        if (size >= geometry.size(Geometry.PUD)) {
            return pudLockptr(mm, pte);
        }
        if (size >= geometry.size(Geometry.PMD) || arch.highpte()) {
            return pmdLockptr(mm, pte);
        }
        return ptepLockptr(mm, pte);
    }

    /// include/linux/hugetlb.h: huge_pte_lock(). Takes the lock of a hugetlb page of `size` bytes.
    public SpinLock hugePteLock(long size, MmStruct mm, Word pte) {
        SpinLock ptl = hugePteLockptr(size, mm, pte);
        ptl.lock();
        return ptl;
    }

    /// The lock that the walkers of core-mm take before they change an entry of `table`, which
    /// belongs to `mm`. An entry above folded levels is one of the lowest of them.
    public SpinLock coreLock(MmStruct mm, PageTable table) {
        int level = table.level();
        if (level == Geometry.PTE) {
            return pteLockptr(mm, Entry.table(table.pfn()));
        }
        Word entry = table.entry(0);
        boolean pmd = level == arch.geometry().tableLevel(Geometry.PMD);
        return pmd ? pmdLockptr(mm, entry) : pudLockptr(mm, entry);
    }

    /// Whether tables of `level` have locks of their own.
    boolean ownLock(int level) {
        return level == Geometry.PTE && arch.splitPtePtlocks()
                || level == Geometry.PMD && arch.splitPmdPtlocks();
    }

    /// include/linux/mm.h: pmd_huge_pte(). Where tables for splitting `pmd` are deposited.
    DepositList pmdHugePte(MmStruct mm, Word pmd) {
        return arch.splitPmdPtlocks() ? PageTable.of(pmd).deposited() : mm.deposited();
    }
}
