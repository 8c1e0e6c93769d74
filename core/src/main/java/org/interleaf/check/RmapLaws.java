// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Word;
import org.interleaf.mm.AnonVma;
import org.interleaf.mm.Entry;
import org.interleaf.mm.Folio;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.PageTable;
import org.interleaf.mm.Vma;
import org.interleaf.trace.Violation;

import java.util.List;
import java.util.function.BiFunction;

/// What must be true of anonymous pages when nothing is under way: a walk from the folio, over the
/// VMAs of its anon_vma, to the address that its index stands for, comes to every entry that maps
/// it. Whom such a walk misses has a page that is freed, or moved elsewhere, while it is mapped.
final class RmapLaws {
    private final Kernel kernel;
    private final BiFunction<String, String, Violation> violation;
    private final List<Violation> found;

    private RmapLaws(
            Kernel kernel, BiFunction<String, String, Violation> violation, List<Violation> found) {
        this.kernel = kernel;
        this.violation = violation;
        this.found = found;
    }

    /// Looks at all mappings from outside; `violation` makes one out of a title and a text.
    static void check(
            Kernel kernel, BiFunction<String, String, Violation> violation, List<Violation> found) {
        RmapLaws laws = new RmapLaws(kernel, violation, found);
        for (MmStruct mm : kernel.mms()) {
            kernel.inspect().entries(mm, (level, entry, value) -> laws.entry(mm, entry, value));
        }
    }

    private void entry(MmStruct mm, Word entry, long value) {
        PageTable table = PageTable.of(entry);
        boolean leaf = table.level() == Geometry.PTE ? Entry.ptePresent(value) : Entry.leaf(value);
        if (!leaf || Entry.special(value)) {
            return;
        }
        long pfn = Entry.pfn(value);
        Folio folio = kernel.memMap().peekFolio(kernel.memMap().page(pfn));
        AnonVma anonVma = folio.peekAnonVma(kernel.machine());
        if (anonVma == null || folio.peekHugetlb() && folio.pfn() != pfn) {
            return;
        }
        long addr = kernel.tableTree().start(table, table.indexOf(entry));
        long index = folio.peekIndex() + pfn - folio.pfn();
        for (Vma vma : kernel.inspect().vmas(mm)) {
            if (vma.peekContains(addr)) {
                check(vma, addr, folio, anonVma, index);
            }
        }
    }

    private void check(Vma vma, long addr, Folio folio, AnonVma anonVma, long index) {
        long mapped = vma.peekLinearPageIndex(kernel.geometry(), addr);
        if (mapped != index) {
            String text =
                    "%s is mapped at index %d of its anon_vma, it says %d"
                            .formatted(folio, mapped, index);
            found.add(violation.apply("wrong index of a page", text));
        } else if (!anonVma.peekMaps(vma)) {
            String text = folio + " is mapped by " + vma + ", which its anon_vma does not lead to";
            found.add(violation.apply("wrong anon_vma of a page", text));
        }
    }
}
