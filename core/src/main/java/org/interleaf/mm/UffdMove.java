// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.LockClasses;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// UFFDIO_MOVE (move_pages() of mm/userfaultfd.c): moves private anonymous pages to other addresses
/// of the process, by way of the page tables alone.
///
/// # Locking
///
/// Both mappings are read-locked, so tables above PTE level stay; PTE tables may go away, and huge
/// pages come and go, until the page-table locks are held. What is decided before is looked at
/// again under these.
public final class UffdMove {
    /// `UFFDIO_MOVE_MODE_DONTWAKE`, `UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES`.
    public static final int MODE_DONTWAKE = 1;

    public static final int MODE_ALLOW_SRC_HOLES = 2;

    /// What of a mapping cannot be moved.
    private static final long INCOMPATIBLE = Vma.VM_PFNMAP | Vma.VM_IO | Vma.VM_HUGETLB;

    private final Kernel kernel;
    private final Pgtable pgtable;
    private final Geometry geometry;
    private final UffdMovePtes ptes;
    private final UffdMoveHugePmd hugePmd;

    UffdMove(Kernel kernel) {
        this.kernel = kernel;
        this.pgtable = kernel.pgtable();
        this.geometry = kernel.geometry();
        this.ptes = new UffdMovePtes(kernel);
        this.hugePmd = new UffdMoveHugePmd(kernel);
    }

    /// mm/userfaultfd.c: userfaultfd_move(). Moves what is at `src` to `dst`, and wakes who waits
    /// there. 0, -EAGAIN where only a part was moved, or another negative error number.
    ///
    /// @param current the address space of the caller
    public long move(UserfaultfdCtx ctx, MmStruct current, long dst, long src, long len, int mode) {
        if (ctx.mmapChanging.readOnce() != 0) {
            return -Errno.EAGAIN;
        }
        if (ctx.mm != current) {
            return -Errno.EINVAL;
        }
        int err = kernel.userfaultfd().validateRange(dst, len);
        err = err == 0 ? kernel.userfaultfd().validateRange(src, len) : err;
        if (err != 0) {
            return err;
        }
        if ((mode & ~(MODE_ALLOW_SRC_HOLES | MODE_DONTWAKE)) != 0) {
            return -Errno.EINVAL;
        }
        if (!kernel.fork().mmgetNotZero(ctx.mm)) {
            return -Errno.ESRCH;
        }
        long ret = movePages(ctx, dst, src, len, (mode & MODE_ALLOW_SRC_HOLES) != 0);
        kernel.fork().mmput(ctx.mm);
        if (ret < 0) {
            return ret;
        }
        if ((mode & MODE_DONTWAKE) == 0) {
            kernel.uffdQueues().wake(ctx, dst, ret);
        }
        return ret == len ? 0 : -Errno.EAGAIN;
    }

    /// mm/userfaultfd.c: move_pages(). How many bytes were moved, or a negative error number where
    /// none.
    private long movePages(UserfaultfdCtx ctx, long dst, long src, long len, boolean holes) {
        UffdLocks.Result<UffdLocks.Pair> locked = kernel.uffdLocks().moveLock(ctx.mm, dst, src);
        UffdLocks.Pair vmas = locked.found();
        if (vmas == null) {
            return locked.error();
        }
        ctx.mapChangingLock.downRead();
        long ret = -Errno.EAGAIN;
        if (ctx.mmapChanging.readOnce() == 0) {
            int err = validate(ctx, vmas, dst, src, len);
            ret = err != 0 ? err : moveAll(vmas, dst, src, len, holes);
        }
        ctx.mapChangingLock.upRead();
        kernel.uffdLocks().moveUnlock(vmas);
        return ret;
    }

    private static int validate(
            UserfaultfdCtx ctx, UffdLocks.Pair vmas, long dst, long src, long len) {
        if ((vmas.src().flags() & Vma.VM_SHARED) != 0 || src + len > vmas.src().end()) {
            return -Errno.EINVAL;
        }
        if ((vmas.dst().flags() & Vma.VM_SHARED) != 0 || dst + len > vmas.dst().end()) {
            return -Errno.EINVAL;
        }
        return validateMoveAreas(ctx, vmas.src(), vmas.dst());
    }

    /// mm/userfaultfd.c: validate_move_areas().
    private static int validateMoveAreas(UserfaultfdCtx ctx, Vma src, Vma dst) {
        long access = Vma.VM_ACCESS_FLAGS;
        boolean movable =
                (src.flags() & access) == (dst.flags() & access)
                        && (src.flags() & Vma.VM_WRITE) != 0
                        && (src.flags() & INCOMPATIBLE) == 0 // vma_move_compatible()
                        && (dst.flags() & INCOMPATIBLE) == 0
                        && dst.userfaultfdCtx() == ctx
                        && src.isAnonymous()
                        && dst.isAnonymous();
        return movable ? 0 : -Errno.EINVAL;
    }

    /// The loop of move_pages().
    private long moveAll(UffdLocks.Pair vmas, long dst, long src, long len, boolean holes) {
        long moved = 0;
        long ret = 0;
        Rounds retries = null;
        while (ret >= 0 && moved < len) {
            ret = step(vmas, dst + moved, src + moved, len - moved, holes);
            if (ret == -Errno.EAGAIN) {
                retries = kernel.machine().retry(retries, "move_pages");
                ret = 0;
            }
            if (ret > 0) {
                moved += ret;
                kernel.machine().hasEffect();
            }
        }
        return moved > 0 ? moved : ret;
    }

    /// One round of it: how many bytes were moved, -EAGAIN or 0 for another round, or another
    /// negative error number.
    private long step(UffdLocks.Pair vmas, long dst, long src, long len, boolean holes) {
        MmStruct mm = vmas.dst().mm();
        Word srcPmd = pgtable.mmFindPmd(mm, src);
        if (srcPmd == null) {
            if (!holes) {
                return -Errno.ENOENT;
            }
            srcPmd = pgtable.alloc(Geometry.PMD, mm, src); // mm_alloc_pmd()
        }
        Word dstPmd = srcPmd == null ? null : pgtable.alloc(Geometry.PMD, mm, dst);
        if (srcPmd == null || dstPmd == null) {
            return -Errno.ENOMEM;
        }
        long dstPmdval = kernel.pgtableGeneric().pmdpGetLockless(dstPmd);
        if (Entry.leaf(dstPmdval)) {
            return -Errno.EEXIST;
        }
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(srcPmd, vmas.src());
        if (ptl == null) {
            int err = makeTables(mm, dstPmd, srcPmd, holes);
            return err != 0 ? err : ptes.move(vmas, dstPmd, srcPmd, dst, src, len, holes);
        }
        if (splits(dst, src, len) || !Entry.none(dstPmdval)) {
            return split(vmas.src(), srcPmd, src, ptl);
        }
        long moved = hugePmd.move(vmas, dstPmd, srcPmd, dstPmdval, ptl, dst, src);
        return moved == 0 ? geometry.size(Geometry.PMD) : moved;
    }

    /// mm/userfaultfd.c: move_splits_huge_pmd().
    private boolean splits(long dst, long src, long len) {
        long size = geometry.size(Geometry.PMD);
        return ((src | dst) & (size - 1)) != 0 || len < size;
    }

    /// The part of move_pages() for a huge page that cannot be moved as a whole. The PMD lock is
    /// held, and dropped.
    private long split(Vma vma, Word pmd, long addr, SpinLock ptl) {
        long value = pmd.readPlain();
        if (Entry.present(value) && !kernel.isHugeZeroPfn(Entry.pfn(value))) {
            Folio folio = kernel.memMap().pmdFolio(value);
            if (!folio.head().anonExclusive()) {
                ptl.unlock();
                return -Errno.EBUSY;
            }
        }
        ptl.unlock();
        if (HugeMemory.pmdIsHuge(pmd.readPlain())) {
            kernel.hugeMemory().splitHugePmd(vma, pmd, addr);
        }
        return 0;
    }

    /// The part of move_pages() that makes tables where there is no huge page. 0 or a negative
    /// error number.
    private int makeTables(MmStruct mm, Word dstPmd, Word srcPmd, boolean holes) {
        if (Entry.none(srcPmd.readPlain())) {
            if (!holes) {
                return -Errno.ENOENT;
            }
            if (!pgtable.pteAllocTable(mm, srcPmd)) {
                return -Errno.ENOMEM;
            }
        }
        return pgtable.pteAlloc(mm, dstPmd) ? 0 : -Errno.ENOMEM;
    }

    /// mm/userfaultfd.c: double_pt_lock(). Takes two locks, or one where they are the same, in an
    /// order that all keep.
    static void doublePtLock(SpinLock a, SpinLock b) {
        boolean inOrder = a.word().id() <= b.word().id();
        SpinLock first = inOrder ? a : b;
        SpinLock second = inOrder ? b : a;
        first.lock();
        if (second != first) {
            second.lockNested(LockClasses.SINGLE_DEPTH_NESTING);
        }
    }

    /// mm/userfaultfd.c: double_pt_unlock().
    static void doublePtUnlock(SpinLock a, SpinLock b) {
        a.unlock();
        if (a != b) {
            b.unlock();
        }
    }

    /// include/linux/mm.h: vm_normal_folio(). Null for the zero page and the like.
    static @Nullable Folio vmNormalFolio(Kernel kernel, long pte) {
        return Entry.special(pte)
                ? null
                : kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
    }
}
