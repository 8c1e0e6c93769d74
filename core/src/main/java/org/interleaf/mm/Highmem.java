// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Frame;
import org.interleaf.machine.Order;
import org.interleaf.machine.PhysicalMemory;

/// Touching the contents of pages from the kernel (include/linux/highmem.h). Each modelled word is
/// an access of its own: user code and DMA may write while the kernel copies.
public final class Highmem {
    private final PhysicalMemory memory;

    Highmem(PhysicalMemory memory) {
        this.memory = memory;
    }

    /// include/linux/highmem.h: clear_user_highpage().
    public void clearPage(long pfn) {
        Frame frame = memory.frame(pfn);
        for (int i = 0; i < frame.words(); i++) {
            frame.word(i).writePlain(0);
        }
    }

    /// include/linux/highmem.h: folio_zero_segment(), in one page: the bytes `[from, to)`.
    void zeroSegment(long pfn, long from, long to) {
        Frame frame = memory.frame(pfn);
        for (int i = 0; i < frame.words(); i++) {
            long start = Math.max(from - (long) i * Long.BYTES, 0);
            long end = Math.min(to - (long) i * Long.BYTES, Long.BYTES);
            if (start < end) {
                long low = -1L << start * Byte.SIZE;
                long high = -1L >>> (Long.BYTES - end) * Byte.SIZE;
                frame.word(i).storeBits(low & high, 0, Order.PLAIN);
            }
        }
    }

    /// include/linux/mm.h: pages_identical(), with the zero page.
    boolean allZero(long pfn) {
        Frame frame = memory.frame(pfn);
        for (int i = 0; i < frame.words(); i++) {
            if (frame.word(i).readPlain() != 0) {
                return false;
            }
        }
        return true;
    }

    /// include/linux/highmem.h: copy_user_highpage(), copy_mc_user_highpage(). Memory errors are
    /// not modelled, so the copy cannot fail.
    public void copyPage(long to, long from) {
        Frame source = memory.frame(from);
        Frame target = memory.frame(to);
        for (int i = 0; i < source.words(); i++) {
            target.word(i).writePlain(source.word(i).readPlain());
        }
    }
}
