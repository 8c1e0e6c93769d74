// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// Taking and dropping the references and pins of GUP (mm/gup.c).
///
/// A pin on a large folio adds to its reference count and to its pin count; on a small one it adds
/// {@link Foll#GUP_PIN_COUNTING_BIAS} references. Pins on the shared zero page are not counted.
public final class GupRefs {
    private final Kernel kernel;
    private final Machine machine;

    GupRefs(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// mm/gup.c: try_get_folio(). `refs` references on the folio of `page`, about which nothing is
    /// known: it may be free, and it may become part of another folio at any moment. Null where the
    /// count was zero.
    public @Nullable Folio tryGetFolio(Page page, int refs) {
        Rounds retries = null;
        while (true) {
            Folio folio = kernel.memMap().pageFolio(page);
            if (kernel.warnOn(folio.refCount() < 0, "negative refcount", folio)) {
                return null;
            }
            if (!folio.refAddUnlessZero(refs)) {
                return null;
            }
            // The folio may have been split or freed between the look at the head and the
            // reference,
            // which then is on a folio that the page is no part of.
            if (kernel.memMap().pageFolio(page) == folio) {
                return folio;
            }
            kernel.swap().folioPutRefs(folio, refs);
            retries = machine.retry(retries, "try_get_folio");
        }
    }

    /// mm/gup.c: try_grab_folio_fast(). References or pins for GUP-fast, with interrupts off and
    /// nothing else known. Null where there are none to be had.
    public @Nullable Folio tryGrabFolioFast(Page page, int refs, int flags) {
        kernel.warnOn(!machine.current().irqsOff(), "interrupts are on");
        if (kernel.warnOn(!Foll.has(flags, Foll.GET | Foll.PIN), "neither FOLL_GET nor FOLL_PIN")) {
            return null;
        }
        if (Foll.has(flags, Foll.GET)) {
            return tryGetFolio(page, refs);
        }
        if (kernel.isZeroPage(page)) {
            return kernel.memMap().pageFolio(page);
        }
        Folio folio = tryGetFolio(page, refs);
        if (folio == null) {
            return null;
        }
        if (folio.hasPincount()) {
            folio.pincount.add(refs, Order.RELAXED);
        } else {
            folio.refAdd((long) refs * (Foll.GUP_PIN_COUNTING_BIAS - 1));
        }
        // The pin is counted before the entry is read again: pairs with the barrier between
        // clearing
        // an entry and looking for pins.
        machine.fence(Fence.MB_AFTER_ATOMIC);
        return folio;
    }

    /// mm/gup.c: try_grab_folio(). References or pins on a folio of which the caller, under the
    /// lock of an entry that maps it, knows that it has at least one. 0, or -ENOMEM where that is
    /// not so.
    public int tryGrabFolio(Folio folio, int refs, int flags) {
        if (kernel.warnOn(
                folio.refCount() <= 0, "refcount of mapped folio is not positive", folio)) {
            return -Errno.ENOMEM;
        }
        if (Foll.has(flags, Foll.GET)) {
            folio.refAdd(refs);
        } else if (Foll.has(flags, Foll.PIN)) {
            if (kernel.isZeroFolio(folio)) {
                return 0;
            }
            if (folio.hasPincount()) {
                folio.refAdd(refs);
                folio.pincount.add(refs, Order.RELAXED);
            } else {
                folio.refAdd((long) refs * Foll.GUP_PIN_COUNTING_BIAS);
            }
        }
        return 0;
    }

    /// mm/gup.c: gup_put_folio().
    public void gupPutFolio(Folio folio, int refs, int flags) {
        long drop = refs;
        if (Foll.has(flags, Foll.PIN)) {
            if (kernel.isZeroFolio(folio)) {
                return;
            }
            if (folio.hasPincount()) {
                folio.pincount.add(-refs, Order.RELAXED);
            } else {
                drop *= Foll.GUP_PIN_COUNTING_BIAS;
            }
        }
        kernel.swap().folioPutRefs(folio, drop);
    }

    /// mm/gup.c: unpin_user_page().
    public void unpinUserPage(Page page) {
        sanityCheckPinnedPage(page);
        gupPutFolio(kernel.memMap().pageFolio(page), 1, Foll.PIN);
    }

    /// mm/gup.c: sanity_check_pinned_pages(), for one page. Only exclusive anonymous pages may be
    /// pinned; of a large folio the exclusive flag may be at the head.
    void sanityCheckPinnedPage(Page page) {
        if (kernel.isZeroPage(page)) {
            return;
        }
        Folio folio = kernel.memMap().pageFolio(page);
        if (!folio.isAnon()) {
            return;
        }
        boolean exclusive = folio.head().anonExclusive();
        if (!exclusive && folio.isLarge() && !folio.isHugetlb()) {
            exclusive = page.anonExclusive();
        }
        kernel.warnOn(!exclusive, "pinned anonymous page is not exclusive", page);
    }

    /// mm/internal.h: gup_must_unshare(). Whether a read-only pin of `page` through an entry that
    /// is not writable could come to differ from what the process sees. `vma` is null in GUP-fast.
    public boolean gupMustUnshare(@Nullable Vma vma, int flags, Page page) {
        if ((flags & (Foll.WRITE | Foll.PIN)) != Foll.PIN) {
            return false;
        }
        if (!kernel.memMap().pageFolio(page).isAnon()) {
            if (!Foll.has(flags, Foll.LONGTERM)) {
                return false;
            }
            return vma == null || Vma.isCowMapping(vma.flags());
        }
        // Pairs with the barrier between clearing PageAnonExclusive and writing the entry.
        machine.fence(Fence.RMB);
        return !pageAnonExclusive(page);
    }

    /// include/linux/page-flags.h: PageAnonExclusive(). hugetlb says so of all pages at the head.
    boolean pageAnonExclusive(Page page) {
        Folio folio = kernel.memMap().pageFolio(page);
        return folio.isHugetlb() ? folio.head().anonExclusive() : page.anonExclusive();
    }

    /// mm/gup.c: mm_set_has_pinned_flag(). Set before the first pin and never cleared: fork looks
    /// for pins only where it is set.
    void mmSetHasPinnedFlag(MmStruct mm) {
        Word flags = mm.flags;
        if ((flags.readOnce() & MmStruct.HAS_PINNED) == 0) {
            flags.or(MmStruct.HAS_PINNED, Order.RELAXED);
        }
    }
}
