// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Moving page-table entries to other addresses (move_page_tables() of mm/mremap.c): whole PTE
/// tables where both addresses are multiples of what they map, else entry by entry. Tables of PMDs
/// are not moved as a whole.
///
/// # Locking
///
/// Both VMAs are write-locked. Entries change under the locks of both tables, and the TLBs are
/// flushed before either is dropped: a page must not be cleaned or freed while it can be written by
/// the old address. Who moves a table as a whole keeps rmap out, since the entries in it are found
/// by neither address for a moment.
final class MoveTables {
    private final Kernel kernel;
    private final Geometry geometry;
    private final PgtableGeneric pgtableGeneric;

    MoveTables(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtableGeneric = kernel.pgtableGeneric();
    }

    /// `struct pagetable_move_control`: what is the same for all of a move.
    ///
    /// @param needRmapLocks whether a walk over the VMAs of a page may come by the new VMA first
    ///   and by the old one later, so that it would find an entry that is moved meanwhile in
    ///   neither
    private record Pmc(Vma old, Vma fresh, boolean needRmapLocks) {}

    /// mm/mremap.c: move_page_tables(). How many of the `len` bytes could be moved.
    ///
    /// @param needRmapLocks false where `fresh` comes later in rmap walks than `old`
    long move(Vma old, Vma fresh, long oldAddr, long newAddr, long len, boolean needRmapLocks) {
        if (old.isHugetlb()) {
            return kernel.hugetlb().protect().movePageTables(old, fresh, oldAddr, newAddr, len);
        }
        MmuNotifierRange range =
                kernel.mmuNotifier().range(Event.UNMAP, old.mm(), oldAddr, oldAddr + len);
        kernel.mmuNotifier().invalidateRangeStart(range);
        Pmc pmc = new Pmc(old, fresh, needRmapLocks);
        long done = 0;
        while (done < len) {
            long extent = moveSome(pmc, oldAddr + done, newAddr + done, len - done);
            if (extent == 0) {
                break;
            }
            done += extent;
        }
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return done;
    }

    /// One round of move_page_tables(): how many bytes it has done; 0 where memory is out.
    private long moveSome(Pmc pmc, long oldAddr, long newAddr, long left) {
        Vma old = pmc.old;
        MmStruct mm = old.mm();
        long extent = extent(Geometry.PUD, oldAddr, newAddr, left);
        Word oldPud = getOldPud(mm, oldAddr);
        if (oldPud == null) {
            return extent;
        }
        Word newPud = kernel.pgtable().alloc(Geometry.PUD, mm, newAddr);
        if (newPud == null) {
            return 0;
        }
        if (kernel.hugePud().pudTransHuge(oldPud) && extent == geometry.size(Geometry.PUD)) {
            moveHugePud(old, oldAddr, oldPud, newPud);
            return extent;
        }
        extent = extent(Geometry.PMD, oldAddr, newAddr, left);
        Word oldPmd = getOldPmd(mm, oldAddr);
        if (oldPmd == null) {
            return extent;
        }
        Word newPmd = kernel.pgtable().alloc(Geometry.PMD, mm, newAddr);
        return newPmd != null && movePmd(pmc, oldAddr, newAddr, extent, oldPmd, newPmd)
                ? extent
                : 0;
    }

    /// mm/mremap.c: get_extent(). Bytes up to the next boundary of an entry of `level`, at either
    /// address.
    private long extent(int level, long oldAddr, long newAddr, long left) {
        long size = geometry.size(level);
        long inOld = size - (oldAddr & (size - 1));
        long inNew = size - (newAddr & (size - 1));
        return Math.min(left, Math.min(inOld, inNew));
    }

    /// mm/mremap.c: get_old_pud(). The PUD entry of `addr`; null where it leads to no table. What
    /// is huge also counts as bad here, and does not survive it.
    private @Nullable Word getOldPud(MmStruct mm, long addr) {
        Pgtable pgtable = kernel.pgtable();
        Word entry = pgtable.pgdOffset(mm, addr);
        for (int level = Geometry.PGD; level > Geometry.PUD; level--) {
            if (pgtable.noneOrClearBad(level, entry)) {
                return null;
            }
            entry = pgtable.offset(level - 1, entry, addr);
        }
        return pgtable.pudNoneOrClearBad(entry) ? null : entry;
    }

    /// mm/mremap.c: get_old_pmd(). The PMD entry of `addr`; null where it is none.
    private @Nullable Word getOldPmd(MmStruct mm, long addr) {
        Word pud = getOldPud(mm, addr);
        if (pud == null) {
            return null;
        }
        Word pmd = kernel.pgtable().offset(Geometry.PMD, pud, addr);
        return Entry.none(pmd.readPlain()) ? null : pmd;
    }

    /// mm/mremap.c: move_huge_pud(). That it failed is ignored.
    private void moveHugePud(Vma vma, long oldAddr, Word oldPud, Word newPud) {
        if (kernel.warnOn(!Entry.none(newPud.readPlain()), "a huge PUD is moved over another")) {
            return;
        }
        SpinLock ptl = kernel.ptLocks().pudLock(vma.mm(), oldPud);
        long pud = oldPud.readPlain();
        kernel.entries().clear(oldPud);
        kernel.entries().setPte(newPud, pud);
        flush(vma, oldAddr, geometry.size(Geometry.PUD));
        ptl.unlock();
    }

    /// What is below one PMD; false where memory is out.
    private boolean movePmd(
            Pmc pmc, long oldAddr, long newAddr, long extent, Word oldPmd, Word newPmd) {
        Vma old = pmc.old;
        boolean whole = extent == geometry.size(Geometry.PMD);
        while (true) {
            if (HugeMemory.pmdIsHuge(oldPmd.readPlain())) {
                if (whole && moveHugePmdEntry(pmc, oldAddr, oldPmd, newPmd)) {
                    return true;
                }
                kernel.hugeMemory().splitHugePmd(old, oldPmd, oldAddr);
            } else if (whole && moveNormalPmd(pmc, oldAddr, oldPmd, newPmd)) {
                return true;
            }
            if (Entry.none(oldPmd.readPlain())) {
                return true;
            }
            if (!kernel.pgtable().pteAlloc(pmc.fresh.mm(), newPmd)) {
                return false;
            }
            if (movePtes(pmc, oldAddr, newAddr, extent, oldPmd, newPmd)) {
                return true;
            }
        }
    }

    /// mm/mremap.c: move_normal_pmd(), with the rmap locks of move_pgt_entry(). Moves a PTE table
    /// with all that is in it. False where there is no table any more, since a file was collapsed,
    /// or something is at the new place, or a userfaultfd has something to say.
    private boolean moveNormalPmd(Pmc pmc, long oldAddr, Word oldPmd, Word newPmd) {
        Vma vma = pmc.old;
        AnonVma anonVma = takeRmapLocks(vma);
        boolean moved = false;
        if (uffdSupportsPageTableMove(vma, pmc.fresh)
                && !kernel.warnOn(!Entry.none(newPmd.readPlain()), "a PMD is moved over another")) {
            SpinLock oldPtl = kernel.ptLocks().pmdLock(vma.mm(), oldPmd);
            SpinLock newPtl = kernel.ptLocks().pmdLockptr(vma.mm(), newPmd);
            boolean nested = CopyPageRange.lockNested(newPtl, oldPtl);
            long pmd = oldPmd.readPlain();
            moved = Entry.isTable(pmd);
            if (moved) {
                kernel.entries().clear(oldPmd);
                kernel.pgtable().populate(newPmd, kernel.memMap().table(Entry.pfn(pmd)));
                flush(vma, oldAddr, geometry.size(Geometry.PMD));
            }
            if (nested) {
                newPtl.unlock();
            }
            oldPtl.unlock();
        }
        dropRmapLocks(vma, anonVma);
        return moved;
    }

    /// mm/mremap.c: drop_rmap_locks().
    private static void dropRmapLocks(Vma vma, @Nullable AnonVma anonVma) {
        if (anonVma != null) {
            anonVma.rwsem().upWrite();
        }
        if (!vma.isAnonymous()) {
            vma.inode().mmapRwsem().upWrite();
        }
    }

    /// mm/mremap.c: move_pgt_entry(), for a huge PMD.
    private boolean moveHugePmdEntry(Pmc pmc, long oldAddr, Word oldPmd, Word newPmd) {
        AnonVma anonVma = pmc.needRmapLocks ? takeRmapLocks(pmc.old) : null;
        boolean moved = moveHugePmd(pmc.old, oldAddr, oldPmd, newPmd);
        if (pmc.needRmapLocks) {
            dropRmapLocks(pmc.old, anonVma);
        }
        return moved;
    }

    /// mm/mremap.c: uffd_supports_page_table_move(). Where a userfaultfd is not told of the move
    /// its marks must be taken out of the entries one by one.
    private static boolean uffdSupportsPageTableMove(Vma old, Vma fresh) {
        return !old.uffdWithoutEventRemap() && !fresh.uffdWithoutEventRemap();
    }

    /// mm/mremap.c: take_rmap_locks().
    private static @Nullable AnonVma takeRmapLocks(Vma vma) {
        if (!vma.isAnonymous()) {
            vma.inode().mmapRwsem().downWrite();
        }
        AnonVma anonVma = vma.anonVma.read(Order.PLAIN);
        if (anonVma != null) {
            anonVma.rwsem().downWrite();
        }
        return anonVma;
    }

    /// mm/huge_memory.c: move_huge_pmd(). False where the PMD is not huge any more.
    private boolean moveHugePmd(Vma vma, long oldAddr, Word oldPmd, Word newPmd) {
        if (kernel.warnOn(!Entry.none(newPmd.readPlain()), "a huge PMD is moved over another")) {
            return false;
        }
        SpinLock oldPtl = kernel.hugeMemory().pmdTransHugeLockSlow(oldPmd, vma);
        if (oldPtl == null) {
            return false;
        }
        SpinLock newPtl = kernel.ptLocks().pmdLockptr(vma.mm(), newPmd);
        boolean nested = CopyPageRange.lockNested(newPtl, oldPtl);
        long pmd = oldPmd.xchg(0, Order.FULL);
        if (nested && vma.isAnonymous()) { // pmd_move_must_withdraw()
            PageTable table = pgtableGeneric.pgtableTransHugeWithdraw(vma.mm(), oldPmd);
            pgtableGeneric.pgtableTransHugeDeposit(vma.mm(), newPmd, table);
        }
        if (vma.uffdWithoutEventRemap()) {
            pmd = Entry.clearUffd(pmd);
        }
        kernel.entries().setPte(newPmd, pmd);
        if (Entry.present(pmd)) {
            flush(vma, oldAddr, geometry.size(Geometry.PMD));
        }
        if (nested) {
            newPtl.unlock();
        }
        oldPtl.unlock();
        return true;
    }

    /// mm/mremap.c: move_ptes(). False where one of the PTE tables has gone. Without the rmap locks
    /// each entry is found by its old place or, later in a walk, by its new one.
    private boolean movePtes(
            Pmc pmc, long oldAddr, long newAddr, long extent, Word oldPmd, Word newPmd) {
        AnonVma anonVma = pmc.needRmapLocks ? takeRmapLocks(pmc.old) : null;
        boolean moved = movePtesOfTable(pmc.old, oldAddr, newAddr, extent, oldPmd, newPmd);
        if (pmc.needRmapLocks) {
            dropRmapLocks(pmc.old, anonVma);
        }
        return moved;
    }

    /// The part of move_ptes() within the rmap locks.
    private boolean movePtesOfTable(
            Vma vma, long oldAddr, long newAddr, long extent, Word oldPmd, Word newPmd) {
        boolean clearUffdWp = vma.uffdWithoutEventRemap();
        PteMapping from = pgtableGeneric.pteOffsetMapLock(vma.mm(), oldPmd, oldAddr);
        if (from == null) {
            return false;
        }
        PteMapping to = pgtableGeneric.pteOffsetMapNolock(vma.mm(), newPmd, newAddr);
        if (to == null) {
            from.unmapUnlock();
            return false;
        }
        boolean nested = CopyPageRange.lockNested(to.ptl(), from.ptl());
        kernel.tlbBatch().flushTlbBatchedPending(vma.mm());
        boolean forceFlush = false;
        for (int i = 0; i < extent >> geometry.pageShift(); i++) {
            long old = from.pte(i).readOnce();
            if (!Entry.none(old)) {
                forceFlush |= Entry.ptePresent(old);
                long pte = from.pte(i).xchg(0, Order.FULL);
                if (clearUffdWp && Entry.isUffdWpMarker(pte)) {
                    kernel.entries().clear(to.pte(i));
                } else {
                    kernel.entries().setPte(to.pte(i), clearUffdWp ? Entry.clearUffd(pte) : pte);
                }
            }
        }
        if (forceFlush) {
            flush(vma, oldAddr, extent);
        }
        if (nested) {
            to.ptl().unlock();
        }
        to.unmap();
        from.unmapUnlock();
        return true;
    }

    private void flush(Vma vma, long addr, long len) {
        kernel.tlbFlush().flushTlbRange(vma.mm(), addr, addr + len);
    }
}
