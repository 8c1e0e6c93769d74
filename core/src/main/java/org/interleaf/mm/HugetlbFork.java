// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.LockClasses;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Copying the page tables of hugetlb for fork (mm/hugetlb.c).
///
/// # Locking
///
/// As for other memory; of mappings that may be shared, the parent's hugetlb lock is held for
/// reading, so that its tables stay.
final class HugetlbFork {
    private final Kernel kernel;
    private final Hugetlb hugetlb;

    HugetlbFork(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
    }

    /// mm/hugetlb.c: copy_hugetlb_page_range(). Has the child's `dst` map what the parent's `src`
    /// maps. False where memory or the pool is out.
    boolean copyHugetlbPageRange(Vma dst, Vma src) {
        boolean cow = Vma.isCowMapping(src.flags());
        MmStruct mm = src.mm();
        MmuNotifierRange range =
                kernel.mmuNotifier().range(Event.CLEAR, mm, src.start(), src.end());
        if (cow) {
            kernel.mmuNotifier().invalidateRangeStart(range);
            kernel.vmaLock().assertWriteLocked(src);
            mm.writeProtectSeq().writeBegin();
        } else {
            hugetlb.vmas().lockRead(src);
        }
        boolean copied = copyAll(dst, src, cow);
        if (cow) {
            mm.writeProtectSeq().writeEnd();
            kernel.mmuNotifier().invalidateRangeEnd(range);
        } else {
            hugetlb.vmas().unlockRead(src);
        }
        return copied;
    }

    private boolean copyAll(Vma dst, Vma src, boolean cow) {
        Hstate h = HugetlbVmas.hstate(src);
        long lastAddrMask = hugetlb.walk().maskLastPage(h);
        for (long addr = src.start(); addr < src.end(); addr += h.size()) {
            Word from = hugetlb.walk().walk(src, h, addr);
            if (from == null) {
                addr |= lastAddrMask;
                continue;
            }
            Word to = hugetlb.walk().pteAlloc(dst, h, addr);
            if (to != null && hugetlb.pmdShare().isShared(to)) {
                addr |= lastAddrMask;
            } else if (to == null || !copyOne(dst, src, addr, to, from, cow)) {
                return false;
            }
        }
        return true;
    }

    /// One round of copy_hugetlb_page_range().
    private boolean copyOne(Vma dst, Vma src, long addr, Word to, Word from, boolean cow) {
        Hstate h = HugetlbVmas.hstate(src);
        SpinLock dstPtl = hugetlb.walk().lock(dst.mm(), h, to);
        SpinLock srcPtl = kernel.ptLocks().hugePteLockptr(h.size(), src.mm(), from);
        srcPtl.lockNested(LockClasses.SINGLE_DEPTH_NESTING);
        long entry = hugetlb.pte().get(h, from);
        while (!Entry.none(entry)) {
            if (!Entry.ptePresent(entry)) {
                copySoftleaf(dst, src, addr, to, from, entry);
                break;
            }
            entry = hugetlb.pte().get(h, from);
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(entry)));
            folio.get();
            if (share(folio, src)) {
                long copy = dst.userfaultfdWp() ? entry : Entry.clearUffd(entry);
                if (cow) {
                    hugetlb.pte().setWrprotect(src.mm(), h, addr, from);
                    copy = Entry.wrprotect(copy);
                }
                hugetlb.pte().set(dst.mm(), h, addr, to, copy);
                break;
            }
            // It may be pinned: the child gets a copy at once.
            srcPtl.unlock();
            dstPtl.unlock();
            Folio fresh = copyFolio(dst, addr, folio);
            if (fresh == null) {
                return false;
            }
            dstPtl.lock();
            srcPtl.lockNested(LockClasses.SINGLE_DEPTH_NESTING);
            long now = hugetlb.pte().get(h, from);
            if (now == entry) {
                install(dst, addr, to, fresh, entry);
                break;
            }
            hugetlb.reserve().restoreReserveOnError(dst, addr, fresh);
            kernel.swap().folioPut(fresh);
            entry = now;
        }
        srcPtl.unlock();
        dstPtl.unlock();
        return true;
    }

    /// The part of copy_hugetlb_page_range() for entries that are not present. Poison stays poison;
    /// a page that migrates nobody maps writable afterwards where there is copy on write.
    private void copySoftleaf(Vma dst, Vma src, long addr, Word to, Word from, long entry) {
        Hstate h = HugetlbVmas.hstate(src);
        if (Entry.isHwpoison(entry)) {
            hugetlb.pte().set(dst.mm(), h, addr, to, entry);
            return;
        }
        if (Entry.isMarker(entry)) {
            long marker = NonpresentPtes.copyPteMarker(dst, entry);
            if (marker != 0) {
                hugetlb.pte().set(dst.mm(), h, addr, to, Entry.makeMarker(marker));
            }
            return;
        }
        long copy = entry;
        if (Vma.isCowMapping(src.flags()) && Entry.softleafKind(entry) != Entry.MIGRATION_READ) {
            copy = Entry.withKind(entry, Entry.MIGRATION_READ);
            hugetlb.pte().set(src.mm(), h, addr, from, copy);
        }
        long own = dst.userfaultfdWp() ? copy : Entry.clearUffd(copy);
        hugetlb.pte().set(dst.mm(), h, addr, to, own);
    }

    private boolean share(Folio folio, Vma src) {
        if (!folio.isAnon()) {
            kernel.rmap().hugetlbAddFileRmap(folio);
            return true;
        }
        return kernel.rmap().hugetlbTryDupAnonRmap(folio, src);
    }

    /// A copy of the folio, on which the caller has a reference that is dropped; null where the
    /// pool is out.
    private @Nullable Folio copyFolio(Vma dst, long addr, Folio folio) {
        Folio fresh = hugetlb.reserve().alloc(dst, addr, false);
        if (fresh != null) {
            for (int i = 0; i < folio.nrPages(); i++) { // copy_user_large_folio()
                kernel.highmem().copyPage(fresh.pfn() + i, folio.pfn() + i);
            }
        }
        kernel.swap().folioPut(folio);
        return fresh;
    }

    /// mm/hugetlb.c: hugetlb_install_folio().
    private void install(Vma dst, long addr, Word to, Folio fresh, long old) {
        long made = HugePte.make(dst, fresh, true);
        long entry = dst.userfaultfdEntryWp(old) ? Entry.mkuffd(made) : made;
        fresh.markUptodate();
        kernel.rmap().hugetlbAddNewAnonRmap(fresh, dst, addr);
        hugetlb.pte().set(dst.mm(), HugetlbVmas.hstate(dst), addr, to, entry);
        fresh.hugetlb().set(HugetlbFolio.MIGRATABLE);
    }
}
