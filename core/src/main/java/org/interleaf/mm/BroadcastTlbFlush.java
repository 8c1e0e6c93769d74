// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mmu;

/// TLB flushes that the hardware broadcasts (arch/arm64/include/asm/tlbflush.h). They complete
/// without any other CPU's software taking part, so they say nothing about who walks the tables in
/// software.
final class BroadcastTlbFlush implements TlbFlush {
    private final Machine machine;
    private final Mmu mmu;
    private final MmuNotifier notifier;
    private final long pageSize;

    BroadcastTlbFlush(Machine machine, Mmu mmu, MmuNotifier notifier, long pageSize) {
        this.machine = machine;
        this.mmu = mmu;
        this.notifier = notifier;
        this.pageSize = pageSize;
    }

    /// arch/arm64/include/asm/tlbflush.h: flush_tlb_range(). The invalidation reaches one TLB after
    /// another; those of CPUs where no task of the process runs hold nothing and are left out.
    @Override
    public void flushTlbRange(MmStruct mm, long start, long end) {
        machine.fence(Fence.MB); // dsb(ishst)
        long mask = mm.cpumask.peek();
        if (!machine.running()) {
            mask |= 1L << machine.cpu().id();
        }
        for (int c = 0; c < machine.cpuCount(); c++) {
            if ((mask >> c & 1) != 0) {
                mmu.tlb(c).flush(mm.pointer(), start, end);
            }
        }
        machine.fence(Fence.MB); // dsb(ish)
        notifier.archInvalidateSecondaryTlbs(mm, start, end);
    }

    /// arch/arm64/include/asm/tlbflush.h: arch_tlbbatch_should_defer().
    @Override
    public boolean batchShouldDefer(MmStruct mm) {
        return true;
    }

    /// arch/arm64/include/asm/tlbflush.h: arch_tlbbatch_add_pending(). The invalidation is on its
    /// way; as nobody waits for it, it may be the last moment before {@link #batchFlush} in which
    /// it arrives.
    @Override
    public void batchAddPending(TlbBatch.Pending batch, MmStruct mm, long start, long end) {
        machine.fence(Fence.MB); // dsb(ishst)
        batch.cpumask |= mm.cpumask.peek();
        batch.ranges.add(new TlbBatch.Range(mm, start, end));
        notifier.archInvalidateSecondaryTlbs(mm, start, end);
    }

    /// arch/arm64/include/asm/tlbflush.h: arch_tlbbatch_flush(). Waits for the invalidations.
    @Override
    public void batchFlush(TlbBatch.Pending batch) {
        for (TlbBatch.Range range : batch.ranges) {
            for (int c = 0; c < machine.cpuCount(); c++) {
                boolean boot = !machine.running() && c == machine.cpu().id();
                if (boot || (batch.cpumask >> c & 1) != 0) {
                    mmu.tlb(c).flush(range.mm().pointer(), range.start(), range.end());
                }
            }
        }
        batch.ranges.clear();
        batch.cpumask = 0;
        machine.fence(Fence.MB); // dsb(ish)
    }

    /// arch/arm64/include/asm/pgtable.h: flush_tlb_fix_spurious_fault(). Not broadcast.
    @Override
    public void flushTlbFixSpuriousFault(MmStruct mm, long addr) {
        mmu.tlb(machine.cpu().id()).flush(mm.pointer(), addr, addr + pageSize);
    }
}
