// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.machine.PhysicalMemory.Blocks;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Architecture;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kernel;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The devices with memory that a test asks for.
///
/// @param dax the memory of `/dev/dax0.0`; null where there is none
/// @param vfio the memory of `/dev/vfio0`; null where there is none
record DeviceOptions(@Nullable Memory dax, @Nullable Memory vfio) {
    private static final int MAX_UNITS = 64;

    /// More frames would make the machine too large.
    private static final long MAX_FRAMES = 1 << 17;

    private static final List<String> LEVELS = List.of("PTE", "PMD", "PUD");

    /// `units` times what an entry of `level` maps.
    record Memory(int level, int units) {}

    /// Reads the lines `dax` and `vfio` of a configuration.
    static DeviceOptions read(Source source, Config config, Arch arch) {
        Reader reader = new Reader(source, config, arch);
        Memory dax = reader.memory("dax");
        if (dax != null) {
            reader.checkAlignment(dax.level);
        }
        return new DeviceOptions(dax, reader.memory("vfio"));
    }

    /// The memory that the devices need.
    List<Blocks> blocks(Arch arch) {
        List<Blocks> blocks = new ArrayList<>();
        for (Memory memory : new Memory[] {dax, vfio}) {
            if (memory != null) {
                blocks.add(new Blocks(order(arch, memory.level), 0, memory.units));
            }
        }
        return blocks;
    }

    private static int order(Arch arch, int level) {
        return arch.geometry().shift(level) - arch.geometry().pageShift();
    }

    /// Makes the devices.
    void boot(Kernel kernel) {
        if (dax != null) {
            kernel.devices().addDax(dax.level, dax.units);
        }
        if (vfio != null) {
            kernel.devices().addVfio(vfio.level, vfio.units);
        }
    }

    private static final class Reader {
        private final Source source;
        private final Config config;
        private final Arch arch;

        Reader(Source source, Config config, Arch arch) {
            this.source = source;
            this.config = config;
            this.arch = arch;
        }

        /// `LEVEL:UNITS`.
        @Nullable Memory memory(String key) {
            String value = config.get(key);
            if (value == null) {
                return null;
            }
            String[] parts = value.split(":", -1);
            if (parts.length != 2 || !parts[1].matches("[0-9]{1,3}")) {
                throw error(
                        key,
                        "`" + value + "` is no memory of a device",
                        "write LEVEL:NR, for example PMD:2");
            }
            int level = LEVELS.indexOf(parts[0].toUpperCase(Locale.ROOT));
            if (level < 0) {
                throw error(
                        key,
                        "unknown level `" + parts[0] + "`",
                        Names.hint(parts[0], LEVELS, "known are " + String.join(", ", LEVELS)));
            }
            int units = Integer.parseInt(parts[1]);
            if (units < 1 || units > MAX_UNITS) {
                throw error(
                        key,
                        "a device has from 1 to " + MAX_UNITS + " units of memory",
                        "write for example " + parts[0] + ":2");
            }
            if ((long) units << order(arch, level) > MAX_FRAMES) {
                throw error(key, "more memory than can be modelled", "use geometry=tiny");
            }
            return new Memory(level, units);
        }

        /// drivers/dax/dax-private.h: dax_align_valid().
        void checkAlignment(int level) {
            Architecture architecture = arch.architecture();
            if (level == Geometry.PUD && !arch.thpPud()) {
                throw error(
                        "dax",
                        architecture.name()
                                + " has no huge PUDs for device DAX"
                                + " (HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD)",
                        "use dax=PMD:NR, or an architecture that has: arch=x86-64");
            }
            if (level == Geometry.PMD && !architecture.has(Architecture.Feature.THP)) {
                throw error(
                        "dax",
                        architecture.name() + " has no transparent huge pages",
                        "use dax=PTE:NR");
            }
        }

        private LitmusException error(String key, String message, String hint) {
            Config.@Nullable Entry entry = config.entry(key);
            return entry == null
                    ? source.error(0, message, hint)
                    : entry.errorInValue(source, message, hint);
        }
    }
}
