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
            return copyPteMarker(to, pte);
        }
        if (Entry.isMigration(pte)) {
            kernel.memMap().softleafToFolio(kernel, pte);
            if (Entry.softleafKind(pte) != Entry.MIGRATION_READ && Vma.isCowMapping(dst.flags())) {
                pte = Entry.withKind(pte, Entry.MIGRATION_READ);
                kernel.entries().setPte(from, pte);
            }
        }
        kernel.entries().setPte(to, pte);
        return 0;
    }

    /// include/linux/mm_inline.h: copy_pte_marker(). Poison stays poison.
    private int copyPteMarker(Word to, long pte) {
        long marker = Entry.marker(pte) & Entry.MARKER_POISONED;
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
    /// not allow any more. 1 where the entry was changed, else 0.
    int changeSoftleafPte(Word pte, long old) {
        if (!Entry.isMigration(old) || Entry.softleafKind(old) != Entry.MIGRATION_WRITE) {
            return 0;
        }
        Folio folio = kernel.memMap().softleafToFolio(kernel, old);
        long kind = folio.isAnon() ? Entry.MIGRATION_READ_EXCLUSIVE : Entry.MIGRATION_READ;
        kernel.entries().setPte(pte, Entry.withKind(old, kind));
        return 1;
    }
}
