// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;

import java.util.Objects;

/// Putting migration entries in the place of those that map a folio (try_to_migrate() of
/// mm/rmap.c). Of hugetlb there is {@link HugetlbMigrate}.
///
/// # Locking
///
/// The folio is locked, and the caller has a reference. Entries are replaced under the lock of
/// their table. A pin that GUP-fast takes meanwhile is seen by one of the two:
///
/// | CPU 0 try_to_migrate_one      | CPU 1 gup_fast_pte_range       |
/// |-------------------------------|--------------------------------|
/// | clears the entry              | pins the page                  |
/// | pinned? puts the entry back   | entry is another? unpins       |
final class TryToMigrate {
    /// `TTU_SPLIT_HUGE_PMD`: huge PMDs are split first.
    static final int SPLIT_HUGE_PMD = 1;

    /// `TTU_SYNC`: waits for those who unmap the folio at this moment.
    static final int SYNC = 1 << 1;

    /// `TTU_RMAP_LOCKED`: the caller holds the rmap lock.
    static final int RMAP_LOCKED = 1 << 2;

    private final Kernel kernel;

    TryToMigrate(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/rmap.c: try_to_migrate(). Replaces the entries that map the folio by migration entries.
    /// Where that did not work for all of them the folio is still mapped.
    void tryToMigrate(Folio folio, int flags) {
        RmapWalkControl rwc =
                new RmapWalkControl((one, vma, addr) -> tryToMigrateOne(one, vma, addr, flags))
                        .done(kernel.rmapWalk()::folioNotMapped)
                        .anonLock(kernel.anonVmas()::folioLockAnonVmaRead);
        if (folio.isZoneDevice()) {
            return;
        }
        if ((flags & RMAP_LOCKED) != 0) {
            kernel.rmapWalk().rmapWalkLocked(folio, rwc);
        } else {
            kernel.rmapWalk().rmapWalk(folio, rwc);
        }
    }

    /// mm/rmap.c: try_to_migrate_one(). False where an entry of the VMA cannot be replaced now.
    private boolean tryToMigrateOne(Folio folio, Vma vma, long addr, int flags) {
        int sync = (flags & SYNC) != 0 ? PageVmaMappedWalk.SYNC : 0;
        PageVmaMappedWalk pvmw = PageVmaMappedWalk.ofFolio(kernel, folio, vma, addr, sync);
        long end = pvmw.vmaAddressEnd();
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, vma.mm(), addr, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        boolean split = (flags & SPLIT_HUGE_PMD) != 0;
        boolean ret = true;
        while (ret && pvmw.walk()) {
            Word pte = pvmw.pte();
            if (pte == null && split) {
                // The folio may be mapped by PTEs now: they are looked at next.
                Word pmd = Objects.requireNonNull(pvmw.pmd());
                kernel.hugeMemory().splitHugePmdLocked(vma, pvmw.address(), pmd, true);
                split = false;
                pvmw.walkRestart();
            } else {
                ret =
                        pte == null
                                ? replacePmd(folio, vma, pvmw)
                                : replacePte(folio, vma, pvmw, pte);
                if (!ret) {
                    pvmw.done();
                }
            }
        }
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return ret;
    }

    private boolean replacePmd(Folio folio, Vma vma, PageVmaMappedWalk pvmw) {
        Word pmd = Objects.requireNonNull(pvmw.pmd());
        return kernel.hugeMigration().setPmdMigrationEntry(folio, vma, pvmw.address(), pmd);
    }

    /// The part of try_to_migrate_one() for a PTE; false where the page may be pinned.
    private boolean replacePte(Folio folio, Vma vma, PageVmaMappedWalk pvmw, Word ptep) {
        Page subpage = kernel.memMap().page(Entry.pfn(ptep.readOnce()));
        boolean exclusive = folio.isAnon() && subpage.anonExclusive();
        long pte = kernel.pgtableGeneric().ptepClearFlush(vma, pvmw.address(), ptep);
        if (Entry.dirty(pte)) {
            kernel.swap().folioMarkDirty(folio);
        }
        if (kernel.memMap().folioAt(subpage.pfn()).isHwpoison()) {
            kernel.entries().setPte(ptep, Entry.hwpoison(subpage.pfn()));
        } else {
            // The entry is cleared before: nobody finds the page by it any more.
            boolean pinned =
                    exclusive
                            && !kernel.rmap()
                                    .folioTryShareAnonRmapPte(kernel.machine(), folio, subpage);
            if (pinned) {
                kernel.entries().setPte(ptep, pte);
                return false;
            }
            long kind = kind(Entry.write(pte), exclusive);
            // Was not present, so there is nothing to flush.
            kernel.entries().setPte(ptep, Entry.softleaf(kind, subpage.pfn(), pte));
        }
        kernel.rmap().folioRemoveRmapPte(folio, subpage);
        kernel.swap().folioPut(folio);
        return true;
    }

    /// The kind of migration entry for what was mapped in that way.
    static long kind(boolean writable, boolean exclusive) {
        long readOnly = exclusive ? Entry.MIGRATION_READ_EXCLUSIVE : Entry.MIGRATION_READ;
        return writable ? Entry.MIGRATION_WRITE : readOnly;
    }
}
