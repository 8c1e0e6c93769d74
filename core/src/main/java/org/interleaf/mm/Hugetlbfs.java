// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// hugetlbfs: files of huge pages, and the nameless ones behind `MAP_HUGETLB` and memfds
/// (fs/hugetlbfs/inode.c). Modes and owners, directories, `read()`, and what `stat()` tells are not
/// modelled.
public final class Hugetlbfs {
    private final Kernel kernel;
    private final Machine machine;
    private final Hugetlb hugetlb;

    /// Made in this execution and before, for those who look from outside.
    private final List<HugetlbInode> inodes = new ArrayList<>();

    private int inodesAtStart = -1;
    private final List<Subpool> subpools = new ArrayList<>();
    private @Nullable Hstate mounted;
    private @Nullable Subpool mountedSubpool;

    Hugetlbfs(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.hugetlb = hugetlb;
        machine.onReset(this::reset);
    }

    private void reset() {
        if (inodesAtStart < 0) {
            inodesAtStart = inodes.size();
        }
        inodes.subList(inodesAtStart, inodes.size()).clear();
    }

    /// The files that there are or have been, looked at from outside.
    public List<HugetlbInode> peekInodes() {
        return inodes;
    }

    /// Pages that are set aside in a pool for mounts and not in use; looked at from outside.
    public long peekSubpoolReserved(Hstate h) {
        long n = 0;
        for (Subpool spool : subpools) {
            n += spool.hstate() == h ? spool.peekReserved() : 0;
        }
        return n;
    }

    // ---- mounts

    /// fs/hugetlbfs/inode.c: hugetlbfs_fill_super(); mm/hugetlb.c: hugepage_new_subpool(). For the
    /// set-up: mounts a hugetlbfs with pages of the pool `h`.
    ///
    /// @param maxPages what its files may take at most, -1 for no limit
    /// @param minPages what is set aside for them, -1 for nothing
    /// @return false where the pool cannot set that much aside
    public boolean mount(Hstate h, long maxPages, long minPages) {
        if (minPages > 0 && hugetlb.pool().acctMemory(h, minPages) != 0) {
            return false;
        }
        mounted = h;
        if (maxPages >= 0 || minPages > 0) {
            mountedSubpool = new Subpool(machine, h, maxPages, minPages > 0 ? minPages : -1);
            subpools.add(mountedSubpool);
        }
        return true;
    }

    // ---- files

    /// fs/open.c: do_sys_openat2(), for a file of the mounted hugetlbfs. Null where there is none
    /// of that name and it is not to be made, or nothing is mounted.
    ///
    /// @param mode {@link OpenFile#READ} and {@link OpenFile#WRITE}
    public @Nullable OpenFile open(String path, boolean create, int mode) {
        HugetlbInode inode = null;
        for (HugetlbInode each : inodes) {
            inode = each.toString().equals(path) && each.linked() ? each : inode;
        }
        if (inode == null && create && mounted != null) {
            inode = getInode(path, 0, mounted, mountedSubpool);
            inode.link();
        }
        if (inode == null) {
            return null;
        }
        kernel.files().ihold(inode);
        return new OpenFile(machine, inode, mode);
    }

    /// mm/memfd.c: memfd_create(2), with `MFD_HUGETLB`: a file without a name. Null, and a negative
    /// error number in `error[0]`, where the flags do not allow it.
    public @Nullable OpenFile memfdCreate(String name, int flags, int[] error) {
        if ((flags & Mman.MFD_HUGETLB) == 0) {
            throw new IllegalArgumentException("memfd_create() is modelled with MFD_HUGETLB only");
        }
        int known = Mman.MFD_CLOEXEC | Mman.MFD_ALLOW_SEALING | Mman.MFD_HUGETLB;
        int size = Mman.MAP_HUGE_MASK << Mman.MAP_HUGE_SHIFT;
        if ((flags & ~(known | size)) != 0) {
            error[0] = -Errno.EINVAL;
            return null;
        }
        int log = flags >>> Mman.MAP_HUGE_SHIFT & Mman.MAP_HUGE_MASK;
        Hstate h = hugetlb.pool().hstateSizelog(log);
        if (h == null) {
            error[0] = -Errno.ENODEV;
            return null;
        }
        return fileSetup("memfd:" + name, 0, h);
    }

    /// fs/namei.c: do_unlinkat(). False where there is no file of that name.
    public boolean unlink(String path) {
        for (HugetlbInode each : inodes) {
            if (each.toString().equals(path) && each.unlink()) {
                kernel.files().iput(each);
                return true;
            }
        }
        return false;
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_get_inode().
    HugetlbInode getInode(String name, long size, Hstate h, @Nullable Subpool spool) {
        HugetlbInode inode = new HugetlbInode(machine, this, name, size, h, spool);
        inodes.add(inode);
        return inode;
    }

    /// fs/hugetlbfs/inode.c: hugetlb_file_setup(). A file without a name, of `size` bytes and
    /// without reservations, of the kernel's own mount of the pool.
    OpenFile fileSetup(String name, long size, Hstate h) {
        HugetlbInode inode = getInode(name + (inodes.size() + 1), size, h, null);
        return new OpenFile(machine, inode, OpenFile.READ | OpenFile.WRITE);
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_evict_inode(). Nobody has the file any more.
    void evictInode(HugetlbInode inode) {
        hugetlb.truncate().removeInodeHugepages(inode, 0, Long.MAX_VALUE);
        inode.resvMap().release();
    }

    // ---- pages

    /// mm/hugetlb.c: hugetlb_add_to_page_cache(). Puts a new folio, which is locked by this, at
    /// `index` of the file, counted in huge pages. 0 or a negative error number.
    int addToPageCache(Folio folio, Inode inode, long index) {
        folio.setLocked();
        int err = kernel.filemap().addFolio(inode, folio, index);
        if (err != 0) {
            folio.lock().unlock();
            return err;
        }
        folio.hugetlb().clear(HugetlbFolio.RESTORE_RESERVE);
        folio.setFlag(Folio.PG_DIRTY);
        inode.lock().lock(); // i_blocks
        inode.lock().unlock();
        return 0;
    }

    /// mm/hugetlb.c: hugetlbfs_pagecache_present(). Whether the file has a page for `addr`.
    boolean pagecachePresent(Vma vma, long addr) {
        long index =
                vma.linearPageIndex(kernel.geometry(), addr) >> HugetlbVmas.hstate(vma).order();
        Folio folio = kernel.filemap().getFolio(vma.inode(), index);
        if (folio != null) {
            kernel.swap().folioPut(folio);
        }
        return folio != null;
    }

    // ---- file operations

    /// fs/hugetlbfs/inode.c: hugetlb_get_unmapped_area(), as far as it refuses. 0 or -EINVAL.
    static int checkArea(Hstate h, long addr, long len, boolean fixed) {
        boolean bad = (len & ~h.mask()) != 0 || fixed && (addr & ~h.mask()) != 0;
        return bad ? -Errno.EINVAL : 0;
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_file_mmap(). The VMA, which nobody knows yet, is about to
    /// map its file. 0 or a negative error number.
    int fileMmap(Vma vma) {
        HugetlbInode inode = HugetlbVmas.inode(vma);
        Hstate h = inode.hstate();
        int pageShift = kernel.geometry().pageShift();
        long flags = vma.flags() | Vma.VM_HUGETLB | Vma.VM_DONTEXPAND;
        vma.flags.writePlain(flags);
        long pgoff = vma.pgoff();
        // As a number of bytes it must not have more bits than there are, with the sign.
        boolean tooLarge = pgoff >>> (Long.SIZE - pageShift - 1) != 0;
        if (tooLarge || (pgoff & (~h.mask() >> pageShift)) != 0) {
            return -Errno.EINVAL;
        }
        long end = vma.end() - vma.start() + (pgoff << pageShift);
        if (end < vma.end() - vma.start()) {
            return -Errno.EINVAL;
        }
        inode.rwsem().downWrite();
        boolean noreserve = (flags & Vma.VM_NORESERVE) != 0;
        int err =
                hugetlb.reserve()
                        .reservePages(inode, pgoff >> h.order(), end >> h.shift(), vma, noreserve);
        if (err == 0 && (flags & Vma.VM_WRITE) != 0 && inode.size.readPlain() < end) {
            inode.sizeWrite(end);
        }
        inode.rwsem().upWrite();
        return err < 0 ? -Errno.ENOMEM : 0;
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_setattr(). ftruncate(2). 0 or a negative error number.
    public int ftruncate(OpenFile file, long size) {
        if (!(file.inode() instanceof HugetlbInode inode)
                || size < 0
                || !file.may(OpenFile.WRITE)) {
            return -Errno.EINVAL;
        }
        inode.rwsem().downWrite(); // do_truncate()
        boolean whole = (size & ~inode.hstate().mask()) == 0;
        if (whole) {
            hugetlb.truncate().vmtruncate(inode, size);
        }
        inode.rwsem().upWrite();
        return whole ? 0 : -Errno.EINVAL;
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_fallocate(). fallocate(2). 0 or a negative error number.
    public int fallocate(MmStruct mm, OpenFile file, int mode, long offset, long len) {
        if (offset < 0 || len <= 0) { // vfs_fallocate()
            return -Errno.EINVAL;
        }
        int known = Mman.FALLOC_FL_KEEP_SIZE | Mman.FALLOC_FL_PUNCH_HOLE;
        int hole = Mman.FALLOC_FL_PUNCH_HOLE;
        if ((mode & ~known) != 0 || mode == hole) {
            return -Errno.EOPNOTSUPP;
        }
        if (!file.may(OpenFile.WRITE)) {
            return -Errno.EBADF;
        }
        if (offset + len < 0) {
            return -Errno.EFBIG;
        }
        if (!(file.inode() instanceof HugetlbInode inode)) {
            return -Errno.ENODEV;
        }
        return (mode & hole) != 0
                ? punchHole(inode, offset, len)
                : preallocate(mm, file, inode, mode, offset, len);
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_punch_hole(). Removes the whole huge pages of the range, and
    /// zeroes the parts of others.
    private int punchHole(HugetlbInode inode, long offset, long len) {
        Hstate h = inode.hstate();
        long end = offset + len;
        long holeStart = (offset + h.size() - 1) & h.mask();
        long holeEnd = end & h.mask();
        inode.rwsem().downWrite();
        inode.mmapRwsem().downWrite();
        if (offset < holeStart) {
            zeroPartialPage(inode, offset, Math.min(end, holeStart));
        }
        if (holeEnd > holeStart && kernel.mappingRmap().mappingMapped(inode)) {
            int pageShift = kernel.geometry().pageShift();
            hugetlb.truncate()
                    .vmdeleteList(inode, holeStart >> pageShift, holeEnd >> pageShift, false);
        }
        if (end > holeEnd && end > holeStart) {
            zeroPartialPage(inode, holeEnd, end);
        }
        inode.mmapRwsem().upWrite();
        if (holeEnd > holeStart) {
            hugetlb.truncate().removeInodeHugepages(inode, holeStart, holeEnd);
        }
        inode.rwsem().upWrite();
        return 0;
    }

    /// fs/hugetlbfs/inode.c: hugetlbfs_zero_partial_page(). Zeroes `[start, end)`, which is in one
    /// huge page, if that is in memory.
    private void zeroPartialPage(HugetlbInode inode, long start, long end) {
        Hstate h = inode.hstate();
        Folio folio = kernel.filemap().lockFolio(inode, start >> h.shift());
        if (folio == null) {
            return;
        }
        long from = start & ~h.mask();
        long to = end & ~h.mask();
        long pageSize = kernel.geometry().pageSize();
        for (long page = from / pageSize; page * pageSize < (to == 0 ? h.size() : to); page++) {
            long first = Math.max(from - page * pageSize, 0);
            long last = Math.min((to == 0 ? h.size() : to) - page * pageSize, pageSize);
            kernel.highmem().zeroSegment(folio.pfn() + page, first, last);
        }
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
    }

    /// The rest of hugetlbfs_fallocate(): puts pages where there are none.
    private int preallocate(
            MmStruct mm, OpenFile file, HugetlbInode inode, int mode, long offset, long len) {
        Hstate h = inode.hstate();
        long end = (offset + len + h.size() - 1) >> h.shift();
        inode.rwsem().downWrite();
        // The allocator wants a VMA: one that maps the file from its beginning.
        long flags = Vma.VM_HUGETLB | Vma.VM_MAYSHARE | Vma.VM_SHARED;
        Vma pseudo = new Vma(machine, mm, 0, 0, 0, flags, file);
        int err = 0;
        for (long index = offset >> h.shift(); index < end && err == 0; index++) {
            err = preallocateOne(pseudo, inode, index);
        }
        boolean keepSize = (mode & Mman.FALLOC_FL_KEEP_SIZE) != 0;
        if (err == 0 && !keepSize && offset + len > inode.size.readPlain()) {
            inode.sizeWrite(offset + len);
        }
        inode.rwsem().upWrite();
        return err;
    }

    /// One page of hugetlbfs_fallocate().
    private int preallocateOne(Vma pseudo, HugetlbInode inode, long index) {
        Mutex mutex = hugetlb.faultMutex(inode, index);
        mutex.lock();
        Folio there = kernel.filemap().getFolio(inode, index);
        if (there != null) {
            kernel.swap().folioPut(there);
            mutex.unlock();
            return 0;
        }
        long addr = index << inode.hstate().shift();
        Folio folio = hugetlb.reserve().alloc(pseudo, addr, false);
        if (folio == null) {
            mutex.unlock();
            return -Errno.ENOSPC;
        }
        for (int i = 0; i < inode.hstate().pages(); i++) { // folio_zero_user()
            kernel.highmem().clearPage(folio.pfn() + i);
        }
        folio.markUptodate();
        int err = addToPageCache(folio, inode, index);
        if (err != 0) {
            hugetlb.reserve().restoreReserveOnError(pseudo, addr, folio);
            kernel.swap().folioPut(folio);
            mutex.unlock();
            return err;
        }
        mutex.unlock();
        folio.hugetlb().set(HugetlbFolio.MIGRATABLE);
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
        return 0;
    }
}
