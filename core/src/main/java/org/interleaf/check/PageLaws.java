// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.mm.Entry;
import org.interleaf.mm.Folio;
import org.interleaf.mm.Foll;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.HugetlbInode;
import org.interleaf.mm.Inspect;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MemMap;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.Page;
import org.interleaf.mm.PageTable;
import org.interleaf.mm.ShmemInode;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongUnaryOperator;

/// What must be true of pages and page tables when nothing is under way: each count says what is
/// really there, and nothing that is allocated is out of reach.
public final class PageLaws {
    private final Kernel kernel;
    private final MemMap memMap;
    private final int[] mappings;
    private final int[] tableUses;
    private final int[] cached;

    /// Tables of the address space that is being counted, below P4D.
    private int tables;

    public PageLaws(Kernel kernel) {
        this.kernel = kernel;
        this.memMap = kernel.memMap();
        this.mappings = new int[memMap.size()];
        this.tableUses = new int[memMap.size()];
        this.cached = new int[memMap.size()];
    }

    /// Looks at everything from outside.
    ///
    /// @param references for each frame, references that the test itself holds
    /// @param pins for each frame, pins that the test itself holds
    public List<Violation> check(LongUnaryOperator references, LongUnaryOperator pins) {
        List<Violation> found = new ArrayList<>();
        count(found);
        for (int pfn = 0; pfn < memMap.size(); pfn++) {
            Page page = memMap.page(pfn);
            if (page.isTable()) {
                checkTable(page, references, found);
            } else if (memMap.peekFolio(page).pfn() == pfn) {
                checkFolio(memMap.folioAt(pfn), references, pins, found);
            }
        }
        HugetlbLaws.check(kernel, this::violation, found);
        SwapLaws.check(kernel, this::violation, found);
        RmapLaws.check(kernel, this::violation, found);
        return found;
    }

    /// Counts how often each folio is mapped and each table is pointed to, and which folios are in
    /// page caches.
    private void count(List<Violation> found) {
        Arrays.fill(mappings, 0);
        Arrays.fill(tableUses, 0);
        Arrays.fill(cached, 0);
        Inspect inspect = kernel.inspect();
        for (MmStruct mm : kernel.mms()) {
            tables = 0;
            tableUses[(int) mm.pgd().pfn()]++;
            inspect.entries(mm, (level, entry, value) -> countEntry(level, entry, value, found));
            inspect.deposited(
                    mm,
                    pfn -> {
                        tableUses[(int) pfn]++;
                        tables++;
                    });
            if (mm.peekPgtables() != tables) {
                String text = mm + " has " + tables + " page tables, it says " + mm.peekPgtables();
                found.add(violation("wrong pgtables_bytes", text));
            }
        }
        for (HugetlbInode inode : kernel.hugetlb().hugetlbfs().peekInodes()) {
            inode.peekCache((index, pfn) -> cached[(int) pfn]++);
        }
        for (ShmemInode inode : kernel.shmem().peekInodes()) {
            inode.peekCache((index, pfn) -> cached[(int) pfn]++);
        }
    }

    /// What several address spaces find in a table that they share counts once.
    private void countEntry(int level, Word entry, long value, List<Violation> found) {
        if (level > Geometry.PTE && Entry.isTable(value)) {
            tables += memMap.table(Entry.pfn(value)).level() < Geometry.P4D ? 1 : 0;
        }
        if (tableUses[(int) PageTable.of(entry).pfn()] > 1) {
            return;
        }
        int pfn = (int) Entry.pfn(value);
        if (level > Geometry.PTE && Entry.isTable(value)) {
            tableUses[pfn]++;
        } else if (Entry.isMigration(value)) {
            String text = "page " + pfn + " does not migrate, an entry says so";
            found.add(violation("migration entry left behind", text));
        } else if (!Entry.special(value) && !Entry.isSoftleaf(value)) {
            Folio folio = memMap.peekFolio(memMap.page(pfn));
            // The entries that map a huge page of hugetlb together count as one.
            if (!folio.peekHugetlb() || folio.pfn() == pfn) {
                mappings[(int) folio.pfn()]++;
            }
        }
    }

    private void checkTable(Page page, LongUnaryOperator references, List<Violation> found) {
        int uses = tableUses[(int) page.pfn()];
        boolean alive = page.frame().life().alive();
        if (uses == 0 && alive) {
            found.add(violation("leaked page table", memMap.table(page.pfn()) + " is unreachable"));
            return;
        }
        PageTable table = memMap.table(page.pfn());
        long expected = 1 + references.applyAsLong(page.pfn());
        if (memMap.folioAt(page.pfn()).peekRefCount() != expected) {
            found.add(violation("wrong reference count of a page table", table + ""));
        }
        long shared = table.peekShareCount();
        if (uses > 1 && shared == 0) {
            found.add(violation("page table with two parents", table + ""));
        } else if (uses > 0 && uses != shared + 1) {
            String text = table + " is used by " + uses + ", it says shared with " + shared;
            found.add(violation("wrong share count", text));
        }
    }

    private void checkFolio(
            Folio folio,
            LongUnaryOperator references,
            LongUnaryOperator pins,
            List<Violation> found) {
        boolean alive = folio.head().frame().life().alive();
        int mapped = mappings[(int) folio.pfn()];
        if (!alive) {
            if (mapped > 0) {
                found.add(violation("mapped free page", folio + " is free but mapped"));
            }
            return;
        }
        if (kernel.isReserved(folio)) {
            return;
        }
        if (folio.peekMapcount() != mapped) {
            String text = folio + " is mapped by " + mapped + " entries, its mapcount says ";
            found.add(violation("wrong mapcount", text + folio.peekMapcount()));
        }
        long inCache = (long) cached[(int) folio.pfn()] << folio.peekOrder();
        long own = folio.isZoneDevice() ? 1 : 0;
        long inSwapCache = folio.peekSwap() >= 0 ? 1L << folio.peekOrder() : 0;
        long expected = mapped + inCache + inSwapCache + own + folio.peekKeptByFailures();
        expected += held(folio, references, pins);
        if (folio.peekRefCount() != expected) {
            String text = folio + " has references for " + expected + ", its count says ";
            found.add(violation("leaked reference", text + folio.peekRefCount()));
        }
    }

    /// The part of a folio's reference count that the test holds itself.
    private static long held(Folio folio, LongUnaryOperator references, LongUnaryOperator pins) {
        long bias = folio.peekOrder() > 0 ? 1 : Foll.GUP_PIN_COUNTING_BIAS;
        long sum = 0;
        for (int i = 0; i < 1 << folio.peekOrder(); i++) {
            long pfn = folio.pfn() + i;
            sum += references.applyAsLong(pfn) + pins.applyAsLong(pfn) * bias;
        }
        return sum;
    }

    private Violation violation(String what, String text) {
        Task nobody = kernel.machine().current();
        return new Violation(
                "BUG: " + what, "", "", text, nobody.name(), nobody.cpu(), List.of(), List.of());
    }
}
