// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.machine.PhysicalMemory.Blocks;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Hstate;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.LeafSize;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The pools of huge pages that a test asks for, and the hugetlbfs that is mounted.
///
/// @param pools one for each size of huge pages, with or without pages
/// @param mount null where nothing is mounted
record HugetlbOptions(List<Pool> pools, @Nullable Mount mount) {
    private static final int MAX_PAGES = 64;

    /// More frames would make the machine too large.
    private static final long MAX_FRAMES = 1 << 17;

    /// A pool: `nr` pages, and at most `overcommit` more.
    record Pool(LeafSize leaf, int nr, int overcommit) {}

    /// A mounted hugetlbfs: at most `max` pages, `min` set aside; -1 for no such number.
    record Mount(LeafSize leaf, int max, int min) {}

    /// Reads the lines `hugetlb` and `hugetlbfs` of a configuration.
    static HugetlbOptions read(Source source, Config config, Arch arch) {
        return new Reader(source, config, arch).read();
    }

    /// The free memory that the pools need.
    List<Blocks> blocks(Arch arch) {
        List<Blocks> blocks = new ArrayList<>();
        for (Pool pool : pools) {
            int order = Long.numberOfTrailingZeros(pool.leaf.size()) - arch.geometry().pageShift();
            if (pool.nr + pool.overcommit > 0) {
                blocks.add(new Blocks(order, pool.overcommit, pool.nr));
            }
        }
        return blocks;
    }

    /// Fills the pools and mounts what is to be mounted.
    void boot(Kernel kernel) {
        for (Pool pool : pools) {
            Hstate h = kernel.hugetlb().pool().addHstate(pool.leaf, pool.nr, pool.overcommit);
            if (mount != null && mount.leaf.equals(pool.leaf)) {
                kernel.hugetlb().hugetlbfs().mount(h, mount.max, mount.min);
            }
        }
    }

    private static final class Reader {
        private final Source source;
        private final Config config;
        private final Arch arch;
        private final List<LeafSize> sizes;

        Reader(Source source, Config config, Arch arch) {
            this.source = source;
            this.config = config;
            this.arch = arch;
            this.sizes = arch.hugetlbSizes();
        }

        HugetlbOptions read() {
            List<Pool> pools = new ArrayList<>();
            for (LeafSize leaf : sizes) {
                pools.add(new Pool(leaf, 0, 0));
            }
            String value = config.get("hugetlb");
            if (value != null) {
                for (String part : value.split(",", -1)) {
                    Pool pool = pool(part);
                    pools.replaceAll(p -> p.leaf.equals(pool.leaf) ? pool : p);
                }
            }
            checkFrames(pools);
            return new HugetlbOptions(List.copyOf(pools), mount(pools));
        }

        private void checkFrames(List<Pool> pools) {
            long frames = 0;
            for (Pool pool : pools) {
                long pages = (long) pool.nr + pool.overcommit;
                frames += pages * (pool.leaf.size() >> arch.geometry().pageShift());
            }
            if (frames > MAX_FRAMES) {
                throw error("hugetlb", "more memory than can be modelled", "use geometry=tiny");
            }
        }

        /// `SIZE:NR` or `SIZE:NR:OVERCOMMIT`.
        private Pool pool(String text) {
            String[] parts = text.split(":", -1);
            if (parts.length < 2 || parts.length > 3) {
                throw error(
                        "hugetlb",
                        "`" + text + "` is no pool of huge pages",
                        "write SIZE:NR or SIZE:NR:OVERCOMMIT, for example PMD:2");
            }
            int overcommit = parts.length == 3 ? number("hugetlb", parts[2]) : 0;
            return new Pool(leaf("hugetlb", parts[0]), number("hugetlb", parts[1]), overcommit);
        }

        private @Nullable Mount mount(List<Pool> pools) {
            String value = config.get("hugetlbfs");
            if (value == null) {
                return null;
            }
            String[] parts = value.split(":", -1);
            LeafSize leaf = leaf("hugetlbfs", parts[0]);
            int max = -1;
            int min = -1;
            for (int i = 1; i < parts.length; i++) {
                if (parts[i].startsWith("size=")) {
                    max = number("hugetlbfs", parts[i].substring("size=".length()));
                } else if (parts[i].startsWith("min_size=")) {
                    min = number("hugetlbfs", parts[i].substring("min_size=".length()));
                } else {
                    throw error(
                            "hugetlbfs",
                            "unknown mount option `" + parts[i] + "`",
                            "known are size=PAGES and min_size=PAGES");
                }
            }
            for (Pool pool : pools) {
                if (pool.leaf.equals(leaf) && min > pool.nr + pool.overcommit) {
                    throw error(
                            "hugetlbfs",
                            "the pool has fewer than " + min + " pages to set aside",
                            "give it more by hugetlb=");
                }
            }
            return new Mount(leaf, max, min);
        }

        private LeafSize leaf(String key, String text) {
            for (LeafSize leaf : sizes) {
                if (text.equalsIgnoreCase(leaf.name()) || text.equals(name(leaf.size()))) {
                    return leaf;
                }
            }
            List<String> known = new ArrayList<>();
            sizes.forEach(leaf -> known.add(leaf.name() + " (" + name(leaf.size()) + ")"));
            throw error(
                    key,
                    arch.name() + " has no huge pages of size `" + text + "`",
                    known.isEmpty()
                            ? "it has none at all"
                            : Names.hint(text, known, "it has " + String.join(", ", known)));
        }

        /// A size as the kernel's parameters have it, such as `64K`.
        private static String name(long bytes) {
            String units = "KMG";
            long n = bytes >> 10;
            int unit = 0;
            while (unit < units.length() - 1 && (n & 1023) == 0) {
                n >>= 10;
                unit++;
            }
            return String.format(Locale.ROOT, "%d%c", n, units.charAt(unit));
        }

        private int number(String key, String text) {
            if (!text.matches("[0-9]{1,4}") || Integer.parseInt(text) > MAX_PAGES) {
                throw error(
                        key,
                        "`" + text + "` is no number of pages from 0 to " + MAX_PAGES,
                        "write for example PMD:2");
            }
            return Integer.parseInt(text);
        }

        private LitmusException error(String key, String message, String hint) {
            Config.@Nullable Entry entry = config.entry(key);
            return source.error(entry == null ? 0 : entry.valuePos(), message, hint);
        }
    }
}
