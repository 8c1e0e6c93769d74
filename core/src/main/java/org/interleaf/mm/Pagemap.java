// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// `/proc/PID/pagemap` (fs/proc/task_mmu.c): for each page of an address space what is there, as a
/// reader with `CAP_SYS_ADMIN` sees it. Soft-dirty and userfaultfd bits are not modelled.
public final class Pagemap {
    public static final long PM_MMAP_EXCLUSIVE = 1L << 56;
    public static final long PM_FILE = 1L << 61;
    public static final long PM_SWAP = 1L << 62;
    public static final long PM_PRESENT = 1L << 63;

    /// Bits of the frame number.
    public static final long PM_PFRAME_MASK = (1L << 55) - 1;

    private static final int PM_END_OF_BUFFER = 1;

    /// `MAX_SWAPFILES_SHIFT`, and the swap type of the first kind of migration entries where
    /// nothing is configured out.
    private static final int SWAP_TYPE_BITS = 5;

    private static final int SWP_MIGRATION_READ = 25;

    private final Kernel kernel;
    private final Geometry geometry;
    private final MmWalkOps<Buffer> walkOps;

    Pagemap(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        walkOps =
                MmWalkOps.<Buffer>builder(WalkLock.RDLOCK)
                        .pmd(this::pagemapPmdRange)
                        .hole(this::pagemapPteHole)
                        .hugetlb(this::pagemapHugetlbRange)
                        .build();
    }

    /// What one stretch of the walk has found: `struct pagemapread`.
    private static final class Buffer {
        final long[] entries;
        int pos;

        Buffer(int len) {
            entries = new long[len];
        }

        /// fs/proc/task_mmu.c: add_to_pagemap().
        int add(long frame, long flags) {
            entries[pos++] = frame & PM_PFRAME_MASK | flags;
            return pos >= entries.length ? PM_END_OF_BUFFER : 0;
        }
    }

    /// fs/proc/task_mmu.c: pagemap_read(). The entries of `count` pages from the page-aligned
    /// `addr` on, fewer at the end of the address space. The mmap lock is taken anew for each PMD
    /// range.
    public long[] read(MmStruct mm, long addr, int count) {
        kernel.mmapLock().readLock(mm); // Around untagged_addr_remote().
        kernel.mmapLock().readUnlock(mm);
        long end = Math.min(addr + count * geometry.pageSize(), geometry.taskSize());
        long pmdSize = geometry.size(Geometry.PMD);
        long[] all = new long[count];
        int copied = 0;
        Buffer buffer = new Buffer((int) (pmdSize >> geometry.pageShift()));
        for (long at = addr; at < end; ) {
            buffer.pos = 0;
            long next = Math.min((at + pmdSize) & -pmdSize, end);
            kernel.mmapLock().readLock(mm);
            kernel.pageWalk().walkPageRange(mm, at, next, walkOps, buffer);
            kernel.mmapLock().readUnlock(mm);
            at = next;
            int n = Math.min(count - copied, buffer.pos);
            System.arraycopy(buffer.entries, 0, all, copied, n);
            copied += n;
        }
        return Arrays.copyOf(all, copied);
    }

    private int addPages(long start, long end, Buffer buffer) {
        int err = 0;
        for (long addr = start; addr < end && err == 0; addr += geometry.pageSize()) {
            err = buffer.add(0, 0);
        }
        return err;
    }

    /// fs/proc/task_mmu.c: pagemap_pte_hole(). There may be VMAs in it, and gaps between them.
    private int pagemapPteHole(long start, long end, int depth, MmWalk<Buffer> walk) {
        long addr = start;
        int err = 0;
        while (addr < end && err == 0) {
            Vma vma = kernel.mmap().findVma(walk.mm(), addr);
            long holeEnd = vma == null ? end : Math.min(end, vma.start());
            err = addPages(addr, holeEnd, walk.data());
            addr = Math.max(addr, holeEnd);
            if (vma == null) {
                break;
            }
            if (err == 0) {
                long vmaEnd = Math.min(end, vma.end());
                err = addPages(addr, vmaEnd, walk.data());
                addr = Math.max(addr, vmaEnd);
            }
        }
        return err;
    }

    /// include/linux/leafops.h: as swap entries show in pagemap: type and frame.
    private static long swapFrame(long entry) {
        long type = SWP_MIGRATION_READ + (Entry.softleafKind(entry) / Entry.MIGRATION_READ - 1);
        if (Entry.isHwpoison(entry)) {
            type = SWP_MIGRATION_READ - 1;
        } else if (Entry.isSwap(entry)) {
            type = 0; // the first device
        }
        return type | Entry.pfn(entry) << SWAP_TYPE_BITS;
    }

    /// fs/proc/task_mmu.c: __folio_page_mapped_exclusively().
    private long exclusive(Folio folio, Page page) {
        boolean one = kernel.rmap().folioPrecisePageMapcount(folio, page) == 1;
        return one ? PM_MMAP_EXCLUSIVE : 0;
    }

    /// fs/proc/task_mmu.c: pte_to_pagemap_entry(). Adds what `pte` tells; the PTE lock is held.
    private int addPte(long pte, Buffer buffer) {
        if (Entry.none(pte)) {
            return buffer.add(0, 0);
        }
        boolean present = Entry.ptePresent(pte);
        long flags = present ? PM_PRESENT : PM_SWAP;
        Page page = present ? kernel.memMap().vmNormalPage(pte) : softleafPage(pte);
        if (page != null) {
            Folio folio = kernel.memMap().pageFolio(page);
            flags |= folio.isAnon() ? 0 : PM_FILE;
            flags |= present ? exclusive(folio, page) : 0;
        }
        return buffer.add(present ? Entry.pfn(pte) : swapFrame(pte), flags);
    }

    private @Nullable Page softleafPage(long pte) {
        return Entry.softleafHasPfn(pte) ? kernel.memMap().softleafToPage(kernel, pte) : null;
    }

    /// fs/proc/task_mmu.c: pagemap_pmd_range_thp(). The PMD lock is held.
    private int pagemapPmdRangeThp(Word pmdp, long start, long end, Buffer buffer) {
        long pmd = pmdp.readPlain();
        long frame = 0;
        long flags = 0;
        Page page = null;
        Folio folio = null;
        if (Entry.present(pmd)) {
            frame =
                    Entry.pfn(pmd)
                            + ((start & (geometry.size(Geometry.PMD) - 1)) >> geometry.pageShift());
            flags = PM_PRESENT;
            page = kernel.memMap().vmNormalPage(pmd);
        } else if (Entry.isMigration(pmd)) {
            long inside = start & (geometry.size(Geometry.PMD) - 1);
            frame = swapFrame(Entry.advancePfn(pmd, inside >> geometry.pageShift()));
            flags = PM_SWAP;
            page = kernel.memMap().softleafToPage(kernel, pmd);
        }
        if (page != null) {
            folio = kernel.memMap().pageFolio(page);
            flags |= folio.isAnon() ? 0 : PM_FILE;
        }
        int err = 0;
        for (long addr = start; addr != end && err == 0; addr += geometry.pageSize()) {
            boolean present = (flags & PM_PRESENT) != 0;
            err = buffer.add(frame, flags | (present ? mappedExclusively(folio, page) : 0));
            frame += present ? 1 : flags == 0 ? 0 : 1L << SWAP_TYPE_BITS;
        }
        return err;
    }

    private long mappedExclusively(@Nullable Folio folio, @Nullable Page page) {
        return folio == null || page == null ? 0 : exclusive(folio, page);
    }

    /// fs/proc/task_mmu.c: pagemap_pmd_range().
    private int pagemapPmdRange(Word pmdp, long start, long end, MmWalk<Buffer> walk) {
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmdp, walk.vma());
        if (ptl != null) {
            int err = pagemapPmdRangeThp(pmdp, start, end, walk.data());
            ptl.unlock();
            return err;
        }
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(walk.mm(), pmdp, start);
        if (pte == null) {
            walk.action(WalkAction.AGAIN);
            return 0;
        }
        int nr = (int) ((end - start) >> geometry.pageShift());
        int err = 0;
        for (int i = 0; i < nr && err == 0; i++) {
            err = addPte(pte.pte(i).readOnce(), walk.data());
        }
        pte.unmapUnlock();
        return err;
    }

    /// fs/proc/task_mmu.c: pagemap_hugetlb_range().
    private int pagemapHugetlbRange(
            Word ptep, long hmask, long start, long end, MmWalk<Buffer> walk) {
        Hstate h = HugetlbVmas.hstate(walk.vma());
        SpinLock ptl = kernel.hugetlb().walk().lock(walk.mm(), h, ptep);
        long pte = kernel.hugetlb().pte().get(h, ptep);
        long frame = 0;
        long flags = 0;
        if (Entry.ptePresent(pte)) {
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
            flags = PM_PRESENT | (folio.isAnon() ? 0 : PM_FILE);
            boolean shared =
                    kernel.rmap().hugetlbMaybeMappedShared(folio)
                            || kernel.hugetlb().pmdShare().isShared(ptep);
            flags |= shared ? 0 : PM_MMAP_EXCLUSIVE;
            frame = Entry.pfn(pte) + ((start & ~hmask) >> geometry.pageShift());
        }
        int err = 0;
        for (long addr = start; addr != end && err == 0; addr += geometry.pageSize()) {
            err = walk.data().add(frame, flags);
            frame += flags == 0 ? 0 : 1;
        }
        ptl.unlock();
        return err;
    }
}
