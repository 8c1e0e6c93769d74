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
            long marker = copyPteMarker(dst, pte);
            if (marker != 0) {
                kernel.entries().setPte(to, Entry.makeMarker(marker));
            }
            return 0;
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

    /// include/linux/mm_inline.h: copy_pte_marker(). Which marks the child's entry gets: poison
    /// stays poison; the rest is for the child's userfaultfd, if it has one.
    static long copyPteMarker(Vma dst, long pte) {
        long kept = Entry.MARKER_POISONED | (dst.userfaultfdWp() ? Entry.MARKER_UFFD_WP : 0);
        return Entry.marker(pte) & kept;
    }

    /// mm/memory.c: zap_nonpresent_ptes(), from `entry` on, which holds `value`. How many entries
    /// that were: several where they are for slots in a row, `max` at most; 0 where it stays.
    int zapNonpresentPtes(Vma vma, Word entry, long value, int max, ZapDetails details) {
        if (!shouldZap(vma, value, details)) {
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

    /// mm/memory.c: cond_install_uffd_wp_ptes(). Has markers stand in `nr` entries from `entry` on,
    /// which have just been cleared, for a protection of file pages for a userfaultfd: the page can
    /// come back by a fault that nobody is told of. False where the first of them, which was `old`,
    /// had none.
    boolean condInstallUffdWpPtes(Vma vma, Word entry, long old, int nr) {
        boolean supported = kernel.arch().architecture().has(Architecture.Feature.UFFD_WP);
        if (!supported) { // uffd_supports_wp_marker()
            return false;
        }
        kernel.warnOn(!Entry.none(entry.readOnce()), "a marker would replace what is mapped");
        boolean marked = Entry.uffd(old) || Entry.isUffdWpMarker(old); // pte_swp_uffd_any()
        if (vma.isAnonymous() || !vma.userfaultfdWp() || !marked) {
            return false;
        }
        for (int i = 0; i < nr; i++) {
            long marker = Entry.makeMarker(Entry.MARKER_UFFD_WP);
            kernel.entries().setPte(PageTable.plus(entry, i), marker);
        }
        return true;
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
    private boolean shouldZap(Vma vma, long value, ZapDetails details) {
        if (Entry.isMigration(value)) {
            Folio folio = kernel.memMap().softleafToFolio(kernel, value);
            return details.shouldZapFolio(folio);
        }
        if (Entry.isUffdWpMarker(value)) {
            return vma.isAnonymous() || details.dropMarkers();
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
        fresh = change.markSoftleafUffd(fresh);
        if (fresh == old) {
            return 0;
        }
        kernel.entries().setPte(pte, fresh);
        return 1;
    }
}
