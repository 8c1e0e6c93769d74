// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Having all CPUs forget translations (the architectures' tlbflush.h).
public interface TlbFlush {
    /// include/asm/tlbflush.h: flush_tlb_range(). Returns when no CPU uses a translation of the range
    /// that it read before.
    void flushTlbRange(MmStruct mm, long start, long end);

    /// include/asm/tlbflush.h: flush_tlb_mm(). The same for the whole address space.
    void flushTlbMm(MmStruct mm);
}
