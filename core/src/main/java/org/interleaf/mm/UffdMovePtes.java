// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Moving small pages for UFFDIO_MOVE (move_pages_ptes() of mm/userfaultfd.c).
///
/// # Locking
///
/// Entries change under the locks of both PTE tables. The destination's entry was none and must
/// still be; but so are those of a table that was detached meanwhile, so its PMD is compared as
/// well. That the source's table is in place follows from its entry, which was not none.
///
/// | MOVE                        | MADV_DONTNEED (or collapse of a file) |
/// |-----------------------------|---------------------------------------|
/// | maps the destination's table |                                      |
/// |                             | locks PMD and table, clears the PMD   |
/// | locks the table: entry none |                                       |
/// | PMD is another: start over  |                                       |
///
/// The folio lock keeps rmap walks from the folio while its place changes. A pin that GUP-fast
/// takes meanwhile is seen by one of the two:
///
/// | MOVE                          | GUP-fast                    |
/// |-------------------------------|-----------------------------|
/// | clears the entry              | pins the page               |
/// | pinned? puts the entry back   | entry is another? unpins    |
final class UffdMovePtes {
    private final Kernel kernel;
    private final PgtableGeneric pgtableGeneric;
    private final Geometry geometry;
    private final UffdMoveSwap swap;

    UffdMovePtes(Kernel kernel) {
        this.kernel = kernel;
        this.pgtableGeneric = kernel.pgtableGeneric();
        this.geometry = kernel.geometry();
        this.swap = new UffdMoveSwap(kernel, this);
    }

    /// One call of move_pages_ptes(): what it works on, and what it has found so far.
    static final class Move {
        final UffdLocks.Pair vmas;
        final Word dstPmd;
        final Word srcPmd;
        final long dst;
        final long src;
        final long len;
        final boolean holes;
        @Nullable PteMapping dstPte;
        @Nullable PteMapping srcPte;
        long origDstPte;
        long origSrcPte;

        /// The source's folio, locked and with a reference of ours, and the entry that it was found
        /// by.
        @Nullable Folio folio;

        long folioPte;

        Move(
                UffdLocks.Pair vmas,
                Word dstPmd,
                Word srcPmd,
                long dst,
                long src,
                long len,
                boolean holes) {
            this.vmas = vmas;
            this.dstPmd = dstPmd;
            this.srcPmd = srcPmd;
            this.dst = dst;
            this.src = src;
            this.len = len;
            this.holes = holes;
        }

        MmStruct mm() {
            return vmas.dst().mm();
        }

        PteMapping dstPte() {
            return Objects.requireNonNull(dstPte);
        }

        PteMapping srcPte() {
            return Objects.requireNonNull(srcPte);
        }

        /// Unmaps both tables, in the reverse order of mapping.
        void unmap() {
            if (srcPte != null) {
                srcPte.unmap();
                srcPte = null;
            }
            if (dstPte != null) {
                dstPte.unmap();
                dstPte = null;
            }
        }

        /// Where the mapped entries have been found, for those who must not wait.
        void lockBoth() {
            UffdMove.doublePtLock(dstPte().ptl(), srcPte().ptl());
        }

        void unlockBoth() {
            UffdMove.doublePtUnlock(dstPte().ptl(), srcPte().ptl());
        }
    }

    /// A round that has to be made again, with the folio locked.
    static final long RETRY = Long.MIN_VALUE;

    /// mm/userfaultfd.c: move_pages_ptes(). How many bytes were moved, one page at least, or a
    /// negative error number; -EAGAIN where something has changed.
    long move(
            UffdLocks.Pair vmas,
            Word dstPmd,
            Word srcPmd,
            long dst,
            long src,
            long len,
            boolean holes) {
        Move move = new Move(vmas, dstPmd, srcPmd, dst, src, len, holes);
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, move.mm(), src, src + len);
        kernel.mmuNotifier().invalidateRangeStart(range);
        long ret = RETRY;
        while (ret == RETRY) {
            ret = attempt(move);
        }
        if (move.folio != null) {
            move.folio.lock().unlock();
            kernel.swap().folioPut(move.folio);
        }
        move.unmap();
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return ret;
    }

    /// From the label `retry` on.
    private long attempt(Move move) {
        move.dstPte = pgtableGeneric.pteOffsetMapNolock(move.mm(), move.dstPmd, move.dst);
        if (move.dstPte == null) {
            return -Errno.EAGAIN;
        }
        move.srcPte = pgtableGeneric.pteOffsetMapNolock(move.mm(), move.srcPmd, move.src);
        if (move.srcPte == null) {
            return -Errno.EAGAIN;
        }
        if (Entry.none(move.dstPmd.readPlain())
                || Entry.none(move.srcPmd.readPlain())
                || Entry.leaf(move.dstPmd.readPlain())
                || Entry.leaf(move.srcPmd.readPlain())) {
            return -Errno.EINVAL;
        }
        move.origDstPte = readLocked(move.dstPte());
        if (!Entry.none(move.origDstPte)) {
            return -Errno.EEXIST;
        }
        move.origSrcPte = readLocked(move.srcPte());
        if (Entry.none(move.origSrcPte)) {
            return move.holes ? geometry.pageSize() : -Errno.ENOENT;
        }
        if (move.folio != null && move.folioPte != move.origSrcPte) {
            return -Errno.EAGAIN;
        }
        if (!Entry.ptePresent(move.origSrcPte)) {
            return moveNonpresent(move);
        }
        return kernel.isZeroPfn(Entry.pfn(move.origSrcPte))
                ? moveZeropagePte(move)
                : movePresent(move);
    }

    private static long readLocked(PteMapping pte) {
        pte.ptl().lock();
        long value = pte.pte().readOnce();
        pte.ptl().unlock();
        return value;
    }

    /// mm/userfaultfd.c: is_pte_pages_stable(). Both locks are held.
    boolean isStable(Move move) {
        return move.srcPte().pte().readOnce() == move.origSrcPte
                && move.dstPte().pte().readOnce() == move.origDstPte
                && pgtableGeneric.pmdpGetLockless(move.dstPmd) == move.dstPte().pmdValue();
    }

    /// mm/userfaultfd.c: move_zeropage_pte().
    private long moveZeropagePte(Move move) {
        move.lockBoth();
        boolean stable = isStable(move);
        if (stable) {
            long zero = Entry.make(kernel.zeroFolio().pfn(), AnonFault.PAGE_PROT);
            pgtableGeneric.ptepClearFlush(move.vmas.src(), move.src, move.srcPte().pte());
            kernel.entries().setPte(move.dstPte().pte(), Entry.mkspecial(zero));
        }
        move.unlockBoth();
        return stable ? geometry.pageSize() : -Errno.EAGAIN;
    }

    /// The part of move_pages_ptes() for a page: locks its folio, if that is not done yet.
    private long movePresent(Move move) {
        if (move.folio == null) {
            long ret = lockFolio(move);
            if (ret != 0) {
                return ret;
            }
        }
        if (Objects.requireNonNull(move.folio).isLarge()) {
            return splitSource(move);
        }
        return movePresentPtes(move);
    }

    /// The part of move_pages_ptes() for a large folio, which is locked: {@link #RETRY} with its
    /// pages folios of their own and none of them locked. References of others may last for ever,
    /// so there is no second attempt.
    private long splitSource(Move move) {
        move.unmap();
        Folio folio = Objects.requireNonNull(move.folio);
        int err = kernel.folioSplit().splitFolio(folio);
        if (err != 0) {
            return err == -Errno.EAGAIN ? -Errno.EBUSY : err;
        }
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
        move.folio = null;
        return RETRY;
    }

    /// The part of move_pages_ptes() for an entry that is neither none nor present.
    private long moveNonpresent(Move move) {
        if (Entry.isSwap(move.origSrcPte)) {
            return swap.move(move);
        }
        if (!Entry.isMigration(move.origSrcPte)) {
            return -Errno.EFAULT;
        }
        move.unmap();
        kernel.migrationWait().migrationEntryWait(move.mm(), move.srcPmd, move.src);
        return -Errno.EAGAIN;
    }

    /// 0 with the folio locked, {@link #RETRY} where that took waiting, or a negative error number.
    private long lockFolio(Move move) {
        PteMapping pte = move.srcPte();
        pte.ptl().lock();
        if (pte.pte().readOnce() != move.origSrcPte) {
            pte.ptl().unlock();
            return -Errno.EAGAIN;
        }
        Folio folio = UffdMove.vmNormalFolio(kernel, move.origSrcPte);
        if (folio == null || !folio.head().anonExclusive()) {
            pte.ptl().unlock();
            return -Errno.EBUSY;
        }
        boolean locked = folio.lock().trylock();
        if (!locked && folio.isLarge()) {
            // Who waited with a reference would keep others from splitting it.
            pte.ptl().unlock();
            return -Errno.EAGAIN;
        }
        folio.get();
        move.folio = folio;
        move.folioPte = move.origSrcPte;
        pte.ptl().unlock();
        if (!locked) {
            move.unmap();
            folio.lock().lock();
            return RETRY;
        }
        return kernel.warnOn(!folio.isAnon(), "an exclusive page that is not anonymous")
                ? -Errno.EBUSY
                : 0;
    }

    /// mm/userfaultfd.c: move_present_ptes(). Moves the page, and those behind it that can be had
    /// without waiting.
    private long movePresentPtes(Move move) {
        Folio folio = Objects.requireNonNull(move.folio);
        move.lockBoth();
        long ret;
        if (!isStable(move)) {
            ret = -Errno.EAGAIN;
        } else if (folio.isLarge() || Rmap.maybeDmaPinned(folio) || !folio.head().anonExclusive()) {
            ret = -Errno.EBUSY;
        } else {
            kernel.swap().folioPut(folio); // the entry has one, too
            move.folio = null;
            ret = moveBatch(move, folio);
        }
        move.unlockBoth();
        return ret;
    }

    /// The loop of move_present_ptes(). `first` is locked.
    private long moveBatch(Move move, Folio first) {
        long len = geometry.addrEnd(Geometry.PMD, move.dst, move.dst + move.len) - move.dst;
        long pages =
                (geometry.addrEnd(Geometry.PMD, move.src, move.src + len) - move.src)
                        >> geometry.pageShift();
        long err = 0;
        int n = 0;
        Folio folio = first;
        while (folio != null) {
            if (!moveOne(move, n, folio)) {
                err = -Errno.EBUSY;
                break;
            }
            if (++n == pages) {
                break;
            }
            folio.lock().unlock();
            folio = checkPtesForBatchedMove(move, n);
        }
        long moved = (long) n << geometry.pageShift();
        if (n > 0) {
            kernel.tlbFlush().flushTlbRange(move.mm(), move.src, move.src + moved);
        }
        if (folio != null) {
            folio.lock().unlock();
        }
        return n > 0 ? moved : err;
    }

    /// Moves the `n`th page; false where it is pinned.
    private boolean moveOne(Move move, int n, Folio folio) {
        Word srcPte = move.srcPte().pte(n);
        long old = srcPte.xchg(0, Order.FULL); // ptep_get_and_clear()
        if (Rmap.maybeDmaPinned(folio)) {
            kernel.entries().setPte(srcPte, old);
            return false;
        }
        Vma dstVma = move.vmas.dst();
        long dst = move.dst + ((long) n << geometry.pageShift());
        kernel.rmap().folioMoveAnonRmap(folio, dstVma);
        folio.index.writePlain(dstVma.linearPageIndex(geometry, dst));
        long entry = Entry.make(folio.pfn(), AnonFault.PAGE_PROT);
        if (Entry.dirty(old)) {
            entry = Entry.mkdirty(entry);
        }
        kernel.entries().setPte(move.dstPte().pte(n), Entry.mkwrite(entry));
        return true;
    }

    /// mm/userfaultfd.c: check_ptes_for_batched_move(). The folio of the `n`th page, locked, if it
    /// can be moved as well. It needs no reference while the page-table locks are held.
    private @Nullable Folio checkPtesForBatchedMove(Move move, int n) {
        if (!Entry.none(move.dstPte().pte(n).readOnce())) {
            return null;
        }
        long pte = move.srcPte().pte(n).readOnce();
        if (!Entry.ptePresent(pte) || kernel.isZeroPfn(Entry.pfn(pte))) {
            return null;
        }
        Folio folio = UffdMove.vmNormalFolio(kernel, pte);
        if (folio == null || !folio.lock().trylock()) {
            return null;
        }
        if (!folio.head().anonExclusive() || folio.isLarge()) {
            folio.lock().unlock();
            return null;
        }
        return folio;
    }
}
