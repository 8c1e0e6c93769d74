// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// Reading and writing entries that others may use at the same time (include/linux/pgtable.h,
/// arch/x86/include/asm/pgtable-3level.h). All of it is inlined, so reports name the callers.
///
/// # Entries in two halves
///
/// Most CPUs load and store an entry at once. With `GUP_GET_PXX_LOW_HIGH` (x86 PAE) an entry is
/// twice as wide as what a load gets. The flags are in the low half, what is mapped in the high
/// one:
///
/// | CPU 0 set_pte   | CPU 1 ptep_get_lockless              |
/// |-----------------|--------------------------------------|
/// | high = Y        |                                      |
/// |                 | low (not present)                    |
/// | low = present   |                                      |
/// |                 | high (Y); low again: another, retry  |
///
/// Writers make the high half first when an entry becomes present, and clear the low one first when
/// it ceases to be; so who finds the same low half twice, present, has the high half that was with
/// it. That a present entry became another present one in between is excluded by interrupts that
/// are off: nobody sets the second before the TLB flush has interrupted the reader's CPU.
public final class EntryAccess {
    private static final long LOW = 0xffff_ffffL;

    private final boolean halves;
    private final boolean x86;
    private final boolean arm64;
    private final boolean riscv;

    EntryAccess(Arch arch) {
        halves = arch.lowHigh();
        x86 = arch.x86();
        arm64 = arch.arm64();
        riscv = arch.riscv();
    }

    /// Whether an entry is accessed in two halves.
    public boolean halves() {
        return halves;
    }

    /// `pmd_none()`, `pud_none()` of a live entry that was read without a lock: where there are
    /// halves, the low one alone says whether there is something.
    public boolean none(long value) {
        return (halves ? value & LOW : value) == 0;
    }

    /// `ptep_get_lockless()`, `pmdp_get_lockless()`. An entry that is present comes out as it was
    /// at one moment, provided that interrupts are off where there are halves; one that is not may
    /// come out in any mixture.
    public long getLockless(Word entry) {
        if (!halves) {
            return entry.readOnce();
        }
        while (true) {
            long low = entry.readOnce() & LOW;
            long high = entry.readOnce() & ~LOW;
            if ((entry.readOnce() & LOW) == low) {
                return high | low;
            }
        }
    }

    /// `ptep_get()` of a live entry without its lock. Where there are halves they may be of two
    /// values: low first, so who finds one that has just become present has its high half as well.
    public long get(Word entry) {
        if (!halves) {
            return entry.readOnce();
        }
        long low = entry.readOnce() & LOW;
        return entry.readOnce() & ~LOW | low;
    }

    /// Whoever finds an entry half cleared and tries again spins until the other half is cleared as
    /// well. Waiting for that is the same, and finite.
    void settle(Word entry) {
        if (halves) {
            long value = entry.readOnce();
            if (value != 0 && (value & LOW) == 0) {
                entry.awaitNot(-1, value);
            }
        }
    }

    /// `set_pte()`. The entry was not present, or is one that the hardware does not change.
    public void setPte(Word entry, long value) {
        if (!halves) {
            entry.writeOnce(value);
            return;
        }
        entry.storeBits(~LOW, value & ~LOW, Order.ONCE);
        entry.storeBits(LOW, value & LOW, Order.ONCE);
    }

    /// `pte_clear()`, `pmd_clear()`. Not for entries that the hardware may change: what it does
    /// meanwhile is lost.
    public void clear(Word entry) {
        if (!halves) {
            entry.writeOnce(0);
            return;
        }
        entry.storeBits(LOW, 0, Order.ONCE);
        entry.storeBits(~LOW, 0, Order.ONCE);
    }

    /// `pmdp_establish()`. Puts `value` in the place of a PMD entry that the hardware may use;
    /// returns what was there. One that is not present needs no atomic exchange of both halves:
    /// nobody changes the high half once the low one is not present.
    public long pmdpEstablish(Word pmd, long value) {
        if (!halves || (value & Entry.PRESENT) != 0) {
            return pmd.xchg(value, Order.FULL);
        }
        long low = pmd.xchgBits(LOW, value & LOW, Order.FULL) & LOW;
        long high = pmd.readOnce() & ~LOW;
        pmd.storeBits(~LOW, value & ~LOW, Order.ONCE);
        return high | low;
    }

    /// arch/x86/include/asm/pgtable.h: pte_accessible(); arm64 and riscv have their own, and
    /// elsewhere every entry is. Whether a TLB may hold a translation of an entry that was just
    /// taken out. One that nobody may access may have been made so a moment ago, by somebody who
    /// has not flushed yet:
    ///
    /// | CPU 0 task_numa_work       | CPU 1 ptep_clear_flush      | CPU 2                     |
    /// |----------------------------|-----------------------------|---------------------------|
    /// | tlb_flush_pending = 1      |                             |                           |
    /// | the PTE is inaccessible    |                             |                           |
    /// |                            | takes the PTE out, flushes  |                           |
    /// |                            | copies the page             | an old translation is gone|
    boolean pteAccessible(MmStruct mm, long pte) {
        if (arm64) {
            boolean pending = mm.tlbFlushPending.readOnce() != 0; // mm_tlb_flush_pending()
            return pending ? Entry.ptePresent(pte) : (pte & Entry.PRESENT) != 0;
        }
        if (!x86 && !riscv || (pte & Entry.PRESENT) != 0) {
            return true;
        }
        return Entry.protnone(pte) && mm.tlbFlushPending.readOnce() != 0;
    }

    /// arch/x86/include/asm/tlbflush.h: pte_needs_flush(), huge_pmd_needs_flush(); arm64 has its
    /// own, and elsewhere every change is flushed. Whether a TLB may hold a translation that is
    /// wrong now that `fresh` is in the place of `old`.
    boolean needsFlush(long old, long fresh, boolean huge) {
        if (!x86 && !arm64) {
            return true;
        }
        if ((old & Entry.PRESENT) == 0) {
            return false;
        }
        long diff = (old ^ fresh) & ~Entry.SPECIAL;
        if (arm64 || Entry.pfn(diff) != 0) {
            return diff != 0;
        }
        long onClear = Entry.PRESENT | Entry.DIRTY | (huge ? Entry.ACCESSED : 0);
        return (diff & old & onClear) != 0 || (diff & (Entry.WRITE | Entry.USER)) != 0;
    }

    /// Whether `pmdp_invalidate_ad()` flushes the TLBs: not on x86, where CPUs look at a huge entry
    /// again before they set bits in it.
    boolean invalidateAdFlushes() {
        return !x86;
    }
}
