// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Writing to, or unsharing, pages that are mapped read-only (do_wp_page() of mm/memory.c).
final class WpFault {
    private final Kernel kernel;
    private final PgtableGeneric pgtableGeneric;

    WpFault(Kernel kernel) {
        this.kernel = kernel;
        this.pgtableGeneric = kernel.pgtableGeneric();
    }

    /// mm/memory.c: do_wp_page(). Makes a read-only entry of private memory writable, if its page
    /// is or can be made the process' own, or maps a copy. Enters with the PTE lock held and drops
    /// it.
    int doWpPage(VmFault vmf, PteMapping pte) {
        if (!vmf.has(VmFault.FLAG_UNSHARE)) {
            if (vmf.vma.userfaultfdEntryWp(pte.pte().readOnce())) {
                if (!vmf.vma.userfaultfdHas(Userfaultfd.FEATURE_WP_ASYNC)) {
                    pte.unmapUnlock();
                    return kernel.uffdFault()
                            .handleUserfault(vmf.vma, vmf.address, vmf.flags, Vma.VM_UFFD_WP);
                }
                vmf.origPte = Entry.clearUffd(pte.pte().readOnce());
                kernel.entries().setPte(pte.pte(), vmf.origPte);
            }
            flushPending(vmf);
        }
        Page page = kernel.memMap().vmNormalPage(vmf.origPte);
        Folio folio = page == null ? null : kernel.memMap().pageFolio(page);
        if ((vmf.vma.flags() & (Vma.VM_SHARED | Vma.VM_MAYSHARE)) != 0) {
            if (folio == null) {
                wpPageReuse(vmf, pte); // wp_pfn_shared()
                return 0;
            }
            return wpPageShared(vmf, pte, folio);
        }
        if (page != null && folio != null && folio.isAnon() && ownsOrTakes(vmf, folio, page)) {
            if (!page.anonExclusive()) {
                page.setAnonExclusive();
            }
            if (vmf.has(VmFault.FLAG_UNSHARE)) {
                pte.unmapUnlock();
            } else {
                wpPageReuse(vmf, pte);
            }
            return 0;
        }
        if (folio != null) {
            folio.get();
        }
        pte.unmapUnlock();
        return wpPageCopy(vmf, page);
    }

    /// Write-protecting for a userfaultfd flushes late. Nobody may write to the old page by an
    /// older translation while it is copied.
    private void flushPending(VmFault vmf) {
        MmStruct mm = vmf.vma.mm();
        if (vmf.vma.userfaultfdWp() && mm.tlbFlushPending.readOnce() != 0) {
            long size = kernel.geometry().pageSize();
            kernel.tlbFlush().flushTlbRange(mm, vmf.address, vmf.address + size);
        }
    }

    /// mm/memory.c: wp_page_shared(). Nobody asks to be told, so the entry becomes writable at
    /// once.
    private int wpPageShared(VmFault vmf, PteMapping pte, Folio folio) {
        folio.get();
        wpPageReuse(vmf, pte);
        folio.lock().lock();
        int ret = faultDirtySharedPage(vmf, folio);
        kernel.swap().folioPut(folio);
        return ret;
    }

    /// mm/memory.c: fault_dirty_shared_page(). Unlocks the folio. Who made it dirty lets go of the
    /// fault's lock, if it may, to wait for writeback: then `COMPLETED`.
    int faultDirtySharedPage(VmFault vmf, Folio folio) {
        boolean dirtied = kernel.swap().folioMarkDirty(folio);
        boolean mapped = folio.mapping.readPlain() != 0;
        folio.lock().unlock();
        if (!dirtied || !mapped) {
            return 0;
        }
        OpenFile fpin = kernel.fileFault().maybeUnlockMmapForIo(vmf);
        if (fpin == null) {
            return 0;
        }
        kernel.files().fput(fpin);
        return VmFault.COMPLETED;
    }

    private boolean ownsOrTakes(VmFault vmf, Folio folio, Page page) {
        return page.anonExclusive() || wpCanReuseAnonFolio(folio, vmf.vma);
    }

    /// mm/memory.c: wp_can_reuse_anon_folio(). Whether the process alone has the folio: nobody else
    /// has a reference. The looks before the folio lock only spare taking it.
    private boolean wpCanReuseAnonFolio(Folio folio, Vma vma) {
        boolean maybeInLruCache = !folio.testFlag(Folio.PG_LRU);
        int cache = folio.testSwapcache() ? 1 : 0;
        if (folio.isLarge()) {
            return wpCanReuseLargeAnonFolio(folio);
        }
        if (folio.refCount() > (maybeInLruCache ? 2 : 1) + cache) {
            return false;
        }
        if (folio.refCount() > 1 + cache) {
            return false;
        }
        // Only a trylock: the folio lock is taken before page-table locks.
        if (!folio.lock().trylock()) {
            return false;
        }
        if (folio.testSwapcache()) {
            kernel.swapfile().folioFreeSwap(folio);
        }
        boolean own = folio.refCount() == 1;
        if (own) {
            kernel.rmap().folioMoveAnonRmap(folio, vma);
        }
        folio.lock().unlock();
        return own;
    }

    /// mm/memory.c: __wp_can_reuse_large_anon_folio(). All references are mappings, and all
    /// mappings are this process'. The bit lock that keeps the two counts still is not modelled;
    /// they only move together under page-table locks.
    private boolean wpCanReuseLargeAnonFolio(Folio folio) {
        long mapcount = kernel.rmap().folioMapcount(folio);
        if (mapcount <= 1
                || kernel.rmap().folioMaybeMappedShared(folio)
                || mapcount != folio.refCount()) {
            return false;
        }
        return kernel.rmap().folioMapcount(folio) == folio.refCount();
    }

    /// mm/memory.c: wp_page_reuse(). Drops the PTE lock.
    private void wpPageReuse(VmFault vmf, PteMapping pte) {
        long entry = maybeMkwrite(Entry.mkdirty(Entry.mkyoung(vmf.origPte)), vmf.vma);
        pgtableGeneric.ptepSetAccessFlags(vmf.vma, vmf.address, pte.pte(), entry, true);
        pte.unmapUnlock();
    }

    /// include/linux/mm.h: maybe_mkwrite(). A debugger's write to memory that the process itself
    /// may not write leaves the entry read-only.
    static long maybeMkwrite(long entry, Vma vma) {
        return (vma.flags() & Vma.VM_WRITE) != 0 ? Entry.mkwrite(entry) : entry;
    }

    /// mm/memory.c: wp_page_copy(). Maps a copy of `page`, of the zero page where that is null. The
    /// caller got a reference on the old folio, which is dropped here; no page-table lock is held.
    private int wpPageCopy(VmFault vmf, @Nullable Page page) {
        Folio oldFolio = page == null ? null : kernel.memMap().pageFolio(page);
        int ret = kernel.memory().vmfAnonPrepare(vmf);
        Folio newFolio = ret == 0 ? kernel.anonFault().folioPrealloc(page == null) : null;
        if (newFolio == null) {
            put(oldFolio);
            return ret == 0 ? VmFault.OOM : ret;
        }
        if (page != null) {
            kernel.highmem().copyPage(newFolio.pfn(), page.pfn());
        }
        newFolio.markUptodate();

        MmuNotifierRange range = pageRange(vmf);
        kernel.mmuNotifier().invalidateRangeStart(range);
        boolean copied = false;
        PteMapping pte = pgtableGeneric.pteOffsetMapLock(vmf.vma.mm(), vmf.pmd(), vmf.address);
        vmf.pte = pte;
        if (pte != null) {
            copied = pte.pte().readOnce() == vmf.origPte;
            if (copied) {
                replace(vmf, pte, newFolio, oldFolio, page);
            }
            pte.unmapUnlock();
        }
        kernel.mmuNotifier().invalidateRangeEnd(range);
        // What is not mapped (any more): the old folio has lost its mapping, or the new one has
        // none.
        put(copied ? oldFolio : newFolio);
        if (copied && oldFolio != null) {
            kernel.swapState().freeSwapCache(oldFolio);
        }
        put(oldFolio);
        return 0;
    }

    private MmuNotifierRange pageRange(VmFault vmf) {
        long pageSize = kernel.geometry().pageSize();
        long start = vmf.address & -pageSize;
        return kernel.mmuNotifier().range(Event.CLEAR, vmf.vma.mm(), start, start + pageSize);
    }

    /// The part of wp_page_copy() that changes the entry; the PTE lock is held.
    private void replace(
            VmFault vmf,
            PteMapping pte,
            Folio newFolio,
            @Nullable Folio oldFolio,
            @Nullable Page page) {
        long entry = Entry.make(newFolio.pfn(), AnonFault.PAGE_PROT);
        if (!vmf.has(VmFault.FLAG_UNSHARE)) {
            entry = maybeMkwrite(Entry.mkdirty(entry), vmf.vma);
        } else if (Entry.uffd(vmf.origPte)) {
            entry = Entry.mkuffd(entry);
        }
        // Cleared and flushed first, so that no two CPUs have different translations.
        pgtableGeneric.ptepClearFlush(vmf.vma, vmf.address, pte.pte());
        kernel.rmap().folioAddNewAnonRmap(newFolio, vmf.vma, vmf.address);
        kernel.swap().folioAddLru(newFolio);
        kernel.entries().setPte(pte.pte(), entry);
        if (oldFolio != null && page != null) {
            // Not before the entry has changed: whoever sees the count fall may reuse the old page.
            kernel.rmap().folioRemoveRmapPte(oldFolio, page);
        }
    }

    private void put(@Nullable Folio folio) {
        if (folio != null) {
            kernel.swap().folioPut(folio);
        }
    }
}
