// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;

/// Changing the protection of huge pages, and moving them to other addresses (mm/hugetlb.c).
///
/// # Locking
///
/// The hugetlb lock of the VMA and `i_mmap_rwsem` are held for writing, and the TLBs are flushed
/// before they are dropped.
final class HugetlbProtect {
    private final Kernel kernel;
    private final Hugetlb hugetlb;

    HugetlbProtect(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
    }

    /// mm/hugetlb.c: hugetlb_change_protection(). Entries of `[start, end)` get what the VMA says
    /// by now.
    void changeProtection(Vma vma, long start, long end) {
        Hstate h = HugetlbVmas.hstate(vma);
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        MmuNotifierRange range = hugetlb.pmdShare().adjusted(Event.PROTECTION_VMA, vma, start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        hugetlb.vmas().lockWrite(vma);
        vma.inode().mmapRwsem().downWrite();
        long lastAddrMask = hugetlb.walk().maskLastPage(h);
        for (long addr = start; addr < end; addr += h.size()) {
            Word ptep = hugetlb.walk().walk(vma, h, addr);
            if (ptep == null) {
                addr |= lastAddrMask;
                continue;
            }
            SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, ptep);
            if (hugetlb.pmdShare().unshare(tlb, vma, addr, ptep)) {
                addr |= lastAddrMask;
            } else {
                changeOne(tlb, vma, addr, ptep);
            }
            ptl.unlock();
        }
        tlb.flushMmuTlbonly();
        hugetlb.pmdShare().unshareFlush(tlb, vma);
        vma.inode().mmapRwsem().upWrite();
        hugetlb.vmas().unlockWrite(vma);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        tlb.finish();
    }

    /// One round of hugetlb_change_protection().
    private void changeOne(MmuGather tlb, Vma vma, long addr, Word ptep) {
        Hstate h = HugetlbVmas.hstate(vma);
        long pte = hugetlb.pte().get(h, ptep);
        if (Entry.isMigration(pte)) {
            protectMigration(vma, addr, ptep, pte);
        } else if (Entry.ptePresent(pte)) {
            // Protection does not apply to poison.
            long old = hugetlb.pte().getAndClear(h, ptep); // huge_ptep_modify_prot_start()
            long entry = HugePte.modify(old, vma.flags());
            hugetlb.pte().set(vma.mm(), h, addr, ptep, entry);
            tlb.removeHugeTlbEntry(addr, h.size());
        }
    }

    /// The part of hugetlb_change_protection() for a page that migrates.
    private void protectMigration(Vma vma, long addr, Word ptep, long pte) {
        if (Entry.softleafKind(pte) == Entry.MIGRATION_WRITE) {
            Folio folio = kernel.memMap().softleafToFolio(kernel, pte);
            long kind = folio.isAnon() ? Entry.MIGRATION_READ_EXCLUSIVE : Entry.MIGRATION_READ;
            long fresh = Entry.withKind(pte, kind);
            hugetlb.pte().set(vma.mm(), HugetlbVmas.hstate(vma), addr, ptep, fresh);
        }
    }

    /// mm/hugetlb.c: move_hugetlb_page_tables(). Moves the entries of `[oldAddr, oldAddr + len)` to
    /// where the copy of the VMA has them. How many bytes could be moved.
    long movePageTables(Vma vma, Vma newVma, long oldAddr, long newAddr, long len) {
        Hstate h = HugetlbVmas.hstate(vma);
        MmuNotifierRange range =
                hugetlb.pmdShare().adjusted(Event.CLEAR, vma, oldAddr, oldAddr + len);
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        kernel.mmuNotifier().invalidateRangeStart(range);
        hugetlb.vmas().lockWrite(vma);
        vma.inode().mmapRwsem().downWrite();
        long lastAddrMask = hugetlb.walk().maskLastPage(h);
        long done = 0;
        while (done < len) {
            long addr = oldAddr + done;
            Word from = hugetlb.walk().walk(vma, h, addr);
            boolean nothing = from == null;
            if (from != null && !Entry.none(hugetlb.pte().get(h, from))) {
                // What was shared is not moved: it is faulted in again at the new place.
                nothing = hugetlb.pmdShare().unshare(tlb, vma, addr, from);
                if (!nothing && !moveOne(tlb, vma, newVma, addr, newAddr + done, from)) {
                    break;
                }
            }
            done = nothing ? (addr | lastAddrMask) - oldAddr : done;
            done += h.size();
        }
        tlb.flushMmuTlbonly();
        hugetlb.pmdShare().unshareFlush(tlb, vma);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        vma.inode().mmapRwsem().upWrite();
        hugetlb.vmas().unlockWrite(vma);
        tlb.finish();
        return Math.min(done, len);
    }

    /// The part of a round of move_hugetlb_page_tables() that has found something. False where
    /// memory is out.
    private boolean moveOne(
            MmuGather tlb, Vma vma, Vma newVma, long oldAddr, long newAddr, Word from) {
        Hstate h = HugetlbVmas.hstate(vma);
        Word to = hugetlb.walk().pteAlloc(newVma, h, newAddr);
        if (to != null) {
            moveHugePte(vma, newAddr, from, to);
            tlb.removeHugeTlbEntry(oldAddr, h.size());
        }
        return to != null;
    }

    /// mm/hugetlb.c: move_huge_pte().
    private void moveHugePte(Vma vma, long newAddr, Word from, Word to) {
        Hstate h = HugetlbVmas.hstate(vma);
        SpinLock dstPtl = hugetlb.walk().lock(vma.mm(), h, to);
        SpinLock srcPtl = kernel.ptLocks().hugePteLockptr(h.size(), vma.mm(), from);
        boolean nested = CopyPageRange.lockNested(srcPtl, dstPtl);
        long pte = hugetlb.pte().getAndClear(h, from);
        hugetlb.pte().set(vma.mm(), h, newAddr, to, pte);
        if (nested) {
            srcPtl.unlock();
        }
        dstPtl.unlock();
    }
}
