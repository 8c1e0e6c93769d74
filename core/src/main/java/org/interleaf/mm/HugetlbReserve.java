// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

/// Reservations of huge pages by mappings and files, and allocation with and without them
/// (mm/hugetlb.c).
///
/// Three accounts must agree: the reserve map, the subpool, the pool. They are changed one after
/// the other, so each function undoes what it has done when a later one refuses.
final class HugetlbReserve {
    private final Kernel kernel;
    private final HugetlbPool pool;
    private final HugetlbVmas vmas;

    HugetlbReserve(Kernel kernel, HugetlbPool pool, HugetlbVmas vmas) {
        this.kernel = kernel;
        this.pool = pool;
        this.vmas = vmas;
    }

    // ---- subpools that may not be there

    private static long subpoolGet(@Nullable Subpool spool, long delta) {
        return spool == null ? delta : spool.getPages(delta);
    }

    private static long subpoolPut(@Nullable Subpool spool, long delta) {
        return spool == null ? delta : spool.putPages(delta);
    }

    /// `hugepage_subpool_put_pages()` and `hugetlb_acct_memory()`: `pages` reservations of the file
    /// are given back.
    void giveBack(HugetlbInode inode, long pages) {
        pool.acctMemory(inode.hstate(), -subpoolPut(inode.subpool(), pages));
    }

    // ---- one page of a VMA

    /// mm/hugetlb.c: vma_needs_reservation(). 1 where the page at `addr` has no reservation, 0
    /// where it has. A change of the map is announced and must be ended by one of the functions
    /// below.
    private int needsReservation(Vma vma, long addr) {
        ResvMap map = vmas.resvMap(vma);
        if (map == null) {
            return 1;
        }
        long index = vmas.hugecacheOffset(vma, addr);
        int[] needed = new int[1];
        return answer(vma, map.regionChg(index, index + 1, needed));
    }

    /// The end of __vma_reservation_common(): the map of a private mapping means the opposite.
    private static int answer(Vma vma, long ret) {
        return vma.mayShare() == (ret > 0) ? 1 : 0;
    }

    /// mm/hugetlb.c: vma_commit_reservation().
    private int commitReservation(Vma vma, long addr) {
        ResvMap map = vmas.resvMap(vma);
        if (map == null) {
            return 1;
        }
        long index = vmas.hugecacheOffset(vma, addr);
        return answer(vma, map.regionAdd(index, index + 1, 1));
    }

    /// mm/hugetlb.c: vma_end_reservation().
    private void endReservation(Vma vma) {
        ResvMap map = vmas.resvMap(vma);
        if (map != null) {
            map.regionAbort(1);
        }
    }

    /// mm/hugetlb.c: vma_add_reservation(). The page at `addr` has its reservation again.
    private void addReservation(Vma vma, long addr) {
        changeReservation(vma, addr, vma.mayShare());
    }

    /// mm/hugetlb.c: vma_del_reservation().
    private void delReservation(Vma vma, long addr) {
        changeReservation(vma, addr, !vma.mayShare());
    }

    /// The cases VMA_ADD_RESV and VMA_DEL_RESV of __vma_reservation_common().
    private void changeReservation(Vma vma, long addr, boolean add) {
        ResvMap map = vmas.resvMap(vma);
        if (map == null) {
            return;
        }
        long index = vmas.hugecacheOffset(vma, addr);
        if (add) {
            map.regionAdd(index, index + 1, 1);
        } else {
            map.regionAbort(1);
            map.regionDel(index, index + 1);
        }
    }

    /// The looks that hugetlb_fault() and hugetlb_no_page() take at the reservation of `addr`
    /// before a spinlock is held: memory that the map may need is allocated.
    void prepare(Vma vma, long addr) {
        needsReservation(vma, addr);
        endReservation(vma);
    }

    /// The part of __unmap_hugepage_range() that follows when a page will give its reservation
    /// back.
    void restoreForUnmapped(Vma vma, long addr) {
        if (needsReservation(vma, addr) != 0) {
            addReservation(vma, addr);
        }
    }

    /// mm/hugetlb.c: restore_reserve_on_error(). Undoes in the map what {@link #alloc} did, for a
    /// folio that will be freed. The fault mutex has been held since.
    void restoreReserveOnError(Vma vma, long addr, Folio folio) {
        int rc = needsReservation(vma, addr);
        if (folio.hugetlb().test(HugetlbFolio.RESTORE_RESERVE)) {
            if (rc != 0) {
                addReservation(vma, addr);
            } else {
                endReservation(vma);
            }
        } else if (rc == 0) {
            delReservation(vma, addr);
        } else {
            endReservation(vma);
        }
    }

    // ---- allocation

    /// mm/hugetlb.c: alloc_hugetlb_folio(). A folio for `addr`, with one reference, by the VMA's
    /// reservation where there is one. Null where the pool has none to give.
    ///
    /// @param cowFromOwner whether it is for a copy, which the reservation was not made for
    @Nullable Folio alloc(Vma vma, long addr, boolean cowFromOwner) {
        HugetlbInode inode = HugetlbVmas.inode(vma);
        Hstate h = inode.hstate();
        boolean needed = cowFromOwner || needsReservation(vma, addr) != 0;
        long gblChg = needed ? subpoolGet(inode.subpool(), 1) : 0;
        if (gblChg < 0) {
            end(vma, cowFromOwner);
            return null;
        }
        Folio folio = pool.allocFolio(h, gblChg == 0);
        if (folio == null) {
            if (needed && gblChg == 0) {
                giveBack(inode, 1);
            }
            end(vma, cowFromOwner);
            return null;
        }
        Subpool spool = inode.subpool();
        folio.hugetlb().subpool.writePlain(spool == null ? 0 : spool.pointer());
        if (!cowFromOwner && commitReservation(vma, addr) == 0 && needed) {
            // Meanwhile hugetlb_reserve_pages() has reserved this page as well.
            giveBack(inode, 1);
        }
        return folio;
    }

    private void end(Vma vma, boolean cowFromOwner) {
        if (!cowFromOwner) {
            endReservation(vma);
        }
    }

    // ---- ranges of a file

    /// mm/hugetlb.c: hugetlb_reserve_pages(). Reserves the huge pages `[from, to)` of a file for a
    /// mapping. 0 or a negative error number. The inode is locked, or known to nobody else.
    ///
    /// @param vma the VMA that will map them; null where the file itself is to have them
    int reservePages(HugetlbInode inode, long from, long to, @Nullable Vma vma, boolean noreserve) {
        if (kernel.warnOn(from > to, "hugetlb_reserve_pages called with a negative range")) {
            return -Errno.EINVAL;
        }
        if (vma != null) {
            vmas.lockAlloc(vma);
        }
        if (noreserve) {
            return 0;
        }
        boolean shared = vma == null || vma.mayShare();
        ResvMap map = shared ? inode.resvMap() : new ResvMap(kernel.machine());
        int[] needed = new int[1];
        long chg;
        if (vma != null && !shared) {
            chg = to - from;
            vmas.setResvMap(vma, map);
            vmas.setResvFlags(vma, HugetlbVmas.RESV_OWNER);
        } else {
            chg = map.regionChg(from, to, needed);
        }
        int err = account(inode, chg);
        if (err < 0) {
            undo(map, vma, shared, needed[0]);
            return err;
        }
        if (shared) {
            long add = map.regionAdd(from, to, needed[0]);
            if (chg > add) {
                // A fault has added pages to the map meanwhile.
                giveBack(inode, chg - add);
            }
        }
        return 0;
    }

    /// The middle of hugetlb_reserve_pages(): takes `chg` pages of subpool and pool, or of neither.
    private int account(HugetlbInode inode, long chg) {
        Subpool spool = inode.subpool();
        long gblReserve = subpoolGet(spool, chg);
        if (gblReserve < 0) {
            return (int) gblReserve;
        }
        int err = pool.acctMemory(inode.hstate(), gblReserve);
        if (err < 0) {
            long ofSubpool = chg - gblReserve;
            if (gblReserve != 0 && spool != null) {
                spool.unuse(gblReserve);
            }
            if (ofSubpool != 0) {
                giveBack(inode, ofSubpool);
            }
        }
        return err;
    }

    /// The failing end of hugetlb_reserve_pages().
    private void undo(ResvMap map, @Nullable Vma vma, boolean shared, int needed) {
        if (vma != null) {
            vmas.lockFree(vma);
        }
        if (shared) {
            map.regionAbort(needed);
        } else if (vma != null) {
            map.put();
            vmas.setResvMap(vma, null);
        }
    }

    /// mm/hugetlb.c: hugetlb_unreserve_pages(). Takes the huge pages `[start, end)` of a file, of
    /// which `freed` were in memory, out of its reservations.
    void unreservePages(HugetlbInode inode, long start, long end, long freed) {
        long chg = inode.resvMap().regionDel(start, end);
        inode.lock().lock(); // i_blocks
        inode.lock().unlock();
        giveBack(inode, chg - freed);
    }
}
