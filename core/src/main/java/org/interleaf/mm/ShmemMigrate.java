// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Replacing a folio in the page cache of a file by another (mm/migrate.c).
final class ShmemMigrate {
    private final Kernel kernel;

    ShmemMigrate(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/migrate.c: folio_mc_copy(), __folio_migrate_mapping(). Both folios are locked, and
    /// nothing maps the old one. Lookups find it until its count is frozen, and have to try again
    /// until the new one is in its place. False where somebody else has a reference.
    ///
    /// @param expected references that there should be
    boolean migrate(ShmemInode inode, Folio dst, Folio src, long expected) {
        int nr = src.nrPages();
        for (int i = 0; i < nr; i++) {
            kernel.highmem().copyPage(dst.pfn() + i, src.pfn() + i);
        }
        inode.pages().lock().lock();
        if (!src.refFreeze(expected)) {
            inode.pages().lock().unlock();
            return false;
        }
        long index = src.index.readPlain();
        dst.index.writePlain(index);
        dst.mapping.writePlain(src.mapping.readPlain());
        dst.refAdd(nr);
        if (src.testFlag(Folio.PG_SWAPBACKED)) {
            dst.setFlag(Folio.PG_SWAPBACKED);
        }
        if (src.testFlag(Folio.PG_DIRTY)) {
            src.clearFlag(Folio.PG_DIRTY);
            dst.setFlag(Folio.PG_DIRTY);
        }
        inode.pages().store(index, src.order(), XArray.entry(dst));
        src.refUnfreeze(expected - nr);
        inode.pages().lock().unlock();
        return true;
    }
}
