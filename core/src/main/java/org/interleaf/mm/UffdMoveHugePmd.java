// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;

/// Moving a whole huge page for UFFDIO_MOVE (move_pages_huge_pmd() of mm/huge_memory.c).
final class UffdMoveHugePmd {
    private final Kernel kernel;

    UffdMoveHugePmd(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/huge_memory.c: move_pages_huge_pmd(). Moves the huge page at `src`, whose PMD lock is
    /// held and dropped. 0 or a negative error number.
    ///
    /// @param dstPmdval what the destination held when it was decided to move
    int move(
            UffdLocks.Pair vmas,
            Word dstPmd,
            Word srcPmd,
            long dstPmdval,
            SpinLock srcPtl,
            long dst,
            long src) {
        long srcPmdval = srcPmd.readPlain();
        if (!Entry.leaf(srcPmdval)) {
            srcPtl.unlock();
            if (Entry.isMigration(srcPmdval)) {
                kernel.migrationWait().pmdMigrationEntryWait(vmas.dst().mm(), srcPmd);
                return -Errno.EAGAIN;
            }
            return -Errno.ENOENT;
        }
        Folio folio = null;
        if (!kernel.isHugeZeroPfn(Entry.pfn(srcPmdval))) {
            Page page = kernel.memMap().page(Entry.pfn(srcPmdval));
            if (!page.anonExclusive()) {
                srcPtl.unlock();
                return -Errno.EBUSY;
            }
            folio = kernel.memMap().pageFolio(page);
            folio.get();
        }
        srcPtl.unlock();
        long end = src + kernel.geometry().size(Geometry.PMD);
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.CLEAR, vmas.dst().mm(), src, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        if (folio != null) {
            folio.lock().lock(); // keeps rmap walks out
        }
        SpinLock dstPtl = kernel.ptLocks().pmdLockptr(vmas.dst().mm(), dstPmd);
        UffdMove.doublePtLock(srcPtl, dstPtl);
        int err = -Errno.EAGAIN;
        if (srcPmd.readPlain() == srcPmdval && dstPmd.readPlain() == dstPmdval) {
            err =
                    folio == null
                            ? moveZero(vmas, dstPmd, srcPmd, src)
                            : moveFolio(vmas, dstPmd, srcPmd, folio, dst, src);
        }
        UffdMove.doublePtUnlock(srcPtl, dstPtl);
        if (folio != null) {
            folio.lock().unlock();
        }
        kernel.mmuNotifier().invalidateRangeEnd(range);
        if (folio != null) {
            kernel.swap().folioPut(folio);
        }
        return err;
    }

    private int moveFolio(
            UffdLocks.Pair vmas, Word dstPmd, Word srcPmd, Folio folio, long dst, long src) {
        if (Rmap.maybeDmaPinned(folio) || !folio.head().anonExclusive()) {
            return -Errno.EBUSY;
        }
        long value = kernel.pgtableGeneric().pmdpHugeClearFlush(vmas.src(), src, srcPmd);
        if (Rmap.maybeDmaPinned(folio)) {
            // GUP-fast has pinned it meanwhile, and finds the entry as it was.
            srcPmd.writeOnce(value);
            return -Errno.EBUSY;
        }
        kernel.rmap().folioMoveAnonRmap(folio, vmas.dst());
        folio.index.writePlain(vmas.dst().linearPageIndex(kernel.geometry(), dst));
        long entry = Entry.make(folio.pfn(), Entry.PRESENT | Entry.USER | Entry.ACCESSED);
        install(vmas, dstPmd, srcPmd, Entry.mkwrite(Entry.mkdirty(Entry.mkhuge(entry))));
        return 0;
    }

    private int moveZero(UffdLocks.Pair vmas, Word dstPmd, Word srcPmd, long src) {
        long value = kernel.pgtableGeneric().pmdpHugeClearFlush(vmas.src(), src, srcPmd);
        install(vmas, dstPmd, srcPmd, Entry.clearUffd(value));
        return 0;
    }

    /// Sets the entry at the destination, with the table that is deposited for splitting it.
    private void install(UffdLocks.Pair vmas, Word dstPmd, Word srcPmd, long value) {
        MmStruct mm = vmas.dst().mm();
        dstPmd.writeOnce(value);
        PageTable table = kernel.pgtableGeneric().pgtableTransHugeWithdraw(mm, srcPmd);
        kernel.pgtableGeneric().pgtableTransHugeDeposit(mm, dstPmd, table);
    }
}
