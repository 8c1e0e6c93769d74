// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.RwSem;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// What hugetlb keeps in a VMA's `vm_private_data`, and the lock of the VMA that is found by it
/// (mm/hugetlb.c).
///
/// # Locking
///
/// The lock is that of a {@link HugetlbVmaLock} for VMAs that may be shared, that of the reserve
/// map for private ones that own reservations, and there is none for others. Who holds it for
/// reading knows that the tables of the VMA stay as they are while he walks them; who zaps or
/// truncates holds it for writing. The order is: fault mutex, this lock, `i_mmap_rwsem`, folio
/// lock, page-table locks.
final class HugetlbVmas {
    /// `HPAGE_RESV_OWNER`: the VMA's process made the mapping, and has its reservations.
    static final long RESV_OWNER = 1;

    /// `HPAGE_RESV_UNMAPPED`: pages were taken away so that the owner could have copies.
    static final long RESV_UNMAPPED = 1 << 1;

    private static final long RESV_MASK = RESV_OWNER | RESV_UNMAPPED;
    private static final int POINTER_SHIFT = 2;

    private final Kernel kernel;
    private final Machine machine;

    HugetlbVmas(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
    }

    /// include/linux/hugetlb.h: hstate_vma(). No access: it never changes.
    static Hstate hstate(Vma vma) {
        return inode(vma).hstate();
    }

    /// `file_inode(vma->vm_file)`.
    static HugetlbInode inode(Vma vma) {
        return (HugetlbInode) vma.inode();
    }

    /// mm/hugetlb.c: vma_hugecache_offset(). The index in the file, in huge pages, of `addr`.
    long hugecacheOffset(Vma vma, long addr) {
        return vma.linearPageIndex(kernel.geometry(), addr) >> hstate(vma).order();
    }

    // ---- private data

    private Object pointed(long privateData) {
        return Objects.requireNonNull(machine.heap().resolve(privateData >> POINTER_SHIFT));
    }

    /// mm/hugetlb.c: vma_resv_map(). Null where a private VMA has no reservations of its own.
    @Nullable ResvMap resvMap(Vma vma) {
        if (vma.mayShare()) {
            return inode(vma).resvMap();
        }
        long value = vma.privateData().readPlain() & ~RESV_MASK;
        return value == 0 ? null : (ResvMap) pointed(value);
    }

    /// mm/hugetlb.c: set_vma_resv_map() with the flags, for a private VMA; a null map has none.
    void setResvMap(Vma vma, @Nullable ResvMap map) {
        vma.privateData().writePlain(map == null ? 0 : map.pointer() << POINTER_SHIFT);
    }

    /// mm/hugetlb.c: set_vma_resv_flags().
    void setResvFlags(Vma vma, long flags) {
        vma.privateData().writePlain(vma.privateData().readPlain() | flags);
    }

    /// mm/hugetlb.c: is_vma_resv_set(). Always false in VMAs that may be shared, whose private data
    /// is a pointer.
    boolean isResvSet(Vma vma, long flag) {
        return (vma.privateData().readPlain() & flag) != 0;
    }

    /// mm/hugetlb.c: __vma_private_lock(). Whether the VMA is locked by its reserve map.
    boolean privateLock(Vma vma) {
        if (vma.mayShare()) {
            return false;
        }
        long value = vma.privateData().readPlain();
        return (value & ~RESV_MASK) != 0 && (value & RESV_OWNER) != 0;
    }

    /// mm/hugetlb.c: hugetlb_dup_vma_private(). The copy of a VMA, in another process or place, has
    /// no reservations.
    void dupVmaPrivate(Vma vma) {
        HugetlbVmaLock lock = vma.mayShare() ? vmaLock(vma) : null;
        if (!vma.mayShare() || lock != null && lock.vma.readPlain() != vma.pointer()) {
            vma.privateData().writePlain(0);
        }
    }

    /// mm/hugetlb.c: clear_vma_resv_huge_pages(). The VMA gives up its reservations to one that was
    /// moved elsewhere.
    private void clearVmaResvHugePages(Vma vma) {
        ResvMap map = resvMap(vma);
        if (map != null && isResvSet(vma, RESV_OWNER)) {
            map.put();
        }
        dupVmaPrivate(vma);
    }

    /// mm/hugetlb.c: fixup_hugetlb_reservations(). Of two VMAs that had the same reservations while
    /// one was moved, this one has them no longer.
    void fixupReservations(Vma vma) {
        if (vma.isHugetlb()) {
            vma.inode().mmapRwsem().downWrite();
            clearVmaResvHugePages(vma);
            vma.inode().mmapRwsem().upWrite();
        }
    }

    // ---- the lock

    /// The lock object of a VMA that may be shared; null where it has none.
    @Nullable HugetlbVmaLock vmaLock(Vma vma) {
        long value = vma.privateData().readPlain();
        return value == 0 ? null : (HugetlbVmaLock) pointed(value);
    }

    /// `__vma_shareable_lock()`, `__vma_private_lock()`: the lock in charge; null where there is
    /// none.
    private @Nullable RwSem rwsem(Vma vma) {
        if (vma.mayShare()) {
            HugetlbVmaLock lock = vmaLock(vma);
            return lock == null ? null : lock.rwSema();
        }
        ResvMap map = privateLock(vma) ? resvMap(vma) : null;
        return map == null ? null : map.rwSema();
    }

    /// mm/hugetlb.c: hugetlb_vma_lock_read().
    void lockRead(Vma vma) {
        RwSem sem = rwsem(vma);
        if (sem != null) {
            sem.downRead();
        }
    }

    /// mm/hugetlb.c: hugetlb_vma_unlock_read().
    void unlockRead(Vma vma) {
        RwSem sem = rwsem(vma);
        if (sem != null) {
            sem.upRead();
        }
    }

    /// mm/hugetlb.c: hugetlb_vma_lock_write().
    void lockWrite(Vma vma) {
        RwSem sem = rwsem(vma);
        if (sem != null) {
            sem.downWrite();
        }
    }

    /// mm/hugetlb.c: hugetlb_vma_unlock_write().
    void unlockWrite(Vma vma) {
        RwSem sem = rwsem(vma);
        if (sem != null) {
            sem.upWrite();
        }
    }

    /// mm/hugetlb.c: hugetlb_vma_trylock_write(). True also where there is no lock.
    boolean trylockWrite(Vma vma) {
        RwSem sem = rwsem(vma);
        return sem == null || sem.downWriteTrylock();
    }

    /// mm/hugetlb.c: hugetlb_vma_assert_locked(). Complains where the running task does not hold
    /// the lock.
    void assertLocked(Vma vma) {
        RwSem sem = rwsem(vma);
        kernel.warnOn(sem != null && !sem.held(), "the hugetlb lock is not held", vma);
    }

    /// Whether the VMA may be shared, and has a lock that the running task does not hold; no
    /// access.
    boolean peekSharedAndUnlocked(Vma vma) {
        long value = vma.privateData().peek();
        return vma.mayShare() && value != 0 && !((HugetlbVmaLock) pointed(value)).rwSema().held();
    }

    /// mm/hugetlb.c: hugetlb_vma_lock_alloc(). Only for VMAs that may be shared, and have none yet.
    void lockAlloc(Vma vma) {
        if (vma.mayShare() && vma.privateData().readPlain() == 0) {
            long pointer = new HugetlbVmaLock(machine, vma).pointer();
            vma.privateData().writePlain(pointer << POINTER_SHIFT);
        }
    }

    /// mm/hugetlb.c: hugetlb_vma_lock_free().
    void lockFree(Vma vma) {
        HugetlbVmaLock lock = vma.mayShare() ? vmaLock(vma) : null;
        if (lock != null) {
            lock.rwSema().downWrite();
            unlockWritePut(vma, lock);
        }
    }

    /// mm/hugetlb.c: __hugetlb_vma_unlock_write_put(). Others may still wait for the lock; they see
    /// that it belongs to nobody.
    private void unlockWritePut(Vma vma, HugetlbVmaLock lock) {
        lock.vma.writePlain(0);
        vma.privateData().writePlain(0);
        lock.rwSema().upWrite();
        lock.put();
    }

    /// mm/hugetlb.c: __hugetlb_vma_unlock_write_free(). For a VMA that is unmapped for good.
    void unlockWriteFree(Vma vma) {
        if (vma.mayShare()) {
            HugetlbVmaLock lock = vmaLock(vma);
            if (lock != null) {
                unlockWritePut(vma, lock);
            }
        } else {
            unlockWrite(vma);
        }
    }

    // ---- vm_operations_struct

    /// mm/hugetlb.c: hugetlb_vm_op_open(). The VMA is a copy of another, whose private data it has.
    void open(Vma vma) {
        ResvMap map = resvMap(vma);
        if (map != null && isResvSet(vma, RESV_OWNER)) {
            map.get();
        }
        if (vma.mayShare()) {
            HugetlbVmaLock lock = vmaLock(vma);
            if (lock != null && lock.vma.readPlain() != vma.pointer()) {
                vma.privateData().writePlain(0);
            }
            lockAlloc(vma);
        }
    }

    /// mm/hugetlb.c: hugetlb_vm_op_close(). The VMA goes, and with it the reservations that it has
    /// not used up.
    void close(Vma vma) {
        lockFree(vma);
        ResvMap map = resvMap(vma);
        if (map == null || !isResvSet(vma, RESV_OWNER)) {
            return;
        }
        long start = hugecacheOffset(vma, vma.start());
        long end = hugecacheOffset(vma, vma.end());
        long reserve = end - start - map.regionCount(start, end);
        if (reserve != 0) {
            kernel.hugetlb().reserve().giveBack(inode(vma), reserve);
        }
        map.put();
    }

    /// mm/hugetlb.c: hugetlb_vm_op_split(). -EINVAL where the VMA cannot be cut at `addr`.
    static int maySplit(Vma vma, long addr) {
        return (addr & ~hstate(vma).mask()) == 0 ? 0 : -Errno.EINVAL;
    }

    /// Reservations of a private VMA that it has not used up; looked at from outside.
    long peekReserved(Vma vma) {
        long value = vma.privateData().peek();
        if (vma.mayShare() || (value & RESV_OWNER) == 0) {
            return 0;
        }
        int shift = hstate(vma).shift();
        long start = vma.pgoff.peek() >> hstate(vma).order();
        long end = start + ((vma.end.peek() - vma.start.peek()) >> shift);
        return end - start - ((ResvMap) pointed(value)).peekCount(start, end);
    }
}
