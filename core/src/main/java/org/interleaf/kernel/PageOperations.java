// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.interleaf.mm.Folio;
import org.interleaf.mm.Foll;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.Page;
import org.interleaf.mm.VmFault;
import org.jspecify.annotations.Nullable;

import java.util.Map;

/// Getting at the pages behind user addresses and doing something with them, as drivers do.
final class PageOperations {
    private final Kernel kernel;
    private final Processes processes;
    private final PagePointers pages;
    private final HeldPages held;

    private PageOperations(Kernel kernel, Processes processes, PagePointers pages, HeldPages held) {
        this.kernel = kernel;
        this.processes = processes;
        this.pages = pages;
        this.held = held;
    }

    /// One way to get pages: their number or a negative error number, the pages in the array.
    @FunctionalInterface
    private interface Getter {
        long get(MmStruct mm, long start, int flags, @Nullable Page[] pages);
    }

    static void addTo(
            Map<String, Callable> functions,
            Kernel kernel,
            Processes processes,
            PagePointers pages,
            HeldPages held) {
        PageOperations ops = new PageOperations(kernel, processes, pages, held);
        ops.addGetters(functions);
        functions.put("dissolve_free_hugetlb_folio", Operation.of(1, Types.INT, ops::dissolve));
        functions.put("fixup_user_fault", Operation.of(2, Types.INT, ops::fixupUserFault));
        functions.put("memory_failure", Operation.of(1, Types.INT, ops::memoryFailure));
        functions.put("damon_pa_pageout", Operation.of(1, Types.BOOL, ops::damonPaPageout));
        functions.put("folio_try_get", Operation.of(1, Types.BOOL, ops::folioTryGet));
        functions.put("put_page", Operation.of(1, Types.VOID, ops::putPage));
        functions.put("unpin_user_page", Operation.of(1, Types.VOID, ops::unpinUserPage));
        functions.put("kmap_read", Operation.of(1, 2, Types.CHAR, ops::kmapRead));
        functions.put("kmap_write", Operation.of(2, 3, Types.VOID, ops::kmapWrite));
        functions.put(
                "page_to_pfn",
                Operation.look(1, Types.LONG, (site, args) -> pages.page(site, args[0]).pfn()));
        functions.put(
                "num_poisoned_pages",
                Operation.look(
                        0, Types.LONG, (site, args) -> kernel.memoryFailure().peekPoisonedPages()));
        functions.put("page_count", Operation.look(1, Types.INT, ops::pageCount));
        functions.put("folio_mapcount", Operation.look(1, Types.INT, ops::folioMapcount));
    }

    private void addGetters(Map<String, Callable> functions) {
        Getter getFast = kernel.gupFast()::getUserPagesFast;
        Getter pinFast = kernel.gupFast()::pinUserPagesFast;
        Getter get =
                (m, start, flags, p) ->
                        kernel.gup().getUserPagesUnlocked(m, start, p, flags | Foll.TOUCH);
        add(functions, "get_user_pages_fast", getFast, 0);
        add(functions, "get_user_pages_fast_only", getFast, Foll.FAST_ONLY);
        add(functions, "pin_user_pages_fast", pinFast, Foll.PIN);
        add(functions, "pin_user_pages_fast_only", pinFast, Foll.PIN | Foll.FAST_ONLY);
        add(functions, "get_user_pages", get, Foll.GET);
        add(functions, "pin_user_pages", get, Foll.PIN);
    }

    /// `NAME(address, flags)`: the page at the address, or NULL where there is none to be had.
    private void add(Map<String, Callable> functions, String name, Getter getter, int extra) {
        functions.put(
                name,
                Operation.of(
                        2,
                        PagePointers.STRUCT_PAGE,
                        (site, args) -> get(getter, args[0], (int) args[1] | extra)));
    }

    private long get(Getter getter, long address, int flags) {
        @Nullable Page[] one = new Page[1];
        if (getter.get(processes.mm(), address, flags, one) != 1) {
            return 0;
        }
        Page page = one[0];
        if (page == null) {
            throw new AssertionError("[interleaf internal] a page was got but is not there");
        }
        if (!Foll.has(flags, Foll.PIN)) {
            held.reference(page.pfn(), 1);
        } else if (!kernel.isZeroPage(page)) {
            held.pin(page.pfn(), 1);
        }
        return pages.pointer(page);
    }

    /// Gives the free huge page that the page is part of back to the page allocator.
    private long dissolve(CallSite site, long[] args) {
        Folio folio = kernel.memMap().pageFolio(pages.page(site, args[0]));
        return kernel.hugetlb().pool().dissolveFreeHugetlbFolio(folio);
    }

    /// `fixup_user_fault(address, flags)`: one fault, with 0 or `FAULT_FLAG_WRITE`.
    private long fixupUserFault(CallSite site, long[] args) {
        boolean write = (args[1] & VmFault.FLAG_WRITE) != 0;
        return kernel.fixupUserFault().fixupUserFault(processes.mm(), args[0], write);
    }

    /// The hardware finds that the memory of the page is bad.
    private long memoryFailure(CallSite site, long[] args) {
        return kernel.memoryFailure().memoryFailure(pages.page(site, args[0]));
    }

    /// DAMON has the page reclaimed.
    private long damonPaPageout(CallSite site, long[] args) {
        return kernel.damonPaddr().damonPaPageout(pages.page(site, args[0])) ? 1 : 0;
    }

    /// A reference on the page, whatever it is used for, unless it is free: what those begin with
    /// who go through memory frame by frame.
    private long folioTryGet(CallSite site, long[] args) {
        Page page = pages.page(site, args[0]);
        boolean got = kernel.memMap().pageFolio(page).refAddUnlessZero(1);
        if (got) {
            held.reference(page.pfn(), 1);
        }
        return got ? 1 : 0;
    }

    private long putPage(CallSite site, long[] args) {
        Page page = pages.page(site, args[0]);
        held.reference(page.pfn(), -1);
        Folio folio = kernel.memMap().pageFolio(page);
        kernel.swap().folioPut(folio);
        return 0;
    }

    private long unpinUserPage(CallSite site, long[] args) {
        Page page = pages.page(site, args[0]);
        if (!kernel.isZeroPage(page)) {
            held.pin(page.pfn(), -1);
        }
        kernel.gupRefs().unpinUserPage(page);
        return 0;
    }

    /// `kmap_read(page)` or `kmap_read(page, offset)`: the byte there, as a driver reads it.
    private long kmapRead(CallSite site, long[] args) {
        long offset = site.strings().size() > 1 ? args[1] : 0;
        Word word = word(site, args[0], offset);
        return word.readPlain() >> shift(offset);
    }

    /// `kmap_write(page, value)` or `kmap_write(page, value, offset)`: a driver, or DMA, writes a
    /// byte.
    private long kmapWrite(CallSite site, long[] args) {
        long offset = site.strings().size() > 2 ? args[2] : 0;
        long mask = 0xffL << shift(offset);
        word(site, args[0], offset).storeBits(mask, (args[1] & 0xff) << shift(offset), Order.PLAIN);
        return 0;
    }

    private Word word(CallSite site, long pointer, long offset) {
        return kernel.memMap().contents(pages.page(site, pointer).pfn(), offset);
    }

    private static int shift(long offset) {
        return (int) (offset % Long.BYTES) * Byte.SIZE;
    }

    private long folioMapcount(CallSite site, long[] args) {
        Page page = pages.page(site, args[0]);
        return kernel.memMap().peekFolio(page).peekMapcount();
    }

    private long pageCount(CallSite site, long[] args) {
        Page page = pages.page(site, args[0]);
        return kernel.memMap().peekFolio(page).peekRefCount();
    }
}
