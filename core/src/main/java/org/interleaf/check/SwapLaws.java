// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.mm.AnonVma;
import org.interleaf.mm.Entry;
import org.interleaf.mm.Folio;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MemMap;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.SwapInfo;
import org.interleaf.mm.Vma;
import org.interleaf.trace.Violation;

import java.util.List;
import java.util.function.BiFunction;

/// What must be true of the swap device when nothing is under way: a slot's count is the number of
/// page-table entries that refer to it, the swap table and the folios in the swap cache agree about
/// each other, and no other slots are in use.
final class SwapLaws {
    private final Kernel kernel;
    private final SwapInfo swap;
    private final BiFunction<String, String, Violation> violation;
    private final List<Violation> found;

    private SwapLaws(
            Kernel kernel,
            SwapInfo swap,
            BiFunction<String, String, Violation> violation,
            List<Violation> found) {
        this.kernel = kernel;
        this.swap = swap;
        this.violation = violation;
        this.found = found;
    }

    /// Looks at the swap device from outside; `violation` makes one out of a title and a text.
    static void check(
            Kernel kernel, BiFunction<String, String, Violation> violation, List<Violation> found) {
        SwapInfo swap = kernel.swapfile().peekDevice();
        if (swap != null) {
            new SwapLaws(kernel, swap, violation, found).check();
        }
    }

    private void check() {
        int[] entries = new int[swap.pages() + 1];
        for (MmStruct mm : kernel.mms()) {
            kernel.inspect().ptes(mm, (addr, value) -> count(mm, addr, value, entries));
        }
        int inUse = 0;
        for (int slot = 1; slot <= swap.pages(); slot++) {
            if (swap.peekCount(slot) != entries[slot]) {
                String text = "slot " + slot + " is in " + entries[slot] + " entries, it says ";
                add("wrong swap count", text + swap.peekCount(slot));
            }
            checkCached(slot, swap.peekFolio(slot));
            boolean used = swap.peekEntry(slot) != 0;
            inUse += used ? 1 : 0;
            if (used && swap.peekCount(slot) == 0 && swap.peekFolio(slot) < 0) {
                add("leaked swap slot", "nobody has slot " + slot);
            }
        }
        if (inUse != swap.peekInuse()) {
            add("wrong inuse_pages", inUse + " slots are in use, it says " + swap.peekInuse());
        }
        checkFolios();
    }

    private void count(MmStruct mm, long addr, long value, int[] entries) {
        if (!Entry.isSwap(value)) {
            return;
        }
        long slot = Entry.swpOffset(value);
        if (slot < 1 || slot >= entries.length) {
            add("bad swap entry", "an entry refers to slot " + slot);
        } else {
            entries[(int) slot]++;
            if (Entry.swpExclusive(value) && swap.peekCount((int) slot) != 1) {
                String text = "an exclusive entry refers to slot " + slot + " with a count of ";
                add("exclusive page in swap is shared", text + swap.peekCount((int) slot));
            }
            checkPlace(mm, addr, (int) slot);
        }
    }

    /// A fault maps the folio as it is: it must know already where.
    private void checkPlace(MmStruct mm, long addr, int slot) {
        long pfn = swap.peekFolio(slot);
        if (pfn < 0) {
            return;
        }
        Folio folio = kernel.memMap().folioAt(pfn);
        AnonVma anonVma = folio.peekAnonVma(kernel.machine());
        long index = folio.peekIndex() + slot - folio.peekSwap();
        for (Vma vma : kernel.inspect().vmas(mm)) {
            if (anonVma != null && vma.peekContains(addr)) {
                long wanted = vma.peekLinearPageIndex(kernel.geometry(), addr);
                if (wanted != index || !anonVma.peekMaps(vma)) {
                    String text =
                            "%s in the swap cache belongs at index %d of %s, it says %d of %s"
                                    .formatted(folio, wanted, vma, index, anonVma);
                    add("folio in the swap cache is out of place", text);
                }
            }
        }
    }

    /// The folio says that it is that of the slot, and is nobody's own.
    private void checkCached(int slot, long pfn) {
        if (pfn < 0) {
            return;
        }
        Folio folio = kernel.memMap().folioAt(pfn);
        long first = folio.peekSwap();
        if (first < 0 || slot < first || slot >= first + (1L << folio.peekOrder())) {
            add("wrong folio in the swap cache", "slot " + slot + " has " + folio);
        }
    }

    private void checkFolios() {
        MemMap memMap = kernel.memMap();
        for (int pfn = 0; pfn < memMap.size(); pfn++) {
            Folio folio = memMap.folioAt(pfn);
            boolean alive = memMap.page(pfn).frame().life().alive();
            long slot = alive && !memMap.page(pfn).isTable() ? folio.peekSwap() : -1;
            if (slot >= 0 && (slot > swap.pages() || swap.peekFolio((int) slot) != pfn)) {
                add("folio lost by the swap cache", folio + " says slot " + slot);
            }
        }
    }

    private void add(String title, String text) {
        found.add(violation.apply(title, text));
    }
}
