// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// What differs between architectures and kernel configurations, as data.
///
/// @param name as tests give it, such as `arm64-4k`
/// @param geometry the levels of the page tables
/// @param splitPtePtlocks `SPLIT_PTE_PTLOCKS`: each PTE table has a lock of its own
/// @param splitPmdPtlocks `SPLIT_PMD_PTLOCKS`: each PMD table has a lock of its own
/// @param tlbFlush how other CPUs' TLBs are flushed
/// @param tableFree when the memory of page tables is freed
public record Arch(
        String name,
        Geometry geometry,
        boolean splitPtePtlocks,
        boolean splitPmdPtlocks,
        TlbFlush tlbFlush,
        TableFree tableFree) {

    /// How a CPU has the others drop translations.
    public enum TlbFlush {
        /// It interrupts them and waits: no CPU with interrupts off can be passed by.
        IPI,
        /// The hardware broadcasts the invalidation: nobody waits for anybody's software.
        BROADCAST
    }

    /// When a page table that was unhooked is freed.
    public enum TableFree {
        /// After the TLB flush and a grace period: `MMU_GATHER_RCU_TABLE_FREE`.
        RCU,
        /// After the TLB flush, whose interrupts wait for walkers: `MMU_GATHER_TABLE_FREE`.
        AFTER_FLUSH
    }

    /// Whether collapse must interrupt walkers itself: `tlb_remove_table_sync_one()` does nothing
    /// where the TLB flush does so.
    public boolean rcuTableFree() {
        return tableFree == TableFree.RCU;
    }

    /// `MMU_GATHER_MERGE_VMAS`: a gather flushes once for several VMAs, not once for each. x86 does
    /// so, arm64 does not.
    public boolean mmuGatherMergeVmas() {
        return tlbFlush == TlbFlush.IPI;
    }

    /// `PT_RECLAIM`: `MADV_DONTNEED` frees PTE tables that it leaves empty.
    public boolean ptReclaim() {
        return rcuTableFree();
    }

    /// Whether a CPU that faults on a cached translation forgets it, as x86 does. Otherwise it
    /// faults on it again until somebody flushes it.
    public boolean faultDropsTranslation() {
        return tlbFlush == TlbFlush.IPI;
    }
}
