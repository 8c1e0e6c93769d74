// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// Waiting until a page has moved (mm/migrate.c).
///
/// # Locking
///
/// The folio of a migration entry has no reference from it. It stays as long as the entry does, and
/// that as long as the lock of its table is held: who waits queues under it, drops it, and looks at
/// the folio no more. Whoever removes the entry unlocks the folio afterwards and so wakes him; what
/// he finds then the fault shows that is made again.
final class MigrationWait {
    private final Kernel kernel;

    MigrationWait(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/migrate.c: migration_entry_wait(). Waits if there is a migration entry at `addr`, below
    /// `pmd`.
    void migrationEntryWait(MmStruct mm, Word pmd, long addr) {
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(mm, pmd, addr);
        if (pte == null) {
            return;
        }
        long entry = pte.pte().readOnce();
        pte.unmap();
        if (Entry.isMigration(entry)) {
            waitOnLocked(entry, pte.ptl());
        } else {
            pte.ptl().unlock();
        }
    }

    /// mm/migrate.c: pmd_migration_entry_wait().
    void pmdMigrationEntryWait(MmStruct mm, Word pmd) {
        SpinLock ptl = kernel.ptLocks().pmdLock(mm, pmd);
        if (Entry.isMigration(pmd.readPlain())) {
            waitOnLocked(pmd.readPlain(), ptl);
        } else {
            ptl.unlock();
        }
    }

    private void waitOnLocked(long entry, SpinLock ptl) {
        Folio folio = kernel.memMap().softleafToFolio(kernel, entry);
        folio.folioWait().softleafEntryWaitOnLocked(ptl);
    }
}
