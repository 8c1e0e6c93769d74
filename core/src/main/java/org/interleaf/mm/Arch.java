// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.mm.Architecture.Feature;
import org.interleaf.mm.Architecture.Shape;

import java.util.List;

/// The architecture and configuration that a kernel is built for, as data.
///
/// @param architecture what the hardware and its part of the kernel are like
/// @param geometry the levels of the page tables, full or tiny
/// @param leafSizes the sizes that page tables can map as one page, ascending
/// @param kconfig what decides about page-table locks
/// @param tlbFlush how other CPUs' TLBs are flushed
/// @param tableFree when the memory of page tables is freed
public record Arch(
        Architecture architecture,
        Geometry geometry,
        List<LeafSize> leafSizes,
        Kconfig kconfig,
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

    /// A kernel as the architecture has it by itself, with the tables of `shape`.
    public static Arch of(Architecture architecture, Shape shape) {
        boolean ipi = architecture.has(Feature.IPI_FLUSH);
        return new Arch(
                architecture,
                shape.geometry(),
                architecture.leafSizes(shape),
                Kconfig.defaultOf(architecture),
                ipi ? TlbFlush.IPI : TlbFlush.BROADCAST,
                TableFree.RCU);
    }

    /// The same with other locks.
    ///
    /// @throws ImpossibleConfig if no kernel can be like that
    public Arch with(Kconfig other) {
        other.check(architecture);
        return new Arch(architecture, geometry, leafSizes, other, tlbFlush, tableFree);
    }

    /// The same with other ways to flush TLBs and to free tables.
    ///
    /// @throws ImpossibleConfig if no kernel can be like that
    public Arch with(TlbFlush otherFlush, TableFree otherFree) {
        if (otherFree == TableFree.AFTER_FLUSH && otherFlush == TlbFlush.BROADCAST) {
            throw new ImpossibleConfig(
                    "table-free",
                    "tables freed right after the flush need a flush by IPI",
                    "no kernel is so: nothing would keep GUP-fast from walking them");
        }
        return new Arch(architecture, geometry, leafSizes, kconfig, otherFlush, otherFree);
    }

    /// As tests give it, such as `arm64-4k`.
    public String name() {
        return architecture.name();
    }

    /// The size of page that is mapped as one of `bytes`.
    ///
    /// @throws IllegalArgumentException if there is none
    public LeafSize leaf(long bytes) {
        for (LeafSize leaf : leafSizes) {
            if (leaf.size() == bytes) {
                return leaf;
            }
        }
        throw new IllegalArgumentException(name() + " has no pages of " + bytes + " bytes");
    }

    /// The sizes of hugetlb pages, ascending: one `hstate` each.
    public List<LeafSize> hugetlbSizes() {
        return leafSizes.stream().filter(LeafSize::hugetlb).toList();
    }

    /// `CONFIG_X86`.
    boolean x86() {
        return name().startsWith("x86");
    }

    /// `CONFIG_ARM64`.
    boolean arm64() {
        return name().startsWith("arm64");
    }

    /// `CONFIG_RISCV`.
    boolean riscv() {
        return name().startsWith("riscv");
    }

    /// `CONFIG_NUMA_BALANCING`: entries are made inaccessible from time to time, to see who uses
    /// what.
    public boolean numaBalancing() {
        return architecture.has(Feature.NUMA_BALANCING) && kconfig.smp();
    }

    /// `CONFIG_SPLIT_PTE_PTLOCKS`: each PTE table has a lock of its own.
    public boolean splitPtePtlocks() {
        return kconfig.splitPtePtlocks();
    }

    /// `CONFIG_SPLIT_PMD_PTLOCKS`: each PMD table has a lock of its own.
    public boolean splitPmdPtlocks() {
        return kconfig.splitPmdPtlocks();
    }

    /// `CONFIG_HIGHPTE`.
    public boolean highpte() {
        return kconfig.highpte();
    }

    /// `CONFIG_PGTABLE_LEVELS`.
    public int pgtableLevels() {
        return architecture.pgtableLevels();
    }

    /// `CONFIG_GUP_GET_PXX_LOW_HIGH`: entries are read and written in two halves.
    public boolean lowHigh() {
        return architecture.has(Feature.LOW_HIGH);
    }

    /// `CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE`, without which there are no huge entries but those
    /// of hugetlb.
    public boolean thp() {
        return architecture.has(Feature.THP);
    }

    /// `CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD`: PUDs can be huge outside of hugetlb.
    public boolean thpPud() {
        return architecture.has(Feature.THP_PUD);
    }

    /// include/linux/huge_mm.h: thp_migration_supported(), by `ARCH_HAS_PMD_SOFTLEAVES`
    /// (`ARCH_ENABLE_THP_MIGRATION` before 7.3). Whether a PMD can say that what it mapped
    /// migrates.
    public boolean thpMigration() {
        return architecture.isOf("x86-64", "arm64", "powerpc-radix", "s390", "riscv64");
    }

    /// `CONFIG_ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH`: reclaim puts TLB flushes off.
    public boolean batchedUnmapTlbFlush() {
        return architecture.isOf("x86", "arm64", "riscv");
    }

    /// `CONFIG_THP_SWAP`: huge pages get slots as a whole.
    public boolean thpSwap() {
        return architecture.has(Feature.THP)
                && architecture.isOf("x86-64", "arm64-4k", "riscv", "s390");
    }

    /// `CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP`: huge entries can map what has no `struct page`.
    boolean hugePfnmap() {
        return architecture.has(Feature.HUGE_PFNMAP);
    }

    /// `CONFIG_ARCH_SUPPORTS_PMD_PFNMAP`, `CONFIG_ARCH_SUPPORTS_PUD_PFNMAP`: whether entries of
    /// `level` can map what has no `struct page`.
    public boolean supportsPfnmap(int level) {
        return hugePfnmap()
                && architecture.has(level == Geometry.PUD ? Feature.THP_PUD : Feature.THP);
    }

    /// Whether page tables of hugetlb may be shared: the architecture wants it, and PMD tables have
    /// locks of their own.
    public boolean hugePmdShare() {
        return architecture.has(Feature.HUGE_PMD_SHARE) && splitPmdPtlocks();
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
