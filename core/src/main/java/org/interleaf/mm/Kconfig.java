// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.mm.Architecture.Feature;

/// What of a kernel's configuration decides about page-table locks (mm/Kconfig,
/// include/linux/mm.h).
///
/// @param smp `CONFIG_SMP`
/// @param nrCpus `CONFIG_NR_CPUS`
/// @param highpte `CONFIG_HIGHPTE`: PTE tables are in memory that is mapped only while it is used
/// @param pteTablePages pages that a PTE table takes
/// @param splitPtePtlocks `CONFIG_SPLIT_PTE_PTLOCKS`: each PTE table has a lock of its own
/// @param splitPmdPtlocks `CONFIG_SPLIT_PMD_PTLOCKS`: each PMD table has a lock of its own
public record Kconfig(
        boolean smp,
        int nrCpus,
        boolean highpte,
        int pteTablePages,
        boolean splitPtePtlocks,
        boolean splitPmdPtlocks) {
    /// mm/Kconfig: from how many CPUs on PTE tables have locks of their own.
    public static final int SPLIT_PTLOCK_CPUS = 4;

    private static final int DEFAULT_NR_CPUS = 64;

    /// What the configuration of an architecture is where nothing is said.
    public static Kconfig defaultOf(Architecture architecture) {
        boolean smp = !architecture.has(Feature.UP_ONLY);
        return of(architecture, smp, smp ? DEFAULT_NR_CPUS : 1);
    }

    /// mm/Kconfig: SPLIT_PTE_PTLOCKS, SPLIT_PMD_PTLOCKS. Which locks are split follows from the
    /// number of CPUs and the architecture.
    public static Kconfig of(Architecture architecture, boolean smp, int nrCpus) {
        boolean pte = smp && nrCpus >= SPLIT_PTLOCK_CPUS;
        return new Kconfig(
                smp, nrCpus, false, 1, pte, pte && architecture.has(Feature.SPLIT_PMD_PTLOCK));
    }

    /// The same with other locks split.
    public Kconfig withSplit(boolean pte, boolean pmd) {
        return new Kconfig(smp, nrCpus, highpte, pteTablePages, pte, pmd);
    }

    /// The same with PTE tables in mapped memory.
    public Kconfig withHighpte() {
        return new Kconfig(smp, nrCpus, true, pteTablePages, splitPtePtlocks, splitPmdPtlocks);
    }

    /// The same with PTE tables of several pages.
    public Kconfig withPteTablePages(int pages) {
        return new Kconfig(smp, nrCpus, highpte, pages, splitPtePtlocks, splitPmdPtlocks);
    }

    /// Refuses what cannot be configured, and what does not compile.
    ///
    /// @throws ImpossibleConfig if no kernel for `architecture` can be like that
    void check(Architecture architecture) {
        checkSmp(architecture);
        checkSplit(architecture);
        if (highpte && !architecture.has(Feature.HIGHPTE)) {
            throw new ImpossibleConfig(
                    "highpte",
                    architecture.name() + " has no HIGHPTE",
                    "only 32-bit ARM has: arch=arm-lpae");
        }
        buildBugTwoPmds(architecture);
        buildBugPteTablePages();
    }

    private void checkSmp(Architecture architecture) {
        if (smp && architecture.has(Feature.UP_ONLY)) {
            throw new ImpossibleConfig(
                    "smp", architecture.name() + " has no SMP kernels", "leave smp out");
        }
        if (!smp && nrCpus != 1) {
            throw new ImpossibleConfig("nr-cpus", "without SMP NR_CPUS is 1", "leave nr-cpus out");
        }
    }

    private void checkSplit(Architecture architecture) {
        if (splitPtePtlocks && !(smp && nrCpus >= SPLIT_PTLOCK_CPUS)) {
            throw new ImpossibleConfig(
                    "ptl",
                    "SPLIT_PTE_PTLOCKS needs SMP and NR_CPUS >= "
                            + SPLIT_PTLOCK_CPUS
                            + " (mm/Kconfig); here "
                            + (smp ? "NR_CPUS is " + nrCpus : "is no SMP"),
                    "leave ptl out, or write ptl=mm");
        }
        if (splitPmdPtlocks && !architecture.has(Feature.SPLIT_PMD_PTLOCK)) {
            throw new ImpossibleConfig(
                    "ptl",
                    "SPLIT_PMD_PTLOCKS needs ARCH_ENABLE_SPLIT_PMD_PTLOCK (mm/Kconfig), which "
                            + architecture.name()
                            + " does not select",
                    "leave ptl out, or write ptl=split-pte or ptl=mm");
        }
    }

    /// arch/powerpc/mm/pgtable.c: set_huge_pte_at(). Does not compile for 8xx with split locks: a
    /// page of 8M changes a PMD table and two PTE tables, which one lock must protect.
    private void buildBugTwoPmds(Architecture architecture) {
        if (architecture.has(Feature.HUGETLB_TWO_PMDS) && (splitPtePtlocks || splitPmdPtlocks)) {
            throw new ImpossibleConfig(
                    "ptl",
                    "8M hugetlb pages are incompatible with split page-table locks"
                            + " (#error in arch/powerpc/mm/pgtable.c)",
                    "leave ptl out, or write ptl=mm");
        }
    }

    /// include/linux/mm.h: ptep_lockptr(). Does not compile where a PTE table is larger than a
    /// page: it looks for the lock in the page that the entry itself is in.
    private void buildBugPteTablePages() {
        if (splitPtePtlocks && pteTablePages > 1) {
            throw new ImpossibleConfig(
                    "pte-table-pages",
                    "a PTE table of several pages has no ptep_lockptr(): its BUILD_BUG_ON in"
                            + " include/linux/mm.h",
                    "with ptl=mm it can be");
        }
    }
}
