// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Type;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.mm.MemMap;
import org.interleaf.mm.Page;
import org.jspecify.annotations.Nullable;

/// `struct page *` in tests: where the memory map of all pages would be.
final class PagePointers {
    static final Type STRUCT_PAGE = Types.struct("page").pointer();

    private static final long VMEMMAP = 0xffff_ea00_0000_0000L;
    private static final int PAGE_STRUCT_SHIFT = 6;

    private final MemMap memMap;

    PagePointers(MemMap memMap) {
        this.memMap = memMap;
    }

    long pointer(@Nullable Page page) {
        return page == null ? 0 : VMEMMAP + (page.pfn() << PAGE_STRUCT_SHIFT);
    }

    /// The page that `pointer`, an argument of a call, points to. What is no page ends the task, as
    /// following it would.
    Page page(CallSite site, long pointer) {
        long pfn = pointer - VMEMMAP >> PAGE_STRUCT_SHIFT;
        if (!isPage(pointer)) {
            throw new NullPointerException(
                    site.function() + " at " + site.where() + " of something that is no page");
        }
        return memMap.page(pfn);
    }

    private boolean isPage(long pointer) {
        long pfn = pointer - VMEMMAP >> PAGE_STRUCT_SHIFT;
        return pfn >= 0 && pfn < memMap.size() && pointer(memMap.page(pfn)) == pointer;
    }

    @Nullable String show(long value) {
        return isPage(value) ? "page" + (value - VMEMMAP >> PAGE_STRUCT_SHIFT) : null;
    }
}
