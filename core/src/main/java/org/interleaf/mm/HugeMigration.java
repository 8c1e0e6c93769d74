// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

/// Migration entries at PMD level (mm/huge_memory.c), where the architecture has them:
/// `ARCH_HAS_PMD_SOFTLEAVES`, before 7.3 `ARCH_ENABLE_THP_MIGRATION`. The PMD lock is held.
final class HugeMigration {
    private final Kernel kernel;

    HugeMigration(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/huge_memory.c: set_pmd_migration_entry(). Has a migration entry stand where a PMD mapped
    /// the folio; false where it may be pinned. The table that is deposited for splitting stays.
    boolean setPmdMigrationEntry(Folio folio, Vma vma, long addr, Word pmd) {
        long value = pmd.readPlain(); // try_to_migrate_one()
        Page page = kernel.memMap().page(Entry.pfn(value));
        kernel.warnOn(!Entry.present(pmd.readPlain()), "memory of a device migrates", folio);
        long old = kernel.pgtableGeneric().pmdpInvalidate(vma, addr, pmd);
        boolean exclusive = folio.isAnon() && page.anonExclusive();
        boolean pinned =
                exclusive && !kernel.rmap().folioTryShareAnonRmapPte(kernel.machine(), folio, page);
        if (pinned) {
            kernel.entries().setPte(pmd, old);
            return false;
        }
        if (Entry.dirty(old)) {
            kernel.swap().folioMarkDirty(folio);
        }
        long kind = TryToMigrate.kind(Entry.write(old), exclusive);
        kernel.entries().setPte(pmd, Entry.softleaf(kind, page.pfn(), old));
        kernel.rmap().folioRemoveRmapPmd(folio);
        kernel.swap().folioPut(folio);
        return true;
    }

    /// mm/huge_memory.c: remove_migration_pmd(). Maps the folio by the PMD that says it migrates.
    void removeMigrationPmd(Folio folio, Vma vma, Word pmd) {
        long old = pmd.readPlain();
        folio.get();
        long entry = Entry.make(folio.pfn(), Vma.pageProt(vma.flags.readOnce()));
        entry = Entry.mkhuge(entry);
        if (Entry.softleafKind(old) == Entry.MIGRATION_WRITE) {
            entry = Entry.mkwrite(entry);
        }
        if (Entry.uffd(old)) {
            entry = Entry.mkuffd(entry);
        }
        if (!Entry.young(old)) {
            entry = Entry.mkold(entry);
        }
        if (folio.testFlag(Folio.PG_DIRTY) && Entry.dirty(old)) {
            entry = Entry.mkdirty(entry);
        }
        if (folio.isAnon()) {
            boolean exclusive = Entry.softleafKind(old) != Entry.MIGRATION_READ;
            kernel.rmap().folioAddAnonRmapPmd(folio, exclusive);
        } else {
            kernel.rmap().folioAddFileRmapPmd(folio);
        }
        kernel.entries().setPte(pmd, entry);
    }
}
