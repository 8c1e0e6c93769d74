// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// Which lock protects which entry (include/linux/mm.h). Where locks are not split, all of a
/// process' entries are under `mm->page_table_lock`.
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

    /// include/linux/mm.h: ptep_lockptr(). The lock of the PTE table that `pte` is in.
    public SpinLock ptepLockptr(MmStruct mm, Word pte) {
        return arch.splitPtePtlocks() ? PageTable.of(pte).ptl() : mm.pageTableLock();
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

    /// include/linux/mm.h: pud_lock(). PUD tables have no locks of their own.
    public SpinLock pudLock(MmStruct mm, Word pud) {
        SpinLock ptl = mm.pageTableLock();
        ptl.lock();
        return ptl;
    }

    /// include/linux/mm.h: pmd_huge_pte(). Where tables for splitting `pmd` are deposited.
    DepositList pmdHugePte(MmStruct mm, Word pmd) {
        return arch.splitPmdPtlocks() ? PageTable.of(pmd).deposited() : mm.deposited();
    }
}
