// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.HugeMemory;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// The configuration of a kernel as a test gives it.
///
/// @param thp when faults map huge pages
/// @param singles free single pages for each CPU
/// @param bigs free huge pages for each CPU
record Options(Arch arch, HugeMemory.Thp thp, int singles, int bigs) {
    private static final List<String> KEYS =
            List.of("arch", "geometry", "tlb", "table-free", "ptl", "thp", "pages", "huge-pages");
    private static final List<String> ARCHES = List.of("x86-64", "x86-64-5level", "arm64-4k");
    private static final int[] TINY_4 = {2, 2, 1, 0, 2};
    private static final int[] TINY_5 = {2, 2, 1, 1, 2};
    private static final int[] FULL_4 = {9, 9, 9, 0, 9};
    private static final int[] FULL_5 = {9, 9, 9, 9, 9};
    private static final int PAGE_SHIFT = 12;

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
                    throw source.error(
                            entry.pos(),
                            "unknown configuration key `" + entry.key() + "`",
                            Names.hint(entry.key(), KEYS, "known are " + String.join(", ", KEYS)));
                }
            }
            String name = choose("arch", "arm64-4k", ARCHES);
            boolean arm = name.startsWith("arm64");
            Geometry geometry = geometry(name.equals("x86-64-5level"));
            String tlb = choose("tlb", arm ? "broadcast" : "ipi", List.of("ipi", "broadcast"));
            String free = choose("table-free", "rcu", List.of("rcu", "after-flush"));
            String ptl = choose("ptl", "split", List.of("split", "split-pte", "mm"));
            if (free.equals("after-flush") && tlb.equals("broadcast")) {
                throw error(
                        "table-free",
                        "tables freed right after the flush need a flush by IPI",
                        "no kernel is so: nothing would keep GUP-fast from walking them");
            }
            Arch arch =
                    new Arch(
                            name,
                            geometry,
                            !ptl.equals("mm"),
                            ptl.equals("split"),
                            tlb.equals("ipi") ? Arch.TlbFlush.IPI : Arch.TlbFlush.BROADCAST,
                            free.equals("rcu") ? Arch.TableFree.RCU : Arch.TableFree.AFTER_FLUSH);
            String thp = choose("thp", "madvise", List.of("always", "madvise", "never"));
            int hugePages = number("huge-pages", 3, 64);
            int defaultPages = geometry.hpagePmdNr() <= 16 ? 24 : 2 * geometry.hpagePmdNr();
            return new Options(arch, thp(thp), number("pages", defaultPages, 1 << 14), hugePages);
        }

        private Geometry geometry(boolean fiveLevels) {
            String size = choose("geometry", "tiny", List.of("tiny", "full"));
            int[] tiny = fiveLevels ? TINY_5 : TINY_4;
            int[] full = fiveLevels ? FULL_5 : FULL_4;
            return new Geometry(PAGE_SHIFT, size.equals("tiny") ? tiny : full);
        }

        private static HugeMemory.Thp thp(String value) {
            return switch (value) {
                case "always" -> HugeMemory.Thp.ALWAYS;
                case "never" -> HugeMemory.Thp.NEVER;
                default -> HugeMemory.Thp.MADVISE;
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

        private int number(String key, int otherwise, int max) {
            String value = config.get(key);
            if (value == null) {
                return otherwise;
            }
            if (!value.matches("[0-9]{1,6}") || Integer.parseInt(value) > max) {
                throw error(
                        key,
                        "`" + key + "` must be a number from 0 to " + max,
                        "write for example " + key + "=" + otherwise);
            }
            return Integer.parseInt(value);
        }

        private LitmusException error(String key, String message, String hint) {
            Config.@Nullable Entry entry = config.entry(key);
            return source.error(entry == null ? 0 : entry.valuePos(), message, hint);
        }
    }
}
