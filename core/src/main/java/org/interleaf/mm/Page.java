// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Frame;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Word;

/// `struct page` (include/linux/mm_types.h): what the kernel knows of one frame. It exists as long
/// as the machine, also while the frame is free or is a page table; what it knows of a folio is in
/// the {@link Folio} of its head page.
public final class Page {
    private final Frame frame;
    final Word compoundHead;
    final Word mapcount;
    final Word anonExclusive;

    /// Whether the frame holds a page table (`PG_table`); told by the allocation of the frame
    /// itself.
    private final Word isTable;

    Page(Machine machine, Frame frame) {
        this.frame = frame;
        this.compoundHead = machine.word(null, this, "compound_head", -1, frame.pfn());
        this.mapcount = machine.word(null, this, "_mapcount", -1, -1);
        this.isTable = machine.word(null, this, "PG_table", -1, 0);
        this.anonExclusive = machine.word(null, this, "PG_anon_exclusive", -1, 0);
    }

    public long pfn() {
        return frame.pfn();
    }

    public Frame frame() {
        return frame;
    }

    /// Whether the frame holds a page table; looked at from outside.
    public boolean isTable() {
        return isTable.peek() != 0;
    }

    /// Part of the step that allocates or frees the frame.
    void markTable(boolean table) {
        isTable.poke(table ? 1 : 0);
    }

    /// `PageAnonExclusive()`.
    public boolean anonExclusive() {
        return anonExclusive.readOnce() != 0;
    }

    /// `SetPageAnonExclusive()`.
    void setAnonExclusive() {
        anonExclusive.writeOnce(1);
    }

    /// `ClearPageAnonExclusive()`.
    void clearAnonExclusive() {
        anonExclusive.writeOnce(0);
    }

    /// Part of the step that makes the page a folio of its own: it has new flags.
    void dropAnonExclusive() {
        anonExclusive.poke(0);
    }

    @Override
    public String toString() {
        return "page " + pfn();
    }
}
