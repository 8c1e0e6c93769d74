// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Frame;

/// Reading from the swap device and writing to it (mm/page_io.c), whose memory is synchronous: who
/// starts it waits for it. It moves one word after the other, as user code and devices may write to
/// the page meanwhile.
final class PageIo {
    private final Kernel kernel;

    PageIo(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/page_io.c: swap_writeout(). Writes a locked folio of the swap cache out and unlocks it,
    /// unless nobody refers to its slots: then it leaves the swap cache. Zeroes are not written but
    /// remembered.
    void swapWriteout(Folio folio) {
        if (kernel.swapfile().folioFreeSwap(folio)) {
            folio.lock().unlock();
            return;
        }
        if (isFolioZeroFilled(folio)) {
            swapZeromapFolio(folio, true);
            folio.lock().unlock();
            return;
        }
        swapZeromapFolio(folio, false);
        folio.setFlag(Folio.PG_WRITEBACK); // folio_start_writeback()
        folio.lock().unlock();
        submitWrite(folio);
    }

    /// mm/page_io.c: is_folio_zero_filled(). The last word of a page is looked at first.
    private boolean isFolioZeroFilled(Folio folio) {
        int nr = folio.nrPages();
        for (int i = 0; i < nr; i++) {
            Frame frame = frame(folio, i);
            int last = frame.words() - 1;
            if (frame.word(last).readPlain() != 0) {
                return false;
            }
            for (int w = 0; w < last; w++) {
                if (frame.word(w).readPlain() != 0) {
                    return false;
                }
            }
        }
        return true;
    }

    /// mm/page_io.c: swap_zeromap_folio_set(), swap_zeromap_folio_clear().
    private void swapZeromapFolio(Folio folio, boolean zero) {
        SwapInfo si = kernel.swapfile().device();
        long offset = folio.swap.readPlain();
        SwapCluster ci = si.clusterLock(offset);
        int nr = folio.nrPages();
        for (int i = 0; i < nr; i++) {
            int off = si.off(offset) + i;
            ci.set(kernel, off, SwapTable.withZero(ci.get(off), zero));
        }
        ci.lock().unlock();
    }

    /// mm/page_io.c: swap_bdev_submit_write(), swap_write_end().
    private void submitWrite(Folio folio) {
        SwapInfo si = kernel.swapfile().device();
        long offset = folio.swap.readPlain();
        int nr = folio.nrPages();
        for (int i = 0; i < nr; i++) {
            Frame frame = frame(folio, i);
            for (int w = 0; w < frame.words(); w++) {
                si.contents(offset + i, w).writePlain(frame.word(w).readPlain());
            }
        }
        endWriteback(folio);
    }

    /// mm/filemap.c: folio_end_writeback().
    private void endWriteback(Folio folio) {
        folio.get();
        if (folio.testFlag(Folio.PG_RECLAIM)) {
            folio.clearFlag(Folio.PG_RECLAIM);
            folio.testFlag(Folio.PG_LRU); // folio_rotate_reclaimable(): it is on no list
        }
        folio.testClearFlag(Folio.PG_WRITEBACK); // folio_xor_flags_has_waiters()
        kernel.swap().folioPut(folio);
    }

    /// mm/filemap.c: folio_wait_writeback().
    void folioWaitWriteback(Folio folio) {
        if (folio.testFlag(Folio.PG_WRITEBACK)) {
            kernel.machine().mightSleep("folio_wait_writeback");
            folio.awaitClear(Folio.PG_WRITEBACK);
        }
    }

    /// mm/page_io.c: swap_read_folio(), swap_read_submit(), swap_read_end(). Reads a locked folio
    /// of the swap cache in and unlocks it.
    void swapReadFolio(Folio folio) {
        SwapInfo si = kernel.swapfile().device();
        long offset = folio.swap.readPlain();
        SwapCluster ci = si.cluster(offset);
        boolean zero = SwapTable.isZero(ci.get(si.off(offset))); // swap_read_folio_zeromap()
        if (zero) {
            kernel.highmem().clearPage(folio.pfn());
        } else {
            Frame frame = frame(folio, 0);
            for (int w = 0; w < frame.words(); w++) {
                frame.word(w).writePlain(si.contents(offset, w).readPlain());
            }
        }
        kernel.machine().fence(Fence.WMB);
        folio.setFlag(Folio.PG_UPTODATE);
        folio.lock().unlock();
    }

    private Frame frame(Folio folio, int i) {
        return kernel.memMap().page(folio.pfn() + i).frame();
    }
}
