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

    Page(Machine machine, Frame frame) {
        this.frame = frame;
        this.compoundHead = machine.word(null, this, "compound_head", -1, frame.pfn());
        this.mapcount = machine.word(null, this, "_mapcount", -1, -1);
        this.anonExclusive = machine.word(null, this, "PG_anon_exclusive", -1, 0);
    }

    public long pfn() {
        return frame.pfn();
    }

    public Frame frame() {
        return frame;
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

    @Override
    public String toString() {
        return "page " + pfn();
    }
}
