// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mmu;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.TaskKilled;
import org.jspecify.annotations.Nullable;

/// Loads and stores of user code, with the architecture's handler of the page faults that they
/// cause (arch/x86/mm/fault.c, which the other architectures' resemble).
///
/// # Locking
///
/// A fault tries to make do with the VMA's lock. Where that cannot be had, or the fault needs more,
/// it drops the lock and is handled again under the mmap lock. A fault that returns `RETRY` has
/// dropped whichever lock it was under.
public final class UserAccess {
    private final Kernel kernel;
    private final Machine machine;
    private final Mmu mmu;

    UserAccess(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.mmu = kernel.mmu();
    }

    /// Loads `bytes` (1, 2, 4 or 8) bytes from the aligned user address `addr`, little-endian,
    /// without sign. Where the process has no memory the task is killed, as by SIGSEGV.
    public long load(MmStruct mm, long addr, int bytes) {
        long word = access(mm, addr, bytes, false, Op.LOAD, 0, 0);
        return (word >>> shift(addr)) & mask(bytes);
    }

    /// Stores the lowest `bytes` (1, 2, 4 or 8) bytes of `value` at the aligned user address
    /// `addr`. Where the process may not write the task is killed, as by SIGSEGV.
    public void store(MmStruct mm, long addr, int bytes, long value) {
        long mask = mask(bytes) << shift(addr);
        long bits = (value & mask(bytes)) << shift(addr);
        access(mm, addr, bytes, true, Op.STORE_BITS, mask, bits);
    }

    /// include/linux/uaccess.h: copy_to_user(), of at most a word. As {@link #store}, but where the
    /// process may not write it returns false. May sleep.
    boolean copyToUser(MmStruct mm, long addr, int bytes, long value) {
        long mask = mask(bytes) << shift(addr);
        long bits = (value & mask(bytes)) << shift(addr);
        Mmu.Access access = userAccess(mm, addr, true, Op.STORE_BITS, mask, bits);
        while (!access.run()) {
            if (!doUserAddrFault(mm, addr, true)) {
                return false;
            }
        }
        return true;
    }

    /// include/linux/uaccess.h: copy_from_user() with page faults disabled, of the word at `addr`;
    /// null where that would fault.
    @Nullable Long loadNofault(MmStruct mm, long addr) {
        long root = mm.pgd().pfn();
        Mmu.Access access = mmu.access(mm.pointer(), root, addr, false, Op.LOAD, Order.ONCE, 0, 0);
        return access.run() ? access.value() : null;
    }

    /// include/linux/uaccess.h: copy_from_user() of the word at `addr`, which may fault and sleep;
    /// null where the process has no memory.
    @Nullable Long loadFaulting(MmStruct mm, long addr) {
        long root = mm.pgd().pfn();
        Mmu.Access access = mmu.access(mm.pointer(), root, addr, false, Op.LOAD, Order.ONCE, 0, 0);
        while (!access.run()) {
            if (!doUserAddrFault(mm, addr, false)) {
                return null;
            }
        }
        return access.value();
    }

    private static int shift(long addr) {
        return (int) (addr & (Long.BYTES - 1)) * Byte.SIZE;
    }

    private static long mask(int bytes) {
        return -1L >>> (Long.SIZE - bytes * Byte.SIZE);
    }

    /// The instruction: made again after each fault, until it goes through.
    private long access(MmStruct mm, long addr, int bytes, boolean write, Op op, long a, long b) {
        if ((addr & (bytes - 1)) != 0) {
            throw new IllegalArgumentException(
                    "user access of "
                            + bytes
                            + " bytes at 0x"
                            + Long.toHexString(addr)
                            + ", which is not a multiple");
        }
        if (Long.compareUnsigned(addr, kernel.geometry().taskSize()) >= 0) {
            throw TaskKilled.INSTANCE;
        }
        Mmu.Access access = userAccess(mm, addr, write, op, a, b);
        while (!access.run()) {
            if (!doUserAddrFault(mm, addr, write)) {
                throw TaskKilled.INSTANCE; // SIGSEGV or SIGBUS, which it does not handle
            }
        }
        return access.value();
    }

    private Mmu.Access userAccess(MmStruct mm, long addr, boolean write, Op op, long a, long b) {
        long wordAddr = addr & -Long.BYTES;
        long root = mm.pgd().pfn();
        return mmu.access(mm.pointer(), root, wordAddr, write, op, Order.ONCE, a, b);
    }

    /// arch/x86/mm/fault.c: do_user_addr_fault(). Whether the access is to be made again; it is not
    /// where the process has no memory.
    private boolean doUserAddrFault(MmStruct mm, long addr, boolean write) {
        int flags = VmFault.FLAG_ALLOW_RETRY | VmFault.FLAG_KILLABLE | VmFault.FLAG_USER;
        flags |= write ? VmFault.FLAG_WRITE : 0;
        Vma vma = kernel.vmaLock().lockVmaUnderRcu(mm, addr);
        if (vma != null) {
            if (accessError(vma, write)) {
                kernel.vmaLock().vmaEndRead(vma);
                return false;
            }
            int fault = kernel.memory().handleMmFault(vma, addr, flags | VmFault.FLAG_VMA_LOCK);
            if ((fault & (VmFault.RETRY | VmFault.COMPLETED)) == 0) {
                kernel.vmaLock().vmaEndRead(vma);
            }
            if ((fault & VmFault.RETRY) == 0) {
                return isDone(fault);
            }
        }
        return faultUnderMmapLock(mm, addr, write, flags);
    }

    /// The part of do_user_addr_fault() from `lock_mmap` on.
    private boolean faultUnderMmapLock(MmStruct mm, long addr, boolean write, int firstFlags) {
        int flags = firstFlags;
        while (true) {
            Vma vma = lockMmAndFindVma(mm, addr);
            if (vma == null) {
                return false;
            }
            if (accessError(vma, write)) {
                kernel.mmapLock().readUnlock(mm);
                return false;
            }
            int fault = kernel.memory().handleMmFault(vma, addr, flags);
            if ((fault & VmFault.COMPLETED) != 0) {
                return true;
            }
            if ((fault & VmFault.RETRY) == 0) {
                kernel.mmapLock().readUnlock(mm);
                return isDone(fault);
            }
            flags |= VmFault.FLAG_TRIED;
        }
    }

    /// mm/mmap_lock.c: lock_mm_and_find_vma(). The VMA that contains `addr`, with the mmap lock
    /// held for reading; null, without the lock, where there is none.
    private @Nullable Vma lockMmAndFindVma(MmStruct mm, long addr) {
        if (!kernel.mmapLock().readTrylock(mm)) {
            kernel.mmapLock().readLock(mm);
        }
        Vma vma = kernel.mmap().findVma(mm, addr);
        if (vma != null && vma.start() <= addr) {
            return vma;
        }
        kernel.mmapLock().readUnlock(mm);
        return null;
    }

    /// arch/x86/mm/fault.c: access_error(). Whether the VMA forbids the access.
    private static boolean accessError(Vma vma, boolean write) {
        long accessible = Vma.VM_READ | Vma.VM_WRITE | Vma.VM_EXEC;
        return (vma.flags() & (write ? Vma.VM_WRITE : accessible)) == 0;
    }

    private boolean isDone(int fault) {
        if ((fault & VmFault.OOM) != 0) {
            machine.monitor()
                    .complained(
                            machine.current(),
                            "Out of memory",
                            "no free page on cpu " + machine.cpu().id() + " for a page fault");
        }
        return (fault & VmFault.ERROR) == 0;
    }
}
