// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.interleaf.mm.Architecture.Feature.CONT_THP;
import static org.interleaf.mm.Architecture.Feature.HIGHPTE;
import static org.interleaf.mm.Architecture.Feature.HUGETLB_PUD;
import static org.interleaf.mm.Architecture.Feature.HUGETLB_TWO_PMDS;
import static org.interleaf.mm.Architecture.Feature.HUGE_ALLOC_READS;
import static org.interleaf.mm.Architecture.Feature.HUGE_OFFSET_READS;
import static org.interleaf.mm.Architecture.Feature.HUGE_PFNMAP;
import static org.interleaf.mm.Architecture.Feature.HUGE_PMD_SHARE;
import static org.interleaf.mm.Architecture.Feature.IPI_FLUSH;
import static org.interleaf.mm.Architecture.Feature.LOW_HIGH;
import static org.interleaf.mm.Architecture.Feature.NUMA_BALANCING;
import static org.interleaf.mm.Architecture.Feature.SPLIT_PMD_PTLOCK;
import static org.interleaf.mm.Architecture.Feature.THP;
import static org.interleaf.mm.Architecture.Feature.THP_PUD;
import static org.interleaf.mm.Architecture.Feature.UFFD_WP;
import static org.interleaf.mm.Architecture.Feature.UP_ONLY;

import org.interleaf.mm.Architecture.Feature;
import org.interleaf.mm.Architecture.Shape;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// The architectures that there are (arch/*/Kconfig and arch/*/include/asm/pgtable*.h).
///
/// Bits of the levels stand in the order PTE, PMD, PUD, P4D, PGD; 0 is a folded level. Levels that
/// a kernel folds at run time (x86-64, riscv64, s390) are one architecture for each number of
/// levels.
public final class Architectures {
    private static final int WORD = 8;

    private static final List<Architecture> ALL =
            List.of(
                    of(
                            "x86-64",
                            "x86-64, 4 levels",
                            5,
                            WORD,
                            12,
                            new int[] {9, 9, 9, 0, 9},
                            List.of(),
                            List.of(),
                            Set.of(
                                    HUGE_ALLOC_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    IPI_FLUSH,
                                    HUGE_PFNMAP,
                                    THP_PUD,
                                    UFFD_WP)),
                    of(
                            "x86-64-5level",
                            "x86-64, 5 levels",
                            5,
                            WORD,
                            12,
                            new int[] {9, 9, 9, 9, 9},
                            List.of(),
                            List.of(),
                            Set.of(
                                    HUGE_ALLOC_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    IPI_FLUSH,
                                    HUGE_PFNMAP,
                                    THP_PUD,
                                    UFFD_WP)),
                    of(
                            "x86-32",
                            "x86-32 without PAE",
                            2,
                            4,
                            12,
                            new int[] {10, 0, 0, 0, 10},
                            List.of(),
                            List.of(),
                            Set.of(HUGE_ALLOC_READS, THP, IPI_FLUSH, HUGE_PFNMAP)),
                    of(
                            "x86-32-pae",
                            "x86-32 with PAE",
                            3,
                            WORD,
                            12,
                            new int[] {9, 9, 0, 0, 2},
                            List.of(),
                            List.of(),
                            Set.of(
                                    HUGE_ALLOC_READS,
                                    SPLIT_PMD_PTLOCK,
                                    LOW_HIGH,
                                    THP,
                                    IPI_FLUSH,
                                    HUGE_PFNMAP)),
                    of(
                            "arm64-4k",
                            "arm64, 4K pages, 48-bit addresses",
                            4,
                            WORD,
                            12,
                            new int[] {9, 9, 9, 0, 9},
                            List.of(4),
                            List.of(4),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-4k-va39",
                            "arm64, 4K pages, 39-bit addresses",
                            3,
                            WORD,
                            12,
                            new int[] {9, 9, 0, 0, 9},
                            List.of(4),
                            List.of(4),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-4k-va52",
                            "arm64, 4K pages, 52-bit addresses",
                            5,
                            WORD,
                            12,
                            new int[] {9, 9, 9, 9, 4},
                            List.of(4),
                            List.of(4),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-16k",
                            "arm64, 16K pages, 47-bit addresses",
                            3,
                            WORD,
                            14,
                            new int[] {11, 11, 0, 0, 11},
                            List.of(7),
                            List.of(5),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-16k-va36",
                            "arm64, 16K pages, 36-bit addresses",
                            2,
                            WORD,
                            14,
                            new int[] {11, 0, 0, 0, 11},
                            List.of(7),
                            List.of(5),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-16k-va48",
                            "arm64, 16K pages, 48-bit addresses",
                            4,
                            WORD,
                            14,
                            new int[] {11, 11, 11, 0, 1},
                            List.of(7),
                            List.of(5),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-16k-va52",
                            "arm64, 16K pages, 52-bit addresses",
                            4,
                            WORD,
                            14,
                            new int[] {11, 11, 11, 0, 5},
                            List.of(7),
                            List.of(5),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-64k",
                            "arm64, 64K pages, 48-bit addresses",
                            3,
                            WORD,
                            16,
                            new int[] {13, 13, 0, 0, 6},
                            List.of(5),
                            List.of(5),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-64k-va42",
                            "arm64, 64K pages, 42-bit addresses",
                            2,
                            WORD,
                            16,
                            new int[] {13, 0, 0, 0, 13},
                            List.of(5),
                            List.of(5),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm64-64k-va52",
                            "arm64, 64K pages, 52-bit addresses",
                            3,
                            WORD,
                            16,
                            new int[] {13, 13, 0, 0, 10},
                            List.of(5),
                            List.of(5),
                            Set.of(
                                    HUGE_OFFSET_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    CONT_THP,
                                    HUGE_PFNMAP,
                                    UFFD_WP)),
                    of(
                            "arm-lpae",
                            "32-bit ARM with LPAE",
                            3,
                            WORD,
                            12,
                            new int[] {9, 9, 0, 0, 2},
                            List.of(),
                            List.of(),
                            Set.of(HIGHPTE, THP)),
                    of(
                            "powerpc-8xx",
                            "powerpc 8xx, 4K pages",
                            2,
                            4,
                            12,
                            new int[] {10, 0, 0, 0, 10},
                            List.of(2, 7),
                            List.of(),
                            Set.of(UP_ONLY, HUGETLB_TWO_PMDS, IPI_FLUSH)),
                    of(
                            "powerpc-8xx-16k",
                            "powerpc 8xx, 16K pages",
                            2,
                            16,
                            14,
                            new int[] {8, 0, 0, 0, 10},
                            List.of(5),
                            List.of(),
                            Set.of(UP_ONLY, HUGETLB_TWO_PMDS, IPI_FLUSH)),
                    of(
                            "powerpc-radix",
                            "powerpc book3s64, radix, 4K pages",
                            4,
                            WORD,
                            12,
                            new int[] {9, 9, 9, 0, 13},
                            List.of(),
                            List.of(),
                            Set.of(SPLIT_PMD_PTLOCK, THP, NUMA_BALANCING, HUGETLB_PUD, THP_PUD)),
                    of(
                            "powerpc-radix-64k",
                            "powerpc book3s64, radix, 64K pages",
                            4,
                            WORD,
                            16,
                            new int[] {5, 9, 9, 0, 13},
                            List.of(),
                            List.of(),
                            Set.of(SPLIT_PMD_PTLOCK, THP, NUMA_BALANCING, HUGETLB_PUD, THP_PUD)),
                    of(
                            "s390",
                            "s390, region-third tables on top (3 levels)",
                            5,
                            WORD,
                            12,
                            new int[] {8, 11, 0, 0, 11},
                            List.of(),
                            List.of(),
                            Set.of(SPLIT_PMD_PTLOCK, THP, NUMA_BALANCING, HUGETLB_PUD)),
                    of(
                            "s390-4level",
                            "s390, region-second tables on top (4 levels)",
                            5,
                            WORD,
                            12,
                            new int[] {8, 11, 11, 0, 11},
                            List.of(),
                            List.of(),
                            Set.of(SPLIT_PMD_PTLOCK, THP, NUMA_BALANCING, HUGETLB_PUD)),
                    of(
                            "s390-5level",
                            "s390, region-first tables on top (5 levels)",
                            5,
                            WORD,
                            12,
                            new int[] {8, 11, 11, 11, 11},
                            List.of(),
                            List.of(),
                            Set.of(SPLIT_PMD_PTLOCK, THP, NUMA_BALANCING, HUGETLB_PUD)),
                    of(
                            "riscv64",
                            "riscv64, sv48 (4 levels), Svnapot",
                            5,
                            WORD,
                            12,
                            new int[] {9, 9, 9, 0, 9},
                            List.of(4),
                            List.of(),
                            Set.of(
                                    HUGE_ALLOC_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    THP_PUD)),
                    of(
                            "riscv64-sv39",
                            "riscv64, sv39 (3 levels), Svnapot",
                            5,
                            WORD,
                            12,
                            new int[] {9, 9, 0, 0, 9},
                            List.of(4),
                            List.of(),
                            Set.of(
                                    HUGE_ALLOC_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    THP_PUD)),
                    of(
                            "riscv64-sv57",
                            "riscv64, sv57 (5 levels), Svnapot",
                            5,
                            WORD,
                            12,
                            new int[] {9, 9, 9, 9, 9},
                            List.of(4),
                            List.of(),
                            Set.of(
                                    HUGE_ALLOC_READS,
                                    SPLIT_PMD_PTLOCK,
                                    THP,
                                    NUMA_BALANCING,
                                    HUGETLB_PUD,
                                    HUGE_PMD_SHARE,
                                    HUGE_PFNMAP,
                                    THP_PUD)));

    private Architectures() {}

    /// All of them, in the order in which they are told.
    public static List<Architecture> all() {
        return ALL;
    }

    /// The one of that name; null where there is none.
    public static @Nullable Architecture find(String name) {
        return ALL.stream().filter(a -> a.name().equals(name)).findFirst().orElse(null);
    }

    private static Architecture of(
            String name,
            String title,
            int pgtableLevels,
            int entryBytes,
            int pageShift,
            int[] bits,
            List<Integer> pteOrders,
            List<Integer> pmdOrders,
            Set<Feature> features) {
        Shape full = new Shape(new Geometry(pageShift, bits), pteOrders, pmdOrders);
        return new Architecture(name, title, pgtableLevels, entryBytes, full, tiny(full), features);
    }

    /// The same levels with few entries each: four in PTE, PMD and PGD tables, two in the others.
    /// The k-th contiguous page has 2^k entries; where there are several, PTE tables are larger, so
    /// that a contiguous page never is a whole table.
    private static Shape tiny(Shape full) {
        int[] few = {1 + Math.max(1, full.pteOrders().size()), 2, 1, 1, 2};
        int[] bits = full.geometry().bits().clone();
        for (int level = 0; level < bits.length; level++) {
            bits[level] = bits[level] == 0 ? 0 : few[level];
        }
        return new Shape(
                new Geometry(full.geometry().pageShift(), bits),
                ranks(full.pteOrders()),
                ranks(full.pmdOrders()));
    }

    private static List<Integer> ranks(List<Integer> orders) {
        return IntStream.rangeClosed(1, orders.size()).boxed().toList();
    }
}
