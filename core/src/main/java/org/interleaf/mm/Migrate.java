// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Moving folios to other memory (mm/migrate.c). Of hugetlb there is {@link HugetlbMigrate}.
///
/// # Locking
///
/// Both folios are locked throughout. Entries that map the old one give way to migration entries,
/// under the lock of each table; who finds one waits until the folio is unlocked. If then nobody
/// but the migration and the caches it is in has a reference, contents and identity move; the
/// entries come back in either case. The reference to the anon_vma keeps that from being freed
/// while nothing maps the folio.
final class Migrate {
    /// Why the folio stays where it is, for another attempt: `-EAGAIN`.
    private static final int AGAIN = -Errno.EAGAIN;

    private final Kernel kernel;
    private final ShmemMigrate shmemMigrate;

    Migrate(Kernel kernel) {
        this.kernel = kernel;
        this.shmemMigrate = new ShmemMigrate(kernel);
    }

    /// A folio that was unmapped: what migrate_folio_unmap() leaves for migrate_folio_move().
    private record Unmapped(Folio dst, boolean wasMapped, @Nullable AnonVma anonVma) {}

    /// mm/migrate.c: do_move_pages_to_node(), migrate_pages(), for one folio that is isolated from
    /// the LRU. 0, or a negative error number with the folio put back. The kernel makes a few
    /// attempts before that, here there is one, in `MIGRATE_SYNC` mode.
    int migratePages(Folio src) {
        if (src.isLarge() && !kernel.arch().thpMigration()) {
            return splitAndMigrate(src);
        }
        int rc = attempt(src);
        if (rc != 0) {
            kernel.swap().folioPutbackLru(src); // putback_movable_pages()
        }
        return rc;
    }

    /// One pass of migrate_pages_batch(), for one folio.
    private int attempt(Folio src) {
        if (src.refCount() == 1) {
            kernel.swap().folioPut(src); // It was freed from under us.
            return 0;
        }
        Folio dst = kernel.pageAlloc().folioAlloc(src.order()); // alloc_migration_target()
        if (dst == null) {
            return -Errno.ENOMEM;
        }
        src.lock().lock();
        Unmapped unmapped = migrateFolioUnmap(src, dst);
        return unmapped == null ? AGAIN : migrateFolioMove(src, unmapped);
    }

    /// The part of migrate_pages_batch() where huge pages cannot migrate: tries each page of its
    /// own, and counts the folio as not migrated.
    private int splitAndMigrate(Folio src) {
        List<Folio> pieces = new ArrayList<>();
        src.lock().lock(); // try_split_folio()
        int rc = kernel.folioSplit().splitFolioToList(src, pieces);
        src.lock().unlock();
        if (rc != 0) {
            kernel.swap().folioPutbackLru(src);
            return rc;
        }
        pieces.add(src);
        boolean all = true;
        for (Folio piece : pieces) {
            if (attempt(piece) != 0) {
                kernel.swap().folioPutbackLru(piece);
                all = false;
            }
        }
        return all ? 0 : AGAIN;
    }

    /// mm/migrate.c: migrate_folio_unmap(), from where the old folio is locked. Null where that
    /// failed, with nothing locked and the new folio given back.
    private @Nullable Unmapped migrateFolioUnmap(Folio src, Folio dst) {
        AnonVma anonVma = src.isAnon() ? kernel.anonVmas().folioGetAnonVma(src) : null;
        boolean wasMapped = false;
        boolean dstLocked = dst.lock().trylock();
        if (dstLocked) {
            if (src.mapping.readPlain() != 0 && kernel.rmap().folioMapped(src)) {
                kernel.tryToMigrate().tryToMigrate(src, 0);
                wasMapped = true;
            }
            if (!kernel.rmap().folioMapped(src)) {
                return new Unmapped(dst, wasMapped, anonVma);
            }
        }
        undoSrc(src, wasMapped, anonVma);
        undoDst(dst, dstLocked);
        return null;
    }

    /// mm/migrate.c: migrate_folio_undo_src().
    private void undoSrc(Folio src, boolean wasMapped, @Nullable AnonVma anonVma) {
        if (wasMapped) {
            kernel.removeMigration().removeMigrationPtes(src, src, 0);
        }
        if (anonVma != null) {
            kernel.anonVmas().putAnonVma(anonVma);
        }
        src.lock().unlock();
    }

    /// mm/migrate.c: migrate_folio_undo_dst().
    private void undoDst(Folio dst, boolean locked) {
        if (locked) {
            dst.lock().unlock();
        }
        kernel.swap().folioPut(dst);
    }

    /// mm/migrate.c: migrate_folio_move(). 0 with the old folio gone, or a negative error number
    /// with all as before.
    private int migrateFolioMove(Folio src, Unmapped unmapped) {
        Folio dst = unmapped.dst;
        int rc = moveToNewFolio(dst, src);
        if (rc != 0) {
            undoSrc(src, unmapped.wasMapped, unmapped.anonVma);
            undoDst(dst, true);
            return rc;
        }
        kernel.swap().folioAddLru(dst);
        if (unmapped.wasMapped) {
            kernel.removeMigration().removeMigrationPtes(src, dst, 0);
        }
        dst.lock().unlock();
        kernel.swap().folioPut(dst);
        if (unmapped.anonVma != null) {
            kernel.anonVmas().putAnonVma(unmapped.anonVma);
        }
        src.lock().unlock();
        kernel.swap().folioPut(src); // migrate_folio_done()
        return 0;
    }

    /// mm/migrate.c: move_to_new_folio(), __migrate_folio(). 0, or -EAGAIN where somebody else has
    /// a reference.
    private int moveToNewFolio(Folio dst, Folio src) {
        Inode inode = folioMapping(src);
        long expected = kernel.rmap().folioExpectedRefCount(src) + 1;
        if (src.refCount() != expected) {
            return AGAIN;
        }
        boolean moved =
                inode instanceof ShmemInode shmem
                        ? shmemMigrate.migrate(shmem, dst, src, expected)
                        : migrateAnon(dst, src, expected);
        if (!moved) {
            return AGAIN;
        }
        folioMigrateFlags(dst, src);
        if (!src.isAnon()) {
            src.mapping.writePlain(0);
        }
        return 0;
    }

    private @Nullable Inode folioMapping(Folio folio) {
        long mapping = folio.mapping.readPlain();
        return Folio.isAnonMapping(mapping)
                ? null
                : (Inode) kernel.machine().heap().resolve(mapping >> 1);
    }

    /// mm/migrate.c: folio_mc_copy(), and __folio_migrate_mapping() of a folio that is in no cache.
    private boolean migrateAnon(Folio dst, Folio src, long expected) {
        for (int i = 0; i < src.nrPages(); i++) {
            kernel.highmem().copyPage(dst.pfn() + i, src.pfn() + i);
        }
        if (src.testSwapcache()) {
            return migrateSwapCache(dst, src, expected);
        }
        if (src.isLarge()) {
            if (!src.refFreeze(expected)) {
                return false;
            }
            // It would be taken off the list of those that are to be split some day.
            src.refUnfreeze(expected);
        }
        dst.index.writePlain(src.index.readPlain());
        dst.mapping.writePlain(src.mapping.readPlain());
        if (src.testFlag(Folio.PG_SWAPBACKED)) {
            dst.setFlag(Folio.PG_SWAPBACKED);
        }
        return true;
    }

    /// mm/migrate.c: __folio_migrate_mapping() of a folio in the swap cache: `dst` takes its place
    /// there, if nobody else has a reference.
    private boolean migrateSwapCache(Folio dst, Folio src, long expected) {
        SwapCluster ci = kernel.swapfile().device().clusterLock(src.swap.readPlain());
        if (!src.refFreeze(expected)) {
            ci.lock().unlock();
            return false;
        }
        int nr = src.nrPages();
        dst.index.writePlain(src.index.readPlain());
        dst.mapping.writePlain(src.mapping.readPlain());
        dst.refAdd(nr);
        if (src.testFlag(Folio.PG_SWAPBACKED)) {
            dst.setFlag(Folio.PG_SWAPBACKED);
        }
        if (src.testSwapcache()) {
            dst.setFlag(Folio.PG_SWAPCACHE);
            dst.swap.writePlain(src.swap.readPlain());
        }
        if (src.testFlag(Folio.PG_DIRTY)) {
            src.clearFlag(Folio.PG_DIRTY);
            dst.setFlag(Folio.PG_DIRTY);
        }
        kernel.swapState().swapCacheReplaceFolio(ci, src, dst);
        src.refUnfreeze(expected - nr);
        ci.lock().unlock();
        return true;
    }

    /// mm/migrate.c: folio_migrate_flags().
    private static void folioMigrateFlags(Folio dst, Folio src) {
        if (src.testFlag(Folio.PG_REFERENCED)) {
            dst.setFlag(Folio.PG_REFERENCED);
        }
        if (src.testFlag(Folio.PG_UPTODATE)) {
            dst.markUptodate();
        }
        if (src.testClearFlag(Folio.PG_ACTIVE)) {
            dst.setFlag(Folio.PG_ACTIVE);
        }
        if (src.testFlag(Folio.PG_DIRTY)) {
            dst.setFlag(Folio.PG_DIRTY);
        }
        if (src.testSwapcache()) {
            src.clearFlag(Folio.PG_SWAPCACHE);
        }
    }
}
