// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import java.util.Locale;

/// Page tables as text, as the kernel writes them to debugfs (arch/arm64/mm/ptdump.c;
/// arch/x86/mm/dump_pagetables.c for x86). A line tells of as many entries as follow each other
/// with the same attributes. Attributes that the model does not have are those of ordinary user
/// memory, which is cached, shared by the CPUs and never executed.
final class PtdumpText {
    private static final String[] LEVELS = {"PGD", "P4D", "PUD", "PMD", "PTE"};
    private static final String UNITS = "BKMGTPE";

    /// What arm64 compares entries by. x86 compares all flags.
    private static final long ARM64_MASK =
            Entry.PRESENT
                    | Entry.USER
                    | Entry.WRITE
                    | Entry.ACCESSED
                    | Entry.CONT
                    | Entry.LEAF
                    | Entry.PROTNONE;

    private final boolean x86;
    private final int digits;
    private final StringBuilder text = new StringBuilder();

    private int level = -1;
    private long prot;
    private long start;

    PtdumpText(Architecture architecture) {
        x86 = architecture.name().startsWith("x86");
        digits = architecture.name().startsWith("x86-32") ? 8 : 16;
    }

    /// arch/arm64/mm/ptdump.c, arch/x86/mm/dump_pagetables.c: note_page(). From `addr` on, entries
    /// of `depth` (0 for the PGD, 4 for PTEs) hold `value`; 0 where there is none.
    void notePage(long addr, int depth, long value) {
        long now = x86 ? Entry.flags(value) : value & ARM64_MASK;
        if (level < 0) {
            text.append(x86 ? "---[ User Space ]---\n" : "---[ Process ]---\n");
        } else if (now != prot || depth != level) {
            line(addr);
        } else {
            return;
        }
        level = depth;
        prot = now;
        start = addr;
    }

    /// arch/arm64/mm/ptdump.c: note_page_flush(). The address space ends at `end`.
    String flush(long end) {
        if (level >= 0) {
            line(end);
        }
        return text.toString();
    }

    private void line(long end) {
        long delta = end - start;
        int unit = 0;
        while ((delta & 1023) == 0 && unit < UNITS.length() - 1) {
            delta >>= 10;
            unit++;
        }
        String addresses = "0x%0" + digits + "x-0x%0" + digits + "x   %9d%c ";
        text.append(String.format(addresses, start, end, delta, UNITS.charAt(unit)));
        text.append(x86 ? x86Prot() : arm64Prot());
        text.append('\n');
    }

    private boolean has(long bit) {
        return (prot & bit) != 0;
    }

    /// arch/x86/mm/dump_pagetables.c: printk_prot().
    private String x86Prot() {
        String name = LEVELS[level].toLowerCase(Locale.ROOT);
        if (!has(Entry.PRESENT)) {
            return " ".repeat(30) + name;
        }
        return (has(Entry.USER) ? "USR " : "    ")
                + (has(Entry.WRITE) ? "RW " : "ro ")
                + "        " // PWT, PCD
                + (has(Entry.LEAF) ? "PSE " : "    ")
                + "        " // PAT, GLB
                + "NX "
                + name;
    }

    /// arch/arm64/mm/ptdump.c: dump_prot().
    private String arm64Prot() {
        if (prot == 0) {
            return LEVELS[level];
        }
        return LEVELS[level]
                + (has(Entry.PRESENT) ? "  " : " F")
                + (has(Entry.USER) ? " USR" : "    ")
                + (has(Entry.WRITE) ? " RW" : " ro")
                + " NX SHD"
                + (has(Entry.ACCESSED) ? " AF" : "   ")
                + " NG"
                + (has(Entry.CONT) ? " CON" : "    ")
                + (has(Entry.LEAF) ? " BLK" : "    ")
                + " UXN    MEM/NORMAL";
    }
}
