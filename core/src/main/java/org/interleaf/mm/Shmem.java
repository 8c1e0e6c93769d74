// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.WaitQueue;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// Files that live in memory: tmpfs, memfds, shared anonymous memory (mm/shmem.c). Quotas, limits
/// of a mount, seals and swapping out are not modelled.
///
/// # Locking
///
/// A page is put into the page cache locked, and is zeroed before it is unlocked. Who finds one
/// takes its lock and looks whether it still is in the cache: until the lock is dropped it stays
/// there, so whoever unmaps and then removes pages finds what was mapped meanwhile.
public final class Shmem implements VmOps {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    /// Made in this execution and before, for those who look from outside.
    private final List<ShmemInode> inodes = new ArrayList<>();

    private int inodesAtStart = -1;
    private Huge huge = Huge.NEVER;

    /// `enum sgp_type`: what a page is looked for, and what is done where there is none.
    enum Sgp {
        /// None is the answer.
        READ,
        /// An error is.
        NOALLOC,
        /// One is allocated.
        CACHE,
        /// The same, also beyond the end of the file; the caller fills it.
        WRITE,
        /// The same; what has been preallocated before is zeroed now.
        FALLOC;

        /// Whether only pages before the end of the file are meant.
        boolean insideSize() {
            return compareTo(CACHE) <= 0;
        }
    }

    /// The mount option `huge=`, and `/sys/kernel/mm/transparent_hugepage/shmem_enabled`: when
    /// faults allocate huge pages.
    public enum Huge {
        NEVER,
        ALWAYS,
        WITHIN_SIZE,
        ADVISE
    }

    /// A locked folio with a reference; or none, and a negative error number or 0.
    ///
    /// @param fault what a fault returns instead, which then has been dealt with
    record Found(@Nullable Folio folio, int error, int fault) {
        static Found of(@Nullable Folio folio) {
            return new Found(folio, 0, 0);
        }

        static Found error(int errno) {
            return new Found(null, -errno, 0);
        }
    }

    Shmem(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
        machine.onReset(this::reset);
    }

    private void reset() {
        if (inodesAtStart < 0) {
            inodesAtStart = inodes.size();
        }
        inodes.subList(inodesAtStart, inodes.size()).clear();
    }

    /// The files that there are or have been, looked at from outside.
    public List<ShmemInode> peekInodes() {
        return inodes;
    }

    /// For the set-up: when faults allocate huge pages.
    public void mount(Huge option) {
        huge = option;
    }

    // ---- files

    /// mm/shmem.c: shmem_get_inode(). Files can have a few times as many pages as a PTE table has
    /// entries.
    private ShmemInode getInode(String name, long size) {
        int pages = 4 * geometry.entries(Geometry.PTE);
        ShmemInode inode = new ShmemInode(machine, this, name, size, pages);
        inodes.add(inode);
        return inode;
    }

    /// mm/shmem.c: shmem_file_setup(). A file without a name, of `size` bytes.
    OpenFile fileSetup(String name, long size) {
        ShmemInode inode = getInode(name + (inodes.size() + 1), size);
        return new OpenFile(machine, inode, OpenFile.READ | OpenFile.WRITE);
    }

    /// fs/open.c: do_sys_openat2(), for a file of tmpfs. Null where there is none of that name and
    /// it is not to be made.
    ///
    /// @param mode {@link OpenFile#READ} and {@link OpenFile#WRITE}
    @Nullable OpenFile open(String path, boolean create, int mode) {
        ShmemInode inode = null;
        for (ShmemInode each : inodes) {
            inode = each.toString().equals(path) && each.linked() ? each : inode;
        }
        if (inode == null && create) {
            inode = getInode(path, 0);
            inode.link();
        }
        if (inode == null) {
            return null;
        }
        kernel.files().ihold(inode);
        return new OpenFile(machine, inode, mode);
    }

    /// mm/shmem.c: shmem_unlink(). False where there is no file of that name.
    boolean unlink(String path) {
        for (ShmemInode each : inodes) {
            if (each.toString().equals(path) && each.unlink()) {
                kernel.files().iput(each);
                return true;
            }
        }
        return false;
    }

    /// mm/shmem.c: shmem_evict_inode(). Nobody has the file any more.
    void evictInode(ShmemInode inode) {
        inode.size.writePlain(0);
        kernel.shmemTruncate().truncateRange(inode, 0, -1);
    }

    // ---- accounts

    /// mm/shmem.c: shmem_recalc_inode(). `pages` more are in the file; what has gone from the page
    /// cache without its being told is taken off the account as well.
    void recalcInode(ShmemInode inode, long pages) {
        inode.infoLock().lock();
        long alloced = inode.alloced.readPlain() + pages;
        inode.alloced.writePlain(alloced);
        long freed = alloced - inode.nrpages.readOnce();
        if (freed > 0) {
            inode.alloced.writePlain(alloced - freed);
        }
        inode.infoLock().unlock();
    }

    /// mm/shmem.c: shmem_charge(). Pages that are about to fill holes.
    void charge(ShmemInode inode, long pages) {
        inode.pagesLock().lock();
        inode.nrpages.writePlain(inode.nrpages.readPlain() + pages);
        inode.pagesLock().unlock();
        recalcInode(inode, pages);
    }

    // ---- the page cache

    /// mm/shmem.c: shmem_add_to_page_cache(). Puts a locked folio at `index`, with references of
    /// the cache's own. 0, or -EEXIST where anything is there.
    int addToPageCache(Folio folio, ShmemInode inode, long index) {
        int nr = folio.nrPages();
        folio.refAdd(nr);
        folio.setMapping(inode, index);
        inode.pagesLock().lock();
        boolean taken = inode.pages().conflict(index, folio.order());
        if (!taken) {
            inode.pages().store(index, folio.order(), XArray.entry(folio));
            inode.nrpages.writePlain(inode.nrpages.readPlain() + nr);
        }
        inode.pagesLock().unlock();
        if (taken) {
            folio.mapping.writePlain(0);
            folio.refSub(nr);
            return -Errno.EEXIST;
        }
        return 0;
    }

    /// mm/shmem.c: shmem_huge_global_enabled(), shmem_allowable_huge_orders(). Whether the file may
    /// have huge pages around `index`. Of the orders only that of a PMD is there.
    ///
    /// @param writeEnd the end of a write, in bytes, which may make the file larger
    /// @param force whether the size and the options do not matter
    boolean allowableHuge(
            ShmemInode inode, @Nullable Vma vma, long index, long writeEnd, boolean force) {
        long vmFlags = vma == null ? 0 : vma.flags();
        if (!kernel.arch().architecture().has(Architecture.Feature.THP)
                || (vmFlags & Vma.VM_NOHUGEPAGE) != 0) {
            return false;
        }
        return force
                || switch (huge) {
                    case NEVER -> false;
                    case ALWAYS -> true;
                    case WITHIN_SIZE ->
                            withinSize(inode, index, writeEnd) || (vmFlags & Vma.VM_HUGEPAGE) != 0;
                    case ADVISE -> (vmFlags & Vma.VM_HUGEPAGE) != 0;
                };
    }

    /// mm/shmem.c: shmem_get_orders_within_size().
    private boolean withinSize(ShmemInode inode, long index, long writeEnd) {
        long aligned = (index & -geometry.hpagePmdNr()) + geometry.hpagePmdNr();
        long size = Math.max(writeEnd, inode.sizeRead());
        return pages(size) >= aligned;
    }

    /// So many bytes in pages, rounded up.
    private long pages(long bytes) {
        return (bytes + geometry.pageSize() - 1) >> geometry.pageShift();
    }

    /// mm/shmem.c: shmem_suitable_orders(). Whether nothing is in the way of a huge page.
    private boolean suitableHuge(ShmemInode inode, @Nullable VmFault vmf, long index) {
        if (vmf != null && !kernel.hugeMemory().thpVmaSuitable(vmf.vma, vmf.address)) {
            return false;
        }
        long first = index & -geometry.hpagePmdNr();
        XArray.Cursor at = new XArray.Cursor(first);
        return !inode.pages().find(at, first + geometry.hpagePmdNr() - 1);
    }

    /// mm/shmem.c: shmem_alloc_and_add_folio(). A new locked folio in the page cache.
    private Found allocAndAddFolio(
            @Nullable VmFault vmf, ShmemInode inode, long index, boolean wantHuge) {
        if (wantHuge && !suitableHuge(inode, vmf, index)) {
            return Found.error(Errno.ENOMEM);
        }
        int order = wantHuge ? geometry.hpagePmdOrder() : 0;
        Folio folio = kernel.pageAlloc().folioAlloc(order);
        if (folio == null) {
            return Found.error(Errno.ENOMEM);
        }
        folio.setLocked();
        folio.setFlag(Folio.PG_SWAPBACKED);
        int error = addToPageCache(folio, inode, index & -(1L << order));
        if (error != 0) {
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
            return new Found(null, error, 0);
        }
        recalcInode(inode, 1L << order);
        kernel.swap().folioAddLru(folio);
        return Found.of(folio);
    }

    // ---- looking up and allocating

    /// mm/shmem.c: shmem_get_folio(). As {@link #getFolioGfp}, for no fault.
    Found getFolio(ShmemInode inode, long index, long writeEnd, Sgp sgp) {
        return getFolioGfp(inode, index, writeEnd, sgp, null);
    }

    /// mm/shmem.c: shmem_get_folio_gfp(). The folio at `index`, locked and with a reference; where
    /// there is none, what `sgp` says.
    private Found getFolioGfp(
            ShmemInode inode, long index, long writeEnd, Sgp sgp, @Nullable VmFault vmf) {
        if (index >= inode.pages().size()) {
            return Found.error(Errno.EFBIG);
        }
        while (true) {
            if (sgp.insideSize() && index << geometry.pageShift() >= inode.sizeRead()) {
                return Found.error(Errno.EINVAL);
            }
            Folio folio = kernel.filemap().getFolio(inode, index);
            if (folio != null && vmf != null && vmf.vma.userfaultfdMinor()) {
                kernel.swap().folioPut(folio);
                return new Found(null, 0, handleUserfault(vmf, Vma.VM_UFFD_MINOR));
            }
            if (folio != null) {
                folio.lock().lock();
                if (!folio.isMappedBy(inode)) { // truncated
                    folio.lock().unlock();
                    kernel.swap().folioPut(folio);
                    continue;
                }
                if (sgp == Sgp.WRITE) {
                    kernel.swap().folioMarkAccessed(folio);
                }
                if (folio.testFlag(Folio.PG_UPTODATE)) {
                    return Found.of(folio);
                }
                if (sgp != Sgp.READ) {
                    return clear(inode, index, sgp, folio, false);
                }
                folio.lock().unlock();
                kernel.swap().folioPut(folio);
            }
            if (sgp == Sgp.READ) {
                return Found.of(null);
            }
            if (sgp == Sgp.NOALLOC) {
                return Found.error(Errno.ENOENT);
            }
            if (vmf != null && vmf.vma.userfaultfdMissing()) {
                return new Found(null, 0, handleUserfault(vmf, Vma.VM_UFFD_MISSING));
            }
            Found fresh = alloc(inode, index, writeEnd, vmf);
            if (fresh.folio != null) {
                return afterAlloc(inode, index, sgp, fresh.folio);
            }
            if (fresh.error != -Errno.EEXIST) {
                recalcInode(inode, 0);
                return fresh;
            }
        }
    }

    /// The part of shmem_get_folio_gfp() that allocates: a huge page if that may be and can be had.
    private Found alloc(ShmemInode inode, long index, long writeEnd, @Nullable VmFault vmf) {
        Vma vma = vmf == null ? null : vmf.vma;
        if (allowableHuge(inode, vma, index, writeEnd, false)) {
            Found found = allocAndAddFolio(vmf, inode, index, true);
            if (found.folio != null || found.error == -Errno.EEXIST) {
                return found;
            }
        }
        return allocAndAddFolio(vmf, inode, index, false);
    }

    private Found afterAlloc(ShmemInode inode, long index, Sgp sgp, Folio folio) {
        if (folio.isLarge()) {
            inode.sizeRead(); // Whether it is for the shrinker, which is not modelled.
        }
        if (sgp == Sgp.WRITE) {
            folio.setFlag(Folio.PG_REFERENCED);
        }
        return clear(inode, index, sgp == Sgp.FALLOC ? Sgp.WRITE : sgp, folio, true);
    }

    /// The end of shmem_get_folio_gfp(), for a folio that is not up to date.
    private Found clear(ShmemInode inode, long index, Sgp sgp, Folio folio, boolean alloced) {
        if (sgp != Sgp.WRITE && !folio.testFlag(Folio.PG_UPTODATE)) {
            int nr = folio.nrPages();
            for (int i = 0; i < nr; i++) {
                kernel.highmem().clearPage(folio.pfn() + i);
            }
            folio.markUptodate();
        }
        // The file may have become shorter meanwhile.
        if (sgp.insideSize() && index << geometry.pageShift() >= inode.sizeRead()) {
            if (alloced) {
                kernel.filemap().removeFolio(inode, folio);
            }
            recalcInode(inode, 0);
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
            return Found.error(Errno.EINVAL);
        }
        return Found.of(folio);
    }

    private int handleUserfault(VmFault vmf, long reason) {
        return kernel.uffdFault().handleUserfault(vmf.vma, vmf.address, vmf.flags, reason);
    }

    // ---- faults

    /// mm/shmem.c: shmem_fault().
    @Override
    public int fault(VmFault vmf) {
        ShmemInode inode = (ShmemInode) vmf.vma.inode();
        if (inode.falloc.readOnce() != null) {
            int ret = fallocWait(vmf, inode);
            if (ret != 0) {
                return ret;
            }
        }
        Found found = getFolioGfp(inode, vmf.pgoff, 0, Sgp.CACHE, vmf);
        if (found.error != 0) { // vmf_error()
            return found.error == -Errno.ENOMEM ? VmFault.OOM : VmFault.SIGBUS;
        }
        if (found.folio == null) {
            return found.fault;
        }
        vmf.page = kernel.memMap().folioPage(found.folio, vmf.pgoff);
        return VmFault.LOCKED;
    }

    /// mm/shmem.c: shmem_falloc_wait(). Waits until the hole in which the fault is has been
    /// punched, since faults could keep the pages coming. 0 where it is in none, else what the
    /// fault returns.
    private int fallocWait(VmFault vmf, ShmemInode inode) {
        int ret = 0;
        OpenFile fpin = null;
        inode.lock().lock();
        ShmemFalloc falloc = inode.falloc.read(Order.PLAIN);
        if (falloc != null
                && falloc.waitq != null
                && vmf.pgoff >= falloc.start
                && vmf.pgoff < falloc.next.readPlain()) {
            ret = VmFault.NOPAGE;
            fpin = kernel.fileFault().maybeUnlockMmapForIo(vmf);
            WaitQueue waitq = falloc.waitq;
            waitq.prepare();
            inode.lock().unlock();
            waitq.sleep();
            inode.lock().lock();
        }
        inode.lock().unlock();
        if (fpin != null) {
            kernel.files().fput(fpin);
            ret = VmFault.RETRY;
        }
        return ret;
    }

    @Override
    public boolean hasMapPages() {
        return true;
    }

    /// `shmem_vm_ops.map_pages`.
    @Override
    public int mapPages(VmFault vmf, long first, long last) {
        return kernel.filemapMapPages().mapPages(vmf, first, last);
    }
}
