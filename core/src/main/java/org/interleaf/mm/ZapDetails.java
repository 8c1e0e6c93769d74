// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

/// `struct zap_details` (include/linux/mm.h): what is to be zapped, and what else is to be done.
///
/// @param singleFolio the locked folio that is to be unmapped; null for all that is there
/// @param skipCows whether pages that a process has made its own stay
/// @param reclaimPt whether PTE tables that become empty are freed
record ZapDetails(@Nullable Folio singleFolio, boolean skipCows, boolean reclaimPt) {
    /// All goes, and nothing else is done.
    static final ZapDetails ALL = new ZapDetails(null, false, false);

    /// PTE tables that become empty are freed.
    static final ZapDetails RECLAIM_PT = new ZapDetails(null, false, true);

    /// For a page of a file.
    static ZapDetails single(Folio folio) {
        return new ZapDetails(folio, true, false);
    }

    /// mm/memory.c: should_zap_folio().
    boolean shouldZapFolio(Folio folio) {
        return !skipCows || !folio.isAnon();
    }
}
