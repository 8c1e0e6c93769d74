// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

import java.util.Objects;

/// Mapping again what had migration entries (remove_migration_ptes() of mm/migrate.c). Of hugetlb
/// there is {@link HugetlbMigrate}.
final class RemoveMigration {
    /// `TTU_RMAP_LOCKED`: the caller holds the rmap lock.
    static final int RMAP_LOCKED = 1;

    /// `TTU_USE_SHARED_ZEROPAGE`: pages of zeros are not mapped again, but the zero page.
    static final int USE_SHARED_ZEROPAGE = 1 << 1;

    private final Kernel kernel;

    RemoveMigration(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/migrate.c: remove_migration_ptes(). Has all migration entries that were made for `src`
    /// map `dst`, which may be the same; both are locked. All must be found: who waits would wait
    /// for ever. The caller has a reference to the anon_vma, as nothing may map the folio now.
    ///
    /// @param flags {@link #RMAP_LOCKED}, {@link #USE_SHARED_ZEROPAGE}
    void removeMigrationPtes(Folio src, Folio dst, int flags) {
        boolean zero = (flags & USE_SHARED_ZEROPAGE) != 0;
        RmapWalkControl rwc =
                new RmapWalkControl(
                        (folio, vma, addr) -> removeMigrationPte(src, folio, vma, addr, zero));
        if ((flags & RMAP_LOCKED) != 0) {
            kernel.rmapWalk().rmapWalkLocked(dst, rwc);
        } else {
            kernel.rmapWalk().rmapWalk(dst, rwc);
        }
    }

    /// mm/migrate.c: remove_migration_pte().
    private boolean removeMigrationPte(
            Folio src, Folio folio, Vma vma, long addr, boolean unusedToZeropage) {
        int flags = PageVmaMappedWalk.SYNC | PageVmaMappedWalk.MIGRATION;
        PageVmaMappedWalk pvmw = PageVmaMappedWalk.ofFolio(kernel, src, vma, addr, flags);
        while (pvmw.walk()) {
            Word pte = pvmw.pte();
            if (pte == null) {
                Word pmd = Objects.requireNonNull(pvmw.pmd());
                kernel.hugeMigration().removeMigrationPmd(folio, vma, pmd);
            } else if (!unusedToZeropage || !tryToMapUnusedToZeropage(folio, vma, pte)) {
                restorePte(src, folio, vma, pte);
            }
        }
        return true;
    }

    /// mm/migrate.c: try_to_map_unused_to_zeropage(). Of a folio that has just been split: maps the
    /// zero page instead of a page that is as good; whether it did.
    private boolean tryToMapUnusedToZeropage(Folio folio, Vma vma, Word ptep) {
        long old = ptep.readOnce(); // remove_migration_pte()
        Page page = kernel.memMap().page(Entry.pfn(old));
        if (kernel.memMap().pageFolio(page).isLarge() || folio.isHwpoison()) {
            return false;
        }
        if (!kernel.highmem().allZero(page.pfn())) {
            return false;
        }
        long zero = Entry.make(kernel.zeroFolio().pfn(), Vma.pageProt(vma.flags()));
        zero = Entry.mkspecial(zero);
        kernel.entries().setPte(ptep, Entry.uffd(old) ? Entry.mkuffd(zero) : zero);
        return true;
    }

    /// The part of remove_migration_pte() for a PTE.
    private void restorePte(Folio src, Folio folio, Vma vma, Word ptep) {
        long old = ptep.readOnce();
        long idx = folio.isLarge() ? Entry.pfn(old) - src.pfn() : 0;
        folio.get();
        Page fresh = kernel.memMap().page(folio.pfn() + idx);
        long pte = Entry.make(fresh.pfn(), Vma.pageProt(vma.flags.readOnce()));
        if (!Entry.young(old)) {
            pte = Entry.mkold(pte);
        }
        if (folio.testFlag(Folio.PG_DIRTY) && Entry.dirty(old)) {
            pte = Entry.mkdirty(pte);
        }
        if (Entry.softleafKind(old) == Entry.MIGRATION_WRITE) {
            pte = Entry.mkwrite(pte);
        } else if (Entry.uffd(old)) {
            pte = Entry.mkuffd(pte);
        }
        if (folio.isAnon()) {
            boolean exclusive = Entry.softleafKind(old) != Entry.MIGRATION_READ;
            kernel.rmap().folioAddAnonRmapPtes(folio, fresh, 1, exclusive);
        } else {
            kernel.rmap().folioAddFileRmapPte(folio, fresh);
        }
        kernel.entries().setPte(ptep, pte);
    }
}
