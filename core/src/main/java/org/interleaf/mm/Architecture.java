// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// An architecture with one choice of page size and number of levels, as data. {@link
/// Architectures} has all of them.
///
/// @param name as tests give it, such as `arm64-4k`
/// @param title what a kernel developer calls it
/// @param pgtableLevels `CONFIG_PGTABLE_LEVELS`: what the kernel is compiled for. Where levels are
///   folded at run time that is more than there are tables
/// @param entryBytes bytes of an entry in the tables
/// @param full the levels as they are
/// @param tiny the same levels with few entries each
/// @param features what else there is to it
public record Architecture(
        String name,
        String title,
        int pgtableLevels,
        int entryBytes,
        Shape full,
        Shape tiny,
        Set<Feature> features) {

    /// What an architecture can or must do.
    public enum Feature {
        /// Selects `ARCH_ENABLE_SPLIT_PMD_PTLOCK`.
        SPLIT_PMD_PTLOCK,
        /// Has no SMP kernels.
        UP_ONLY,
        /// `HIGHPTE` can be configured: PTE tables in memory that must be mapped first.
        HIGHPTE,
        /// `GUP_GET_PXX_LOW_HIGH`: an entry is read and written in two halves.
        LOW_HIGH,
        /// Maps memory transparently by huge PMDs.
        THP,
        /// Contiguous PTEs are also used for THPs.
        CONT_THP,
        /// Selects `HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD`: device memory is mapped by huge PUDs.
        THP_PUD,
        /// Selects `ARCH_SUPPORTS_HUGE_PFNMAP`: memory without `struct page` is mapped by huge
        /// entries.
        HUGE_PFNMAP,
        /// hugetlb has pages of PUD size.
        HUGETLB_PUD,
        /// Page tables of hugetlb can be shared: `ARCH_WANT_HUGE_PMD_SHARE`.
        HUGE_PMD_SHARE,
        /// A hugetlb page of two PMD entries is mapped by the PTE tables below both (powerpc 8xx).
        HUGETLB_TWO_PMDS,
        /// `huge_pte_alloc()` reads the entry that it returns.
        HUGE_ALLOC_READS,
        /// `huge_pte_offset()` reads the entry that it returns.
        HUGE_OFFSET_READS,
        /// Selects `ARCH_SUPPORTS_NUMA_BALANCING`.
        NUMA_BALANCING,
        /// Selects `HAVE_ARCH_USERFAULTFD_WP`: entries have a bit for userfaultfds.
        UFFD_WP,
        /// TLBs are flushed by interrupts; otherwise by hardware, or by firmware that waits for no
        /// kernel.
        IPI_FLUSH
    }

    /// Levels, and how many entries can map a larger page together.
    ///
    /// @param pteOrders binary logarithms of the numbers of PTEs in a contiguous page, ascending
    /// @param pmdOrders the same for PMD entries
    public record Shape(Geometry geometry, List<Integer> pteOrders, List<Integer> pmdOrders) {}

    public Architecture {
        features = features.isEmpty() ? Set.of() : EnumSet.copyOf(features);
    }

    public boolean has(Feature feature) {
        return features.contains(feature);
    }

    /// Whether it is one of the ports that are called by one of these.
    boolean isOf(String... ports) {
        for (String port : ports) {
            if (name.startsWith(port)) {
                return true;
            }
        }
        return false;
    }

    /// The sizes that page tables of `shape` can map, ascending.
    public List<LeafSize> leafSizes(Shape shape) {
        Geometry geometry = shape.geometry();
        List<LeafSize> leaves = new ArrayList<>();
        leaves.add(new LeafSize("PTE", geometry.pageSize(), Geometry.PTE, 1, 1, false, false));
        for (int order : shape.pteOrders()) {
            leaves.add(several("cont-PTE", geometry, Geometry.PTE, order, has(Feature.CONT_THP)));
        }
        long pmdSize = geometry.size(Geometry.PMD);
        if (has(Feature.HUGETLB_TWO_PMDS)) {
            int slots = 2 * geometry.entries(Geometry.PTE);
            leaves.add(
                    new LeafSize("2 PTE tables", 2 * pmdSize, Geometry.PTE, slots, 2, false, true));
            return List.copyOf(leaves);
        }
        leaves.add(new LeafSize("PMD", pmdSize, Geometry.PMD, 1, 1, has(Feature.THP), true));
        for (int order : shape.pmdOrders()) {
            leaves.add(several("cont-PMD", geometry, Geometry.PMD, order, false));
        }
        if (has(Feature.HUGETLB_PUD)) {
            long pudSize = geometry.size(Geometry.PUD);
            leaves.add(new LeafSize("PUD", pudSize, Geometry.PUD, 1, 1, false, true));
        }
        return List.copyOf(leaves);
    }

    private static LeafSize several(
            String name, Geometry geometry, int level, int order, boolean thp) {
        return new LeafSize(name, geometry.size(level) << order, level, 1 << order, 1, thp, true);
    }

    /// Pages in a table of `level`, of the full geometry: 1, or more where its entries do not fit
    /// in a page.
    public int tablePages(int level) {
        Geometry geometry = full.geometry();
        long bytes = (long) geometry.entries(level) * entryBytes;
        return (int) Math.max(1, bytes >> geometry.pageShift());
    }
}
