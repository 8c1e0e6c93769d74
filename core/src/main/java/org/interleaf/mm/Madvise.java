// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// madvise(2) (mm/madvise.c), but for `MADV_COLLAPSE`.
///
/// # Locking
///
/// `MADV_DONTNEED` needs only the VMA's lock if the range is inside one VMA, the mmap lock for
/// reading otherwise. Populating needs the mmap lock for reading, changing flags the mmap lock for
/// writing.
final class Madvise {
    private final Kernel kernel;
    private final Geometry geometry;

    /// `enum madvise_lock_mode`.
    private enum LockMode {
        NONE,
        MMAP_READ,
        MMAP_WRITE,
        VMA_READ
    }

    /// `struct madvise_behavior`.
    private static final class Behavior {
        final MmStruct mm;
        final int advice;
        LockMode lockMode;
        long start;
        long end;

        /// The end of the part that is being advised about.
        long partEnd;

        /// Whether the lock was dropped meanwhile, and taken again.
        boolean lockDropped;

        /// For `MADV_DONTNEED`, which flushes once for the whole range.
        final @Nullable MmuGather tlb;

        Behavior(MmStruct mm, int advice, LockMode lockMode, @Nullable MmuGather tlb) {
            this.mm = mm;
            this.advice = advice;
            this.lockMode = lockMode;
            this.tlb = tlb;
        }
    }

    Madvise(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/madvise.c: madvise_behavior_valid(), of what not every kernel has.
    private boolean madviseBehaviorValid(int advice) {
        boolean thp = advice == Mman.MADV_HUGEPAGE || advice == Mman.MADV_NOHUGEPAGE;
        return !thp || kernel.arch().thp();
    }

    /// mm/madvise.c: do_madvise(). 0 or a negative error number.
    long doMadvise(MmStruct mm, long start, long length, int advice) {
        LockMode lockMode = lockMode(advice);
        long pageMask = geometry.pageSize() - 1;
        long len = (length + pageMask) & ~pageMask;
        if (lockMode == null
                || !madviseBehaviorValid(advice)
                || (start & pageMask) != 0
                || (length != 0 && len == 0)
                || Long.compareUnsigned(start + len, start) < 0) {
            return -Errno.EINVAL;
        }
        if (len == 0) {
            return 0;
        }
        if (advice == Mman.MADV_HWPOISON) {
            return kernel.memoryFailure().injectError(mm, start, start + length);
        }
        lock(mm, lockMode);
        MmuGather tlb = lockMode == LockMode.VMA_READ ? kernel.tlbGatherMmu(mm) : null;
        Behavior behavior = new Behavior(mm, advice, lockMode, tlb);
        behavior.start = start;
        behavior.end = start + len;
        long error = doBehavior(behavior);
        if (tlb != null) {
            tlb.finish();
        }
        unlock(mm, behavior.lockMode);
        return error;
    }

    /// mm/madvise.c: get_lock_mode(), madvise_behavior_valid(). Null for advice that nobody knows.
    private static @Nullable LockMode lockMode(int advice) {
        return switch (advice) {
            case Mman.MADV_POPULATE_READ,
                    Mman.MADV_POPULATE_WRITE,
                    Mman.MADV_REMOVE,
                    Mman.MADV_COLD,
                    Mman.MADV_PAGEOUT ->
                    LockMode.MMAP_READ;
            case Mman.MADV_DONTNEED, Mman.MADV_DONTNEED_LOCKED, Mman.MADV_FREE -> LockMode.VMA_READ;
            case Mman.MADV_HWPOISON -> LockMode.NONE;
            case Mman.MADV_HUGEPAGE, Mman.MADV_NOHUGEPAGE -> LockMode.MMAP_WRITE;
            default -> null;
        };
    }

    /// mm/madvise.c: madvise_lock(). The lock of a VMA is taken once the VMA is looked for.
    private void lock(MmStruct mm, LockMode mode) {
        switch (mode) {
            case MMAP_READ -> kernel.mmapLock().readLock(mm);
            case MMAP_WRITE -> kernel.mmapLock().writeLock(mm);
            case VMA_READ, NONE -> {}
        }
    }

    /// mm/madvise.c: madvise_unlock().
    private void unlock(MmStruct mm, LockMode mode) {
        switch (mode) {
            case MMAP_READ -> kernel.mmapLock().readUnlock(mm);
            case MMAP_WRITE -> kernel.mmapLock().writeUnlock(mm);
            case VMA_READ, NONE -> {}
        }
    }

    /// mm/madvise.c: madvise_do_behavior().
    private long doBehavior(Behavior behavior) {
        return switch (behavior.advice) {
            case Mman.MADV_POPULATE_READ, Mman.MADV_POPULATE_WRITE -> populate(behavior);
            default -> walkVmas(behavior);
        };
    }

    /// mm/madvise.c: madvise_populate(). Faults in the whole range.
    private long populate(Behavior behavior) {
        boolean write = behavior.advice == Mman.MADV_POPULATE_WRITE;
        long start = behavior.start;
        while (start < behavior.end) {
            long[] done = kernel.gup().faultinPageRange(behavior.mm, start, behavior.end, write);
            if (done[1] == 0) {
                kernel.mmapLock().readLock(behavior.mm);
            }
            if (done[0] < 0) {
                return done[0];
            }
            start += done[0] * geometry.pageSize();
        }
        return 0;
    }

    /// mm/madvise.c: madvise_walk_vmas(). Advises about each VMA in the range; holes in it make the
    /// result -ENOMEM, but do not keep the rest from being done.
    private long walkVmas(Behavior behavior) {
        if (behavior.lockMode == LockMode.VMA_READ) {
            Vma vma = tryVmaReadLock(behavior);
            if (vma != null) {
                int error = dontneedFree(behavior, vma, behavior.start, behavior.end);
                kernel.vmaLock().vmaEndRead(vma);
                return error;
            }
        }
        long unmapped = 0;
        long start = behavior.start;
        Vma vma = find(behavior.mm, start);
        while (true) {
            if (vma == null) {
                return -Errno.ENOMEM;
            }
            if (start < vma.start()) {
                unmapped = -Errno.ENOMEM;
                start = vma.start();
                if (start >= behavior.end) {
                    return unmapped;
                }
            }
            long end = Math.min(vma.end(), behavior.end);
            behavior.partEnd = end;
            int error = advise(behavior, vma, start, end);
            if (error != 0) {
                return error;
            }
            // The VMA ends where it was cut or later; cut at the end it is followed by the rest.
            // It may be gone where the lock was dropped.
            start = behavior.partEnd;
            start = behavior.lockDropped ? start : Math.max(start, vma.end());
            behavior.lockDropped = false;
            if (start >= behavior.end) {
                return unmapped;
            }
            vma = find(behavior.mm, start);
        }
    }

    private @Nullable Vma find(MmStruct mm, long addr) {
        return Objects.requireNonNull(mm.vmas.read(Order.PLAIN)).find(addr);
    }

    /// mm/madvise.c: try_vma_read_lock(), is_vma_lock_sufficient(). The VMA that the whole range is
    /// in, read-locked; null, and the mmap lock is held for reading, where that is not enough.
    private @Nullable Vma tryVmaReadLock(Behavior behavior) {
        Vma vma = kernel.vmaLock().lockVmaUnderRcu(behavior.mm, behavior.start);
        if (vma != null) {
            if (behavior.end <= vma.end() && (vma.flags() & Vma.VM_UFFD_FLAGS) == 0) {
                return vma;
            }
            kernel.vmaLock().vmaEndRead(vma);
        }
        kernel.mmapLock().readLock(behavior.mm);
        behavior.lockMode = LockMode.MMAP_READ;
        return null;
    }

    /// mm/madvise.c: madvise_vma_behavior(). 0 or a negative error number.
    private int advise(Behavior behavior, Vma vma, long start, long end) {
        if (behavior.tlb != null) {
            return dontneedFree(behavior, vma, start, end);
        }
        if (behavior.advice == Mman.MADV_REMOVE) {
            behavior.lockDropped = true;
            return remove(behavior.mm, vma, start, end);
        }
        if (behavior.lockMode == LockMode.MMAP_READ) {
            boolean pageout = behavior.advice == Mman.MADV_PAGEOUT;
            return kernel.madviseReclaim().coldOrPageout(vma, start, end, pageout);
        }
        long flags = vma.flags() & ~(Vma.VM_HUGEPAGE | Vma.VM_NOHUGEPAGE);
        boolean huge = behavior.advice == Mman.MADV_HUGEPAGE;
        if (huge && vma.isHugetlb()) {
            return -Errno.EINVAL; // hugepage_madvise()
        }
        return updateVma(vma, start, end, flags | (huge ? Vma.VM_HUGEPAGE : Vma.VM_NOHUGEPAGE));
    }

    /// mm/madvise.c: madvise_remove(). Takes the pages out of the file as well, by a hole.
    private int remove(MmStruct mm, Vma vma, long start, long end) {
        if (vma.isAnonymous()) {
            return -Errno.EINVAL;
        }
        long shared = Vma.VM_SHARED | Vma.VM_MAYWRITE;
        if ((vma.flags() & shared) != shared) {
            return -Errno.EACCES;
        }
        OpenFile file = vma.file();
        long offset = start - vma.start() + (vma.pgoff() << geometry.pageShift());
        kernel.files().getFile(file);
        if (kernel.uffdEvents().remove(vma, start)) {
            kernel.mmapLock().readUnlock(mm);
        }
        int mode = Mman.FALLOC_FL_PUNCH_HOLE | Mman.FALLOC_FL_KEEP_SIZE;
        int error = kernel.vfs().fallocate(mm, file, mode, offset, end - start);
        kernel.files().fput(file);
        kernel.mmapLock().readLock(mm);
        return error;
    }

    /// mm/madvise.c: madvise_dontneed_free(). A userfaultfd is told first, without the mmap lock:
    /// what is there afterwards is looked for again.
    private int dontneedFree(Behavior behavior, Vma given, long start, long end) {
        Vma vma = given;
        long to = dontneedEnd(behavior, vma, start, end);
        if (to <= start) {
            return to < 0 ? (int) to : 0;
        }
        if (!kernel.uffdEvents().remove(vma, start)) {
            behavior.lockDropped = true;
            kernel.mmapLock().readLock(behavior.mm);
            vma = kernel.mmap().vmaLookup(behavior.mm, start);
            if (vma == null) {
                return -Errno.ENOMEM;
            }
            to = dontneedEnd(behavior, vma, start, to);
            to = to < 0 ? to : Math.min(to, vma.end());
            if (to <= start) {
                return to < 0 ? (int) to : 0;
            }
            behavior.partEnd = to;
        }
        return dontneed(behavior, vma, start, to);
    }

    /// mm/madvise.c: madvise_dontneed_free_valid_vma(). The end of what can be taken out: huge
    /// pages that are not in the range as a whole are kept. Or -EINVAL.
    private static long dontneedEnd(Behavior behavior, Vma vma, long start, long end) {
        if (vma.isHugetlb()) {
            long mask = HugetlbVmas.hstate(vma).mask();
            boolean valid = behavior.advice != Mman.MADV_FREE && (start & ~mask) == 0;
            return valid ? end & mask : -Errno.EINVAL;
        }
        return (vma.flags() & Vma.VM_PFNMAP) != 0 ? -Errno.EINVAL : end;
    }

    /// mm/madvise.c: madvise_dontneed_single_vma(), madvise_free_single_vma().
    private int dontneed(Behavior behavior, Vma vma, long start, long to) {
        MmuGather tlb = Objects.requireNonNull(behavior.tlb);
        if (behavior.advice == Mman.MADV_FREE) {
            boolean vmaLocked = behavior.lockMode == LockMode.VMA_READ;
            return kernel.madviseReclaim().free(tlb, vma, start, to, vmaLocked);
        }
        kernel.zap().zapVmaRangeBatched(tlb, vma, start, to, ZapDetails.RECLAIM_PT);
        return 0;
    }

    /// mm/madvise.c: madvise_update_vma(). Gives the part of the VMA in `[start, end)` new flags;
    /// the VMA is cut to that part, or the part merged with a neighbour. 0 or a negative error
    /// number.
    private int updateVma(Vma vma, long start, long end, long flags) {
        if (vma.flags() == flags) {
            return 0;
        }
        VmaMerge.Change change = VmaMerge.Change.ofFlags(vma, start, end, flags);
        VmaSplit.Modified modified = kernel.vmaSplit().vmaModify(change);
        if (modified.vma() != null) {
            kernel.vmaLock().vmaStartWrite(modified.vma());
            kernel.vmaLock().assertWriteLocked(modified.vma());
            modified.vma().flags.writePlain(flags);
        }
        return modified.error();
    }
}
