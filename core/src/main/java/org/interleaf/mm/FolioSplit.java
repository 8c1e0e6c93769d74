// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Cpu;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// Splitting a large anonymous folio into folios of one page (__folio_split() of mm/huge_memory.c),
/// uniformly. The list of folios that are to be split some day, and its lock, are not modelled:
/// nobody looks at it.
///
/// # Locking
///
/// The folio is locked, with one reference of the caller's; the anon_vma is locked for writing
/// against other splits and collapse. All entries that map the folio become migration entries, so
/// no reference comes from there; the count is frozen at zero only if there is none but the
/// caller's, and stays so until each page is a folio of its own:
///
/// | CPU 0 splits                     | CPU 1 takes a reference                |
/// |----------------------------------|----------------------------------------|
/// | migration entries                |                                        |
/// |                                  | folio_try_get()                        |
/// | count is not 1: gives up, remaps |                                        |
///
/// The first page's folio, which others may have found as the head of all, is unfrozen last.
final class FolioSplit {
    private final Kernel kernel;

    FolioSplit(Kernel kernel) {
        this.kernel = kernel;
    }

    /// include/linux/huge_mm.h: split_folio(). See {@link #splitFolioToList}; the new folios are on
    /// the LRU as the old one is.
    int splitFolio(Folio folio) {
        return splitFolioToList(folio, null);
    }

    /// mm/huge_memory.c: split_folio_to_list(), __folio_split(). Splits the folio, which is locked
    /// and not given up by this: afterwards it is its first page's. 0; -EAGAIN where somebody else
    /// has a reference; -EBUSY where it is not mapped any more, or truncated.
    ///
    /// @param list gets the others, each with a reference, instead of the LRU
    int splitFolioToList(Folio folio, @Nullable List<Folio> list) {
        int err = folioCheckSplittable(folio);
        if (err != 0) {
            return err;
        }
        AnonVma anonVma = kernel.anonVmas().folioGetAnonVma(folio);
        if (anonVma == null) {
            return -Errno.EBUSY;
        }
        int nr = folio.nrPages();
        anonVma.rwsem().downWrite();
        int ret = -Errno.EAGAIN;
        if (kernel.rmap().folioExpectedRefCount(folio) == folio.refCount() - 1) {
            ret = splitMapped(folio, nr, list);
        }
        anonVma.rwsem().upWrite();
        kernel.anonVmas().putAnonVma(anonVma);
        return ret;
    }

    /// mm/huge_memory.c: folio_check_splittable(), for splitting to single pages.
    private int folioCheckSplittable(Folio folio) {
        if (folio.mapping.readPlain() == 0 && !folio.isAnon()) {
            return -Errno.EBUSY;
        }
        kernel.bugOn(!folio.isAnon(), "splitting folios of files is not modelled");
        if (kernel.isReserved(folio)) {
            return -Errno.EINVAL;
        }
        return folio.testFlag(Folio.PG_WRITEBACK) ? -Errno.EBUSY : 0;
    }

    /// The part of __folio_split() from unmapping on.
    private int splitMapped(Folio folio, int nr, @Nullable List<Folio> list) {
        unmapFolio(folio);
        Cpu cpu = kernel.machine().cpu();
        cpu.irqSave();
        boolean split = freezeAndSplitUnmapped(folio, nr, list);
        cpu.irqRestore();
        remapPage(folio, nr, split);
        if (!split) {
            return -Errno.EAGAIN;
        }
        for (int i = 1; i < nr; i++) {
            Folio piece = kernel.memMap().folioAt(folio.pfn() + i);
            piece.lock().unlock();
            kernel.swapState().freeSwapCache(piece); // free_folio_and_swap_cache()
            kernel.swap().folioPut(piece);
        }
        return 0;
    }

    /// mm/huge_memory.c: unmap_folio(). TLB flushes are not put off.
    private void unmapFolio(Folio folio) {
        int flags = TryToMigrate.RMAP_LOCKED | TryToMigrate.SYNC;
        if (folio.order() >= kernel.geometry().hpagePmdOrder()) {
            flags |= TryToMigrate.SPLIT_HUGE_PMD;
        }
        kernel.tryToMigrate().tryToMigrate(folio, flags);
    }

    /// mm/huge_memory.c: remap_page(). Where the folio was split, pages of zeros give way to the
    /// zero page.
    private void remapPage(Folio folio, int nr, boolean split) {
        int flags = RemoveMigration.RMAP_LOCKED;
        flags |= split ? RemoveMigration.USE_SHARED_ZEROPAGE : 0;
        int i = 0;
        Folio piece = folio;
        while (true) {
            kernel.removeMigration().removeMigrationPtes(piece, piece, flags);
            i += piece.nrPages();
            if (i >= nr) {
                return;
            }
            piece = kernel.memMap().folioAt(folio.pfn() + i);
        }
    }

    /// mm/huge_memory.c: __folio_freeze_and_split_unmapped(). False where somebody else has a
    /// reference; a mapping that could not be undone is one, too.
    private boolean freezeAndSplitUnmapped(Folio folio, int nr, @Nullable List<Folio> list) {
        if (!folio.refFreeze(folioCacheRefCount(folio) + 1)) {
            return false;
        }
        SwapCluster ci = null;
        if (folio.testSwapcache()) {
            ci = kernel.swapfile().device().clusterLock(folio.swap.readPlain());
        }
        splitFolioToOrder(folio, nr, ci != null);
        for (int i = 1; i < nr; i++) {
            Folio piece = kernel.memMap().folioAt(folio.pfn() + i);
            piece.refUnfreeze(folioCacheRefCount(piece) + 1);
            if (list == null) { // lru_add_split_folio()
                piece.setFlag(Folio.PG_LRU);
            } else {
                piece.get();
                list.add(piece);
            }
            if (ci != null) {
                kernel.swapState().swapCacheReplaceFolio(ci, folio, piece);
            }
        }
        folio.refUnfreeze(folioCacheRefCount(folio) + 1);
        if (ci != null) {
            ci.lock().unlock();
        }
        return true;
    }

    /// mm/huge_memory.c: folio_cache_ref_count(). The references of the swap cache.
    private static int folioCacheRefCount(Folio folio) {
        return folio.testSwapcache() ? folio.nrPages() : 0;
    }

    /// mm/huge_memory.c: __split_folio_to_order(), to single pages. The count is frozen. What makes
    /// pages exclusive is in the migration entries.
    private void splitFolioToOrder(Folio folio, int nr, boolean swapcache) {
        long inherited =
                Folio.PG_REFERENCED
                        | Folio.PG_SWAPBACKED
                        | Folio.PG_SWAPCACHE
                        | Folio.PG_UPTODATE
                        | Folio.PG_ACTIVE
                        | Folio.PG_DIRTY;
        for (int i = 1; i < nr; i++) {
            Page head = kernel.memMap().page(folio.pfn() + i);
            Folio piece = kernel.memMap().folioAt(head.pfn());
            piece.keepFlags(Folio.PG_HWPOISON);
            piece.setFlags(folio.readFlags(inherited));
            piece.setLocked(); // as the folio that it was a part of
            head.dropAnonExclusive();
            piece.mapping.writePlain(folio.mapping.readPlain());
            piece.index.writePlain(folio.index.readPlain() + i);
            if (swapcache) {
                piece.swap.writePlain(folio.swap.readPlain() + i);
            }
            kernel.machine().fence(Fence.WMB);
            head.compoundHead.write(head.pfn(), Order.ONCE);
        }
        folio.notLarge();
    }
}
