// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// Moving entries of pages in swap for UFFDIO_MOVE (move_swap_pte() of mm/userfaultfd.c).
///
/// # The folio in the swap cache
///
/// The entry says by its slot where the contents are, and they need not move. But the slot may have
/// a folio in the swap cache, which knows what VMA maps it, and where: the next fault maps it as it
/// is. So it is locked and moved as well. Where there is none, one can get there before the entry
/// is locked: the page is swapped in and out again in the meantime, and the entry looks as it did.
///
/// | MOVE                             | fault, reclaim                            |
/// |----------------------------------|-------------------------------------------|
/// | finds nothing in the swap cache  |                                           |
/// |                                  | swaps in; swaps out to the same slot      |
/// | locks both entries: same entry   |                                           |
/// | the swap cache has a folio: over |                                           |
final class UffdMoveSwap {
    private final Kernel kernel;
    private final UffdMovePtes ptes;

    UffdMoveSwap(Kernel kernel, UffdMovePtes ptes) {
        this.kernel = kernel;
        this.ptes = ptes;
    }

    /// The part of move_pages_ptes() for a swap entry: locks the folio that the swap cache has for
    /// it. The bytes that were moved, {@link UffdMovePtes#RETRY} where locking took waiting, or a
    /// negative error number.
    long move(UffdMovePtes.Move move) {
        if (!Entry.swpExclusive(move.origSrcPte)) {
            return -Errno.EBUSY;
        }
        long offset = Entry.swpOffset(move.origSrcPte);
        Folio folio = move.folio == null ? kernel.swapState().swapCacheGetFolio(offset) : null;
        if (folio != null) {
            if (folio.isLarge()) {
                kernel.swap().folioPut(folio);
                return -Errno.EBUSY;
            }
            move.folio = folio;
            move.folioPte = move.origSrcPte;
            if (!folio.lock().trylock()) {
                move.unmap();
                folio.lock().lock();
                return UffdMovePtes.RETRY;
            }
        }
        return moveSwapPte(move, offset);
    }

    /// mm/userfaultfd.c: move_swap_pte(). The folio is locked, if there is one.
    private long moveSwapPte(UffdMovePtes.Move move, long offset) {
        Folio folio = move.folio;
        if (folio != null && (!folio.testSwapcache() || folio.swap.readPlain() != offset)) {
            return -Errno.EAGAIN;
        }
        move.lockBoth();
        if (!ptes.isStable(move)) {
            move.unlockBoth();
            return -Errno.EAGAIN;
        }
        Vma dstVma = move.vmas.dst();
        if (folio != null) {
            kernel.rmap().folioMoveAnonRmap(folio, dstVma);
            folio.index.writePlain(dstVma.linearPageIndex(kernel.geometry(), move.dst));
        } else if (kernel.swapState().swapCacheHasFolio(offset)) {
            move.unlockBoth();
            return -Errno.EAGAIN;
        }
        Word srcPte = move.srcPte().pte();
        long pte = srcPte.xchg(0, Order.FULL); // ptep_get_and_clear()
        kernel.entries().setPte(move.dstPte().pte(), pte);
        move.unlockBoth();
        return kernel.geometry().pageSize();
    }
}
