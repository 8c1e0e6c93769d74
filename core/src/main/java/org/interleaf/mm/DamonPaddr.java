// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Reclaim by physical address (mm/damon/paddr.c): of whatever is in a frame, in whosever tables.
/// No lock of an address space is held.
public final class DamonPaddr {
    private final Kernel kernel;

    DamonPaddr(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/damon/paddr.c: damon_pa_pageout(), of one page, with a filter that lets pages pass
    /// whenever they were used. Whether its folio was isolated for reclaim.
    public boolean damonPaPageout(Page page) {
        Folio folio = damonGetFolio(page);
        if (folio == null) {
            return false;
        }
        List<Folio> folios = new ArrayList<>(1);
        folio.clearFlag(Folio.PG_REFERENCED);
        if (kernel.swap().folioIsolateLru(folio)) {
            folios.add(folio);
        }
        kernel.swap().folioPut(folio);
        kernel.vmscan().reclaimPages(folios);
        return !folios.isEmpty();
    }

    /// mm/damon/ops-common.c: damon_get_folio(). The folio of the page with a reference, if it is
    /// on the LRU.
    private @Nullable Folio damonGetFolio(Page page) {
        Folio folio = kernel.memMap().pageFolio(page);
        if (!folio.refAddUnlessZero(1)) {
            return null;
        }
        if (kernel.memMap().pageFolio(page) != folio || !folio.testFlag(Folio.PG_LRU)) {
            kernel.swap().folioPut(folio);
            return null;
        }
        return folio;
    }
}
