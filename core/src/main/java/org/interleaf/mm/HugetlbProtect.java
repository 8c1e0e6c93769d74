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
    /// by now. The number of pages that were changed, or -ENOMEM. Unlike for other memory, flushing
    /// is not left to the caller.
    long changeProtection(Mprotect.Change change, long start, long end) {
        Vma vma = change.vma();
        Hstate h = HugetlbVmas.hstate(vma);
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        MmuNotifierRange range = hugetlb.pmdShare().adjusted(Event.PROTECTION_VMA, vma, start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        hugetlb.vmas().lockWrite(vma);
        vma.inode().mmapRwsem().downWrite();
        long pages = changeAll(change, tlb, start, end);
        tlb.flushMmuTlbonly();
        hugetlb.pmdShare().unshareFlush(tlb, vma);
        vma.inode().mmapRwsem().upWrite();
        hugetlb.vmas().unlockWrite(vma);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        tlb.finish();
        return pages > 0 ? pages * h.pages() : pages;
    }

    /// The loop of hugetlb_change_protection(): how many huge pages were changed, or -ENOMEM.
    private long changeAll(Mprotect.Change change, MmuGather tlb, long start, long end) {
        Vma vma = change.vma();
        Hstate h = HugetlbVmas.hstate(vma);
        long lastAddrMask = hugetlb.walk().maskLastPage(h);
        long pages = 0;
        for (long addr = start; addr < end; addr += h.size()) {
            Word ptep = hugetlb.walk().walk(vma, h, addr);
            if (ptep == null) {
                if (!change.has(Mprotect.MM_CP_UFFD_WP)) {
                    addr |= lastAddrMask;
                    continue;
                }
                ptep = hugetlb.walk().pteAlloc(vma, h, addr); // for markers
                if (ptep == null) {
                    return -Errno.ENOMEM;
                }
            }
            SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, ptep);
            if (hugetlb.pmdShare().unshare(tlb, vma, addr, ptep)) {
                boolean uffd = change.has(Mprotect.MM_CP_UFFD_WP | Mprotect.MM_CP_UFFD_WP_RESOLVE);
                kernel.warnOn(uffd, "a table is shared that a userfaultfd write-protects");
                pages++;
                addr |= lastAddrMask;
            } else {
                pages += changeOne(change, tlb, addr, ptep);
            }
            ptl.unlock();
        }
        return pages;
    }

    /// One round of hugetlb_change_protection(). How many pages that were: 0 or 1.
    private int changeOne(Mprotect.Change change, MmuGather tlb, long addr, Word ptep) {
        Vma vma = change.vma();
        Hstate h = HugetlbVmas.hstate(vma);
        long pte = hugetlb.pte().get(h, ptep);
        if (Entry.none(pte)) {
            if (change.has(Mprotect.MM_CP_UFFD_WP)) {
                long marker = Entry.makeMarker(Entry.MARKER_UFFD_WP);
                hugetlb.pte().set(vma.mm(), h, addr, ptep, marker);
            }
            return 0;
        }
        if (Entry.isMigration(pte)) {
            return protectMigration(change, addr, ptep, pte);
        }
        if (!Entry.ptePresent(pte)) {
            // Protection does not apply to poison.
            if (Entry.isUffdWpMarker(pte) && change.has(Mprotect.MM_CP_UFFD_WP_RESOLVE)) {
                hugetlb.pte().clear(h, ptep);
            }
            return 0;
        }
        long old = hugetlb.pte().getAndClear(h, ptep); // huge_ptep_modify_prot_start()
        long entry = change.markUffd(HugePte.modify(old, vma.flags()));
        hugetlb.pte().set(vma.mm(), h, addr, ptep, entry);
        tlb.removeHugeTlbEntry(addr, h.size());
        return 1;
    }

    /// The part of hugetlb_change_protection() for a page that migrates.
    private int protectMigration(Mprotect.Change change, long addr, Word ptep, long pte) {
        long fresh = pte;
        boolean writable = Entry.softleafKind(pte) == Entry.MIGRATION_WRITE;
        if (writable) {
            Folio folio = kernel.memMap().softleafToFolio(kernel, pte);
            long kind = folio.isAnon() ? Entry.MIGRATION_READ_EXCLUSIVE : Entry.MIGRATION_READ;
            fresh = Entry.withKind(pte, kind);
        }
        fresh = change.markSoftleafUffd(fresh);
        if (fresh != pte) {
            Vma vma = change.vma();
            hugetlb.pte().set(vma.mm(), HugetlbVmas.hstate(vma), addr, ptep, fresh);
        }
        return writable ? 1 : 0;
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
        boolean clearUffdWp = vma.uffdWithoutEventRemap();
        long pte = hugetlb.pte().getAndClear(h, from);
        if (clearUffdWp && Entry.isUffdWpMarker(pte)) {
            hugetlb.pte().clear(h, to);
        } else {
            long moved = clearUffdWp ? Entry.clearUffd(pte) : pte;
            hugetlb.pte().set(vma.mm(), h, newAddr, to, moved);
        }
        if (nested) {
            srcPtl.unlock();
        }
        dstPtl.unlock();
    }
}
