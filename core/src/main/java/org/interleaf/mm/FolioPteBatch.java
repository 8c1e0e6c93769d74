// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

/// How many PTEs map consecutive pages of one folio alike (mm/internal.h).
final class FolioPteBatch {
    /// `FPB_RESPECT_WRITE`: writable and read-only entries are not alike.
    static final int RESPECT_WRITE = 1;

    private FolioPteBatch() {}

    /// mm/internal.h: folio_pte_batch_flags(). The number of entries from `i` on, at most `max`,
    /// that map pages of the folio one after the other and differ in accessed and dirty bits at
    /// most; in the write bit too without {@link #RESPECT_WRITE}. The lock of the table is held.
    ///
    /// @param value what entry `i` was when the caller read it
    static int folioPteBatchFlags(
            Folio folio, PteMapping pte, int i, long value, int max, int flags) {
        return folioPteBatchFlags(folio, pte.pte(i), value, max, flags);
    }

    /// The same from `entry` on.
    static int folioPteBatchFlags(Folio folio, Word entry, long value, int max, int flags) {
        long left = folio.pfn() + folio.nrPages() - Entry.pfn(value);
        int limit = (int) Math.min(max, left);
        long ignored = Entry.ACCESSED | Entry.DIRTY;
        ignored |= (flags & RESPECT_WRITE) == 0 ? Entry.WRITE : 0;
        int nr = 1;
        while (nr < limit) {
            long next = PageTable.plus(entry, nr).readOnce();
            if (((next ^ Entry.advancePfn(value, nr)) & ~ignored) != 0) {
                break;
            }
            nr++;
        }
        return nr;
    }

    /// What a batch comes to.
    ///
    /// @param nr how many entries
    /// @param pte the first, with the accessed and dirty bits of all
    record Merged(int nr, long pte) {}

    /// mm/madvise.c: madvise_folio_pte_batch(): the same with `FPB_MERGE_YOUNG_DIRTY`.
    static Merged madviseFolioPteBatch(Folio folio, Word entry, long value, int max) {
        int nr = folioPteBatchFlags(folio, entry, value, max, 0);
        long merged = value;
        for (int i = 1; i < nr; i++) {
            merged |= PageTable.plus(entry, i).readOnce() & (Entry.ACCESSED | Entry.DIRTY);
        }
        return new Merged(nr, merged);
    }
}
