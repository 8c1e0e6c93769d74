// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// A size of memory that page tables can map as one page.
///
/// @param name the kernel's word for it: `PTE`, `cont-PTE`, `PMD`, `cont-PMD`, `PUD`
/// @param size bytes that are mapped
/// @param level level of the entries that map it, as in {@link Geometry}
/// @param slots how many entries map it together; they all change under one lock hold
/// @param tables over how many tables of `level` the entries are spread: 1, except for the 8M pages
///   of powerpc 8xx, which hugetlb handles by a pointer to the first PMD entry
/// @param thp whether it can be anonymous memory of the size, as a (multi-size) THP
/// @param hugetlb whether hugetlb has pages of the size
public record LeafSize(
        String name, long size, int level, int slots, int tables, boolean thp, boolean hugetlb) {

    /// Bytes that one of the entries maps: `pgsize` of arm64's `num_contig_ptes()`.
    public long slotSize() {
        return size / slots;
    }

    /// `pte_cont()`: whether several entries of one table map it.
    public boolean contiguous() {
        return slots > 1 && tables == 1;
    }
}
