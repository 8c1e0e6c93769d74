// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;

/// Taking the PTE tables away through which a part of a file was mapped that is a huge page now
/// (retract_page_tables() of mm/khugepaged.c).
///
/// # Locking
///
/// Neither the mmap locks nor those of the VMAs are held: the VMAs, of any process, are found under
/// `i_mmap_rwsem` held for reading. So a PTE table of a file can go at any moment at which neither
/// that lock (for writing) nor the lock of its PMD or its own is held. The folio, new in the page
/// cache, is locked: faults wait for it, and the tables stay empty.
final class RetractPageTables {
    private final Kernel kernel;
    private final Geometry geometry;

    RetractPageTables(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/khugepaged.c: retract_page_tables(). Takes away the PTE tables that map the PMD range of
    /// the file at page `pgoff`, where a VMA has it aligned.
    void retractPageTables(Inode inode, long pgoff) {
        inode.mmapRwsem().downRead();
        for (Vma vma : kernel.mappingRmap().vmas(inode, pgoff, pgoff)) {
            long addr = vma.start() + ((pgoff - vma.pgoff()) << geometry.pageShift());
            long pmdSize = geometry.size(Geometry.PMD);
            if ((addr & (pmdSize - 1)) == 0 && vma.end() >= addr + pmdSize) {
                retract(vma, addr);
            }
        }
        inode.mmapRwsem().upRead();
    }

    /// mm/khugepaged.c: file_backed_vma_is_retractable(). Whether the VMA has nothing in its PTE
    /// tables that faults could not find again: no private copies, no marks of a userfaultfd.
    private static boolean fileBackedVmaIsRetractable(Vma vma) {
        return vma.anonVma.readOnce() == null && !vma.userfaultfdWp();
    }

    /// One round of retract_page_tables().
    private void retract(Vma vma, long addr) {
        MmStruct mm = vma.mm();
        Word[] found = new Word[1];
        if (kernel.khugepaged().findPmdOrThpOrNone(mm, addr, found) != ScanResult.SUCCEED
                || mm.users.readOnce() == 0 // collapse_test_exit()
                || !fileBackedVmaIsRetractable(vma)) {
            return;
        }
        long end = addr + geometry.size(Geometry.PMD);
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, mm, addr, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        long value = unhook(vma, addr, found[0]);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        if (!Entry.none(value)) {
            kernel.pgtable().decPgtables(mm);
            kernel.pgtableGeneric().pteFreeDefer(kernel.pgtable(), value);
        }
    }

    /// The part of a round under the PMD lock; the entry that led to the table, none where it
    /// stays.
    private long unhook(Vma vma, long addr, Word pmd) {
        SpinLock pml = kernel.ptLocks().pmdLock(vma.mm(), pmd);
        // It need not be the same table as before: another one is as empty as that.
        if (kernel.khugepaged().checkPmdState(pmd) != ScanResult.SUCCEED) {
            pml.unlock();
            return 0;
        }
        SpinLock ptl = kernel.ptLocks().pteLockptr(vma.mm(), pmd);
        boolean nested = CopyPageRange.lockNested(ptl, pml);
        long value = 0;
        // Again, now that nobody can put anything into the table.
        if (fileBackedVmaIsRetractable(vma)) {
            value = kernel.pgtableGeneric().pmdpCollapseFlush(vma, addr, pmd);
            kernel.pmdpGetLocklessSync();
        }
        if (nested) {
            ptl.unlock();
        }
        pml.unlock();
        return value;
    }
}
