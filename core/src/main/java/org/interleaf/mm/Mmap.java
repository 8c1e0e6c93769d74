// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Mapping anonymous memory, and the system calls on address spaces (mm/mmap.c, mm/vma.c). System
/// calls return a negative error number, or 0 or an address.
///
/// New mappings are never merged with their neighbours, as mm/vma.c would do. So that there is
/// mostly nothing to merge, new mappings keep a page away from others unless they are told where to
/// go.
public final class Mmap {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    Mmap(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    // ---- system calls

    /// mm/mmap.c: ksys_mmap_pgoff(), without a file: see {@link #mmap(MmStruct, long, long, int,
    /// int, OpenFile, long)}.
    public long mmap(MmStruct mm, long addr, long len, int prot, int flags) {
        return mmap(mm, addr, len, prot, flags, null, 0);
    }

    /// mm/mmap.c: ksys_mmap_pgoff(). mmap(2): the address, or a negative error number. Without
    /// `MAP_FIXED` `addr` is not looked at.
    ///
    /// @param file what to map from byte `offset` on; not looked at with `MAP_ANONYMOUS`
    public long mmap(
            MmStruct mm,
            long addr,
            long len,
            int prot,
            int flags,
            @Nullable OpenFile file,
            long offset) {
        if ((offset & (geometry.pageSize() - 1)) != 0) {
            return -Errno.EINVAL;
        }
        boolean anonymous = (flags & Mman.MAP_ANONYMOUS) != 0;
        boolean hugetlb = (flags & Mman.MAP_HUGETLB) != 0;
        if (!anonymous && file == null) {
            return -Errno.EBADF;
        }
        if (anonymous && !hugetlb) {
            if ((flags & Mman.MAP_TYPE) == Mman.MAP_SHARED) {
                return mmapAnonShmem(mm, addr, len, prot, flags);
            }
            return vmMmapPgoff(mm, null, addr, len, prot, flags, 0);
        }
        if (!anonymous && (inode(file) instanceof Device || inode(file) instanceof ShmemInode)) {
            long pgoff = offset >> geometry.pageShift();
            long ret = vmMmapPgoff(mm, file, addr, len, prot, flags, pgoff);
            kernel.files().taskWorkRun();
            return ret;
        }
        if (!anonymous && !(inode(file) instanceof HugetlbInode)) {
            return -Errno.ENODEV;
        }
        Hstate h = anonymous ? sizelog(flags) : ((HugetlbInode) inode(file)).hstate();
        if (h == null) {
            return -Errno.EINVAL;
        }
        long aligned = (len + h.size() - 1) & h.mask();
        OpenFile mapped =
                anonymous
                        ? kernel.hugetlb().hugetlbfs().fileSetup("anon_hugepage", aligned, h)
                        : Objects.requireNonNull(file);
        long pgoff = offset >> geometry.pageShift();
        long ret = vmMmapPgoff(mm, mapped, addr, aligned, prot, flags, pgoff);
        if (anonymous) {
            kernel.files().fput(mapped);
        }
        kernel.files().taskWorkRun();
        return ret;
    }

    /// mm/shmem.c: shmem_zero_setup(). Shared anonymous memory is in a file without a name.
    private long mmapAnonShmem(MmStruct mm, long addr, long len, int prot, int flags) {
        OpenFile file = kernel.shmem().fileSetup("dev/zero", len);
        long ret = vmMmapPgoff(mm, file, addr, len, prot, flags, 0);
        kernel.files().fput(file);
        kernel.files().taskWorkRun();
        return ret;
    }

    private static Inode inode(@Nullable OpenFile file) {
        return Objects.requireNonNull(file).inode();
    }

    private @Nullable Hstate sizelog(int flags) {
        int log = flags >>> Mman.MAP_HUGE_SHIFT & Mman.MAP_HUGE_MASK;
        return kernel.hugetlb().pool().hstateSizelog(log);
    }

    /// mm/util.c: vm_mmap_pgoff().
    private long vmMmapPgoff(
            MmStruct mm,
            @Nullable OpenFile file,
            long addr,
            long len,
            int prot,
            int flags,
            long pgoff) {
        List<UffdEvents.Unmapped> unmaps = new ArrayList<>();
        kernel.mmapLock().writeLock(mm);
        long ret = doMmap(mm, file, addr, len, prot, flags, pgoff, unmaps);
        kernel.mmapLock().writeUnlock(mm);
        kernel.uffdEvents().unmapComplete(unmaps);
        if (ret > 0 && (flags & Mman.MAP_POPULATE) != 0) {
            kernel.gup().mmPopulate(mm, ret, len);
        }
        return ret;
    }

    /// mm/mmap.c: __vm_munmap(). munmap(2).
    public long munmap(MmStruct mm, long start, long len) {
        List<UffdEvents.Unmapped> unmaps = new ArrayList<>();
        kernel.mmapLock().writeLock(mm);
        long ret = kernel.munmap().doVmiMunmap(mm, start, len, unmaps, true);
        if (ret != 0) {
            kernel.mmapLock().writeUnlock(mm);
        }
        kernel.uffdEvents().unmapComplete(unmaps);
        kernel.files().taskWorkRun();
        return ret;
    }

    /// mm/madvise.c: do_madvise(). madvise(2), without the advice of which khugepaged is in charge.
    public long madvise(MmStruct mm, long start, long len, int advice) {
        return kernel.madvise().doMadvise(mm, start, len, advice);
    }

    // ---- finding VMAs

    /// mm/mmap.c: find_vma(). The first VMA that ends after `addr`; null where there is none. The
    /// mmap lock is held.
    public @Nullable Vma findVma(MmStruct mm, long addr) {
        kernel.mmapLock().assertLocked(mm);
        return tree(mm).find(addr);
    }

    /// include/linux/mm.h: vma_lookup(). The VMA that contains `addr`. The mmap lock is held.
    public @Nullable Vma vmaLookup(MmStruct mm, long addr) {
        kernel.mmapLock().assertLocked(mm);
        return tree(mm).lookup(addr);
    }

    private VmaTree tree(MmStruct mm) {
        return Objects.requireNonNull(mm.vmas.read(Order.PLAIN));
    }

    // ---- mapping

    /// mm/mmap.c: do_mmap(). The mmap lock is held for writing.
    private long doMmap(
            MmStruct mm,
            @Nullable OpenFile file,
            long wanted,
            long length,
            int prot,
            int flags,
            long pgoff,
            List<UffdEvents.Unmapped> unmaps) {
        kernel.mmapLock().assertWriteLocked(mm);
        if (length == 0) {
            return -Errno.EINVAL;
        }
        long pageMask = geometry.pageSize() - 1;
        long len = (length + pageMask) & ~pageMask;
        if (len <= 0) {
            return -Errno.ENOMEM;
        }
        if (pgoff + (len >> geometry.pageShift()) < pgoff) {
            return -Errno.EOVERFLOW;
        }
        boolean noreplace = (flags & Mman.MAP_FIXED_NOREPLACE) != 0;
        boolean fixed = noreplace || (flags & Mman.MAP_FIXED) != 0;
        long addr = unmappedArea(mm, file, wanted, len, fixed, pgoff << geometry.pageShift());
        if (addr < 0) {
            return addr;
        }
        if (noreplace && kernel.munmap().vmaFind(mm, addr, addr + len) != null) {
            return -Errno.EEXIST;
        }
        long vmFlags = prot & Vma.VM_ACCESS_FLAGS;
        vmFlags |= Vma.VM_MAYREAD | Vma.VM_MAYWRITE | Vma.VM_MAYEXEC;
        int type = flags & Mman.MAP_TYPE;
        boolean shared = type == Mman.MAP_SHARED || type == Mman.MAP_SHARED_VALIDATE;
        if (file != null && shared) {
            vmFlags |= Vma.VM_SHARED | Vma.VM_MAYSHARE;
        } else if (type != Mman.MAP_PRIVATE) {
            return -Errno.EINVAL;
        }
        if (file != null) {
            long refused = checkFile(file, vmFlags);
            if (refused != 0) {
                return refused;
            }
            if (!file.may(OpenFile.WRITE) && (vmFlags & Vma.VM_SHARED) != 0) {
                vmFlags &= ~(Vma.VM_MAYWRITE | Vma.VM_SHARED);
            }
            if ((flags & Mman.MAP_NORESERVE) != 0) {
                vmFlags |= Vma.VM_NORESERVE;
            }
        }
        return mmapRegion(mm, file, addr, len, vmFlags, pgoff, unmaps);
    }

    /// The part of do_mmap() that asks whether the file may be mapped like that. 0 or -EACCES.
    private static long checkFile(OpenFile file, long vmFlags) {
        boolean sharedWrite = (vmFlags & Vma.VM_SHARED) != 0 && (vmFlags & Vma.VM_WRITE) != 0;
        boolean allowed = file.may(OpenFile.READ) && (!sharedWrite || file.may(OpenFile.WRITE));
        return allowed ? 0 : -Errno.EACCES;
    }

    /// mm/mmap.c: __get_unmapped_area(). The address, or a negative error number.
    long unmappedArea(
            MmStruct mm,
            @Nullable OpenFile file,
            long wanted,
            long len,
            boolean fixed,
            long offset) {
        if (len > geometry.taskSize()) {
            return -Errno.ENOMEM;
        }
        long align = geometry.pageSize();
        if (file != null && file.inode() instanceof Device device) {
            return fixed ? checkFixed(wanted, len) : deviceArea(mm, device, len, offset);
        }
        if (file != null && file.inode() instanceof ShmemInode) {
            return fixed ? checkFixed(wanted, len) : shmemArea(mm, len, offset);
        }
        if (file != null) {
            Hstate h = ((HugetlbInode) file.inode()).hstate();
            int refused = Hugetlbfs.checkArea(h, wanted, len, fixed);
            if (refused != 0) {
                return refused;
            }
            align = h.size();
        }
        return fixed ? checkFixed(wanted, len) : getUnmappedArea(mm, len, align);
    }

    /// Where a device has something to say about it; there may be no place that suits it.
    private long deviceArea(MmStruct mm, Device device, long len, long offset) {
        long align = device.areaAlign(len, offset);
        long addr = getUnmappedArea(mm, len + align, geometry.pageSize());
        return addr < 0
                ? getUnmappedArea(mm, len, geometry.pageSize())
                : addr + ((offset - addr) & (align - 1));
    }

    /// mm/shmem.c: shmem_get_unmapped_area(). What is large enough is placed such that PMDs can map
    /// it, as where huge pages are not disabled.
    private long shmemArea(MmStruct mm, long len, long offset) {
        long pmdSize = geometry.size(Geometry.PMD);
        long remainder = offset & (pmdSize - 1);
        boolean hopeless = remainder != 0 && remainder + len < 2 * pmdSize;
        if (len < pmdSize || remainder == 0 || hopeless) {
            return getUnmappedArea(mm, len, geometry.pageSize());
        }
        long addr = getUnmappedArea(mm, len + pmdSize, geometry.pageSize());
        return addr < 0
                ? getUnmappedArea(mm, len, geometry.pageSize())
                : addr + ((offset - addr) & (pmdSize - 1));
    }

    /// mm/mmap.c: __get_unmapped_area(), for `MAP_FIXED`. The address, or a negative error number.
    private long checkFixed(long addr, long len) {
        long taskSize = geometry.taskSize();
        if (len > taskSize || Long.compareUnsigned(addr, taskSize - len) > 0) {
            return -Errno.ENOMEM;
        }
        return (addr & (geometry.pageSize() - 1)) == 0 ? addr : -Errno.EINVAL;
    }

    /// mm/mmap.c: arch_get_unmapped_area(), thp_get_unmapped_area(). The lowest address where `len`
    /// bytes fit and a page on either side is free as well; a multiple of `minAlign`, and aligned
    /// for huge pages where one would fit. Not in the first page, which would make the address
    /// null.
    long getUnmappedArea(MmStruct mm, long len, long minAlign) {
        long pmdSize = geometry.size(Geometry.PMD);
        long align = Math.max(minAlign, len >= pmdSize ? pmdSize : 0);
        long gap = geometry.pageSize();
        long addr = align;
        for (Vma vma : tree(mm).vmas()) {
            if (addr + len + gap <= vma.start()) {
                break;
            }
            addr = Math.max(addr, (vma.end() + gap + align - 1) & -align);
        }
        return addr + len <= geometry.taskSize() ? addr : -Errno.ENOMEM;
    }

    /// mm/vma.c: mmap_region(), __mmap_region(). Maps `[addr, addr + len)` instead of what is
    /// there. The address, or a negative error number, with nothing there.
    private long mmapRegion(
            MmStruct mm,
            @Nullable OpenFile file,
            long addr,
            long len,
            long vmFlags,
            long pgoff,
            List<UffdEvents.Unmapped> unmaps) {
        kernel.mmapLock().assertWriteLocked(mm);
        Munmap munmap = kernel.munmap();
        Munmap.Vms vms = new Munmap.Vms(mm, addr, addr + len, unmaps, false);
        Vma overlapping = munmap.vmaFind(mm, addr, addr + len);
        if (overlapping != null) {
            int err = munmap.gatherMunmapVmas(vms, overlapping);
            if (err != 0) {
                return err;
            }
            // While the old VMAs are in the tree, so that nobody else can map anything there.
            munmap.cleanUpArea(vms);
        }
        long offset = file == null ? addr >> geometry.pageShift() : pgoff;
        Vma vma = new Vma(machine, mm, addr, addr + len, offset, vmFlags, file);
        int err = file == null ? 0 : mmapFile(vma);
        if (err == 0) {
            insertNewVma(vma, vms.detached);
        } else if (!vms.detached.isEmpty()) {
            munmap.clearTree(vms); // vms_abort_munmap_vmas()
        }
        munmap.completeMunmapVmas(vms);
        return err == 0 ? addr : err;
    }

    /// mm/vma.c: __mmap_new_file_vma(). 0 or a negative error number.
    private int mmapFile(Vma vma) {
        kernel.files().getFile(vma.file());
        int err = 0; // shmem_mmap_prepare()
        if (vma.inode() instanceof Device device) {
            err = device.mmap(vma);
        } else if (vma.isHugetlb()) {
            err = kernel.hugetlb().hugetlbfs().fileMmap(vma);
        }
        if (err != 0) {
            kernel.files().fput(vma.file());
        }
        return err;
    }

    /// The end of mm/vma.c: __mmap_new_vma(). The new VMA takes the place of `gone` in the tree in
    /// one step.
    void insertNewVma(Vma vma, List<Vma> gone) {
        // It is still being changed when it can be found already.
        kernel.vmaLock().vmaStartWrite(vma);
        kernel.vmaLock().vmaMarkAttached(vma);
        VmaTree tree = new VmaTree(machine, tree(vma.mm()).replaced(gone, List.of(vma)));
        vma.mm().vmas.write(tree, Order.RELEASE);
        if (!vma.isAnonymous()) {
            kernel.mappingRmap().vmaLinkFile(vma);
        }
    }
}
