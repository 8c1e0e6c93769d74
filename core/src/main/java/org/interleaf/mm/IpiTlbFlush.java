// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mmu;

/// TLB flushes by interrupt (arch/x86/mm/tlb.c). The sender waits until each CPU that may hold
/// translations has taken the interrupt; a CPU with interrupts off makes it wait, and that is what
/// lockless walkers lean on.
///
/// The generation counters by which the kernel leaves out flushes that another one has made
/// unnecessary are not modelled, nor are CPUs that keep an address space lazily.
final class IpiTlbFlush implements TlbFlush {
    private final Machine machine;
    private final Mmu mmu;
    private final MmuNotifier notifier;

    IpiTlbFlush(Machine machine, Mmu mmu, MmuNotifier notifier) {
        this.machine = machine;
        this.mmu = mmu;
        this.notifier = notifier;
    }

    /// arch/x86/mm/tlb.c: flush_tlb_mm_range(). Interrupts must be on.
    @Override
    public void flushTlbRange(MmStruct mm, long start, long end) {
        machine.fence(Fence.MB); // inc_mm_tlb_gen()
        long mask = mm.cpumask.readOnce();
        int self = machine.cpu().id();
        long others = mask & ~(1L << self);
        if (mask != others || !machine.running()) {
            mmu.tlb(self).flush(mm.pointer(), start, end);
        }
        if (others != 0) {
            machine.ipi()
                    .call(others, cpu -> mmu.tlb(cpu.id()).flush(mm.pointer(), start, end), true);
        }
        notifier.archInvalidateSecondaryTlbs(mm, start, end);
    }

    /// arch/x86/include/asm/tlbflush.h: arch_tlbbatch_should_defer(). Only if somebody else must be
    /// interrupted.
    @Override
    public boolean batchShouldDefer(MmStruct mm) {
        return (mm.cpumask.readOnce() & ~(1L << machine.cpu().id())) != 0;
    }

    /// arch/x86/include/asm/tlbflush.h: arch_tlbbatch_add_pending().
    @Override
    public void batchAddPending(TlbBatch.Pending batch, MmStruct mm, long start, long end) {
        machine.fence(Fence.MB); // inc_mm_tlb_gen()
        batch.cpumask |= mm.cpumask.readOnce();
        notifier.archInvalidateSecondaryTlbs(mm, 0, Long.MAX_VALUE);
    }

    /// arch/x86/mm/tlb.c: arch_tlbbatch_flush(). These CPUs forget everything.
    @Override
    public void batchFlush(TlbBatch.Pending batch) {
        int self = machine.cpu().id();
        long others = batch.cpumask & ~(1L << self);
        if (batch.cpumask != others || !machine.running()) {
            mmu.tlb(self).flushAll();
        }
        if (others != 0) {
            machine.ipi().call(others, cpu -> mmu.tlb(cpu.id()).flushAll(), true);
        }
        batch.cpumask = 0;
    }

    /// arch/x86/include/asm/pgtable.h: flush_tlb_fix_spurious_fault(). Nothing: the CPU forgets a
    /// translation when it faults on it.
    @Override
    public void flushTlbFixSpuriousFault(MmStruct mm, long addr) {}
}
