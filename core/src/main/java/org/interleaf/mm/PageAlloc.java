// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.jspecify.annotations.Nullable;

/// Allocation of pages and folios (mm/page_alloc.c), as far as others can see it: the state of the
/// frames and of the `struct page`s.
public final class PageAlloc {
    private final Machine machine;
    private final MemMap memMap;

    PageAlloc(Machine machine, MemMap memMap) {
        this.machine = machine;
        this.memMap = memMap;
    }

    /// mm/page_alloc.c: folio_alloc(). A folio of `2^order` pages with one reference, whose
    /// contents are whatever they were; null where memory is out. The compound page is put together
    /// while its count is still zero, so that speculative references fail until it is whole.
    public @Nullable Folio folioAlloc(int order) {
        Folio folio = allocFrozen(order);
        if (folio != null) {
            folio.refcount.writeOnce(1);
        }
        return folio;
    }

    /// mm/page_alloc.c: __alloc_frozen_pages(). The same without a reference.
    @Nullable Folio allocFrozen(int order) {
        long pfn = memMap.memory().allocate(order);
        if (pfn < 0) {
            return null;
        }
        Folio folio = memMap.folioAt(pfn);
        if (order > 0) {
            prepCompoundPage(folio, order);
        }
        return folio;
    }

    /// mm/page_alloc.c: prep_compound_page().
    private void prepCompoundPage(Folio folio, int order) {
        for (int i = 1; i < 1 << order; i++) {
            memMap.page(folio.pfn() + i).compoundHead.writeOnce(folio.pfn());
        }
        folio.order.writePlain(order);
        folio.largeMapcount.writePlain(-1);
        folio.entireMapcount.writePlain(-1);
        folio.nrPagesMapped.writePlain(0);
        folio.pincount.writePlain(0);
        if (folio.maybeMappedShared.peek() != 0) {
            folio.maybeMappedShared.poke(0); // with the others
        }
    }

    /// mm/page_alloc.c: free_frozen_pages(). Frees a folio whose last reference is gone.
    void freeFolio(Folio folio) {
        int order = folio.order();
        checkNotInUse(folio, order);
        folio.mapping.writePlain(0);
        folio.keepFlags(Folio.PG_HWPOISON);
        for (int i = 0; i < 1 << order; i++) {
            Page page = memMap.page(folio.pfn() + i);
            page.clearAnonExclusive();
            if (i > 0) {
                page.compoundHead.writeOnce(page.pfn());
            }
        }
        if (order > 0) {
            folio.order.writePlain(0);
        }
        memMap.memory().free(folio.pfn(), order);
    }

    /// mm/page_alloc.c: take_page_off_buddy(). Takes a page whose memory is bad out of a free block
    /// of `2^order` pages for good, and leaves the others free; false where the block is not among
    /// those that this CPU has freed.
    boolean takePageOff(Page page, int order) {
        long first = page.pfn() & -(1L << order);
        return memMap.memory().takeOff(first, order, page.pfn());
    }

    /// mm/page_alloc.c: free_page_is_bad(). A page must not be freed while something still maps it.
    private void checkNotInUse(Folio folio, int order) {
        if (folio.head().isTable()) {
            bad(folio, "page_type: table");
        }
        for (int i = 0; i < 1 << order; i++) {
            if (memMap.page(folio.pfn() + i).mapcount.readPlain() != -1) {
                bad(folio, "nonzero mapcount");
            }
        }
        if (order > 0 && folio.largeMapcount.readPlain() != -1) {
            bad(folio, "nonzero large_mapcount");
        }
        if (order > 0 && folio.pincount.readPlain() != 0) {
            bad(folio, "nonzero pincount");
        }
    }

    private void bad(Folio folio, String why) {
        machine.monitor().complained(machine.current(), "BUG: Bad page state", folio + ": " + why);
    }
}
