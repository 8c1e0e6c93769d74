// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// How an address selects an entry at each level of the page tables. Levels are numbered from the
/// bottom: PTE 0, PMD 1, PUD 2, P4D 3, PGD 4. A level with one entry a table is folded: its table
/// does not exist, and the entry of the level above stands for it.
///
/// @param pageShift binary logarithm of the size of a page
/// @param bits for each level, the number of address bits that select an entry of its tables
public record Geometry(int pageShift, int[] bits) {
    public static final int PTE = 0;
    public static final int PMD = 1;
    public static final int PUD = 2;
    public static final int P4D = 3;
    public static final int PGD = 4;

    private static final String[] NAMES = {"pte", "pmd", "pud", "p4d", "pgd"};

    /// The kernel's name of a level.
    public static String name(int level) {
        return NAMES[level];
    }

    /// Number of entries in a table of `level`.
    public int entries(int level) {
        return 1 << bits[level];
    }

    /// Number of entries in the largest tables.
    int maxEntries() {
        int max = 0;
        for (int level = PTE; level <= PGD; level++) {
            max = Math.max(max, entries(level));
        }
        return max;
    }

    /// Whether tables of `level` have one entry and do not exist of their own.
    public boolean folded(int level) {
        return bits[level] == 0 && level != PGD;
    }

    /// The level of the tables in which the entries of `level` are: its own, or where it is folded
    /// the next one above that is not.
    public int tableLevel(int level) {
        int real = level;
        while (folded(real)) {
            real++;
        }
        return real;
    }

    /// Number of levels that have tables.
    public int levels() {
        int levels = 0;
        for (int level = PTE; level <= PGD; level++) {
            levels += folded(level) ? 0 : 1;
        }
        return levels;
    }

    /// Binary logarithm of the range that an entry of `level` maps: `PMD_SHIFT` and so on.
    public int shift(int level) {
        int shift = pageShift;
        for (int l = 0; l < level; l++) {
            shift += bits[l];
        }
        return shift;
    }

    /// Bytes that an entry of `level` maps: `PAGE_SIZE`, `PMD_SIZE` and so on.
    public long size(int level) {
        return 1L << shift(level);
    }

    /// The entry of a table of `level` that `addr` selects: `pte_index()` and so on.
    public int index(int level, long addr) {
        return (int) (addr >>> shift(level)) & (entries(level) - 1);
    }

    /// The end of the range of the entry at `addr`, at most `end`: `pmd_addr_end()` and so on.
    public long addrEnd(int level, long addr, long end) {
        long boundary = (addr + size(level)) & -size(level);
        return Math.min(boundary, end);
    }

    /// Bytes in a page.
    public long pageSize() {
        return 1L << pageShift;
    }

    /// Pages in a PMD-sized folio: `HPAGE_PMD_NR`.
    public int hpagePmdNr() {
        return entries(PTE);
    }

    /// Binary logarithm of {@link #hpagePmdNr}.
    public int hpagePmdOrder() {
        return bits[PTE];
    }

    /// The first address beyond user memory: all that the tables reach, as far as it is a positive
    /// number.
    public long taskSize() {
        return 1L << Math.min(shift(PGD) + bits[PGD], Long.SIZE - 2);
    }
}
