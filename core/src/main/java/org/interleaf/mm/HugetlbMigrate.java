// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Moving huge pages of hugetlb to other memory (mm/migrate.c, and try_to_migrate() of mm/rmap.c).
///
/// # Locking
///
/// Both folios are locked throughout. Entries that map the old one give way to migration entries,
/// under the lock of each table; who finds one waits until the folio is unlocked. If then nobody
/// but the migration has a reference, contents and identity move; the entries come back in either
/// case.
public final class HugetlbMigrate {
    /// What add_folio_for_migration() returns where there is something to move.
    private static final int QUEUED = 1;

    private final Kernel kernel;
    private final Hugetlb hugetlb;

    HugetlbMigrate(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
    }

    /// mm/migrate.c: kernel_move_pages(), do_pages_move(). move_pages(2) to another node, with
    /// `MPOL_MF_MOVE_ALL`, for one page. 0 or a negative error number. What cannot be moved at the
    /// first attempt is put back.
    public long movePages(MmStruct mm, long addr) {
        List<Folio> pagelist = new ArrayList<>(1);
        int err = addFolioForMigration(mm, addr, pagelist);
        if (err != QUEUED) {
            return err;
        }
        Folio folio = pagelist.getFirst();
        return folio.isHugetlb() ? migrate(folio) : kernel.migrate().migratePages(folio);
    }

    /// mm/migrate.c: add_folio_for_migration(). Isolates the folio at `addr` and adds it to
    /// `pagelist`: {@link #QUEUED}, or a negative error number. It is isolated under the lock of
    /// the entry that maps it, which keeps it from being freed.
    private int addFolioForMigration(MmStruct mm, long addr, List<Folio> pagelist) {
        int err = -Errno.EFAULT;
        kernel.mmapLock().readLock(mm);
        Vma vma = kernel.mmap().vmaLookup(mm, addr);
        if (vma != null) {
            FolioWalk.Found found = kernel.folioWalk().start(vma, addr, true);
            if (found != null) {
                err = isolateForMigration(found.folio(), pagelist);
                kernel.folioWalk().end(found, vma);
            } else {
                err = -Errno.ENOENT;
            }
        }
        kernel.mmapLock().readUnlock(mm);
        return err;
    }

    /// mm/migrate.c: __add_folio_for_migration(). Each folio counts as on the wrong node.
    private int isolateForMigration(Folio folio, List<Folio> pagelist) {
        if (kernel.isReserved(folio)) {
            return -Errno.EFAULT;
        }
        if (folio.isZoneDevice()) {
            return -Errno.ENOENT;
        }
        boolean isolated =
                folio.isHugetlb()
                        ? hugetlb.pool().isolate(folio)
                        : kernel.swap().folioIsolateLru(folio);
        if (isolated) {
            pagelist.add(folio);
            return QUEUED;
        }
        return -Errno.EBUSY;
    }

    /// mm/migrate.c: unmap_and_move_hugetlb_folio(). The folio is isolated, and put back.
    private int migrate(Folio src) {
        if (src.refCount() == 1) {
            hugetlb.pool().putback(src);
            return 0;
        }
        Folio dst = hugetlb.pool().allocFolioNodemask(hugetlb.pool().folioHstate(src));
        if (dst == null) {
            hugetlb.pool().putback(src);
            return -Errno.ENOMEM;
        }
        src.lock().lock();
        int rc = moveLocked(dst, src);
        if (rc == 0) {
            moveState(src, dst);
        }
        src.lock().unlock();
        hugetlb.pool().putback(src);
        kernel.swap().folioPut(dst);
        return rc;
    }

    /// The part of unmap_and_move_hugetlb_folio() with the old folio locked.
    private int moveLocked(Folio dst, Folio src) {
        if (src.hugetlb().subpool.readPlain() != 0 && hugetlb.rmap().folioMapping(src) == null) {
            // It is being freed: what is left to do for the subpool would be done for neither.
            return -Errno.EBUSY;
        }
        AnonVma anonVma = src.isAnon() ? kernel.anonVmas().folioGetAnonVma(src) : null;
        int rc = -Errno.EAGAIN;
        if (dst.lock().trylock()) {
            rc = unmapAndMove(dst, src);
            dst.lock().unlock();
        }
        if (anonVma != null) {
            kernel.anonVmas().putAnonVma(anonVma);
        }
        return rc;
    }

    private int unmapAndMove(Folio dst, Folio src) {
        boolean mapped = kernel.rmap().folioMapcount(src) > 0;
        Inode locked = null;
        if (mapped) {
            if (!src.isAnon()) {
                locked = hugetlb.rmap().mappingLockWrite(src);
                if (locked == null) {
                    return -Errno.EAGAIN;
                }
            }
            hugetlb.rmap().walkWhileMapped(src, (vma, addr) -> tryToMigrateOne(src, vma, addr));
        }
        boolean moved = kernel.rmap().folioMapcount(src) == 0 && moveToNewFolio(dst, src);
        if (mapped) {
            Folio now = moved ? dst : src;
            hugetlb.rmap().walkAll(now, (vma, addr) -> removeMigrationPte(src, now, vma, addr));
        }
        if (locked != null) {
            locked.mmapRwsem().upWrite();
        }
        return moved ? 0 : -Errno.EAGAIN;
    }

    /// mm/migrate.c: move_to_new_folio(). False where somebody else has a reference.
    private boolean moveToNewFolio(Folio dst, Folio src) {
        Inode inode = hugetlb.rmap().folioMapping(src);
        long expected = expectedRefCount(src) + 1;
        if (src.refCount() != expected) {
            return false;
        }
        boolean moved =
                inode == null
                        ? migrateAnon(dst, src)
                        : hugetlbfsMigrateFolio(inode, dst, src, expected);
        if (!moved) {
            return false;
        }
        long flags = Folio.PG_UPTODATE | Folio.PG_DIRTY | Folio.PG_REFERENCED;
        dst.setFlags(src.readFlags(flags)); // folio_migrate_flags()
        if (!src.isAnon()) {
            src.mapping.writePlain(0);
        }
        return true;
    }

    /// include/linux/mm.h: folio_expected_ref_count(). The references of the page cache and of
    /// those who map the folio.
    private long expectedRefCount(Folio folio) {
        long cache = !folio.isAnon() && folio.mapping.readPlain() != 0 ? folio.nrPages() : 0;
        return cache + kernel.rmap().folioMapcount(folio);
    }

    /// mm/migrate.c: __migrate_folio(), __folio_migrate_mapping(), for a folio that is in no page
    /// cache.
    private boolean migrateAnon(Folio dst, Folio src) {
        for (int i = 0; i < src.nrPages(); i++) { // folio_mc_copy()
            kernel.highmem().copyPage(dst.pfn() + i, src.pfn() + i);
        }
        dst.index.writePlain(src.index.readPlain());
        dst.mapping.writePlain(src.mapping.readPlain());
        return true;
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_migrate_folio().
    private boolean hugetlbfsMigrateFolio(Inode inode, Folio dst, Folio src, long expected) {
        if (!kernel.filemap().replaceFolio(inode, dst, src, expected)) {
            return false;
        }
        long subpool = src.hugetlb().subpool.readPlain();
        if (subpool != 0) {
            dst.hugetlb().subpool.writePlain(subpool);
            src.hugetlb().subpool.writePlain(0);
        }
        return true;
    }

    /// mm/hugetlb.c: move_hugetlb_state(). If the new folio was only for the time of the migration,
    /// it is the old one now that goes.
    private void moveState(Folio src, Folio dst) {
        if (dst.hugetlb().test(HugetlbFolio.TEMPORARY)) {
            src.hugetlb().set(HugetlbFolio.TEMPORARY);
            dst.hugetlb().clear(HugetlbFolio.TEMPORARY);
        }
        hugetlb.pool().setMigratable(dst);
    }

    // ---- entries

    /// mm/rmap.c: try_to_migrate_one(). Has a migration entry stand where the folio was mapped;
    /// false where that cannot be now.
    private boolean tryToMigrateOne(Folio folio, Vma vma, long addr) {
        long end = Math.min(addr + HugetlbVmas.hstate(vma).size(), vma.end());
        MmuNotifierRange range = hugetlb.pmdShare().adjusted(Event.CLEAR, vma, addr, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        boolean ret = replaceByMigrationEntry(folio, vma, addr);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return ret;
    }

    /// The part of try_to_migrate_one() that others are told of.
    private boolean replaceByMigrationEntry(Folio folio, Vma vma, long addr) {
        PageVmaMappedWalk pvmw = PageVmaMappedWalk.ofFolio(kernel, folio, vma, addr, 0);
        if (!pvmw.walk()) {
            return true;
        }
        Word ptep = Objects.requireNonNull(pvmw.pte());
        Hstate h = HugetlbVmas.hstate(vma);
        long pte = hugetlb.pte().get(h, ptep);
        Page subpage = kernel.memMap().page(Entry.pfn(pte));
        boolean exclusive = folio.isAnon() && subpage.anonExclusive();
        if (!folio.isAnon()) {
            if (!hugetlb.vmas().trylockWrite(vma)) {
                pvmw.done();
                return false;
            }
            if (hugetlb.pmdShare().unshareOne(vma, addr, ptep)) {
                pvmw.done();
                return true;
            }
        }
        pte = hugetlb.pte().clearFlush(vma.mm(), h, addr, ptep);
        if (Entry.dirty(pte)) {
            folio.setFlag(Folio.PG_DIRTY);
        }
        long entry;
        if (folio.isHwpoison()) {
            entry = Entry.hwpoison(folio.pfn());
        } else if (exclusive && !kernel.rmap().hugetlbTryShareAnonRmap(kernel.machine(), folio)) {
            hugetlb.pte().set(vma.mm(), h, addr, ptep, pte);
            pvmw.done();
            return false;
        } else {
            long readOnly = exclusive ? Entry.MIGRATION_READ_EXCLUSIVE : Entry.MIGRATION_READ;
            long kind = Entry.write(pte) ? Entry.MIGRATION_WRITE : readOnly;
            entry = Entry.softleaf(kind, folio.pfn(), pte);
        }
        hugetlb.pte().set(vma.mm(), h, addr, ptep, entry);
        kernel.rmap().hugetlbRemoveRmap(folio);
        kernel.swap().folioPut(folio);
        pvmw.done();
        return true;
    }

    /// mm/migrate.c: remove_migration_pte(). Maps `now` where `src` was mapped.
    private boolean removeMigrationPte(Folio src, Folio now, Vma vma, long addr) {
        int flags = PageVmaMappedWalk.SYNC | PageVmaMappedWalk.MIGRATION;
        PageVmaMappedWalk pvmw = PageVmaMappedWalk.ofFolio(kernel, src, vma, addr, flags);
        if (!pvmw.walk()) {
            return true;
        }
        Word ptep = Objects.requireNonNull(pvmw.pte());
        Hstate h = HugetlbVmas.hstate(vma);
        long old = hugetlb.pte().get(h, ptep);
        now.get();
        long pte = Entry.make(now.pfn(), HugePte.pageProt(vma.flags()) | old & Entry.ACCESSED);
        if (now.testFlag(Folio.PG_DIRTY) && Entry.dirty(old)) {
            pte = Entry.mkdirty(pte);
        }
        if (Entry.softleafKind(old) == Entry.MIGRATION_WRITE) {
            pte = Entry.mkwrite(pte);
        } else if (Entry.uffd(old)) {
            pte = Entry.mkuffd(pte);
        }
        if (now.isAnon()) {
            boolean exclusive = Entry.softleafKind(old) != Entry.MIGRATION_READ;
            kernel.rmap().hugetlbAddAnonRmap(now, exclusive);
        } else {
            kernel.rmap().hugetlbAddFileRmap(now);
        }
        hugetlb.pte().set(vma.mm(), h, addr, ptep, HugePte.archMakeHuge(pte, h));
        pvmw.done();
        return true;
    }
}
