// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Finding out what was written to through shared mappings of a file (mm/mapping_dirty_helpers.c),
/// for drivers of devices that track it page by page.
///
/// # Locking
///
/// `i_mmap_rwsem` for reading; the mmap locks are not needed. Entries change under the lock of
/// their table, and the TLBs are flushed at the end of each VMA. Until then other CPUs may go on
/// writing by what is in their TLBs: they set the dirty bit again, in an entry that was cleaned, so
/// that a write is either recorded or still to be seen. Who zaps entries meanwhile is told by
/// `tlb_flush_pending` that a flush is outstanding.
///
/// Huge entries are never split, for that would forget what is dirty.
public final class MappingDirtyHelpers {
    private final Kernel kernel;
    private final Geometry geometry;
    private final MmWalkOps<WpWalk> wpOps;
    private final MmWalkOps<WpWalk> cleanOps;

    MappingDirtyHelpers(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        wpOps = ops().pte(this::wpPte).build();
        cleanOps = ops().pte(this::cleanRecordPte).build();
    }

    private MmWalkOps.Builder<WpWalk> ops() {
        return MmWalkOps.<WpWalk>builder(WalkLock.RDLOCK)
                .pmd(this::wpCleanPmdEntry)
                .pud(this::wpCleanPudEntry)
                .testWalk(MappingDirtyHelpers::wpCleanTestWalk)
                .preVma(this::wpCleanPreVma)
                .postVma(this::wpCleanPostVma);
    }

    /// `struct wp_walk` and `struct clean_walk`: of one call.
    private static final class WpWalk {
        @Nullable MmuNotifierRange range;
        long tlbflushStart;
        long tlbflushEnd;
        long total;
        final long bitmapPgoff;
        long bitmap;

        WpWalk(long bitmapPgoff) {
            this.bitmapPgoff = bitmapPgoff;
        }
    }

    /// What was found.
    ///
    /// @param total entries that were cleaned
    /// @param bitmap the pages that were dirty, a bit for each
    public record Cleaned(long total, long bitmap) {}

    // ---- entries

    /// mm/mapping_dirty_helpers.c: wp_pte(). The PTE lock is held, as in those that follow.
    private int wpPte(Word pte, long addr, long end, MmWalk<WpWalk> walk) {
        if (Entry.write(pte.readOnce())) {
            long old = pte.xchg(0, Order.FULL); // ptep_modify_prot_start()
            kernel.entries().setPte(pte, Entry.wrprotect(old));
            changed(walk.data(), addr);
        }
        return 0;
    }

    /// mm/mapping_dirty_helpers.c: clean_record_pte().
    private int cleanRecordPte(Word pte, long addr, long end, MmWalk<WpWalk> walk) {
        if (Entry.dirty(pte.readOnce())) {
            Vma vma = walk.vma();
            long pgoff = vma.linearPageIndex(geometry, addr) - walk.data().bitmapPgoff;
            long old = pte.xchg(0, Order.FULL);
            kernel.entries().setPte(pte, Entry.mkclean(old));
            changed(walk.data(), addr);
            walk.data().bitmap |= 1L << pgoff;
        }
        return 0;
    }

    private void changed(WpWalk data, long addr) {
        data.total++;
        data.tlbflushStart = Math.min(data.tlbflushStart, addr);
        data.tlbflushEnd = Math.max(data.tlbflushEnd, addr + geometry.pageSize());
    }

    /// mm/mapping_dirty_helpers.c: wp_clean_pmd_entry().
    private int wpCleanPmdEntry(Word pmd, long addr, long end, MmWalk<WpWalk> walk) {
        return leaveHuge(kernel.pgtableGeneric().pmdpGetLockless(pmd), walk);
    }

    /// mm/mapping_dirty_helpers.c: wp_clean_pud_entry().
    private int wpCleanPudEntry(Word pud, long addr, long end, MmWalk<WpWalk> walk) {
        return kernel.arch().thpPud() ? leaveHuge(pud.readOnce(), walk) : 0;
    }

    private int leaveHuge(long value, MmWalk<WpWalk> walk) {
        if (Entry.leaf(value)) {
            boolean used = Entry.write(value) || Entry.dirty(value);
            kernel.warnOn(used, "a huge entry that can be written to is not tracked");
            walk.action(WalkAction.CONTINUE);
        }
        return 0;
    }

    // ---- VMAs

    /// mm/mapping_dirty_helpers.c: wp_clean_test_walk().
    private static int wpCleanTestWalk(long start, long end, MmWalk<WpWalk> walk) {
        long asked = Vma.VM_SHARED | Vma.VM_MAYWRITE | Vma.VM_HUGETLB;
        long wanted = Vma.VM_SHARED | Vma.VM_MAYWRITE;
        return (walk.vma().flags.readOnce() & asked) == wanted ? 0 : 1;
    }

    /// mm/mapping_dirty_helpers.c: wp_clean_pre_vma().
    private int wpCleanPreVma(long start, long end, MmWalk<WpWalk> walk) {
        WpWalk data = walk.data();
        data.tlbflushStart = end;
        data.tlbflushEnd = start;
        data.range = kernel.mmuNotifier().range(Event.PROTECTION_PAGE, walk.mm(), start, end);
        kernel.mmuNotifier().invalidateRangeStart(data.range);
        walk.mm().tlbFlushPending.add(1, Order.RELAXED); // inc_tlb_flush_pending()
        return 0;
    }

    /// mm/mapping_dirty_helpers.c: wp_clean_post_vma().
    private void wpCleanPostVma(MmWalk<WpWalk> walk) {
        WpWalk data = walk.data();
        MmuNotifierRange range = Objects.requireNonNull(data.range);
        MmStruct mm = walk.mm();
        if (mm.tlbFlushPending.readOnce() > 1) { // mm_tlb_flush_nested()
            kernel.tlbFlush().flushTlbRange(mm, range.start(), range.end());
        } else if (data.tlbflushEnd > data.tlbflushStart) {
            kernel.tlbFlush().flushTlbRange(mm, data.tlbflushStart, data.tlbflushEnd);
        }
        kernel.mmuNotifier().invalidateRangeEnd(range);
        mm.tlbFlushPending.add(-1, Order.RELAXED); // dec_tlb_flush_pending()
    }

    // ---- entry points

    /// mm/mapping_dirty_helpers.c: wp_shared_mapping_range(). Write-protects `nr` pages of a file
    /// from page `first` on, wherever they are mapped shared. How many entries were writable.
    public long wpSharedMappingRange(Inode mapping, long first, long nr) {
        WpWalk data = new WpWalk(0);
        walk(mapping, first, nr, wpOps, data);
        return data.total;
    }

    /// mm/mapping_dirty_helpers.c: clean_record_shared_mapping_range(). Cleans `nr` pages of a
    /// file, 64 at most, from page `first` on, and tells which were dirty. What was dirty at the
    /// start is told; what becomes dirty later is told, or dirty still, or both.
    public Cleaned cleanRecordSharedMappingRange(Inode mapping, long first, long nr) {
        WpWalk data = new WpWalk(first);
        walk(mapping, first, nr, cleanOps, data);
        return new Cleaned(data.total, data.bitmap);
    }

    private void walk(Inode mapping, long first, long nr, MmWalkOps<WpWalk> ops, WpWalk data) {
        mapping.mmapRwsem().downRead();
        int err = kernel.pageWalk().walkPageMapping(mapping, first, nr, ops, data);
        kernel.warnOn(err != 0, "the walk over a mapping has ended early");
        mapping.mmapRwsem().upRead();
    }
}
