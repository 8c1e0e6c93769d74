// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.interleaf.mm.MmuNotifierRange.Event;

/// ioctl(`PAGEMAP_SCAN`) with `PM_SCAN_WP_MATCHING` and nothing else (fs/proc/task_mmu.c): has all
/// pages of a range write-protected for a userfaultfd with `UFFD_FEATURE_WP_ASYNC`, so that the
/// next scan can tell which were written to. Other memory is left out.
///
/// # Bits of the hardware
///
/// An entry is taken out before it is put in again with the mark: it has the accessed and dirty
/// bits that the hardware sets until then. The mmap lock is held for reading, and the TLBs are
/// flushed before the lock of the table is dropped.
public final class PagemapScan {
    private final Kernel kernel;
    private final Geometry geometry;
    private final MmWalkOps<PagemapScan> walkOps;

    PagemapScan(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.walkOps =
                MmWalkOps.<PagemapScan>builder(WalkLock.RDLOCK)
                        .testWalk((start, end, walk) -> wpAllowed(walk.vma()) ? 0 : 1)
                        .pmd(this::pagemapScanPmdEntry)
                        .hole(this::pagemapScanPteHole)
                        .build();
    }

    /// fs/proc/task_mmu.c: do_pagemap_scan(). 0 or a negative error number.
    public long doPagemapScan(MmStruct mm, long start, long len) {
        long mask = geometry.pageSize() - 1;
        if (((start | len) & mask) != 0) {
            return -Errno.EINVAL;
        }
        if (!kernel.fork().mmgetNotZero(mm)) {
            return -Errno.ESRCH;
        }
        long end = start + len;
        kernel.mmapLock().readLock(mm);
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.PROTECTION_VMA, mm, start, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        int ret = kernel.pageWalk().walkPageRange(mm, start, end, walkOps, this);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        kernel.mmapLock().readUnlock(mm);
        kernel.fork().mmput(mm);
        return ret;
    }

    /// The part of pagemap_scan_test_walk() for write protection.
    private static boolean wpAllowed(Vma vma) {
        return vma.userfaultfdHas(Userfaultfd.FEATURE_WP_ASYNC) && vma.userfaultfdWpUseMarkers();
    }

    /// fs/proc/task_mmu.c: pagemap_scan_pte_hole().
    private int pagemapScanPteHole(long addr, long end, int depth, MmWalk<PagemapScan> walk) {
        if (!walk.hasVma()) {
            return 0;
        }
        long ret = kernel.uffdProtect().uffdWpRange(walk.vma(), addr, end, true);
        return ret < 0 ? (int) ret : 0;
    }

    /// fs/proc/task_mmu.c: pagemap_scan_pmd_entry().
    private int pagemapScanPmdEntry(Word pmd, long start, long end, MmWalk<PagemapScan> walk) {
        if (pagemapScanThpEntry(pmd, start, end, walk)) {
            return 0;
        }
        Vma vma = walk.vma();
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(vma.mm(), pmd, start);
        if (pte == null) {
            walk.action(WalkAction.AGAIN);
            return 0;
        }
        int first = -1;
        int nr = (int) ((end - start) >> geometry.pageShift());
        for (int i = 0; i < nr; i++) {
            long value = pte.pte(i).readOnce();
            if (!Entry.uffd(value) && !Entry.isUffdWpMarker(value)) {
                makeUffdWpPte(pte.pte(i), value);
                first = first < 0 ? i : first;
            }
        }
        if (first >= 0) {
            long from = start + first * geometry.pageSize();
            kernel.tlbFlush().flushTlbRange(vma.mm(), from, end);
        }
        pte.unmapUnlock();
        return 0;
    }

    /// fs/proc/task_mmu.c: make_uffd_wp_pte(). `value` is what the entry was.
    private void makeUffdWpPte(Word pte, long value) {
        if (Entry.ptePresent(value)) {
            long old = pte.xchg(0, Order.FULL); // ptep_modify_prot_start()
            kernel.entries().setPte(pte, Entry.mkuffd(old));
        } else if (Entry.none(value)) {
            kernel.entries().setPte(pte, Entry.makeMarker(Entry.MARKER_UFFD_WP));
        } else {
            kernel.entries().setPte(pte, Entry.swpMkuffd(value));
        }
    }

    /// fs/proc/task_mmu.c: pagemap_scan_thp_entry(). False where the PMD is not huge, or no longer,
    /// as when only a part of it is to be protected.
    private boolean pagemapScanThpEntry(Word pmd, long start, long end, MmWalk<PagemapScan> walk) {
        Vma vma = walk.vma();
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmd, vma);
        if (ptl == null) {
            return false;
        }
        long value = pmd.readPlain();
        if (!Entry.uffd(value)) {
            if (end != start + geometry.size(Geometry.PMD)) {
                ptl.unlock();
                kernel.hugeMemory().splitHugePmd(vma, pmd, start);
                return false;
            }
            makeUffdWpPmd(vma, start, pmd, value);
            kernel.tlbFlush().flushTlbRange(vma.mm(), start, end);
        }
        ptl.unlock();
        return true;
    }

    /// fs/proc/task_mmu.c: make_uffd_wp_pmd().
    private void makeUffdWpPmd(Vma vma, long addr, Word pmd, long value) {
        if (Entry.present(value)) {
            long old = kernel.pgtableGeneric().pmdpInvalidateAd(vma, addr, pmd);
            kernel.entries().setPte(pmd, Entry.mkuffd(old));
        } else if (Entry.isMigration(value)) {
            kernel.entries().setPte(pmd, Entry.swpMkuffd(value));
        }
    }
}
