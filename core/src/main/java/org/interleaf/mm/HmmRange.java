// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// `struct hmm_range` (include/linux/hmm.h): a part of an address space that a device wants to
/// mirror, with what is wanted of each page and what was found. Of one task alone.
public final class HmmRange {
    // enum hmm_pfn_flags: what was found
    public static final long PFN_VALID = 1L << 63;
    public static final long PFN_WRITE = 1L << 62;

    /// The device can never have this page.
    public static final long PFN_ERROR = 1L << 61;

    static final int PFN_ORDER_SHIFT = 53;

    /// All but the frame number.
    private static final long PFN_FLAGS = -1L << PFN_ORDER_SHIFT;

    /// What of the caller's bits stays: what it knows about DMA mappings.
    static final long PFN_INOUT_FLAGS = 7L << 58;

    // what is wanted
    public static final long PFN_REQ_FAULT = PFN_VALID;
    public static final long PFN_REQ_WRITE = PFN_WRITE;

    final MmuIntervalNotifier notifier;
    long notifierSeq;
    final long start;
    final long end;

    /// For each page what is wanted, and then what was found: a frame number and flags.
    final long[] hmmPfns;

    /// What is wanted of every page, and which bits of {@link #hmmPfns} count beside it.
    final long defaultFlags;

    final long pfnFlagsMask;
    private final int pageShift;

    HmmRange(
            Geometry geometry,
            MmuIntervalNotifier notifier,
            long start,
            long end,
            long defaultFlags,
            long pfnFlagsMask) {
        this.notifier = notifier;
        this.start = start;
        this.end = end;
        this.defaultFlags = defaultFlags;
        this.pfnFlagsMask = pfnFlagsMask;
        pageShift = geometry.pageShift();
        hmmPfns = new long[(int) ((end - start) >> pageShift)];
    }

    /// Where in {@link #hmmPfns} the page of `addr` is.
    int index(long addr) {
        return (int) ((addr - start) >> pageShift);
    }

    /// include/linux/hmm.h: hmm_pfn_to_page().
    static long pfn(long hmmPfn) {
        return hmmPfn & ~PFN_FLAGS;
    }

    /// include/linux/hmm.h: hmm_pfn_to_map_order(). The page is part of a mapping of this order, so
    /// its neighbours follow it.
    static int mapOrder(long hmmPfn) {
        return (int) (hmmPfn >> PFN_ORDER_SHIFT) & 0x1f;
    }
}
