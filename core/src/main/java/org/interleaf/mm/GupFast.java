// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Cpu;
import org.interleaf.machine.Machine;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// GUP-fast: taking references or pins on the pages behind user addresses without any lock (the
/// lockless half of mm/gup.c).
///
/// # Locking
///
/// Interrupts are off for the whole walk. That keeps page tables from being freed, as their memory
/// goes through RCU or through an interrupt that waits for this CPU; it does not keep entries from
/// changing, nor pages from being freed. So each entry is read once and its value passed down, and
/// after a reference was taken the entries that led to the page are compared with what they were:
///
/// | CPU 0 unmaps                | CPU 1 gup_fast_pte_range            |
/// |-----------------------------|-------------------------------------|
/// |                             | pte = *ptep                         |
/// | *ptep = none                |                                     |
/// | looks at the count          | takes a reference                   |
/// |                             | *ptep != pte: drops it, gives up    |
///
/// At least one of the two sees the other. The PMD is compared as well, since collapse detaches a
/// PTE table without clearing its entries first. Nothing is ever retried here: whoever finds an
/// obstacle leaves the rest to the slow path.
public final class GupFast {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;
    private final Pgtable pgtable;
    private final GupRefs refs;
    private final Gup gup;

    GupFast(Kernel kernel, GupRefs refs, Gup gup) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
        this.refs = refs;
        this.gup = gup;
    }

    /// The pages collected so far by one walk.
    private static final class Collected {
        final int flags;
        final @Nullable Page[] pages;
        int nr;

        Collected(int flags, @Nullable Page[] pages) {
            this.flags = flags;
            this.pages = pages;
        }

        boolean has(int flag) {
            return Foll.has(flags, flag);
        }

        void add(Page page) {
            pages[nr++] = page;
        }
    }

    /// mm/gup.c: get_user_pages_fast(). References on the pages at `start`; see {@link
    /// #gupFastFallback}.
    public long getUserPagesFast(MmStruct mm, long start, int flags, @Nullable Page[] pages) {
        return gupFastFallback(mm, start, flags | Foll.GET, pages);
    }

    /// mm/gup.c: pin_user_pages_fast(). Pins on the pages at `start`; see {@link #gupFastFallback}.
    public long pinUserPagesFast(MmStruct mm, long start, int flags, @Nullable Page[] pages) {
        return gupFastFallback(mm, start, flags | Foll.PIN, pages);
    }

    /// mm/gup.c: gup_fast_fallback(). As many pages in a row from `start` as the array takes: the
    /// fast path as far as it comes, the slow path for the rest. The number of pages, or a negative
    /// error number if there is none. No lock is held; may sleep unless `FOLL_FAST_ONLY`.
    private long gupFastFallback(MmStruct mm, long start, int flags, @Nullable Page[] pages) {
        if (Foll.has(flags, Foll.PIN)) {
            refs.mmSetHasPinnedFlag(mm);
        }
        if (!Foll.has(flags, Foll.FAST_ONLY)) {
            machine.mightSleep("gup_fast_fallback");
            mm.mmapLock().mightRead();
        }
        long first = start & -geometry.pageSize();
        long end = first + pages.length * geometry.pageSize();
        if (end < first) {
            return -Errno.EOVERFLOW;
        }
        if (end > geometry.taskSize()) {
            return -Errno.EFAULT;
        }
        int fast = gupFast(mm, first, end, flags, pages);
        if (fast == pages.length || Foll.has(flags, Foll.FAST_ONLY)) {
            return fast;
        }
        @Nullable Page[] rest = new Page[pages.length - fast];
        long slow =
                gup.getUserPagesUnlocked(
                        mm, first + fast * geometry.pageSize(), rest, flags | Foll.TOUCH);
        System.arraycopy(rest, 0, pages, fast, rest.length);
        if (slow < 0) {
            return fast > 0 ? fast : slow;
        }
        return fast + slow;
    }

    /// mm/gup.c: gup_fast(). Number of pages from `start` on that could be had. While a fork copies
    /// the page tables no pins are given out, and those given out since it began are taken back.
    private int gupFast(MmStruct mm, long start, long end, int flags, @Nullable Page[] pages) {
        Collected collected = new Collected(flags, pages);
        SeqCount fork = mm.writeProtectSeq();
        long seq = 0;
        if (collected.has(Foll.PIN)) {
            seq = fork.rawRead();
            if ((seq & 1) != 0) {
                return 0;
            }
        }
        Cpu cpu = machine.cpu();
        cpu.irqSave();
        gupFastPgdRange(mm, start, end, collected);
        cpu.irqRestore();

        if (collected.has(Foll.PIN)) {
            if (fork.readRetry(seq)) {
                gupFastUnpinUserPages(collected);
                return 0;
            }
            for (int i = 0; i < collected.nr; i++) {
                refs.sanityCheckPinnedPage(page(collected, i));
            }
        }
        return collected.nr;
    }

    private static Page page(Collected collected, int i) {
        return Objects.requireNonNull(collected.pages[i]);
    }

    /// mm/gup.c: gup_fast_unpin_user_pages(). Without the sanity checks: a fork may just have made
    /// the pages shared.
    private void gupFastUnpinUserPages(Collected collected) {
        for (int i = 0; i < collected.nr; i++) {
            Folio folio = kernel.memMap().pageFolio(page(collected, i));
            refs.gupPutFolio(folio, 1, Foll.PIN);
            collected.pages[i] = null;
        }
    }

    /// mm/gup.c: gup_fast_pgd_range(). A folded level is never none: the level below looks.
    private void gupFastPgdRange(MmStruct mm, long start, long end, Collected collected) {
        long addr = start;
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.PGD, addr, end);
            Word pgdp = pgtable.pgdOffset(mm, addr);
            long pgd = pgdp.readOnce();
            if (!geometry.folded(Geometry.P4D) && Entry.none(pgd)) {
                return;
            }
            if (!gupFastP4dRange(pgdp, pgd, addr, next, collected)) {
                return;
            }
            addr = next;
        }
    }

    /// mm/gup.c: gup_fast_p4d_range(). False, here and below, where the walk must stop.
    private boolean gupFastP4dRange(
            Word pgdp, long pgd, long start, long end, Collected collected) {
        long addr = start;
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.P4D, addr, end);
            Word p4dp = pgtable.offsetLockless(Geometry.P4D, pgdp, pgd, addr);
            long p4d = p4dp.readOnce();
            if (!Entry.present(p4d)) {
                return false;
            }
            if (!gupFastPudRange(p4dp, p4d, addr, next, collected)) {
                return false;
            }
            addr = next;
        }
        return true;
    }

    /// mm/gup.c: gup_fast_pud_range().
    private boolean gupFastPudRange(
            Word p4dp, long p4d, long start, long end, Collected collected) {
        long addr = start;
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.PUD, addr, end);
            Word pudp = pgtable.offsetLockless(Geometry.PUD, p4dp, p4d, addr);
            long pud = pudp.readOnce();
            if (!Entry.present(pud)) {
                return false;
            }
            boolean more =
                    Entry.leaf(pud)
                            ? gupFastLeaf(Geometry.PUD, pud, pudp, addr, next, collected)
                            : gupFastPmdRange(pudp, pud, addr, next, collected);
            if (!more) {
                return false;
            }
            addr = next;
        }
        return true;
    }

    /// mm/gup.c: gup_fast_pmd_range().
    private boolean gupFastPmdRange(
            Word pudp, long pud, long start, long end, Collected collected) {
        long addr = start;
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.PMD, addr, end);
            Word pmdp = pgtable.offsetLockless(Geometry.PMD, pudp, pud, addr);
            long pmd = kernel.pgtableGeneric().pmdpGetLockless(pmdp);
            if (!Entry.present(pmd)) {
                return false;
            }
            boolean more;
            if (Entry.leaf(pmd)) {
                more =
                        !Entry.protnone(pmd)
                                && gupFastLeaf(Geometry.PMD, pmd, pmdp, addr, next, collected);
            } else {
                more = gupFastPteRange(pmd, pmdp, addr, next, collected);
            }
            if (!more) {
                return false;
            }
            addr = next;
        }
        return true;
    }

    /// mm/gup.c: gup_fast_pte_range(). Works on the PTE table that the PMD *value* points to.
    private boolean gupFastPteRange(
            long pmd, Word pmdp, long start, long end, Collected collected) {
        PteMapping mapping = kernel.pgtableGeneric().pteOffsetMapValue(pmd, start);
        if (mapping == null) {
            return false;
        }
        boolean more = true;
        int nr = (int) ((end - start) >> geometry.pageShift());
        for (int i = 0; more && i < nr; i++) {
            more = gupFastPte(pmd, pmdp, mapping.pte(i), collected);
        }
        mapping.unmap();
        return more;
    }

    /// `ptep_get_lockless()`, which is inlined.
    private long ptepGetLockless(Word ptep) {
        return kernel.entries().getLockless(ptep);
    }

    private boolean gupFastPte(long pmd, Word pmdp, Word ptep, Collected collected) {
        long pte = ptepGetLockless(ptep);
        if (Entry.protnone(pte)
                || !Entry.accessPermitted(pte, collected.has(Foll.WRITE))
                || Entry.special(pte)) {
            return false;
        }
        Page page = kernel.memMap().page(Entry.pfn(pte));
        Folio folio = refs.tryGrabFolioFast(page, 1, collected.flags);
        if (folio == null) {
            return false;
        }
        // The table may have been detached by collapse, with its entries intact; or the page may
        // have been unmapped, and even belong to somebody else by the time of the reference.
        if (kernel.pgtableGeneric().pmdpGetLockless(pmdp) != pmd || ptepGetLockless(ptep) != pte) {
            refs.gupPutFolio(folio, 1, collected.flags);
            return false;
        }
        if (!gupFastFolioAllowed(folio, collected)) {
            refs.gupPutFolio(folio, 1, collected.flags);
            return false;
        }
        if (!Entry.write(pte) && refs.gupMustUnshare(null, collected.flags, page)) {
            refs.gupPutFolio(folio, 1, collected.flags);
            return false;
        }
        folio.setFlag(Folio.PG_REFERENCED);
        collected.add(page);
        return true;
    }

    /// mm/gup.c: gup_fast_pmd_leaf() and gup_fast_pud_leaf(), which differ in nothing but the
    /// level.
    private boolean gupFastLeaf(
            int level, long entry, Word entryp, long addr, long end, Collected collected) {
        if (!Entry.accessPermitted(entry, collected.has(Foll.WRITE)) || Entry.special(entry)) {
            return false;
        }
        long offset = (addr & (geometry.size(level) - 1)) >> geometry.pageShift();
        int nr = (int) ((end - addr) >> geometry.pageShift());
        Page page = kernel.memMap().page(Entry.pfn(entry) + offset);
        Folio folio = refs.tryGrabFolioFast(page, nr, collected.flags);
        if (folio == null) {
            return false;
        }
        if (entryp.readOnce() != entry
                || !gupFastFolioAllowed(folio, collected)
                || !Entry.write(entry)
                        && refs.gupMustUnshare(null, collected.flags, folio.head())) {
            refs.gupPutFolio(folio, nr, collected.flags);
            return false;
        }
        folio.setFlag(Folio.PG_REFERENCED);
        for (int i = 0; i < nr; i++) {
            collected.add(kernel.memMap().page(page.pfn() + i));
        }
        return true;
    }

    /// mm/gup.c: gup_fast_folio_allowed(). Refuses what GUP-fast cannot decide without the VMA:
    /// long-term writable pins of file pages, and small folios that may be secret memory. Anonymous
    /// folios are neither.
    private boolean gupFastFolioAllowed(Folio folio, Collected collected) {
        int lasting = Foll.PIN | Foll.LONGTERM | Foll.WRITE;
        boolean rejectFileBacked = (collected.flags & lasting) == lasting;
        boolean checkSecretmem = !folio.isLarge();
        if (!rejectFileBacked && !checkSecretmem) {
            return true;
        }
        if (folio.isHugetlb()) {
            return true;
        }
        // One read: the mapping can go away at any moment. One that is gone was not secret
        // memory's.
        long mapping = folio.mapping.readOnce();
        return !rejectFileBacked || Folio.isAnonMapping(mapping) || isShmem(mapping);
    }

    /// mm/shmem.c: shmem_mapping(). No access: interrupts that are off keep inodes from being
    /// freed.
    private boolean isShmem(long mapping) {
        return mapping != 0 && machine.heap().resolve(mapping >> 1) instanceof ShmemInode;
    }
}
