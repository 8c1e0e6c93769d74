// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.mm.Folio;
import org.interleaf.mm.Hstate;
import org.interleaf.mm.Hugetlb;
import org.interleaf.mm.HugetlbInode;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MemMap;
import org.interleaf.mm.MmStruct;
import org.interleaf.trace.Violation;

import java.util.List;
import java.util.function.BiFunction;

/// What must be true of the pools of huge pages when nothing is under way: a pool has the pages
/// that it counts, those on its list are the free ones, and it has promised what mappings and files
/// still may claim.
final class HugetlbLaws {
    private HugetlbLaws() {}

    /// Looks at all pools from outside; `violation` makes one out of a title and a text.
    static void check(
            Kernel kernel, BiFunction<String, String, Violation> violation, List<Violation> found) {
        for (Hstate h : kernel.hugetlb().pool().hstates()) {
            long resv = reserved(kernel, h);
            compare("nr_huge_pages", h, h.peekNr(), pages(kernel, h, false), violation, found);
            compare("free_huge_pages", h, h.peekFree(), pages(kernel, h, true), violation, found);
            compare("resv_huge_pages", h, h.peekResv(), resv, violation, found);
            if (h.peekSurplus() < 0 || h.peekSurplus() > h.peekNr()) {
                String text = h + " has " + h.peekNr() + " pages, surplus_huge_pages is ";
                found.add(violation.apply("wrong huge page count", text + h.peekSurplus()));
            }
        }
    }

    private static void compare(
            String what,
            Hstate h,
            long counted,
            long there,
            BiFunction<String, String, Violation> violation,
            List<Violation> found) {
        if (counted != there) {
            String text = h + ": " + what + " is " + counted + ", there are " + there;
            found.add(violation.apply("wrong huge page count", text));
        }
    }

    /// Folios of the pool; only those without references where `free`.
    private static long pages(Kernel kernel, Hstate h, boolean free) {
        MemMap memMap = kernel.memMap();
        long n = 0;
        for (int pfn = 0; pfn < memMap.size(); pfn++) {
            Folio folio = memMap.folioAt(pfn);
            if (folio.peekHugetlb() && folio.peekOrder() == h.order()) {
                n += !free || folio.peekRefCount() == 0 ? 1 : 0;
            }
        }
        return n;
    }

    /// What files, private mappings and mounts have been promised and not used.
    private static long reserved(Kernel kernel, Hstate h) {
        Hugetlb hugetlb = kernel.hugetlb();
        long n = hugetlb.hugetlbfs().peekSubpoolReserved(h);
        for (HugetlbInode inode : hugetlb.hugetlbfs().peekInodes()) {
            n += inode.hstate() == h ? inode.peekReserved() : 0;
        }
        for (MmStruct mm : kernel.mms()) {
            n += hugetlb.peekReserved(mm, h);
        }
        return n;
    }
}
