// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.TaskKilled;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// The `struct page`s of all frames, and the page tables that can be in them.
public final class MemMap {
    private final PhysicalMemory memory;
    private final Page[] pages;
    private final Folio[] folios;
    private final @Nullable PageTable[] tables;
    private final Machine machine;
    private final Machine.Reserve tableWords;
    private final int entriesPerTable;
    private final int pteTablePages;
    private final int ptesPerPage;

    MemMap(Machine machine, PhysicalMemory memory, Arch arch) {
        this.machine = machine;
        this.memory = memory;
        this.entriesPerTable = arch.geometry().maxEntries();
        this.pteTablePages = arch.kconfig().pteTablePages();
        this.ptesPerPage = arch.geometry().entries(Geometry.PTE) / pteTablePages;
        int n = memory.frameCount();
        tableWords = machine.reserve(n, PageTable.words(entriesPerTable, pteTablePages));
        pages = new Page[n];
        folios = new Folio[n];
        tables = new PageTable[n];
        for (int pfn = 0; pfn < n; pfn++) {
            pages[pfn] = new Page(machine, memory.frame(pfn));
            folios[pfn] = new Folio(machine, pages[pfn]);
        }
    }

    public PhysicalMemory memory() {
        return memory;
    }

    public int size() {
        return pages.length;
    }

    /// `pfn_to_page()`.
    public Page page(long pfn) {
        return pages[(int) pfn];
    }

    /// The folio whose first page is `pfn`, whether or not it is one at this moment.
    public Folio folioAt(long pfn) {
        return folios[(int) pfn];
    }

    /// include/linux/pagemap.h: folio_file_page(). The page at `index` of a file of the folio that
    /// contains it.
    Page folioPage(Folio folio, long index) {
        return page(folio.pfn() + (index & (folio.nrPages() - 1)));
    }

    /// `page_folio()`: the folio that `page` is part of. One access, of the page's compound head:
    /// without a reference the answer can be out of date at once.
    public Folio pageFolio(Page page) {
        return folioAt(page.compoundHead.readOnce());
    }

    /// include/linux/leafops.h: softleaf_to_folio(). The folio that an entry speaks of. As long as
    /// there is a migration entry it is locked, so the caller must be sure of that: its table is
    /// locked.
    Folio softleafToFolio(Kernel kernel, long entry) {
        Folio folio = pageFolio(page(Entry.pfn(entry)));
        if (!Entry.isMigration(entry)) {
            return folio;
        }
        machine.fence(Fence.RMB); // softleaf_migration_sync()
        kernel.warnOn(!folio.lock().isLocked(), "a folio that migrates is not locked", folio);
        return folio;
    }

    /// include/linux/leafops.h: softleaf_to_page(). As {@link #softleafToFolio}.
    Page softleafToPage(Kernel kernel, long entry) {
        if (Entry.isMigration(entry)) {
            softleafToFolio(kernel, entry);
        }
        return page(Entry.pfn(entry));
    }

    /// `pmd_folio()`, which is inlined: the folio that a huge PMD maps, which must be present; what
    /// is at the place of the frame's number in other entries leads to no `struct page`.
    Folio pmdFolio(long pmd) {
        if (Entry.isSoftleaf(pmd)) {
            machine.monitor()
                    .complained(
                            machine.current(),
                            "BUG: unable to handle page fault",
                            "pmd_page() of a PMD that is not present");
            throw TaskKilled.INSTANCE;
        }
        return pageFolio(page(Entry.pfn(pmd)));
    }

    /// mm/memory.c: vm_normal_page(), vm_normal_page_pmd(), vm_normal_page_pud(). The first page
    /// that a present entry maps; null where the kernel must not look for one.
    @Nullable Page vmNormalPage(long entry) {
        return Entry.special(entry) ? null : page(Entry.pfn(entry));
    }

    /// The folio that `page` is part of, looked at from outside.
    public Folio peekFolio(Page page) {
        return folioAt(page.compoundHead.peek());
    }

    /// The page table in frame `pfn`.
    public PageTable table(long pfn) {
        PageTable table = tables[(int) pfn];
        if (table == null) {
            // Few frames ever hold a table, and one of 512 entries is large.
            table = tableWords.make((int) pfn, () -> newTable(pfn));
            tables[(int) pfn] = table;
        }
        return table;
    }

    /// The table that the upper entry `value` leads to, for those who take it for one. Where it is
    /// none they may go as far as to compute where an entry would be. To access that is an oops: it
    /// is in frame 0, which nobody has.
    PageTable tableBelow(long value) {
        return table(Entry.isTable(value) ? Entry.pfn(value) : 0);
    }

    private PageTable newTable(long pfn) {
        return new PageTable(
                machine, memory.frame(pfn), entriesPerTable, pteTablePages, ptesPerPage);
    }

    /// The word of the contents of frame `pfn` at byte `offset`.
    public Word contents(long pfn, long offset) {
        return memory.frame(pfn).word((int) (offset / Long.BYTES));
    }
}
