// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Objects;

/// Mapping anonymous memory, and the system calls on address spaces (mm/mmap.c, mm/vma.c). System
/// calls return a negative error number, or 0 or an address.
///
/// VMAs are never merged, as mm/vma.c would merge adjacent ones that are alike. So that there is
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

    /// mm/util.c: vm_mmap_pgoff(). mmap(2) of private anonymous memory: the address, or a negative
    /// error number. Without `MAP_FIXED` `addr` is not looked at.
    public long mmap(MmStruct mm, long addr, long len, int prot, int flags) {
        if ((flags & Mman.MAP_ANONYMOUS) == 0 || (flags & Mman.MAP_TYPE) != Mman.MAP_PRIVATE) {
            throw new IllegalArgumentException(
                    "mmap() of anything but MAP_PRIVATE | MAP_ANONYMOUS memory is not modelled");
        }
        kernel.mmapLock().writeLock(mm);
        long ret = doMmap(mm, addr, len, prot, flags);
        kernel.mmapLock().writeUnlock(mm);
        return ret;
    }

    /// mm/mmap.c: __vm_munmap(). munmap(2).
    public long munmap(MmStruct mm, long start, long len) {
        kernel.mmapLock().writeLock(mm);
        long ret = kernel.munmap().doVmiMunmap(mm, start, len, true);
        if (ret != 0) {
            kernel.mmapLock().writeUnlock(mm);
        }
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
    private long doMmap(MmStruct mm, long wanted, long length, int prot, int flags) {
        if (length == 0) {
            return -Errno.EINVAL;
        }
        long pageMask = geometry.pageSize() - 1;
        long len = (length + pageMask) & ~pageMask;
        if (len <= 0) {
            return -Errno.ENOMEM;
        }
        boolean noreplace = (flags & Mman.MAP_FIXED_NOREPLACE) != 0;
        boolean fixed = noreplace || (flags & Mman.MAP_FIXED) != 0;
        long addr = fixed ? checkFixed(wanted, len) : getUnmappedArea(mm, len);
        if (addr < 0) {
            return addr;
        }
        if (noreplace && kernel.munmap().vmaFind(mm, addr, addr + len) != null) {
            return -Errno.EEXIST;
        }
        long vmFlags = prot & (Vma.VM_READ | Vma.VM_WRITE | Vma.VM_EXEC);
        return mmapRegion(mm, addr, len, vmFlags | Vma.VM_MAYREAD | Vma.VM_MAYWRITE);
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
    /// bytes fit and a page on either side is free as well; aligned for huge pages where one would
    /// fit. Not in the first page, which would make the address null.
    private long getUnmappedArea(MmStruct mm, long len) {
        long pmdSize = geometry.size(Geometry.PMD);
        long align = len >= pmdSize ? pmdSize : geometry.pageSize();
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
    /// there.
    private long mmapRegion(MmStruct mm, long addr, long len, long vmFlags) {
        Munmap munmap = kernel.munmap();
        Munmap.Vms vms = new Munmap.Vms(mm, addr, addr + len, false);
        Vma overlapping = munmap.vmaFind(mm, addr, addr + len);
        if (overlapping != null) {
            munmap.gatherMunmapVmas(vms, overlapping);
            // While the old VMAs are in the tree, so that nobody else can map anything there.
            munmap.clearPtes(vms, true);
        }
        mmapNewVma(mm, addr, len, vmFlags, vms.detached);
        munmap.completeMunmapVmas(vms);
        return addr;
    }

    /// mm/vma.c: __mmap_new_vma(). The new VMA takes the place of `gone` in the tree in one step.
    private void mmapNewVma(MmStruct mm, long addr, long len, long vmFlags, List<Vma> gone) {
        long pgoff = addr >> geometry.pageShift();
        Vma vma = new Vma(machine, mm, addr, addr + len, pgoff, vmFlags);
        // It is still being changed when it can be found already.
        kernel.vmaLock().vmaStartWrite(vma);
        kernel.vmaLock().vmaMarkAttached(vma);
        VmaTree tree = new VmaTree(machine, tree(mm).replaced(gone, List.of(vma)));
        mm.vmas.write(tree, Order.RELEASE);
    }
}
