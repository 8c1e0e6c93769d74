// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.mm.Entry;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.PageTable;
import org.interleaf.trace.Violation;

/// Page tables that nobody can reach: what is put into one is lost, with the page that it maps; and
/// entries that lead to what is no page table. Either is found in the step in which it happens.
///
/// A PTE table is out of reach from when the last entry that led to it is cleared until another one
/// leads to it, or it is deposited, or freed. New tables, and those that have been deposited, are
/// filled before they are hung up, by those who alone know of them. Of a table that is out of reach
/// entries may be cleared, and the hardware may set accessed and dirty bits until the flush.
final class TableReach {
    private static final long HARDWARE = Entry.ACCESSED | Entry.DIRTY;

    private final Findings findings;

    TableReach(Findings findings) {
        this.findings = findings;
    }

    /// An entry of `table` has changed.
    void changed(Kernel kernel, Task task, PageTable table, Word entry, long before, long after) {
        if (table.level() > Geometry.PTE) {
            if (Entry.isTable(after) && !isTable(kernel, Entry.pfn(after))) {
                report(Violation.NO_TABLE, task, table, entry, before, after);
            }
        } else if (table.peekUnhooked()
                && !kernel.entries().none(after) // half of it may be cleared
                && put(before, after)) {
            report(Violation.LOST_STORE, task, table, entry, before, after);
        }
    }

    /// Whether the change is none of those that hardware makes.
    private static boolean put(long before, long after) {
        return Entry.none(before) || ((before ^ after) & ~HARDWARE) != 0;
    }

    private static boolean isTable(Kernel kernel, long pfn) {
        return kernel.memMap().page(pfn).isTable();
    }

    private void report(
            String kind, Task task, PageTable table, Word entry, long before, long after) {
        findings.report(
                kind,
                task,
                () ->
                        entry.name()
                                + " goes from "
                                + Entry.show(table.level(), before)
                                + " to "
                                + Entry.show(table.level(), after));
    }
}
