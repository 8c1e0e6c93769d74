// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

/// The mappings that a request of a userfaultfd works on, found and locked (mm/userfaultfd.c).
///
/// # Locking
///
/// Each is read-locked by itself where that can be had at once, else with the help of the mmap lock
/// held for reading. Who holds the lock of one mapping must not wait for the mmap lock:
///
/// | MOVE                  | mprotect                  |
/// |-----------------------|---------------------------|
/// | read-locks destination |                          |
/// |                       | takes the mmap lock       |
/// |                       | write-locks the source    |
/// | source is write-locked: waits for the mmap lock | |
/// |                       | waits for the destination |
final class UffdLocks {
    private final Kernel kernel;

    UffdLocks(Kernel kernel) {
        this.kernel = kernel;
    }

    /// What a request works on; both the same where they are in one mapping.
    record Pair(Vma dst, Vma src) {}

    /// What has been found, or why not.
    ///
    /// @param error a negative error number where `found` is null
    record Result<T>(@Nullable T found, int error) {
        static <T> Result<T> of(T found) {
            return new Result<>(found, 0);
        }

        static <T> Result<T> error(int errno) {
            return new Result<>(null, -errno);
        }
    }

    /// mm/userfaultfd.c: uffd_lock_vma(). The mapping of `addr`, read-locked and with an anon_vma
    /// if it will need one.
    Result<Vma> lockVma(MmStruct mm, long addr) {
        Vma vma = kernel.vmaLock().lockVmaUnderRcu(mm, addr);
        if (vma != null) {
            if (!needsAnonVma(vma)) {
                return Result.of(vma);
            }
            kernel.vmaLock().vmaEndRead(vma);
        }
        kernel.mmapLock().readLock(mm);
        vma = findVmaAndPrepareAnon(mm, addr);
        Result<Vma> result = vma == null ? Result.error(Errno.ENOENT) : Result.of(vma);
        if (vma != null && !kernel.vmaLock().vmaStartReadLocked(vma)) {
            result = Result.error(Errno.EAGAIN);
        }
        kernel.mmapLock().readUnlock(mm);
        return result;
    }

    private static boolean needsAnonVma(Vma vma) {
        return (vma.flags() & Vma.VM_SHARED) == 0 && vma.anonVma.read(Order.PLAIN) == null;
    }

    /// mm/userfaultfd.c: find_vma_and_prepare_anon(). The mmap lock is held for reading.
    private @Nullable Vma findVmaAndPrepareAnon(MmStruct mm, long addr) {
        Vma vma = kernel.mmap().vmaLookup(mm, addr);
        if (vma != null && needsAnonVma(vma)) {
            kernel.anonVmas().anonVmaPrepare(vma);
        }
        return vma;
    }

    /// mm/userfaultfd.c: uffd_mfill_lock(). The mapping of `[start, start + len)`, read-locked;
    /// `-ENOENT` where that is not one mapping, or not registered.
    Result<Vma> mfillLock(MmStruct mm, long start, long len) {
        Result<Vma> result = lockVma(mm, start);
        Vma vma = result.found();
        if (vma == null || validateDstVma(vma, start + len)) {
            return result;
        }
        kernel.vmaLock().vmaEndRead(vma);
        return Result.error(Errno.ENOENT);
    }

    /// mm/userfaultfd.c: validate_dst_vma().
    private static boolean validateDstVma(Vma vma, long end) {
        return end <= vma.end() && vma.userfaultfdCtx() != null;
    }

    /// mm/userfaultfd.c: uffd_move_lock(). The mappings of both addresses, read-locked.
    Result<Pair> moveLock(MmStruct mm, long dstStart, long srcStart) {
        Result<Vma> result = lockVma(mm, dstStart);
        Vma dst = result.found();
        if (dst == null) {
            return new Result<>(null, result.error());
        }
        if (srcStart >= dst.start() && srcStart < dst.end()) {
            return Result.of(new Pair(dst, dst));
        }
        Vma src = kernel.vmaLock().lockVmaUnderRcu(mm, srcStart);
        if (src != null) {
            return Result.of(new Pair(dst, src));
        }
        kernel.vmaLock().vmaEndRead(dst);
        kernel.mmapLock().readLock(mm);
        Result<Pair> pair = findVmasMmLocked(mm, dstStart, srcStart);
        if (pair.found() != null) {
            pair = lockBoth(pair.found());
        }
        kernel.mmapLock().readUnlock(mm);
        return pair;
    }

    /// mm/userfaultfd.c: find_vmas_mm_locked().
    private Result<Pair> findVmasMmLocked(MmStruct mm, long dstStart, long srcStart) {
        Vma dst = findVmaAndPrepareAnon(mm, dstStart);
        if (dst == null) {
            return Result.error(Errno.ENOENT);
        }
        boolean same = srcStart >= dst.start() && srcStart < dst.end();
        Vma src = same ? dst : kernel.mmap().vmaLookup(mm, srcStart);
        return src == null ? Result.error(Errno.ENOENT) : Result.of(new Pair(dst, src));
    }

    /// The part of uffd_move_lock() under the mmap lock, which keeps writers out.
    private Result<Pair> lockBoth(Pair pair) {
        if (!kernel.vmaLock().vmaStartReadLocked(pair.dst)) {
            return Result.error(Errno.EAGAIN);
        }
        if (pair.src != pair.dst && !kernel.vmaLock().vmaStartReadLocked(pair.src)) {
            kernel.vmaLock().vmaEndRead(pair.dst);
            return Result.error(Errno.EAGAIN);
        }
        return Result.of(pair);
    }

    /// mm/userfaultfd.c: uffd_move_unlock().
    void moveUnlock(Pair pair) {
        kernel.vmaLock().vmaEndRead(pair.src);
        if (pair.src != pair.dst) {
            kernel.vmaLock().vmaEndRead(pair.dst);
        }
    }
}
