// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// Copying and reprotecting huge PMDs of anonymous memory (mm/huge_memory.c).
final class HugeFork {
    private final Kernel kernel;
    private final PgtableGeneric pgtableGeneric;

    HugeFork(Kernel kernel) {
        this.kernel = kernel;
        this.pgtableGeneric = kernel.pgtableGeneric();
    }

    /// mm/huge_memory.c: copy_huge_pmd(). Has the child map what the parent's huge PMD maps, both
    /// read-only. 0; -EAGAIN where the PMD is not huge any more, or had to be split since the page
    /// may be pinned; -ENOMEM.
    int copyHugePmd(Vma dst, Vma src, Word dstPmd, Word srcPmd, long addr) {
        long seen = pgtableGeneric.pmdpGetLockless(srcPmd);
        if (Entry.special(seen) && !kernel.isHugeZeroPfn(Entry.pfn(seen))) {
            return copySpecialPmd(dst, src, dstPmd, srcPmd, seen);
        }
        if (!dst.isAnonymous()) {
            return 0;
        }
        PageTable table = kernel.pgtable().pteAllocOne();
        if (table == null) {
            return -Errno.ENOMEM;
        }
        SpinLock dstPtl = kernel.ptLocks().pmdLock(dst.mm(), dstPmd);
        SpinLock srcPtl = kernel.ptLocks().pmdLockptr(src.mm(), srcPmd);
        boolean nested = CopyPageRange.lockNested(srcPtl, dstPtl);
        long pmd = srcPmd.readPlain();
        boolean migrates = Entry.isMigration(pmd);
        boolean huge = Entry.leaf(pmd);
        if (migrates) {
            copyHugeNonPresentPmd(dst, dstPmd, srcPmd, pmd, table);
        }
        boolean pinned = huge && !shareFolio(src, pmd);
        if (huge && !pinned) {
            kernel.pgtable().incPgtables(dst.mm());
            pgtableGeneric.pgtableTransHugeDeposit(dst.mm(), dstPmd, table);
            srcPmd.fetchAnd(~Entry.WRITE, Order.RELAXED); // pmdp_set_wrprotect()
            long copy = dst.userfaultfdWp() ? pmd : Entry.clearUffd(pmd);
            kernel.entries().setPte(dstPmd, Entry.mkold(Entry.wrprotect(copy)));
        }
        if (nested) {
            srcPtl.unlock();
        }
        dstPtl.unlock();
        if (migrates || huge && !pinned) {
            return 0;
        }
        kernel.pgtable().freePage(table);
        if (pinned) {
            kernel.hugeMemory().splitHugePmd(src, srcPmd, addr);
        }
        return -Errno.EAGAIN;
    }

    /// mm/huge_memory.c: copy_huge_non_present_pmd(). The folio migrates, and is shared from now
    /// on. Both locks are held.
    private void copyHugeNonPresentPmd(
            Vma dst, Word dstPmd, Word srcPmd, long pmd, PageTable table) {
        long copy = pmd;
        if (Entry.softleafKind(pmd) != Entry.MIGRATION_READ) {
            copy = Entry.withKind(pmd, Entry.MIGRATION_READ);
            kernel.entries().setPte(srcPmd, copy);
        }
        kernel.pgtable().incPgtables(dst.mm());
        pgtableGeneric.pgtableTransHugeDeposit(dst.mm(), dstPmd, table);
        kernel.entries().setPte(dstPmd, dst.userfaultfdWp() ? copy : Entry.clearUffd(copy));
    }

    /// The part of copy_huge_pmd() for memory without `struct page`s, which is no private memory.
    private int copySpecialPmd(Vma dst, Vma src, Word dstPmd, Word srcPmd, long pmd) {
        SpinLock dstPtl = kernel.ptLocks().pmdLock(dst.mm(), dstPmd);
        SpinLock srcPtl = kernel.ptLocks().pmdLockptr(src.mm(), srcPmd);
        boolean nested = CopyPageRange.lockNested(srcPtl, dstPtl);
        kernel.entries().setPte(dstPmd, Entry.mkold(pmd));
        if (nested) {
            srcPtl.unlock();
        }
        dstPtl.unlock();
        return 0;
    }

    /// mm/huge_memory.c: change_huge_pmd(). A huge PMD gets another protection. It is never none
    /// meanwhile: others may look at it without the lock. 0 where it is not huge any more, 1 where
    /// it is left alone, else the number of its pages.
    int changeHugePmd(Mprotect.Change change, Word pmd, long addr) {
        Vma vma = change.vma();
        if (change.has(Mprotect.MM_CP_PROT_NUMA) && !kernel.arch().thpMigration()) {
            return 1;
        }
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLockSlow(pmd, vma);
        if (ptl == null) {
            return 0;
        }
        long value = pmd.readPlain();
        if (Entry.isMigration(value)) { // change_non_present_huge_pmd()
            kernel.nonpresentPtes().changeSoftleafPte(change, pmd, value);
            ptl.unlock();
            return 1;
        }
        if (change.has(Mprotect.MM_CP_PROT_NUMA) && !canMapProtNuma(vma, pmd)) {
            ptl.unlock();
            return 1;
        }
        long old = pgtableGeneric.pmdpInvalidateAd(vma, addr, pmd);
        long entry = change.markUffd(Entry.modify(old, change.newprot()));
        if (change.has(Mprotect.MM_CP_TRY_CHANGE_WRITABLE)
                && !Entry.write(entry)
                && kernel.mprotect().canChangeWritable(vma, entry)) {
            entry = Entry.mkwrite(entry);
        }
        kernel.entries().setPte(pmd, entry);
        if (kernel.entries().needsFlush(old, entry, true)) {
            change.tlb().removePmdTlbEntry(addr); // tlb_flush_pmd_range()
        }
        ptl.unlock();
        return kernel.geometry().hpagePmdNr();
    }

    /// The part of change_huge_pmd() that leaves out what needs no NUMA hinting, or has it already.
    private boolean canMapProtNuma(Vma vma, Word pmd) {
        if (Entry.protnone(pmd.readPlain()) || kernel.isHugeZeroPfn(Entry.pfn(pmd.readPlain()))) {
            return false;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pmd.readPlain())));
        boolean alone = kernel.taskNuma().vmaIsSingleThreadedPrivate(vma);
        return kernel.taskNuma().folioCanMapProtNuma(folio, vma, alone);
    }

    /// Counts the child's mapping; false where the folio may be pinned.
    private boolean shareFolio(Vma src, long pmd) {
        if (kernel.isHugeZeroPfn(Entry.pfn(pmd))) {
            return true;
        }
        Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pmd)));
        folio.get();
        if (kernel.rmap().folioTryDupAnonRmapPmd(folio, src)) {
            return true;
        }
        kernel.swap().folioPut(folio);
        return false;
    }
}
