// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// What hugetlb keeps in a folio: flags in `private`, and the subpool (include/linux/hugetlb.h).
final class HugetlbFolio {
    /// `HPG_restore_reserve`: its allocation used up a reservation, which comes back when it is
    /// freed.
    static final long RESTORE_RESERVE = 1;

    /// `HPG_migratable`: it is in use, as opposed to being set up or isolated.
    static final long MIGRATABLE = 1 << 1;

    /// `HPG_temporary`: freed for good when it is freed.
    static final long TEMPORARY = 1 << 2;

    /// `HPG_freed`: it is in the pool's list of free folios.
    static final long FREED = 1 << 3;

    /// `HPG_raw_hwp_unreliable`: which of its pages are bad could not be written down.
    static final long RAW_HWP_UNRELIABLE = 1 << 4;

    private static final String[] NAMES = {
        "restore_reserve", "migratable", "temporary", "freed", "raw_hwp_unreliable"
    };

    private final Word flags;

    /// `_hugetlb_hwpoison`: which pages are bad, one bit for each of the first 64.
    final Word rawHwp;

    /// References that memory failures keep; no access.
    private final Word keptByFailures;

    /// `_hugetlb_subpool`; 0 where there is none.
    final Word subpool;

    HugetlbFolio(Machine machine, Folio folio) {
        flags = machine.word(null, folio, "private", -1, 0).format(HugetlbFolio::show);
        subpool = machine.word(null, folio, "_hugetlb_subpool", -1, 0);
        rawHwp = machine.word(null, folio, "_hugetlb_hwpoison", -1, 0);
        keptByFailures = machine.word(null, folio, "references of memory failures", -1, 0);
    }

    private static String show(long value) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < NAMES.length; i++) {
            if ((value >> i & 1) != 0) {
                text.append(text.isEmpty() ? "" : "|").append(NAMES[i]);
            }
        }
        return text.isEmpty() ? "0" : text.toString();
    }

    /// `folio_test_hugetlb_restore_reserve()` and its like.
    boolean test(long flag) {
        return (flags.readOnce() & flag) != 0;
    }

    /// `folio_set_hugetlb_restore_reserve()` and its like.
    void set(long flag) {
        flags.fetchOr(flag, Order.RELAXED);
    }

    /// `folio_clear_hugetlb_restore_reserve()` and its like.
    void clear(long flag) {
        flags.fetchAnd(~flag, Order.RELAXED);
    }

    /// `folio_change_private(folio, NULL)`.
    void reset() {
        flags.writePlain(0);
        subpool.writePlain(0);
    }

    /// A memory failure is done, and has not given its reference back.
    void keepReference() {
        keptByFailures.poke(keptByFailures.peek() + 1);
    }

    /// References that memory failures keep, looked at from outside.
    long peekKept() {
        return keptByFailures.peek();
    }
}
