// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;

import java.util.Arrays;

/// mincore(2): which pages are in memory (mm/mincore.c).
public final class Mincore {
    private final Kernel kernel;
    private final Geometry geometry;
    private final MmWalkOps<Vec> walkOps;

    Mincore(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        walkOps =
                MmWalkOps.<Vec>builder(WalkLock.RDLOCK)
                        .pud(this::mincorePudEntry)
                        .pmd(this::mincorePteRange)
                        .hole(this::mincoreUnmappedRange)
                        .hugetlb(this::mincoreHugetlb)
                        .build();
    }

    /// One byte for each page, and how many are filled in.
    private static final class Vec {
        final byte[] bytes;
        int pos;

        Vec(int len) {
            bytes = new byte[len];
        }

        void fill(int nr, boolean resident) {
            Arrays.fill(bytes, pos, pos + nr, (byte) (resident ? 1 : 0));
            pos += nr;
        }
    }

    private int pages(long start, long end) {
        return (int) ((end - start) >> geometry.pageShift());
    }

    /// mm/mincore.c: mincore_hugetlb().
    private int mincoreHugetlb(Word ptep, long hmask, long addr, long end, MmWalk<Vec> walk) {
        Hstate h = HugetlbVmas.hstate(walk.vma());
        SpinLock ptl = kernel.hugetlb().walk().lock(walk.mm(), h, ptep);
        boolean resident = !Entry.none(kernel.hugetlb().pte().get(h, ptep));
        walk.data().fill(pages(addr, end), resident);
        ptl.unlock();
        return 0;
    }

    /// mm/mincore.c: mincore_page(). Whether the page cache has the page, up to date.
    private boolean mincorePage(Vma vma, long pgoff) {
        int order =
                vma.isHugetlb()
                        ? HugetlbVmas.hstate(vma).order()
                        : 0; // Page caches of the model count folios.
        Folio folio = kernel.filemap().getFolio(vma.inode(), pgoff >> order);
        if (folio == null) {
            return false;
        }
        boolean present = folio.testFlag(Folio.PG_UPTODATE);
        kernel.swap().folioPut(folio);
        return present;
    }

    /// mm/mincore.c: __mincore_unmapped_range().
    private void unmappedRange(long addr, long end, Vma vma, Vec vec) {
        int nr = pages(addr, end);
        if (vma.isAnonymous()) {
            vec.fill(nr, false);
            return;
        }
        long pgoff = vma.linearPageIndex(geometry, addr);
        for (int i = 0; i < nr; i++) {
            vec.fill(1, mincorePage(vma, pgoff + i));
        }
    }

    /// mm/mincore.c: mincore_unmapped_range().
    private int mincoreUnmappedRange(long addr, long end, int depth, MmWalk<Vec> walk) {
        unmappedRange(addr, end, walk.vma(), walk.data());
        return 0;
    }

    /// mm/mincore.c: mincore_pud_entry(). What is huge is in memory.
    private int mincorePudEntry(Word pudp, long addr, long end, MmWalk<Vec> walk) {
        long pud = pudp.readOnce();
        if (!geometry.folded(Geometry.PMD) && Entry.leaf(pud)) { // pud_is_huge()
            walk.data().fill(pages(addr, end), true);
            walk.action(WalkAction.CONTINUE);
        }
        return 0;
    }

    /// mm/mincore.c: mincore_pte_range().
    private int mincorePteRange(Word pmd, long start, long end, MmWalk<Vec> walk) {
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmd, walk.vma());
        int nr = pages(start, end);
        if (ptl != null) {
            walk.data().fill(nr, true);
            ptl.unlock();
            return 0;
        }
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(walk.mm(), pmd, start);
        if (pte == null) {
            walk.action(WalkAction.AGAIN);
            return 0;
        }
        for (int i = 0; i < nr; i++) {
            long value = pte.pte(i).readOnce();
            if (Entry.none(value) || Entry.isMarker(value)) {
                long addr = start + i * geometry.pageSize();
                unmappedRange(addr, addr + geometry.pageSize(), walk.vma(), walk.data());
            } else {
                walk.data().fill(1, Entry.ptePresent(value) || mincoreSwap(value));
            }
        }
        pte.unmapUnlock();
        return 0;
    }

    /// mm/mincore.c: mincore_swap(). Whether a page is in memory that has no present entry.
    private boolean mincoreSwap(long entry) {
        if (!Entry.isSwap(entry)) {
            return true;
        }
        Folio folio = kernel.swapState().swapCacheGetFolio(Entry.swpOffset(entry));
        if (folio == null) {
            return false;
        }
        boolean present = folio.testFlag(Folio.PG_UPTODATE);
        kernel.swap().folioPut(folio);
        return present;
    }

    /// mm/mincore.c: do_mincore(). How many pages of one VMA were looked at, or a negative error
    /// number. The mmap lock is held. Files are always the process' own.
    private int doMincore(MmStruct mm, long addr, int pages, Vec vec) {
        Vma vma = kernel.mmap().vmaLookup(mm, addr);
        if (vma == null) {
            return -Errno.ENOMEM;
        }
        long end = Math.min(vma.end(), addr + pages * geometry.pageSize());
        int err = kernel.pageWalk().walkPageRangeVma(vma, addr, end, walkOps, vec);
        return err < 0 ? err : pages(addr, end);
    }

    /// mm/mincore.c: mincore(2). A byte at the user address `vec` for each page from `start` on: 1
    /// where it is in memory. 0 or a negative error number; what was found before an error stays.
    public int mincore(MmStruct mm, long start, long len, long vec) {
        if ((start & (geometry.pageSize() - 1)) != 0) {
            return -Errno.EINVAL;
        }
        long taskSize = geometry.taskSize();
        if (!accessOk(start, len, taskSize)) {
            return -Errno.ENOMEM;
        }
        long pages =
                (len >>> geometry.pageShift()) + ((len & (geometry.pageSize() - 1)) != 0 ? 1 : 0);
        if (!accessOk(vec, pages, taskSize)) {
            return -Errno.EFAULT;
        }
        long addr = start;
        long to = vec;
        while (pages > 0) {
            int chunk = (int) Math.min(pages, geometry.pageSize());
            Vec found = new Vec(chunk);
            kernel.mmapLock().readLock(mm);
            int ret = doMincore(mm, addr, chunk, found);
            kernel.mmapLock().readUnlock(mm);
            if (ret <= 0) {
                return ret;
            }
            if (!copyToUser(mm, to, found.bytes, ret)) {
                return -Errno.EFAULT;
            }
            pages -= ret;
            to += ret;
            addr += ret * geometry.pageSize();
        }
        return 0;
    }

    /// include/asm-generic/access_ok.h: access_ok().
    private static boolean accessOk(long addr, long size, long limit) {
        return Long.compareUnsigned(size, limit) <= 0
                && Long.compareUnsigned(addr, limit - size) <= 0;
    }

    private boolean copyToUser(MmStruct mm, long to, byte[] bytes, int n) {
        for (int i = 0; i < n; i++) {
            if (!kernel.userAccess().copyToUser(mm, to + i, 1, bytes[i])) {
                return false;
            }
        }
        return true;
    }
}
