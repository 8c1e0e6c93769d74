// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;

/// What fork, zapping and mprotect do with entries that are neither none nor present (mm/memory.c,
/// mm/mprotect.c). The lock of the table is held.
final class NonpresentPtes {
    private final Kernel kernel;

    NonpresentPtes(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/memory.c: copy_nonpresent_pte(). Has the child's entry `to` say what the parent's `from`
    /// does. A page that migrates is shared from now on, so nobody may have it writable when it
    /// comes back. 0, or a negative error number.
    int copyNonpresentPte(Vma dst, Word to, Word from) {
        long pte = from.readOnce();
        if (Entry.isSwap(pte)) {
            return copySwapPte(dst, to, from, pte);
        }
        if (Entry.isMarker(pte)) {
            return copyPteMarker(dst, to, pte);
        }
        if (Entry.isMigration(pte)) {
            kernel.memMap().softleafToFolio(kernel, pte);
            if (Entry.softleafKind(pte) != Entry.MIGRATION_READ && Vma.isCowMapping(dst.flags())) {
                pte = Entry.withKind(pte, Entry.MIGRATION_READ);
                kernel.entries().setPte(from, pte);
            }
        }
        kernel.entries().setPte(to, dst.userfaultfdWp() ? pte : Entry.clearUffd(pte));
        return 0;
    }

    /// The part of copy_nonpresent_pte() for a page in swap, which two processes have from now on.
    private int copySwapPte(Vma dst, Word to, Word from, long pte) {
        kernel.swapfile().swapDupEntryDirect(Entry.swpOffset(pte));
        long shared = Entry.swpClearExclusive(pte);
        if (Entry.swpExclusive(pte)) {
            kernel.entries().setPte(from, shared);
        }
        kernel.entries().setPte(to, dst.userfaultfdWp() ? shared : Entry.clearUffd(shared));
        return 0;
    }

    /// include/linux/mm_inline.h: copy_pte_marker(). Poison stays poison; the rest is for the
    /// child's userfaultfd, if it has one.
    private int copyPteMarker(Vma dst, Word to, long pte) {
        long kept = Entry.MARKER_POISONED | (dst.userfaultfdWp() ? Entry.MARKER_UFFD_WP : 0);
        long marker = Entry.marker(pte) & kept;
        if (marker != 0) {
            kernel.entries().setPte(to, Entry.makeMarker(marker));
        }
        return 0;
    }

    /// mm/memory.c: zap_nonpresent_ptes(), from `entry` on, which holds `value`. How many entries
    /// that were: several where they are for slots in a row, `max` at most; 0 where it stays.
    int zapNonpresentPtes(Word entry, long value, int max, ZapDetails details) {
        if (!shouldZap(value, details)) {
            return 0;
        }
        if (Entry.isSwap(value)) {
            int nr = swapPteBatch(entry, max, value);
            kernel.swapfile().swapPutEntriesDirect(Entry.swpOffset(value), nr);
            for (int i = 0; i < nr; i++) {
                kernel.entries().clear(PageTable.plus(entry, i)); // clear_nonpresent_ptes()
            }
            return nr;
        }
        boolean known =
                Entry.isMigration(value) || Entry.isHwpoison(value) || Entry.isMarker(value);
        if (!known) {
            kernel.warnOn(true, "unrecognized swap entry " + Long.toHexString(value));
        }
        // Nobody but the walk of whoever migrates the page will notice: it finds one entry less.
        kernel.entries().clear(entry); // clear_nonpresent_ptes()
        return 1;
    }

    /// mm/internal.h: swap_pte_batch(). How many entries from `start` on, which holds `pte`, are
    /// for slots in a row, and alike otherwise.
    static int swapPteBatch(Word start, int max, long pte) {
        int nr = 1;
        while (nr < max && PageTable.plus(start, nr).readOnce() == Entry.moveSwpOffset(pte, nr)) {
            nr++;
        }
        return nr;
    }

    /// Whether the entry is among those that are to be zapped.
    private boolean shouldZap(long value, ZapDetails details) {
        if (Entry.isMigration(value)) {
            Folio folio = kernel.memMap().softleafToFolio(kernel, value);
            return details.shouldZapFolio(folio);
        }
        boolean own = Entry.isSwap(value) || Entry.isHwpoison(value) || Entry.isMarker(value);
        return !details.skipCows() || !own;
    }

    /// mm/mprotect.c: change_softleaf_pte(). What comes back writable might be what the VMA does
    /// not allow any more. The number of entries that were changed.
    int changeSoftleafPte(Mprotect.Change change, Word pte, long old) {
        if (Entry.isMarker(old)) {
            boolean poison = (Entry.marker(old) & Entry.MARKER_POISONED) != 0;
            if (poison || !change.has(Mprotect.MM_CP_UFFD_WP_RESOLVE)) {
                return 0;
            }
            kernel.entries().clear(pte);
            return 1;
        }
        long fresh = old;
        if (Entry.isMigration(old) && Entry.softleafKind(old) == Entry.MIGRATION_WRITE) {
            Folio folio = kernel.memMap().softleafToFolio(kernel, old);
            long kind = folio.isAnon() ? Entry.MIGRATION_READ_EXCLUSIVE : Entry.MIGRATION_READ;
            fresh = Entry.withKind(old, kind);
        }
        if (change.has(Mprotect.MM_CP_UFFD_WP)) {
            fresh = Entry.swpMkuffd(fresh);
        } else if (change.has(Mprotect.MM_CP_UFFD_WP_RESOLVE)) {
            fresh = Entry.clearUffd(fresh);
        }
        if (fresh == old) {
            return 0;
        }
        kernel.entries().setPte(pte, fresh);
        return 1;
    }
}
