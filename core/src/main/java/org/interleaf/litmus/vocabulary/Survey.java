// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.vocabulary;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.Source;

import java.util.List;

/// What a model can tell of itself without running anything: its architectures and configurations,
/// and which locks they lead to.
public interface Survey {
    /// The names of the architectures.
    List<String> architectures();

    /// An architecture as a configuration has it.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the configuration is not possible
    Architecture architecture(Source source, Config config);

    /// Which lock hugetlb takes for each size of its pages and which the walkers of core-mm, on
    /// page tables that were made for this.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if the configuration is not possible
    List<Locks> locks(Source source, Config config);

    /// An architecture in one configuration.
    ///
    /// @param pgtableLevels `CONFIG_PGTABLE_LEVELS`
    /// @param levels from the top down
    /// @param pageSizes ascending
    /// @param facts what else there is to it, as pairs of a word and what it is
    record Architecture(
            String name,
            String title,
            int pgtableLevels,
            List<Level> levels,
            List<PageSize> pageSizes,
            List<Fact> facts) {}

    /// A level of page tables.
    ///
    /// @param entries entries in a table; 0 where the level is folded
    /// @param tinyEntries the same with `geometry=tiny`
    /// @param size bytes that an entry maps
    /// @param lock what protects its entries
    record Level(String name, int entries, int tinyEntries, long size, String lock) {}

    /// A size of memory that is mapped as one page.
    ///
    /// @param entries how many entries of which level, in words
    /// @param tinySize the same page with `geometry=tiny`
    record PageSize(
            String name, long size, long tinySize, String entries, boolean hugetlb, boolean thp) {}

    /// A word and what it stands for.
    record Fact(String word, String meaning) {}

    /// The locks of one size of hugetlb pages.
    ///
    /// @param architecture its name
    /// @param page name of the size, as in {@link PageSize}
    /// @param size bytes of such a page
    /// @param entries how many entries of which level, in words
    /// @param hugetlb the lock that hugetlb takes; several where that depends on where the page is
    /// @param core the lock that walkers of core-mm take; several where that depends on the place
    ///   or the part of the page
    /// @param same whether all of these are one lock
    record Locks(
            String architecture,
            String page,
            long size,
            String entries,
            List<String> hugetlb,
            List<String> core,
            boolean same) {}
}
