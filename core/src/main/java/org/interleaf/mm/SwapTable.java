// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// The values of swap-table entries (mm/swap_table.h): what a slot of a swap device is used for.
///
/// | entry | slot |
/// |---|---|
/// | {@link #NULL} | free |
/// | a shadow | swapped out; the contents are on the device only |
/// | a frame | has a folio in the swap cache |
/// | {@link #BAD} | not for use |
///
/// Shadows and frames have a count beside them: the page-table entries that refer to the slot. The
/// folio in the swap cache is not counted. A further bit says that the contents are all zero.
final class SwapTable {
    /// `SWP_TB_NULL`.
    static final long NULL = 0;

    /// `SWP_TB_BAD`.
    static final long BAD = -1L << 3;

    /// `SWP_TB_COUNT_MAX`: from here on counts do not fit.
    static final int COUNT_MAX = 15;

    private static final long SHADOW_MARK = 1;
    private static final long PFN_MARK = 2;
    private static final int PFN_SHIFT = 2;
    private static final long ZERO_FLAG = 1L << 59;
    private static final int COUNT_SHIFT = 60;
    private static final long FLAGS_MASK = -1L << 59;

    private SwapTable() {}

    /// mm/swap_table.h: pfn_to_swp_tb(). An entry for a cached folio with the count and the zero
    /// bit of `flagsOf`.
    static long ofFolio(long pfn, long flagsOf) {
        return pfn << PFN_SHIFT | PFN_MARK | flagsOf & FLAGS_MASK;
    }

    /// mm/swap_table.h: shadow_to_swp_tb(). An entry without a folio; what reclaim would like to
    /// remember about the folio that was there is not modelled.
    static long shadow(long flagsOf) {
        return SHADOW_MARK | flagsOf & FLAGS_MASK;
    }

    /// mm/swap_table.h: swp_tb_is_null().
    static boolean isNull(long entry) {
        return entry == NULL;
    }

    /// mm/swap_table.h: swp_tb_is_folio().
    static boolean isFolio(long entry) {
        return (entry & 3) == PFN_MARK;
    }

    /// mm/swap_table.h: swp_tb_is_shadow().
    static boolean isShadow(long entry) {
        return (entry & SHADOW_MARK) != 0;
    }

    /// mm/swap_table.h: swp_tb_is_bad().
    static boolean isBad(long entry) {
        return entry == BAD;
    }

    /// mm/swap_table.h: swp_tb_to_folio(), the first frame of the folio.
    static long pfn(long entry) {
        return (entry & ~FLAGS_MASK) >>> PFN_SHIFT;
    }

    /// mm/swap_table.h: swp_tb_get_count(). Negative for bad slots.
    static int count(long entry) {
        return isBad(entry) ? -Errno.EINVAL : (int) (entry >>> COUNT_SHIFT);
    }

    /// mm/swap_table.h: __swp_tb_mk_count().
    static long withCount(long entry, int count) {
        return entry & ~(-1L << COUNT_SHIFT) | (long) count << COUNT_SHIFT;
    }

    /// Whether the contents are known to be zero.
    static boolean isZero(long entry) {
        return (entry & ZERO_FLAG) != 0;
    }

    /// The same with the zero bit set or clear.
    static long withZero(long entry, boolean zero) {
        return zero ? entry | ZERO_FLAG : entry & ~ZERO_FLAG;
    }

    /// The entry in words.
    static String show(long entry) {
        if (isNull(entry)) {
            return "free";
        }
        if (isBad(entry)) {
            return "bad";
        }
        String what = isFolio(entry) ? "folio " + pfn(entry) : "swapped out";
        return what + ", count " + count(entry) + (isZero(entry) ? ", zero" : "");
    }
}
