// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Moving and resizing mappings (mm/mremap.c).
///
/// # Locking
///
/// The mmap lock is held for writing. The new VMA is in place before the first entry moves; rmap
/// may find a page in both places or in one, but never in none.
public final class Mremap {
    private final Kernel kernel;
    private final Geometry geometry;

    Mremap(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// `struct vma_remap_struct`.
    private static final class Remap {
        final MmStruct mm;
        final int flags;
        long addr;
        long oldLen;
        long newLen;
        long newAddr;

        /// `uf`: who is to be told of it in the end.
        @Nullable UserfaultfdCtx userfaultfd;

        /// `uf_unmap_early`, `uf_unmap`: who is to be told of what was unmapped.
        final List<UffdEvents.Unmapped> unmapsEarly = new ArrayList<>();

        final List<UffdEvents.Unmapped> unmaps = new ArrayList<>();

        Remap(MmStruct mm, long addr, long oldLen, long newLen, int flags, long newAddr) {
            this.mm = mm;
            this.addr = addr;
            this.oldLen = oldLen;
            this.newLen = newLen;
            this.flags = flags;
            this.newAddr = newAddr;
        }

        boolean has(int flag) {
            return (flags & flag) != 0;
        }

        /// vrm_implies_new_addr().
        boolean impliesNewAddr() {
            return has(Mman.MREMAP_FIXED | Mman.MREMAP_DONTUNMAP);
        }
    }

    /// mm/mremap.c: do_mremap(). mremap(2): the address of the mapping, or a negative error number.
    public long mremap(MmStruct mm, long addr, long oldLen, long newLen, int flags, long newAddr) {
        long pageMask = geometry.pageSize() - 1;
        Remap vrm =
                new Remap(
                        mm,
                        addr,
                        (oldLen + pageMask) & ~pageMask,
                        (newLen + pageMask) & ~pageMask,
                        flags,
                        newAddr);
        if (!paramsValid(vrm)) {
            return -Errno.EINVAL;
        }
        kernel.mmapLock().writeLock(mm);
        boolean[] locked = {true};
        long ret = remap(vrm, locked);
        if (locked[0]) {
            kernel.mmapLock().writeUnlock(mm);
        }
        notifyUffd(vrm, ret < 0);
        kernel.files().taskWorkRun();
        return ret;
    }

    /// mm/mremap.c: notify_uffd(). What was unmapped is told of whether or not the rest has failed.
    private void notifyUffd(Remap vrm, boolean failed) {
        kernel.uffdEvents().unmapComplete(vrm.unmapsEarly);
        if (failed) {
            kernel.uffdEvents().mremapFail(vrm.userfaultfd);
        } else {
            kernel.uffdEvents().mremapComplete(vrm.userfaultfd, vrm.addr);
        }
        kernel.uffdEvents().unmapComplete(vrm.unmaps);
    }

    /// mm/mremap.c: check_mremap_params().
    private boolean paramsValid(Remap vrm) {
        long pageMask = geometry.pageSize() - 1;
        int known = Mman.MREMAP_MAYMOVE | Mman.MREMAP_FIXED | Mman.MREMAP_DONTUNMAP;
        if ((vrm.flags & ~known) != 0
                || (vrm.addr & pageMask) != 0
                || vrm.newLen <= 0
                || vrm.newLen > geometry.taskSize()) {
            return false;
        }
        if (!vrm.impliesNewAddr()) {
            return true;
        }
        boolean resizes = vrm.has(Mman.MREMAP_DONTUNMAP) && vrm.oldLen != vrm.newLen;
        // Where no address is given, the first pages are not meant: there the kernel would have no
        // mapping, but here is one.
        boolean given = vrm.has(Mman.MREMAP_FIXED) || vrm.newAddr != 0;
        boolean overlaps =
                given && vrm.addr < vrm.newAddr + vrm.newLen && vrm.newAddr < vrm.addr + vrm.oldLen;
        return Long.compareUnsigned(vrm.newAddr, geometry.taskSize() - vrm.newLen) <= 0
                && (vrm.newAddr & pageMask) == 0
                && vrm.has(Mman.MREMAP_MAYMOVE)
                && !resizes
                && !overlaps;
    }

    /// The part of do_mremap() with the mmap lock held, which a shrinking drops.
    private long remap(Remap vrm, boolean[] locked) {
        if (vrm.has(Mman.MREMAP_FIXED) && vrm.oldLen == vrm.newLen) {
            return remapMove(vrm);
        }
        Vma vma = kernel.mmap().vmaLookup(vrm.mm, vrm.addr);
        long err = checkPrepVma(vrm, vma);
        if (err != 0) {
            return err;
        }
        if (vrm.impliesNewAddr()) {
            return mremapTo(vrm, Objects.requireNonNull(vma));
        }
        if (vrm.newLen == vrm.oldLen) {
            return vrm.addr;
        }
        if (vrm.newLen < vrm.oldLen) {
            long ret = shrink(vrm, true);
            locked[0] = ret != 0;
            return ret != 0 ? ret : vrm.addr;
        }
        return expand(vrm, Objects.requireNonNull(vma));
    }

    /// mm/mremap.c: remap_move(). Moves all VMAs in the range, with the gaps between them. The new
    /// address, or the error of the first that cannot be moved.
    private long remapMove(Remap all) {
        long end = all.addr + all.oldLen;
        long target = all.newAddr;
        long ret = -Errno.EFAULT;
        long at = all.addr;
        Vma vma = kernel.munmap().vmaFind(all.mm, at, end);
        boolean first = true;
        while (vma != null) {
            long vmaEnd = vma.end();
            if (first && at < vma.start()
                    || (vma.flags() & Vma.VM_UFFD_FLAGS) != 0 && (!first || vmaEnd < end)) {
                return -Errno.EFAULT;
            }
            long from = Math.max(at, vma.start());
            long len = Math.min(end, vmaEnd) - from;
            Remap one = new Remap(all.mm, from, len, len, all.flags, target + from - at);
            long moved = checkPrepVma(one, vma);
            moved = moved == 0 ? mremapTo(one, vma) : moved;
            all.userfaultfd = one.userfaultfd;
            all.unmapsEarly.addAll(one.unmapsEarly);
            all.unmaps.addAll(one.unmaps);
            if (moved < 0) {
                return moved;
            }
            ret = first ? moved : ret;
            first = false;
            target = moved + one.newLen;
            at = vmaEnd;
            vma = at < end ? kernel.munmap().vmaFind(all.mm, at, end) : null;
        }
        return ret;
    }

    /// mm/mremap.c: check_prep_vma(), align_hugetlb(). 0 or a negative error number.
    private long checkPrepVma(Remap vrm, @Nullable Vma vma) {
        if (vma == null) {
            return -Errno.EFAULT;
        }
        if (vma.isHugetlb()) {
            long mask = HugetlbVmas.hstate(vma).mask();
            vrm.oldLen = (vrm.oldLen + ~mask) & mask;
            vrm.newLen = (vrm.newLen + ~mask) & mask;
            // A larger mapping would need reservations of its own.
            if (((vrm.addr | vrm.newAddr) & ~mask) != 0 || vrm.newLen > vrm.oldLen) {
                return -Errno.EINVAL;
            }
        }
        if (!vrm.impliesNewAddr() && vrm.newLen <= vrm.oldLen) {
            return 0;
        }
        if (vrm.oldLen == 0 && vma.mayShare()) {
            throw new IllegalArgumentException("mremap() of 0 bytes is not modelled");
        }
        boolean keep = vrm.has(Mman.MREMAP_DONTUNMAP);
        if (vrm.oldLen == 0 || keep && (vma.flags() & (Vma.VM_DONTEXPAND | Vma.VM_PFNMAP)) != 0) {
            return -Errno.EINVAL;
        }
        if (Math.min(vrm.oldLen, vrm.newLen) > vma.end() - vrm.addr) {
            return -Errno.EFAULT;
        }
        // What a device or hugetlb has mapped cannot grow.
        long fixed = Vma.VM_DONTEXPAND | Vma.VM_PFNMAP;
        return vrm.newLen > vrm.oldLen && (vma.flags() & fixed) != 0 ? -Errno.EFAULT : 0;
    }

    /// mm/mremap.c: shrink_vma(). 0 or a negative error number.
    private long shrink(Remap vrm, boolean dropLock) {
        long start = vrm.addr + vrm.newLen;
        return kernel.munmap()
                .doVmiMunmap(vrm.mm, start, vrm.oldLen - vrm.newLen, vrm.unmaps, dropLock);
    }

    /// mm/mremap.c: mremap_to(). Moves the mapping to where the caller wants it.
    private long mremapTo(Remap vrm, Vma given) {
        Vma vma = given;
        if (vrm.has(Mman.MREMAP_FIXED)) {
            long err =
                    kernel.munmap()
                            .doVmiMunmap(vrm.mm, vrm.newAddr, vrm.newLen, vrm.unmapsEarly, false);
            if (err != 0) {
                return err;
            }
            vma = kernel.mmap().vmaLookup(vrm.mm, vrm.addr);
            if (vma == null) {
                return -Errno.EFAULT;
            }
        }
        if (vrm.newLen < vrm.oldLen) {
            long err = shrink(vrm, false);
            if (err != 0) {
                return err;
            }
            vrm.oldLen = vrm.newLen;
        }
        if (!vrm.has(Mman.MREMAP_FIXED)) { // vrm_set_new_addr()
            vrm.newAddr = kernel.mmap().getUnmappedArea(vrm.mm, vrm.newLen, geometry.pageSize());
            if (vrm.newAddr < 0) {
                return vrm.newAddr;
            }
        }
        return moveVma(vrm, vma);
    }

    /// mm/mremap.c: expand_vma(). In place where there is room behind, else elsewhere.
    private long expand(Remap vrm, Vma vma) {
        long end = vrm.addr + vrm.newLen;
        boolean room =
                vma.end() == vrm.addr + vrm.oldLen
                        && end <= geometry.taskSize()
                        && kernel.munmap().vmaFind(vrm.mm, vma.end(), end) == null;
        if (room) {
            kernel.vmaSplit().expand(vma, end);
            return vrm.addr;
        }
        if (!vrm.has(Mman.MREMAP_MAYMOVE)) {
            return -Errno.ENOMEM;
        }
        long offset = vma.linearPageIndex(geometry, vrm.addr) << geometry.pageShift();
        vrm.newAddr = kernel.mmap().unmappedArea(vrm.mm, vma.file, 0, vrm.newLen, false, offset);
        return vrm.newAddr < 0 ? vrm.newAddr : moveVma(vrm, vma);
    }

    /// mm/mremap.c: move_vma(), copy_vma_and_data(). The new address or a negative error number.
    private long moveVma(Remap vrm, Vma vma) {
        if (!vma.isAnonymous()) { // prep_move_vma()
            int err = vrm.addr == vma.start() ? 0 : VmaSplit.maySplit(vma, vrm.addr);
            long end = vrm.addr + vrm.oldLen;
            err = err != 0 || end == vma.end() ? err : VmaSplit.maySplit(vma, end);
            if (err != 0) {
                return err;
            }
        }
        kernel.vmaLock().vmaStartWrite(vma);
        Vma fresh = copyVma(vma, vrm);
        long moved = kernel.moveTables().move(vma, fresh, vrm.addr, vrm.newAddr, vrm.oldLen, false);
        if (moved == vrm.oldLen) {
            vrm.userfaultfd = kernel.uffdEvents().mremapPrep(fresh);
            kernel.hugetlb().vmas().fixupReservations(vma);
            if (vrm.has(Mman.MREMAP_DONTUNMAP)) {
                dontunmapComplete(vrm, vma);
            } else { // unmap_source_vma()
                kernel.munmap().doVmiMunmap(vrm.mm, vrm.addr, vrm.oldLen, vrm.unmaps, false);
            }
            return vrm.newAddr;
        }
        kernel.moveTables().move(fresh, vma, vrm.newAddr, vrm.addr, moved, true);
        kernel.hugetlb().vmas().fixupReservations(fresh);
        kernel.munmap().doVmiMunmap(vrm.mm, vrm.newAddr, vrm.newLen, vrm.unmaps, false);
        return -Errno.ENOMEM;
    }

    /// mm/mremap.c: dontunmap_complete(). The old VMA stays, as one in which nothing was touched
    /// yet, if all of it was moved.
    private void dontunmapComplete(Remap vrm, Vma vma) {
        if (vrm.addr == vma.start() && vrm.addr + vrm.oldLen == vma.end()) {
            kernel.anonVmas().unlinkAnonVmas(vma);
            vma.pgoff.writePlain(vrm.addr >> geometry.pageShift());
        }
    }

    /// mm/vma.c: copy_vma(). A VMA at the new place that maps the same; it is not merged.
    private Vma copyVma(Vma vma, Remap vrm) {
        long pgoff = vma.linearPageIndex(geometry, vrm.addr);
        if (vma.isAnonymous() && vma.anonVma.read(Order.PLAIN) == null) {
            pgoff = vrm.newAddr >> geometry.pageShift();
        }
        long end = vrm.newAddr + vrm.newLen;
        Vma fresh = kernel.vmaSplit().dup(vma, vrm.mm, vrm.newAddr, end, pgoff);
        kernel.anonVmas().anonVmaClone(fresh, vma);
        kernel.vmaSplit().openFile(fresh);
        kernel.mmap().insertNewVma(fresh, List.of()); // vma_link()
        return fresh;
    }
}
