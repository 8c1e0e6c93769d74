// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

/// UFFDIO_WRITEPROTECT (mm/userfaultfd.c): has a userfaultfd told of writes to pages that are
/// there.
///
/// # Flushing
///
/// Only the mmap lock is held, for reading, and the TLBs are flushed after the locks of the tables
/// have been dropped. So others may meanwhile write by older translations to what is read-only
/// already; whoever copies such a page flushes first ({@link WpFault}).
public final class UffdProtect {
    /// `UFFDIO_WRITEPROTECT_MODE_WP`, `UFFDIO_WRITEPROTECT_MODE_DONTWAKE`.
    public static final int MODE_WP = 1;

    public static final int MODE_DONTWAKE = 2;

    private final Kernel kernel;

    UffdProtect(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/userfaultfd.c: userfaultfd_writeprotect(). Protects the range, or undoes that and wakes
    /// who waits. 0 or a negative error number.
    public long writeprotect(UserfaultfdCtx ctx, long start, long len, int mode) {
        if (ctx.mmapChanging.readOnce() != 0) {
            return -Errno.EAGAIN;
        }
        int err = kernel.userfaultfd().validateRange(start, len);
        if (err != 0) {
            return err;
        }
        boolean protect = (mode & MODE_WP) != 0;
        boolean dontwake = (mode & MODE_DONTWAKE) != 0;
        if ((mode & ~(MODE_WP | MODE_DONTWAKE)) != 0 || protect && dontwake) {
            return -Errno.EINVAL;
        }
        if (!kernel.fork().mmgetNotZero(ctx.mm)) {
            return -Errno.ESRCH;
        }
        long ret = mwriteprotectRange(ctx, start, len, protect);
        kernel.fork().mmput(ctx.mm);
        if (ret == 0 && !protect && !dontwake) {
            kernel.uffdQueues().wake(ctx, start, len);
        }
        return ret;
    }

    /// mm/userfaultfd.c: mwriteprotect_range().
    private long mwriteprotectRange(UserfaultfdCtx ctx, long start, long len, boolean enable) {
        kernel.mmapLock().readLock(ctx.mm);
        ctx.mapChangingLock.downRead();
        long err = -Errno.EAGAIN;
        if (ctx.mmapChanging.readOnce() == 0) {
            err = protectVmas(ctx.mm, start, start + len, enable);
        }
        ctx.mapChangingLock.upRead();
        kernel.mmapLock().readUnlock(ctx.mm);
        return err;
    }

    private long protectVmas(MmStruct mm, long start, long end, boolean enable) {
        VmaTree tree = kernel.munmap().tree(mm);
        @Nullable Vma vma = tree.firstIn(start, end);
        long err = -Errno.ENOENT;
        while (vma != null) {
            if (!vma.userfaultfdWp()) {
                return -Errno.ENOENT;
            }
            long from = Math.max(vma.start(), start);
            long to = Math.min(vma.end(), end);
            err = uffdWpRange(vma, from, to, enable);
            if (err < 0) {
                return err;
            }
            err = 0;
            vma = tree.nextIn(vma, end);
        }
        return err;
    }

    /// mm/userfaultfd.c: uffd_wp_range(). The number of entries that were changed, or a negative
    /// error number.
    long uffdWpRange(Vma vma, long start, long end, boolean enable) {
        int flags = enable ? Mprotect.MM_CP_UFFD_WP : Mprotect.MM_CP_UFFD_WP_RESOLVE;
        if (!enable && Mprotect.wantsManualWriteUpgrade(vma)) {
            flags |= Mprotect.MM_CP_TRY_CHANGE_WRITABLE;
        }
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        long ret = kernel.mprotect().changeProtection(tlb, vma, start, end, flags);
        tlb.finish();
        return ret;
    }
}
