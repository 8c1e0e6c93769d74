// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Having all CPUs forget translations (the architectures' tlbflush.h).
public interface TlbFlush {
    /// asm/tlbflush.h: flush_tlb_range(). Returns when no CPU uses a translation of the range that
    /// it read before.
    void flushTlbRange(MmStruct mm, long start, long end);

    /// asm/tlbflush.h: flush_tlb_mm(). The same for the whole address space.
    default void flushTlbMm(MmStruct mm) {
        flushTlbRange(mm, 0, Long.MAX_VALUE);
    }

    /// asm/tlbflush.h: arch_tlbbatch_should_defer(). Whether putting a flush off is worthwhile.
    boolean batchShouldDefer(MmStruct mm);

    /// asm/tlbflush.h: arch_tlbbatch_add_pending(). Translations of the range are to be forgotten
    /// until {@link #batchFlush}.
    void batchAddPending(TlbBatch.Pending batch, MmStruct mm, long start, long end);

    /// asm/tlbflush.h: arch_tlbbatch_flush(). Returns when no CPU uses what was put off.
    void batchFlush(TlbBatch.Pending batch);

    /// include/linux/pgtable.h: flush_tlb_fix_spurious_fault(). This CPU has faulted on a
    /// translation that is less permissive than the entry by now: has it, and no other, forget it.
    void flushTlbFixSpuriousFault(MmStruct mm, long addr);
}
