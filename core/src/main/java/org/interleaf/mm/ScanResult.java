// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Why khugepaged stopped where it did: `enum scan_result` (mm/khugepaged.c).
public enum ScanResult {
    SUCCEED,
    /// The PMD is none, bad or non-present.
    NO_PTE_TABLE,
    /// The PMD is huge already.
    PMD_MAPPED,
    EXCEED_NONE_PTE,
    EXCEED_SHARED_PTE,
    PTE_NON_PRESENT,
    EXCEED_SWAP_PTE,
    /// A userfaultfd is to be told of writes to a page.
    PTE_UFFD,
    /// An entry maps something without a `struct page`.
    PAGE_NULL,
    PAGE_ANON,
    /// The folio is not of PMD size.
    PAGE_COMPOUND,
    /// The file has a huge page there, which only must be mapped as one.
    PTE_MAPPED_HUGEPAGE,
    /// What was a hole has been filled.
    PAGE_FILLED,
    /// The file has become shorter.
    TRUNCATED,
    /// The process is about to exit.
    ANY_PROCESS,
    /// Somebody else has the folio locked.
    PAGE_LOCK,
    /// Somebody has a reference that no mapping accounts for.
    PAGE_COUNT,
    PAGE_LRU,
    DEL_PAGE_LRU,
    /// No page was used lately; for khugepaged only.
    LACK_REFERENCED_PAGE,
    FAIL,
    VMA_NULL,
    VMA_CHECK,
    ADDRESS_RANGE,
    ALLOC_HUGE_PAGE_FAIL;

    /// The part of madvise_collapse() that asks whether it is worth while to go on with the next
    /// range.
    boolean goesOn() {
        return switch (this) {
            case NO_PTE_TABLE,
                    PTE_NON_PRESENT,
                    PTE_UFFD,
                    LACK_REFERENCED_PAGE,
                    PAGE_NULL,
                    PAGE_COUNT,
                    PAGE_LOCK,
                    PAGE_COMPOUND,
                    PAGE_LRU,
                    DEL_PAGE_LRU ->
                    true;
            default -> false;
        };
    }

    /// mm/khugepaged.c: madvise_collapse_errno(). What madvise() returns for it.
    long errno() {
        return switch (this) {
            case SUCCEED, PMD_MAPPED -> 0;
            case ALLOC_HUGE_PAGE_FAIL -> -Errno.ENOMEM;
            case EXCEED_NONE_PTE -> -Errno.EBUSY;
            case PAGE_COUNT, PAGE_LOCK, PAGE_LRU, DEL_PAGE_LRU, PAGE_FILLED -> -Errno.EAGAIN;
            default -> -Errno.EINVAL;
        };
    }
}
