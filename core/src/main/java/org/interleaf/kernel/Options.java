// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.LoopRounds;
import org.interleaf.litmus.vocabulary.RaceCheck;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Architecture;
import org.interleaf.mm.Architectures;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.HugeMemory;
import org.interleaf.mm.ImpossibleConfig;
import org.interleaf.mm.Kconfig;
import org.interleaf.mm.Shmem;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Objects;

/// The configuration of a kernel as a test gives it.
///
/// @param thp when faults map huge pages
/// @param shmem when faults on files in memory allocate huge pages
/// @param singles free single pages for each CPU
/// @param bigs free huge pages for each CPU
/// @param hugetlb the pools of huge pages that hugetlb keeps
/// @param devices the devices with memory
/// @param swap slots of the swap device; 0 for a kernel without swap
record Options(
        Arch arch,
        HugeMemory.Thp thp,
        Shmem.Huge shmem,
        int singles,
        int bigs,
        HugetlbOptions hugetlb,
        DeviceOptions devices,
        int swap) {
    private static final List<String> KEYS =
            List.of(
                    "arch",
                    "geometry",
                    "tlb",
                    "table-free",
                    "smp",
                    "nr-cpus",
                    "ptl",
                    "highpte",
                    "pte-table-pages",
                    "thp",
                    "shmem",
                    "pages",
                    "huge-pages",
                    "hugetlb",
                    "hugetlbfs",
                    "dax",
                    "vfio",
                    "swap",
                    LoopRounds.KEY,
                    RaceCheck.KEY);
    private static final List<String> YES_NO = List.of("yes", "no");
    private static final int MAX_CPUS = 8192;

    /// Reads the configuration lines of a test.
    static Options read(Source source, Config config) {
        return new Reader(source, config).read();
    }

    private static final class Reader {
        private final Source source;
        private final Config config;

        Reader(Source source, Config config) {
            this.source = source;
            this.config = config;
        }

        Options read() {
            for (Config.Entry entry : config.entries()) {
                if (!KEYS.contains(entry.key())) {
                    throw entry.errorInKey(
                            source,
                            "unknown configuration key `" + entry.key() + "`",
                            Names.hint(entry.key(), KEYS, "known are " + String.join(", ", KEYS)));
                }
            }
            Arch arch;
            try {
                arch = arch();
            } catch (ImpossibleConfig e) {
                throw error(e.key(), e.reason(), e.hint());
            }
            Geometry geometry = arch.geometry();
            String thp = choose("thp", "madvise", List.of("always", "madvise", "never"));
            int hugePages = number("huge-pages", 3, 0, 64);
            int defaultPages = geometry.hpagePmdNr() <= 16 ? 24 : 2 * geometry.hpagePmdNr();
            return new Options(
                    arch,
                    thp(thp),
                    shmem(),
                    number("pages", defaultPages, 0, 1 << 14),
                    hugePages,
                    HugetlbOptions.read(source, config, arch),
                    DeviceOptions.read(source, config, arch),
                    number("swap", 0, 0, 64));
        }

        private Arch arch() {
            List<String> names = Architectures.all().stream().map(Architecture::name).toList();
            String name = choose("arch", "arm64-4k", names);
            Architecture architecture = Objects.requireNonNull(Architectures.find(name));
            boolean tiny = choose("geometry", "tiny", List.of("tiny", "full")).equals("tiny");
            Arch arch = Arch.of(architecture, tiny ? architecture.tiny() : architecture.full());
            String flush = arch.tlbFlush() == Arch.TlbFlush.IPI ? "ipi" : "broadcast";
            String tlb = choose("tlb", flush, List.of("ipi", "broadcast"));
            String free = choose("table-free", "rcu", List.of("rcu", "after-flush"));
            return arch.with(kconfig(architecture))
                    .with(
                            tlb.equals("ipi") ? Arch.TlbFlush.IPI : Arch.TlbFlush.BROADCAST,
                            free.equals("rcu") ? Arch.TableFree.RCU : Arch.TableFree.AFTER_FLUSH);
        }

        private Kconfig kconfig(Architecture architecture) {
            Kconfig usual = Kconfig.defaultOf(architecture);
            boolean smp = choose("smp", usual.smp() ? "yes" : "no", YES_NO).equals("yes");
            int cpus = number("nr-cpus", smp ? usual.nrCpus() : 1, 1, MAX_CPUS);
            Kconfig kconfig = Kconfig.of(architecture, smp, cpus);
            String ptl = config.get("ptl");
            if (ptl != null) {
                choose("ptl", ptl, List.of("split", "split-pte", "mm"));
                kconfig = kconfig.withSplit(!ptl.equals("mm"), ptl.equals("split"));
            }
            if (choose("highpte", "no", YES_NO).equals("yes")) {
                kconfig = kconfig.withHighpte();
            }
            return kconfig.withPteTablePages(number("pte-table-pages", 1, 1, 2));
        }

        private static HugeMemory.Thp thp(String value) {
            return switch (value) {
                case "always" -> HugeMemory.Thp.ALWAYS;
                case "never" -> HugeMemory.Thp.NEVER;
                default -> HugeMemory.Thp.MADVISE;
            };
        }

        /// The mount option `huge=` of tmpfs.
        private Shmem.Huge shmem() {
            List<String> values = List.of("never", "always", "within_size", "advise");
            return switch (choose("shmem", "never", values)) {
                case "always" -> Shmem.Huge.ALWAYS;
                case "within_size" -> Shmem.Huge.WITHIN_SIZE;
                case "advise" -> Shmem.Huge.ADVISE;
                default -> Shmem.Huge.NEVER;
            };
        }

        private String choose(String key, String otherwise, List<String> values) {
            String value = config.get(key);
            if (value == null) {
                return otherwise;
            }
            if (!values.contains(value)) {
                throw error(
                        key,
                        "unknown value `" + value + "` of `" + key + "`",
                        Names.hint(value, values, "known are " + String.join(", ", values)));
            }
            return value;
        }

        private int number(String key, int otherwise, int min, int max) {
            String value = config.get(key);
            if (value == null) {
                return otherwise;
            }
            boolean number = value.matches("[0-9]{1,6}");
            if (!number || Integer.parseInt(value) < min || Integer.parseInt(value) > max) {
                throw error(
                        key,
                        "`" + key + "` must be a number from " + min + " to " + max,
                        "write for example " + key + "=" + otherwise);
            }
            return Integer.parseInt(value);
        }

        private LitmusException error(String key, String message, String hint) {
            Config.@Nullable Entry entry = config.entry(key);
            return entry == null
                    ? source.error(0, message, hint)
                    : entry.errorInValue(source, message, hint);
        }
    }
}
