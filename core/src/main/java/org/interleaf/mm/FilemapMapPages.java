// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.jspecify.annotations.Nullable;

/// Mapping what is in the page cache around a fault (filemap_map_pages() of mm/filemap.c).
///
/// # Locking
///
/// The fault holds the VMA's lock or the mmap lock; folios are only tried to be locked, since this
/// is under RCU and, from the second one on, under the PTE lock.
final class FilemapMapPages {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    FilemapMapPages(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    /// mm/filemap.c: filemap_map_pages(). Maps what is in memory and up to date of pages `first` to
    /// `last`. `NOPAGE` where the page of the fault is among it.
    int mapPages(VmFault vmf, long first, long last) {
        ShmemInode inode = (ShmemInode) vmf.vma.inode();
        long fileEnd = pages(inode.sizeRead()) - 1;
        long end = Math.min(last, fileEnd);
        machine.rcu().readLock();
        XArray.Cursor at = new XArray.Cursor(first);
        Folio folio = nextUptodateFolio(at, inode, end);
        int ret = 0;
        if (folio != null) {
            ret = mapPmd(vmf, folio) ? VmFault.NOPAGE : mapPtes(vmf, inode, at, folio, first, end);
        }
        machine.rcu().readUnlock();
        return ret;
    }

    /// So many bytes in pages, rounded up.
    private long pages(long bytes) {
        return (bytes + geometry.pageSize() - 1) >> geometry.pageShift();
    }

    /// mm/filemap.c: next_uptodate_folio(). The next folio up to index `end` that can be locked at
    /// once and is up to date: locked, and with a reference.
    private @Nullable Folio nextUptodateFolio(XArray.Cursor at, ShmemInode inode, long end) {
        Rounds retries = null;
        while (inode.pages().find(at, end)) {
            if (at.entry == XArray.RETRY) {
                at.reset();
                retries = machine.retry(retries, "next_uptodate_folio");
                continue;
            }
            Folio folio = kernel.memMap().folioAt(XArray.pfn(at.entry));
            if (folio.refAddUnlessZero(1)) {
                if (lockIfUptodate(folio, at, inode)) {
                    return folio;
                }
                kernel.swap().folioPut(folio);
            }
            machine.hasEffect(); // it is passed over
        }
        return null;
    }

    private boolean lockIfUptodate(Folio folio, XArray.Cursor at, ShmemInode inode) {
        if (folio.lock().isLocked()
                || inode.pages().load(at.index) != at.entry
                || !folio.testFlag(Folio.PG_UPTODATE)
                || !folio.lock().trylock()) {
            return false;
        }
        if (folio.isMappedBy(inode)
                && folio.testFlag(Folio.PG_UPTODATE)
                && at.index < pages(inode.sizeRead())) {
            return true;
        }
        folio.lock().unlock();
        return false;
    }

    /// mm/filemap.c: filemap_map_pmd(). Maps the folio by a PMD if it can be, or hangs a PTE table
    /// below. True where there is no more to be done; the folio has been let go of.
    private boolean mapPmd(VmFault vmf, Folio folio) {
        if (Entry.leaf(vmf.pmd().readPlain())) {
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
            return true;
        }
        if (Entry.none(vmf.pmd().readPlain())
                && folio.order() >= geometry.hpagePmdOrder()
                && kernel.finishFault().doSetPmd(vmf, folio) == 0) {
            folio.lock().unlock();
            return true;
        }
        if (Entry.none(vmf.pmd().readPlain()) && vmf.preallocPte != null) {
            kernel.finishFault().installPrealloc(vmf);
        }
        return false;
    }

    /// The part of filemap_map_pages() under the PTE lock.
    private int mapPtes(
            VmFault vmf, ShmemInode inode, XArray.Cursor at, Folio one, long first, long end) {
        Vma vma = vmf.vma;
        long addr = vma.start() + ((first - vma.pgoff()) << geometry.pageShift());
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(vma.mm(), vmf.pmd(), addr);
        if (pte == null) {
            one.lock().unlock();
            kernel.swap().folioPut(one);
            return 0;
        }
        int ret = 0;
        Folio folio = one;
        while (folio != null) {
            Part part = new Part(vmf, folio, pte, (int) (at.index - first));
            if (folio.isLarge()) {
                int index = (int) (at.index - folio.index.readPlain());
                long last = folio.index.readPlain() + folio.nrPages() - 1;
                int nr = (int) (Math.min(last, end) - at.index + 1);
                ret |= part.mapFolioRange(index, nr);
            } else {
                ret |= part.mapOrder0Folio();
            }
            folio.lock().unlock();
            folio = nextUptodateFolio(at, inode, end);
        }
        pte.unmapUnlock();
        return ret;
    }

    /// A part of a PTE table that is to map a part of a folio.
    private final class Part {
        private final VmFault vmf;
        private final Folio folio;
        private final PteMapping pte;
        private int first;

        /// @param first the first entry, counted from the mapped one
        Part(VmFault vmf, Folio folio, PteMapping pte, int first) {
            this.vmf = vmf;
            this.folio = folio;
            this.pte = pte;
            this.first = first;
        }

        /// Which entry, counted from the mapped one, is that of the fault.
        private int wanted() {
            return geometry.index(Geometry.PTE, vmf.address)
                    - PageTable.of(pte.pte()).indexOf(pte.pte());
        }

        /// mm/filemap.c: filemap_map_order0_folio().
        int mapOrder0Folio() {
            if (!Entry.none(pte.pte(first).readOnce())) {
                folio.refSub(1);
                return 0;
            }
            kernel.finishFault().setPteRange(vmf, folio, folio.head(), 1, pte, first);
            return first == wanted() ? VmFault.NOPAGE : 0;
        }

        /// mm/filemap.c: filemap_map_folio_range(). Maps `wantedNr` pages from number `index` on;
        /// all of the folio where it is in the VMA and in the PTE table as a whole.
        int mapFolioRange(int index, int wantedNr) {
            int start = index;
            int nr = wantedNr;
            if (fits(index)) {
                first -= index;
                start = 0;
                nr = folio.nrPages();
            }
            int ret = 0;
            int mapped = 0;
            int count = 0;
            for (int i = 0; i < nr; i++) {
                if (Entry.none(pte.pte(first + i).readOnce())) {
                    count++;
                    continue;
                }
                ret |= set(start + i - count, first + i - count, count, mapped == 0);
                mapped += count;
                count = 0;
            }
            ret |= set(start + nr - count, first + nr - count, count, mapped == 0);
            if (mapped + count == 0) {
                folio.refSub(1);
            }
            return ret;
        }

        /// Maps `count` pages in a row, the first of which takes the caller's reference if that is
        /// still there.
        private int set(int index, int at, int count, boolean refFromCaller) {
            if (count == 0) {
                return 0;
            }
            Page page = kernel.memMap().page(folio.pfn() + index);
            kernel.finishFault().setPteRange(vmf, folio, page, count, pte, at);
            folio.refAdd(count - (refFromCaller ? 1 : 0));
            return wanted() >= at && wanted() < at + count ? VmFault.NOPAGE : 0;
        }

        /// Whether the whole folio, of which page `index` belongs to the first entry, is in the VMA
        /// (`folio_within_vma()`) and in the PTE table.
        private boolean fits(int index) {
            Vma vma = vmf.vma;
            long begin = folio.index.readPlain() - vma.pgoff();
            long vmaPages = (vma.end() - vma.start()) >> geometry.pageShift();
            int slot = PageTable.of(pte.pte()).indexOf(pte.pte(first)) - index;
            return begin >= 0
                    && begin + folio.nrPages() <= vmaPages
                    && slot >= 0
                    && slot + folio.nrPages() <= geometry.entries(Geometry.PTE);
        }
    }
}
