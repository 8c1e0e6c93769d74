// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.mm.Entry;
import org.interleaf.mm.Folio;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.Page;
import org.interleaf.mm.Vma;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.function.BiFunction;

/// What must be true of anonymous pages when nothing is under way: rmap finds each PTE that maps one,
/// so that it can be taken away again.
final class RmapLaws {
    private RmapLaws() {}

    /// Looks at everything from outside; `violation` makes one out of a title and a text.
    static void check(
            Kernel kernel, BiFunction<String, String, Violation> violation, List<Violation> found) {
        for (MmStruct mm : kernel.mms()) {
            kernel.inspect()
                    .ptes(
                            mm,
                            (addr, value) -> {
                                Vma vma = vmaOf(kernel, mm, addr);
                                if (vma != null && !isFound(kernel, vma, addr, value)) {
                                    String page = "page " + Entry.pfn(value) + " at 0x";
                                    String text = page + Long.toHexString(addr) + " of " + mm;
                                    found.add(violation.apply("page that rmap does not find", text));
                                }
                            });
        }
    }

    private static @Nullable Vma vmaOf(
            Kernel kernel, MmStruct mm, long addr) {
        for (Vma vma : kernel.inspect().vmas(mm)) {
            if (vma.peekContains(addr)) {
                return vma;
            }
        }
        return null;
    }

    private static boolean isFound(Kernel kernel, Vma vma, long addr, long value) {
        if (!Entry.ptePresent(value) || Entry.special(value)) {
            return true;
        }
        Page page = kernel.memMap().page(Entry.pfn(value));
        Folio folio = kernel.memMap().peekFolio(page);
        return !folio.peekAnon()
                || folio.peekHugetlb()
                || kernel.inspect().rmapFinds(folio, page.pfn(), vma, addr);
    }
}
