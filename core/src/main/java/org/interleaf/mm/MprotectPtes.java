// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// Changing the protection of PTEs (mm/mprotect.c). Those that map consecutive pages of one folio
/// alike are changed together: all are taken out before the first is put in again.
final class MprotectPtes {
    private final Kernel kernel;

    MprotectPtes(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/mprotect.c: change_pte_range(). The number of entries that were changed; -EAGAIN where
    /// there is no PTE table (any more).
    long changePteRange(Mprotect.Change change, Word pmd, long start, long end) {
        Vma vma = change.vma();
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(vma.mm(), pmd, start);
        if (pte == null) {
            return -Errno.EAGAIN;
        }
        boolean alone =
                change.has(Mprotect.MM_CP_PROT_NUMA)
                        && kernel.taskNuma().vmaIsSingleThreadedPrivate(vma);
        kernel.tlbBatch().flushTlbBatchedPending(vma.mm());
        Pass pass = new Pass(change, pte, start, alone);
        int nr = (int) ((end - start) >> kernel.geometry().pageShift());
        int i = 0;
        while (i < nr) {
            i += pass.changePte(i, nr - i);
        }
        pte.unmapUnlock();
        return pass.pages;
    }

    /// A table whose lock is held.
    private final class Pass {
        private final Mprotect.Change change;
        private final PteMapping pte;
        private final long start;
        private final boolean alone;
        private long pages;

        Pass(Mprotect.Change change, PteMapping pte, long start, boolean alone) {
            this.change = change;
            this.pte = pte;
            this.start = start;
            this.alone = alone;
        }

        /// Sees to entry `i`, and to those that follow if they are alike. How many that were.
        int changePte(int i, int max) {
            long old = pte.pte(i).readOnce();
            if (Entry.ptePresent(old)) {
                return changePresent(i, old, max);
            }
            if (!Entry.none(old)) {
                pages += kernel.nonpresentPtes().changeSoftleafPte(change, pte.pte(i), old);
            } else if (change.populateNeeded()) {
                long marker = Entry.makeMarker(Entry.MARKER_UFFD_WP);
                kernel.entries().setPte(pte.pte(i), marker);
                pages++;
            }
            return 1;
        }

        private int changePresent(int i, long old, int max) {
            boolean numa = change.has(Mprotect.MM_CP_PROT_NUMA);
            if (numa && Entry.protnone(old)) {
                return 1;
            }
            Page page = kernel.memMap().vmNormalPage(old);
            Folio folio = page == null ? null : kernel.memMap().pageFolio(page);
            if (numa && !kernel.taskNuma().folioCanMapProtNuma(folio, change.vma(), alone)) {
                return batch(folio, i, old, max, 0);
            }
            int nr = batch(folio, i, old, max, FolioPteBatch.RESPECT_WRITE);
            changePresentPtes(folio, page, i, nr);
            pages += nr;
            return nr;
        }

        /// mm/mprotect.c: mprotect_folio_pte_batch().
        private int batch(@Nullable Folio folio, int i, long old, int max, int flags) {
            return folio != null && folio.isLarge()
                    ? FolioPteBatch.folioPteBatchFlags(folio, pte, i, old, max, flags)
                    : 1;
        }

        /// mm/mprotect.c: change_present_ptes(), set_write_prot_commit_flush_ptes().
        private void changePresentPtes(@Nullable Folio folio, @Nullable Page page, int i, int nr) {
            Vma vma = change.vma();
            long old = modifyProtStartPtes(pte, i, nr);
            long entry = change.markUffd(Entry.modify(old, change.newprot()));
            if (!change.has(Mprotect.MM_CP_TRY_CHANGE_WRITABLE) || Entry.write(entry)) {
                commit(i, nr, 0, old, entry, false);
            } else if ((vma.flags() & Vma.VM_SHARED) != 0) {
                commit(i, nr, 0, old, entry, kernel.mprotect().canChangeWritable(vma, entry));
            } else if (page == null
                    || folio == null
                    || !kernel.mprotect().maybeChangeWritable(vma, entry)
                    || !folio.isAnon()) {
                commit(i, nr, 0, old, entry, false);
            } else {
                commitAnonFolioBatch(page, i, nr, old, entry);
            }
        }

        /// mm/mprotect.c: commit_anon_folio_batch(), page_anon_exclusive_batch(). Pages that are
        /// the process' own become writable at once.
        private void commitAnonFolioBatch(Page first, int i, int nr, long old, long entry) {
            int done = 0;
            while (done < nr) {
                boolean exclusive = exclusive(first, done);
                int to = done + 1;
                while (to < nr && exclusive(first, to) == exclusive) {
                    to++;
                }
                commit(i, to - done, done, old, entry, exclusive);
                done = to;
            }
        }

        private boolean exclusive(Page first, int index) {
            return kernel.memMap().page(first.pfn() + index).anonExclusive();
        }

        /// mm/mprotect.c: prot_commit_flush_ptes(). Puts `nr` entries in again, from number `index`
        /// of those on that were taken out at `i`.
        private void commit(int i, int nr, int index, long old, long entry, boolean setWrite) {
            long fresh = setWrite ? Entry.mkwrite(entry) : entry;
            for (int k = index; k < index + nr; k++) {
                kernel.entries().setPte(pte.pte(i + k), Entry.advancePfn(fresh, k));
            }
            if (kernel.entries().needsFlush(old, fresh, false)) {
                long pageSize = kernel.geometry().pageSize();
                change.tlb().removeTlbEntries(start + (i + index) * pageSize, nr);
            }
        }
    }

    /// include/linux/pgtable.h: modify_prot_start_ptes(). Takes `nr` entries from `i` on out; the
    /// first of them, with the accessed and dirty bits of all. The hardware may set bits until
    /// then.
    private static long modifyProtStartPtes(PteMapping pte, int i, int nr) {
        long first = pte.pte(i).xchg(0, Order.FULL);
        for (int k = 1; k < nr; k++) {
            first |= pte.pte(i + k).xchg(0, Order.FULL) & (Entry.ACCESSED | Entry.DIRTY);
        }
        return first;
    }
}
