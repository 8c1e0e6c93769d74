// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Unmapping (mm/vma.c).
///
/// # Locking
///
/// VMAs are taken out of the tree under the mmap lock held for writing and their own write locks.
/// Nobody can find them after that, so the rest, which takes long, needs the lock for reading only:
/// it unmaps the pages, hides the VMAs from rmap and then frees the page tables, without any
/// page-table lock. Others may fault and walk in the rest of the address space meanwhile.
final class Munmap {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;

    Munmap(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
    }

    /// `struct vma_munmap_struct` (mm/vma.h).
    static final class Vms {
        final MmStruct mm;
        final long start;
        final long end;

        /// Whether the lock is to be downgraded on the way and released at the end.
        final boolean unlock;

        final List<Vma> detached = new ArrayList<>();

        /// `uf`: whom to tell of it in the end.
        final List<UffdEvents.Unmapped> unmaps;

        /// Whether `vm_ops->close()` has been called for them.
        boolean closed;

        /// The range in which tables can be freed; 0 is the bottom or the top of the address space.
        long unmapStart;

        long unmapEnd;
        boolean clearPtes;

        Vms(MmStruct mm, long start, long end, List<UffdEvents.Unmapped> unmaps, boolean unlock) {
            this.mm = mm;
            this.start = start;
            this.end = end;
            this.unmaps = unmaps;
            this.unlock = unlock;
        }
    }

    /// mm/vma.c: do_vmi_munmap(). Unmaps `[start, start + len)`; 0 or a negative error number. The
    /// mmap lock is held for writing; it is released on success if `unlock`. Userfaultfds that want
    /// to be told of it are added to `unmaps`.
    long doVmiMunmap(
            MmStruct mm, long start, long len, List<UffdEvents.Unmapped> unmaps, boolean unlock) {
        long pageMask = geometry.pageSize() - 1;
        long taskSize = geometry.taskSize();
        if ((start & pageMask) != 0
                || Long.compareUnsigned(start, taskSize) > 0
                || Long.compareUnsigned(len, taskSize - start) > 0) {
            return -Errno.EINVAL;
        }
        long end = start + ((len + pageMask) & ~pageMask);
        if (end == start) {
            return -Errno.EINVAL;
        }
        Vma vma = vmaFind(mm, start, end);
        if (vma == null) {
            if (unlock) {
                kernel.mmapLock().writeUnlock(mm);
            }
            return 0;
        }
        return doVmiAlignMunmap(vma, new Vms(mm, start, end, unmaps, unlock));
    }

    /// mm/vma.c: do_vmi_align_munmap(). `vma` is the first in the range.
    private long doVmiAlignMunmap(Vma vma, Vms vms) {
        int err = gatherMunmapVmas(vms, vma);
        if (err == 0) {
            clearTree(vms);
            completeMunmapVmas(vms);
        }
        return err;
    }

    /// `vma_iter_clear_gfp()`: nobody finds the VMAs any more.
    void clearTree(Vms vms) {
        List<Vma> left = tree(vms.mm).replaced(vms.detached, List.of());
        vms.mm.vmas.write(new VmaTree(machine, left), Order.RELEASE);
    }

    /// include/linux/mm.h: vma_find(). The first VMA with a part in `[start, end)`.
    @Nullable Vma vmaFind(MmStruct mm, long start, long end) {
        return tree(mm).firstIn(start, end);
    }

    /// `mm_mt`: the VMAs, under the mmap lock.
    VmaTree tree(MmStruct mm) {
        return Objects.requireNonNull(mm.vmas.read(Order.PLAIN));
    }

    /// mm/vma.c: vms_gather_munmap_vmas(). Cuts the first and the last VMA at the ends of the
    /// range, and write-locks and detaches all in it. They are in the tree until the caller takes
    /// them out. 0, or a negative error number where a VMA cannot be cut there.
    int gatherMunmapVmas(Vms vms, Vma first) {
        if (vms.start > first.start()) {
            int err = kernel.vmaSplit().splitVma(first, vms.start, true);
            if (err != 0) {
                return err;
            }
        }
        Vma prev = tree(vms.mm).previous(first);
        if (prev != null) {
            vms.unmapStart = prev.end();
        }
        Vma next = first;
        while (next != null) {
            if (next.end() > vms.end) {
                int err = kernel.vmaSplit().splitVma(next, vms.end, false);
                if (err != 0) {
                    vms.detached.forEach(kernel.vmaLock()::vmaMarkAttached); // reattach_vmas()
                    return err;
                }
            }
            kernel.vmaLock().vmaStartWrite(next);
            vms.detached.add(next);
            kernel.vmaLock().vmaMarkDetached(next);
            kernel.uffdEvents().unmapPrep(next, vms.start, vms.end, vms.unmaps);
            next = tree(vms.mm).nextIn(next, vms.end);
        }
        next = tree(vms.mm).next(vms.detached.getLast());
        if (next != null) {
            vms.unmapEnd = next.start();
        }
        vms.clearPtes = true;
        return 0;
    }

    /// mm/vma.c: vms_complete_munmap_vmas(). The VMAs are out of the tree.
    void completeMunmapVmas(Vms vms) {
        if (vms.unlock) {
            kernel.mmapLock().writeDowngrade(vms.mm);
        }
        clearPtes(vms, !vms.unlock);
        for (Vma vma : vms.detached) {
            if (!vms.closed) {
                vmaClose(vma);
            }
            fputOf(vma);
            vma.free();
        }
        if (vms.unlock) {
            kernel.mmapLock().readUnlock(vms.mm);
        }
    }

    /// mm/vma.c: vms_clean_up_area(). Does what must be done before something else is mapped there.
    void cleanUpArea(Vms vms) {
        clearPtes(vms, true);
        vms.detached.forEach(this::vmaClose);
        vms.closed = true;
    }

    /// mm/vma.c: remove_vma(). Nobody can find the VMA any more.
    void removeVma(Vma vma) {
        vmaClose(vma);
        fputOf(vma);
        vma.free();
    }

    private void fputOf(Vma vma) {
        if (!vma.isAnonymous()) {
            kernel.files().fput(vma.file());
        }
    }

    /// mm/util.c: vma_close().
    void vmaClose(Vma vma) {
        if (vma.isHugetlb()) {
            kernel.hugetlb().vmas().close(vma);
        }
    }

    /// mm/vma.c: vms_clear_ptes(), unmap_region(). Unmaps the pages and frees the tables of
    /// detached VMAs, unless that has been done.
    void clearPtes(Vms vms, boolean mmWrLocked) {
        if (!vms.clearPtes) {
            return;
        }
        MmuGather tlb = kernel.tlbGatherMmu(vms.mm);
        kernel.zap().unmapVmas(tlb, vms.detached, vms.start, vms.end);
        kernel.freePgtables()
                .freePgtables(tlb, vms.detached, vms.unmapStart, vms.unmapEnd, mmWrLocked);
        tlb.finish();
        vms.clearPtes = false;
    }
}
