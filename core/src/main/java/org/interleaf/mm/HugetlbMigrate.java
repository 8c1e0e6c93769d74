// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiPredicate;

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
        return err == QUEUED ? migrate(pagelist.getFirst()) : err;
    }

    /// mm/migrate.c: add_folio_for_migration(). Isolates the folio at `addr` and adds it to
    /// `pagelist`: {@link #QUEUED}, or a negative error number. It is isolated under the lock of
    /// the entry that maps it, which keeps it from being freed.
    private int addFolioForMigration(MmStruct mm, long addr, List<Folio> pagelist) {
        int err = -Errno.EFAULT;
        kernel.mmapLock().readLock(mm);
        Vma vma = kernel.mmap().vmaLookup(mm, addr);
        if (vma != null) {
            FolioWalk.Found found = kernel.folioWalk().start(vma, addr);
            if (found != null) {
                Folio folio = kernel.memMap().pageFolio(found.page());
                err = isolateForMigration(folio, pagelist);
                kernel.folioWalk().end(found, vma);
            } else {
                err = -Errno.ENOENT;
            }
        }
        kernel.mmapLock().readUnlock(mm);
        return err;
    }

    /// mm/migrate.c: __add_folio_for_migration(), for hugetlb; folios of other kinds stay where
    /// they are.
    private int isolateForMigration(Folio folio, List<Folio> pagelist) {
        if (folio.isHugetlb() && hugetlb.pool().isolate(folio)) {
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
        Folio dst = hugetlb.pool().allocForMigration(hugetlb.pool().folioHstate(src));
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
        boolean anon = src.isAnon();
        if (src.hugetlb().subpool.readPlain() != 0 && anon) {
            return -Errno.EBUSY;
        }
        AnonVma anonVma = anon ? kernel.anonVmas().folioGetAnonVma(src) : null;
        int rc = -Errno.EAGAIN;
        if (dst.lock().trylock()) {
            rc = unmapAndMove(dst, src, anon);
            dst.lock().unlock();
        }
        if (anonVma != null) {
            kernel.anonVmas().putAnonVma(anonVma);
        }
        return rc;
    }

    private int unmapAndMove(Folio dst, Folio src, boolean anon) {
        boolean mapped = kernel.rmap().folioMapcount(src) > 0;
        Inode inode = anon ? null : inode(src);
        boolean locked = mapped && inode != null;
        // The folio lock comes after i_mmap_rwsem: it can only be tried.
        if (locked && !Objects.requireNonNull(inode).mmapRwsem().downWriteTrylock()) {
            return -Errno.EAGAIN;
        }
        if (mapped) {
            walk(src, inode, (vma, addr) -> tryToMigrateOne(src, vma, addr));
        }
        boolean moved = kernel.rmap().folioMapcount(src) == 0 && moveToNewFolio(dst, src, inode);
        if (mapped) {
            Folio now = moved ? dst : src;
            walk(now, inode, (vma, addr) -> removeMigrationPte(src, now, vma, addr));
        }
        if (locked) {
            Objects.requireNonNull(inode).mmapRwsem().upWrite();
        }
        return moved ? 0 : -Errno.EAGAIN;
    }

    private @Nullable Inode inode(Folio folio) {
        return (Inode) kernel.machine().heap().resolve(folio.mapping.readOnce() >> 1);
    }

    /// mm/migrate.c: move_to_new_folio(), migrate_folio(); fs/hugetlbfs/inode.c:
    /// hugetlbfs_migrate_folio(). False where somebody else has a reference.
    private boolean moveToNewFolio(Folio dst, Folio src, @Nullable Inode inode) {
        long expected = 1L + (inode == null ? 0 : src.nrPages());
        if (src.refCount() != expected) {
            return false;
        }
        if (inode != null) {
            if (!kernel.filemap().replaceFolio(inode, dst, src, expected)) {
                return false;
            }
            dst.hugetlb().subpool.writePlain(src.hugetlb().subpool.readPlain());
            src.hugetlb().subpool.writePlain(0);
        } else {
            for (int i = 0; i < src.nrPages(); i++) { // folio_mc_copy()
                kernel.highmem().copyPage(dst.pfn() + i, src.pfn() + i);
            }
            dst.index.writePlain(src.index.readPlain());
            dst.mapping.writePlain(src.mapping.readPlain());
        }
        long flags = Folio.PG_UPTODATE | Folio.PG_DIRTY | Folio.PG_REFERENCED;
        dst.setFlag(src.flags.readOnce() & flags); // folio_migrate_flags()
        if (inode != null) {
            src.mapping.writePlain(0);
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

    // ---- rmap

    /// mm/rmap.c: rmap_walk_anon(), rmap_walk_file(). Tells `one` of each VMA that may map the
    /// folio, and of the address; false of it ends the walk. `i_mmap_rwsem` is held where it is a
    /// file's.
    private void walk(Folio folio, @Nullable Inode inode, BiPredicate<Vma, Long> one) {
        long pgoff = folio.index.readPlain();
        if (inode != null) {
            walkVmas(kernel.mappingRmap().vmas(inode, pgoff, pgoff), pgoff, one);
            return;
        }
        Object mapping = kernel.machine().heap().resolve(folio.mapping.readOnce() >> 1);
        if (mapping instanceof AnonVma anonVma) {
            anonVma.rwsem().downRead();
            VmaList list = anonVma.vmas.read(Order.PLAIN);
            if (list != null) {
                walkVmas(list.vmas(), pgoff, one);
            }
            anonVma.rwsem().upRead();
        }
    }

    private void walkVmas(List<Vma> vmas, long pgoff, BiPredicate<Vma, Long> one) {
        int pageShift = kernel.geometry().pageShift();
        for (Vma vma : vmas) {
            long offset = (pgoff - vma.pgoff()) << pageShift;
            long addr = vma.start() + offset;
            if (offset >= 0 && addr < vma.end() && !one.test(vma, addr)) {
                return;
            }
        }
    }

    /// mm/page_vma_mapped.c: page_vma_mapped_walk(), for hugetlb. The entry for `addr` with its
    /// lock held, if it maps the folio, or did before it was to migrate; null where it does not.
    private @Nullable Word mappedEntry(Folio folio, Vma vma, long addr, boolean migration) {
        Hstate h = HugetlbVmas.hstate(vma);
        Word ptep = hugetlb.walk().walk(vma, h, addr);
        if (ptep == null) {
            return null;
        }
        SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, ptep);
        long pte = hugetlb.pte().get(h, ptep);
        boolean kind = migration ? Entry.isMigration(pte) : Entry.ptePresent(pte);
        if (kind && Entry.pfn(pte) == folio.pfn()) {
            return ptep;
        }
        ptl.unlock();
        return null;
    }

    private SpinLock lockOf(Vma vma, Word ptep) {
        return kernel.ptLocks().hugePteLockptr(HugetlbVmas.hstate(vma).size(), vma.mm(), ptep);
    }

    /// mm/rmap.c: try_to_migrate_one(). Has a migration entry stand where the folio was mapped;
    /// false where that cannot be now.
    private boolean tryToMigrateOne(Folio folio, Vma vma, long addr) {
        Word ptep = mappedEntry(folio, vma, addr, false);
        if (ptep == null) {
            return true;
        }
        Hstate h = HugetlbVmas.hstate(vma);
        boolean anon = folio.isAnon();
        boolean exclusive = anon && folio.head().anonExclusive();
        if (!anon) {
            if (!hugetlb.vmas().trylockWrite(vma)) {
                lockOf(vma, ptep).unlock();
                return false;
            }
            MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
            boolean unshared = hugetlb.pmdShare().unshare(tlb, vma, addr, ptep);
            hugetlb.vmas().unlockWrite(vma);
            if (unshared) {
                hugetlb.pmdShare().unshareFlush(tlb, vma);
                tlb.finish();
                lockOf(vma, ptep).unlock();
                return true;
            }
            tlb.finish();
        }
        long pte = hugetlb.pte().clearFlush(vma.mm(), h, addr, ptep);
        if (Entry.dirty(pte)) {
            folio.setFlag(Folio.PG_DIRTY);
        }
        if (exclusive && !kernel.rmap().hugetlbTryShareAnonRmap(kernel.machine(), folio)) {
            hugetlb.pte().set(vma.mm(), h, addr, ptep, pte);
            lockOf(vma, ptep).unlock();
            return false;
        }
        long readOnly = exclusive ? Entry.MIGRATION_READ_EXCLUSIVE : Entry.MIGRATION_READ;
        long kind = Entry.write(pte) ? Entry.MIGRATION_WRITE : readOnly;
        long entry = Entry.softleaf(kind, folio.pfn(), pte);
        hugetlb.pte().set(vma.mm(), h, addr, ptep, entry);
        kernel.rmap().hugetlbRemoveRmap(folio);
        kernel.swap().folioPut(folio);
        lockOf(vma, ptep).unlock();
        return true;
    }

    /// mm/migrate.c: remove_migration_pte(). Maps `now` where `src` was mapped.
    private boolean removeMigrationPte(Folio src, Folio now, Vma vma, long addr) {
        Word ptep = mappedEntry(src, vma, addr, true);
        if (ptep == null) {
            return true;
        }
        Hstate h = HugetlbVmas.hstate(vma);
        long old = hugetlb.pte().get(h, ptep);
        now.get();
        long kept = old & (Entry.ACCESSED | Entry.DIRTY);
        long pte = Entry.make(now.pfn(), HugePte.pageProt(vma.flags()) | kept);
        if (Entry.softleafKind(old) == Entry.MIGRATION_WRITE) {
            pte = Entry.mkwrite(pte);
        }
        if (now.isAnon()) {
            boolean exclusive = Entry.softleafKind(old) != Entry.MIGRATION_READ;
            kernel.rmap().hugetlbAddAnonRmap(now, exclusive);
        } else {
            kernel.rmap().hugetlbAddFileRmap(now);
        }
        hugetlb.pte().set(vma.mm(), h, addr, ptep, HugePte.archMakeHuge(pte, h));
        lockOf(vma, ptep).unlock();
        return true;
    }
}
