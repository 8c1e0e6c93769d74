// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Giving references back, and the LRU lists as far as a flag tells of them (mm/swap.c, and
/// folio_isolate_lru() of mm/vmscan.c).
public final class Swap {
    private final Kernel kernel;

    Swap(Kernel kernel) {
        this.kernel = kernel;
    }

    /// include/linux/mm.h: folio_put().
    public void folioPut(Folio folio) {
        folioPutRefs(folio, 1);
    }

    /// include/linux/mm.h: folio_put_refs(). Who drops the last reference frees the folio.
    public void folioPutRefs(Folio folio, long refs) {
        if (folio.refSubAndTest(refs)) {
            freeFolio(folio);
        }
    }

    /// mm/swap.c: __folio_put(). The count has become zero.
    void freeFolio(Folio folio) {
        if (folio.isZoneDevice()) {
            kernel.devices().freeZoneDeviceFolio(folio);
            return;
        }
        if (folio.isHugetlb()) {
            kernel.hugetlb().pool().freeHugeFolio(folio);
            return;
        }
        if (folio.testFlag(Folio.PG_LRU)) {
            folio.clearFlag(Folio.PG_LRU);
        }
        kernel.pageAlloc().freeFolio(folio);
    }

    /// mm/swap.c: folio_add_lru(). The batches in which the kernel collects folios before they get
    /// onto a list, and the references that the batches hold, are not modelled.
    public void folioAddLru(Folio folio) {
        folio.setFlag(Folio.PG_LRU);
    }

    /// mm/vmscan.c: folio_isolate_lru(). Takes the folio off its list, with a reference, unless
    /// somebody else has done so.
    public boolean folioIsolateLru(Folio folio) {
        if (!folio.testClearFlag(Folio.PG_LRU)) {
            return false;
        }
        folio.get();
        return true;
    }

    /// mm/vmscan.c: folio_putback_lru(). Undoes {@link #folioIsolateLru}.
    public void folioPutbackLru(Folio folio) {
        folioAddLru(folio);
        folioPut(folio);
    }

    /// mm/util.c: folio_mapping(). Whether the folio is in the swap cache or in that of a file.
    boolean folioMapping(Folio folio) {
        if (folio.testSwapcache()) {
            return true;
        }
        long mapping = folio.mapping.readPlain();
        return mapping != 0 && !Folio.isAnonMapping(mapping);
    }

    /// mm/page-writeback.c: folio_mark_dirty(), noop_dirty_folio(). Whether it was clean.
    boolean folioMarkDirty(Folio folio) {
        if (folioMapping(folio) && folio.testFlag(Folio.PG_RECLAIM)) {
            folio.clearFlag(Folio.PG_RECLAIM);
        }
        if (folio.testFlag(Folio.PG_DIRTY)) {
            return false;
        }
        return !folio.testSetFlag(Folio.PG_DIRTY);
    }

    /// mm/swap.c: folio_mark_accessed(), of which the first half is modelled.
    public void folioMarkAccessed(Folio folio) {
        if (!folio.testFlag(Folio.PG_REFERENCED)) {
            folio.setFlag(Folio.PG_REFERENCED);
        }
    }
}
