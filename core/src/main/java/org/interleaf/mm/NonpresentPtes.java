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

    /// mm/memory.c: zap_nonpresent_ptes(), for one entry, which holds `value`. False where it
    /// stays.
    boolean zapNonpresentPte(Word entry, long value, ZapDetails details) {
        if (!shouldZap(value, details)) {
            return false;
        }
        boolean known =
                Entry.isMigration(value) || Entry.isHwpoison(value) || Entry.isMarker(value);
        if (!known) {
            kernel.warnOn(true, "unrecognized swap entry " + Long.toHexString(value));
        }
        // Nobody but the walk of whoever migrates the page will notice: it finds one entry less.
        kernel.entries().clear(entry); // clear_nonpresent_ptes()
        return true;
    }

    /// Whether the entry is among those that are to be zapped.
    private boolean shouldZap(long value, ZapDetails details) {
        if (Entry.isMigration(value)) {
            Folio folio = kernel.memMap().softleafToFolio(kernel, value);
            return details.shouldZapFolio(folio);
        }
        boolean poison = Entry.isHwpoison(value) || Entry.isMarker(value);
        return !details.skipCows() || !poison;
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
