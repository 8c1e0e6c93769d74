// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

/// `struct zap_details` (include/linux/mm.h): what is to be zapped, and what else is to be done.
///
/// @param singleFolio the locked folio that is to be unmapped; null for all that is there
/// @param skipCows whether pages that a process has made its own stay
/// @param reclaimPt whether PTE tables that become empty are freed
/// @param dropMarkers `ZAP_FLAG_DROP_MARKER`: whether it is forgotten that pages of files were
///   write-protected for a userfaultfd
record ZapDetails(
        @Nullable Folio singleFolio, boolean skipCows, boolean reclaimPt, boolean dropMarkers) {
    /// For what is mapped no more: all goes.
    static final ZapDetails UNMAP = new ZapDetails(null, false, false, true);

    /// For MADV_DONTNEED: PTE tables that become empty are freed.
    static final ZapDetails RECLAIM_PT = new ZapDetails(null, false, true, false);

    /// All goes, but not for ever.
    static final ZapDetails KEEP = new ZapDetails(null, false, false, false);

    /// For a page of a file.
    static ZapDetails single(Folio folio) {
        return new ZapDetails(folio, true, false, true);
    }

    /// For a part of a file, which may be mapped again.
    static ZapDetails file(boolean evenCows) {
        return evenCows ? KEEP : new ZapDetails(null, true, false, false);
    }

    /// mm/memory.c: should_zap_folio().
    boolean shouldZapFolio(Folio folio) {
        return !skipCows || !folio.isAnon();
    }
}
