// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Userfaultfds: making them, saying which memory they are for, closing them (mm/userfaultfd.c).
///
/// # Locking
///
/// What a VMA is registered for changes under the mmap lock held for writing, with the VMA
/// write-locked: no fault is under way, and no page is being filled in.
public final class Userfaultfd {
    /// `UFFDIO_REGISTER_MODE_MISSING`, `UFFDIO_REGISTER_MODE_MINOR`.
    public static final int MODE_MISSING = 1;

    /// `UFFDIO_REGISTER_MODE_WP`.
    public static final int MODE_WP = 2;

    public static final int MODE_MINOR = 4;

    /// `UFFD_PAGEFAULT_FLAG_WRITE`, `UFFD_PAGEFAULT_FLAG_MINOR`.
    public static final int FLAG_WRITE = 1;

    /// `UFFD_PAGEFAULT_FLAG_WP`.
    public static final int FLAG_WP = 2;

    public static final int FLAG_MINOR = 4;

    /// `UFFD_FEATURE_…`: which changes of the address space the descriptor is told of.
    public static final long FEATURE_EVENT_FORK = 1 << 1;

    public static final long FEATURE_EVENT_REMAP = 1 << 2;
    public static final long FEATURE_EVENT_REMOVE = 1 << 3;
    public static final long FEATURE_EVENT_UNMAP = 1 << 6;

    /// Entries that are none can be write-protected, too.
    public static final long FEATURE_WP_UNPOPULATED = 1 << 13;

    /// Nobody is told of writes to write-protected pages: the protection goes.
    public static final long FEATURE_WP_ASYNC = 1 << 15;

    /// Faults raise SIGBUS.
    public static final long FEATURE_SIGBUS = 1 << 7;

    private static final long FEATURES =
            FEATURE_EVENT_FORK
                    | FEATURE_EVENT_REMAP
                    | FEATURE_EVENT_REMOVE
                    | FEATURE_EVENT_UNMAP
                    | FEATURE_WP_UNPOPULATED
                    | FEATURE_WP_ASYNC
                    | FEATURE_SIGBUS;

    /// All that is said of a fault beside its address.
    static final int FLAGS = FLAG_WRITE | FLAG_WP | FLAG_MINOR;

    private final Kernel kernel;
    private final Machine machine;

    Userfaultfd(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// mm/userfaultfd.c: new_userfaultfd(), userfaultfd_api(). userfaultfd(2), with the handshake
    /// of UFFDIO_API for `features`; null where there are no such (-EINVAL).
    public @Nullable UserfaultfdCtx create(MmStruct mm, boolean nonblock, long features) {
        if ((features & ~FEATURES) != 0) {
            return null;
        }
        mm.grab();
        long all =
                (features & FEATURE_WP_ASYNC) != 0 ? features | FEATURE_WP_UNPOPULATED : features;
        return new UserfaultfdCtx(machine, mm, nonblock, all);
    }

    /// mm/userfaultfd.c: userfaultfd_ctx_put().
    void ctxPut(UserfaultfdCtx ctx) {
        if (ctx.put()) {
            kernel.fork().mmdrop(ctx.mm);
        }
    }

    /// mm/userfaultfd.c: validate_unaligned_range(). 0 or a negative error number.
    int validateUnalignedRange(long start, long len) {
        long pageSize = kernel.geometry().pageSize();
        long taskSize = kernel.geometry().taskSize();
        boolean valid =
                (len & (pageSize - 1)) == 0
                        && len > 0
                        && start >= 0
                        && start < taskSize
                        && len <= taskSize - start;
        return valid ? 0 : -Errno.EINVAL;
    }

    /// mm/userfaultfd.c: validate_range(). 0 or a negative error number.
    int validateRange(long start, long len) {
        boolean aligned = (start & (kernel.geometry().pageSize() - 1)) == 0;
        return aligned ? validateUnalignedRange(start, len) : -Errno.EINVAL;
    }

    // ---- registering

    /// mm/userfaultfd.c: userfaultfd_register(). UFFDIO_REGISTER. 0 or a negative error number.
    public int register(UserfaultfdCtx ctx, long start, long len, int mode) {
        if (mode == 0 || (mode & ~(MODE_MISSING | MODE_WP | MODE_MINOR)) != 0) {
            return -Errno.EINVAL;
        }
        boolean supported = kernel.arch().architecture().has(Architecture.Feature.UFFD_WP);
        if ((mode & MODE_WP) != 0 && !supported) { // pgtable_supports_uffd()
            return -Errno.EINVAL;
        }
        long vmFlags = (mode & MODE_MISSING) != 0 ? Vma.VM_UFFD_MISSING : 0;
        vmFlags |= (mode & MODE_WP) != 0 ? Vma.VM_UFFD_WP : 0;
        vmFlags |= (mode & MODE_MINOR) != 0 ? Vma.VM_UFFD_MINOR : 0;
        int ret = validateRange(start, len);
        if (ret != 0) {
            return ret;
        }
        if (!kernel.fork().mmgetNotZero(ctx.mm)) {
            return -Errno.ENOMEM;
        }
        kernel.mmapLock().writeLock(ctx.mm);
        ret = checkRegister(ctx, start, start + len, vmFlags);
        if (ret == 0) {
            ret = registerRange(ctx, start, start + len, vmFlags);
        }
        kernel.mmapLock().writeUnlock(ctx.mm);
        kernel.fork().mmput(ctx.mm);
        return ret;
    }

    private @Nullable Vma firstIn(MmStruct mm, long start, long end) {
        return Objects.requireNonNull(mm.vmas.read(Order.PLAIN)).firstIn(start, end);
    }

    /// The first VMA after `vma` with a part before `end`; the tree may have changed.
    private @Nullable Vma nextIn(Vma vma, long end) {
        return Objects.requireNonNull(vma.mm().vmas.read(Order.PLAIN)).nextIn(vma, end);
    }

    /// The part of userfaultfd_register() that looks for mappings that do not fit.
    private int checkRegister(UserfaultfdCtx ctx, long start, long end, long vmFlags) {
        Vma vma = firstIn(ctx.mm, start, end);
        if (vma == null || misaligned(vma, start)) {
            return -Errno.EINVAL;
        }
        while (vma != null) {
            if (!canUserfault(vma, vmFlags, ctx.has(FEATURE_WP_ASYNC))) {
                return -Errno.EINVAL;
            }
            if ((vma.flags() & Vma.VM_MAYWRITE) == 0) {
                return -Errno.EPERM;
            }
            if (end <= vma.end() && misaligned(vma, end)) {
                return -Errno.EINVAL;
            }
            UserfaultfdCtx owner = vma.userfaultfdCtx();
            if (owner != null && owner != ctx) {
                return -Errno.EBUSY;
            }
            // What is write-protected would stay so, and nobody would know why.
            if (owner == ctx && (vma.flags() & Vma.VM_UFFD_WP & ~vmFlags) != 0) {
                return -Errno.EBUSY;
            }
            vma = nextIn(vma, end);
        }
        return 0;
    }

    private static boolean misaligned(Vma vma, long addr) {
        return vma.isHugetlb() && (addr & (HugetlbVmas.hstate(vma).size() - 1)) != 0;
    }

    /// mm/userfaultfd.c: vma_can_userfault(), anon_can_userfault(); mm/shmem.c:
    /// shmem_can_userfault(). Any memory may be write-protected where nobody is told of writes.
    private static boolean canUserfault(Vma vma, long vmFlags, boolean wpAsync) {
        long kinds = vmFlags & Vma.VM_UFFD_FLAGS;
        if (!vma.isHugetlb() && (vma.flags() & Vma.VM_SPECIAL) != 0) {
            return false;
        }
        return wpAsync && kinds == Vma.VM_UFFD_WP
                || vma.isHugetlb()
                || vma.isShmem()
                || vma.isAnonymous() && (kinds & Vma.VM_UFFD_MINOR) == 0;
    }

    /// mm/userfaultfd.c: userfaultfd_register_range().
    private int registerRange(UserfaultfdCtx ctx, long start, long end, long vmFlags) {
        Vma vma = firstIn(ctx.mm, start, end);
        while (vma != null) {
            boolean already = vma.userfaultfdCtx() == ctx && (vma.flags() & vmFlags) == vmFlags;
            if (!already) {
                long from = Math.max(start, vma.start());
                long to = Math.min(end, vma.end());
                VmaSplit.Modified modified = modify(vma, from, to, ctx, vmFlags);
                vma = modified.vma();
                if (vma == null) {
                    return modified.error();
                }
                if (vma.isHugetlb() && HugetlbPmdShare.disabledByUffd(vma)) {
                    kernel.hugetlb().pmdShare().unshareAll(vma);
                }
            }
            vma = nextIn(vma, end);
        }
        return 0;
    }

    /// mm/userfaultfd.c: userfaultfd_unregister(). UFFDIO_UNREGISTER. 0 or a negative error number.
    public int unregister(UserfaultfdCtx ctx, long start, long len) {
        int ret = validateRange(start, len);
        if (ret != 0) {
            return ret;
        }
        if (!kernel.fork().mmgetNotZero(ctx.mm)) {
            return -Errno.ENOMEM;
        }
        kernel.mmapLock().writeLock(ctx.mm);
        ret = checkUnregister(ctx, start, start + len);
        if (ret == 0) {
            ret = unregisterRange(ctx, start, start + len);
        }
        kernel.mmapLock().writeUnlock(ctx.mm);
        kernel.fork().mmput(ctx.mm);
        return ret;
    }

    private int checkUnregister(UserfaultfdCtx ctx, long start, long end) {
        Vma vma = firstIn(ctx.mm, start, end);
        if (vma == null || misaligned(vma, start)) {
            return -Errno.EINVAL;
        }
        while (vma != null) {
            UserfaultfdCtx owner = vma.userfaultfdCtx();
            boolean fits = canUserfault(vma, vma.flags(), ctx.has(FEATURE_WP_ASYNC));
            if (owner != null && owner != ctx || !fits) {
                return -Errno.EINVAL;
            }
            vma = nextIn(vma, end);
        }
        return 0;
    }

    private int unregisterRange(UserfaultfdCtx ctx, long start, long end) {
        Vma vma = firstIn(ctx.mm, start, end);
        while (vma != null) {
            if (vma.userfaultfdCtx() != null) {
                long from = Math.max(start, vma.start());
                long to = Math.min(end, vma.end());
                if (vma.userfaultfdMissing()) {
                    // Who waits is let go on: nobody would wake him after this.
                    kernel.uffdQueues().wake(ctx, from, to - from);
                }
                VmaSplit.Modified modified = clearVma(vma, from, to);
                vma = modified.vma();
                if (vma == null) {
                    return modified.error();
                }
            }
            vma = nextIn(vma, end);
        }
        return 0;
    }

    /// mm/userfaultfd.c: userfaultfd_clear_vma(). The part of the VMA is registered no more.
    private VmaSplit.Modified clearVma(Vma vma, long start, long end) {
        if (vma.userfaultfdWp()) {
            int flags = Mprotect.MM_CP_UFFD_WP_RESOLVE;
            flags |= Mprotect.wantsManualWriteUpgrade(vma) ? Mprotect.MM_CP_TRY_CHANGE_WRITABLE : 0;
            MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
            kernel.mprotect().changeProtection(tlb, vma, start, end, flags);
            tlb.finish();
        }
        return modify(vma, start, end, null, 0);
    }

    /// mm/vma.c: vma_modify_flags_uffd(); mm/userfaultfd.c: userfaultfd_set_ctx(). Has `ctx` handle
    /// faults of these kinds in a part of the VMA; null and 0 for nobody.
    private VmaSplit.Modified modify(
            Vma vma, long start, long end, @Nullable UserfaultfdCtx ctx, long uffdFlags) {
        long flags = vma.flags() & ~Vma.VM_UFFD_FLAGS | uffdFlags;
        VmaSplit.Modified modified =
                kernel.vmaSplit().vmaModify(new VmaMerge.Change(vma, start, end, flags, ctx));
        if (modified.vma() != null) {
            kernel.vmaLock().vmaStartWrite(modified.vma());
            modified.vma().setUserfaultfd(ctx, uffdFlags);
        }
        return modified;
    }

    /// A request of the running task to the descriptor begins, which stays open while it is under
    /// way; false where it is closed.
    public boolean fdget(UserfaultfdCtx ctx) {
        boolean open = ctx.fdget(machine.current().id());
        if (!open) {
            fdput(ctx);
        }
        return open;
    }

    /// The request has ended. On its way back to user space the task releases the file if that was
    /// closed meanwhile and nobody else uses it (task_work of `fput()`).
    public void fdput(UserfaultfdCtx ctx) {
        if (ctx.fdput(machine.current().id())) {
            release(ctx);
        }
    }

    /// close(2) of the descriptor: 0 or -EBADF.
    public long close(UserfaultfdCtx ctx) {
        UserfaultfdCtx.Closing closing = ctx.close(machine.current().id());
        if (closing == UserfaultfdCtx.Closing.LAST) {
            release(ctx);
        }
        return closing == UserfaultfdCtx.Closing.NOT_OPEN ? -Errno.EBADF : 0;
    }

    /// mm/userfaultfd.c: userfaultfd_release(). The descriptor has been closed.
    private void release(UserfaultfdCtx ctx) {
        ctx.released.writeOnce(1);
        if (kernel.fork().mmgetNotZero(ctx.mm)) {
            releaseAll(ctx);
            kernel.fork().mmput(ctx.mm);
        }
        // No new fault can come to wait: those that do already are let go on.
        UffdQueues.wakeQueued(ctx, 0, 0);
        ctx.eventLock.lock(); // wake_up_all()
        ctx.eventWaiters.wakeAll();
        ctx.eventLock.unlock();
        UffdFault.wakeUpPoll(ctx);
        ctxPut(ctx);
    }

    /// mm/userfaultfd.c: userfaultfd_release_all(). No VMA leads to the userfaultfd any more.
    private void releaseAll(UserfaultfdCtx ctx) {
        kernel.mmapLock().writeLock(ctx.mm);
        Vma vma = firstIn(ctx.mm, 0, kernel.geometry().taskSize());
        while (vma != null) {
            if (vma.userfaultfdCtx() == ctx) {
                VmaSplit.Modified modified = clearVma(vma, vma.start(), vma.end());
                vma = Objects.requireNonNullElse(modified.vma(), vma);
            }
            vma = nextIn(vma, kernel.geometry().taskSize());
        }
        kernel.mmapLock().writeUnlock(ctx.mm);
    }
}
