// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Architectures;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kconfig;
import org.interleaf.mm.LeafSize;

import java.util.ArrayList;
import java.util.List;

/// Tells what architectures and configurations there are.
final class ArchSurvey implements Survey {
    static final String MM_LOCK = "mm->page_table_lock";

    private static final String[] ENTRIES = {"PTE", "PMD", "PUD", "P4D", "PGD"};

    @Override
    public List<String> architectures() {
        return Architectures.all().stream().map(a -> a.name()).toList();
    }

    @Override
    public Architecture architecture(Source source, Config config) {
        Arch arch = Options.read(source, config).arch();
        org.interleaf.mm.Architecture architecture = arch.architecture();
        Geometry full = architecture.full().geometry();
        Geometry tiny = architecture.tiny().geometry();
        List<Level> levels = new ArrayList<>();
        for (int level = Geometry.PGD; level >= Geometry.PTE; level--) {
            boolean folded = full.folded(level);
            levels.add(
                    new Level(
                            Geometry.name(level),
                            folded ? 0 : full.entries(level),
                            folded ? 0 : tiny.entries(level),
                            full.size(level),
                            folded
                                    ? "folded into the " + Geometry.name(full.tableLevel(level))
                                    : lock(arch, level)));
        }
        return new Architecture(
                architecture.name(),
                architecture.title(),
                architecture.pgtableLevels(),
                levels,
                pageSizes(architecture),
                facts(arch));
    }

    /// What protects the entries of a level, by the rules of the configuration.
    private static String lock(Arch arch, int level) {
        boolean own =
                level == Geometry.PTE && arch.splitPtePtlocks()
                        || level == Geometry.PMD && arch.splitPmdPtlocks();
        return own ? "one for each table" : MM_LOCK;
    }

    private static List<PageSize> pageSizes(org.interleaf.mm.Architecture architecture) {
        List<LeafSize> full = architecture.leafSizes(architecture.full());
        List<LeafSize> tiny = architecture.leafSizes(architecture.tiny());
        List<PageSize> sizes = new ArrayList<>();
        for (int i = 0; i < full.size(); i++) {
            LeafSize leaf = full.get(i);
            sizes.add(
                    new PageSize(
                            leaf.name(),
                            leaf.size(),
                            tiny.get(i).size(),
                            entries(leaf),
                            leaf.hugetlb(),
                            leaf.thp()));
        }
        return sizes;
    }

    /// The entries that map a page, in words.
    static String entries(LeafSize leaf) {
        String text = leaf.slots() + " " + ENTRIES[leaf.level()] + (leaf.slots() > 1 ? "s" : "");
        return leaf.tables() > 1 ? text + " in " + leaf.tables() + " tables" : text;
    }

    private static List<Fact> facts(Arch arch) {
        Kconfig kconfig = arch.kconfig();
        List<Fact> facts = new ArrayList<>();
        facts.add(new Fact("CPUs", kconfig.smp() ? "SMP, NR_CPUS=" + kconfig.nrCpus() : "UP"));
        facts.add(
                new Fact(
                        "entries",
                        arch.architecture().entryBytes()
                                + " bytes"
                                + (arch.lowHigh() ? ", read and written in two halves" : "")));
        facts.add(
                new Fact(
                        "TLB flush",
                        arch.tlbFlush() == Arch.TlbFlush.IPI
                                ? "by interrupts, which it waits for"
                                : "broadcast, waits for no software"));
        facts.add(
                new Fact(
                        "table pages",
                        arch.rcuTableFree() ? "freed through RCU" : "freed after the flush"));
        facts.add(new Fact("HIGHPTE", arch.highpte() ? "yes" : "no"));
        facts.add(
                new Fact(
                        "hugetlb tables",
                        arch.hugePmdShare()
                                ? "PMD tables could be shared (not modelled)"
                                : "never shared"));
        facts.add(new Fact("device memory", deviceMemory(arch)));
        return facts;
    }

    private static String deviceMemory(Arch arch) {
        boolean thp = arch.architecture().has(org.interleaf.mm.Architecture.Feature.THP);
        String dax = arch.thpPud() ? "PUD" : thp ? "PMD" : "PTE";
        String pfn =
                arch.supportsPfnmap(Geometry.PUD)
                        ? "PUD"
                        : arch.supportsPfnmap(Geometry.PMD) ? "PMD" : "PTE";
        return "DAX up to " + dax + ", without struct pages up to " + pfn;
    }

    @Override
    public List<Locks> locks(Source source, Config config) {
        return new LockSurvey(Options.read(source, config).arch()).locks();
    }
}
