// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Rcu;
import org.jspecify.annotations.Nullable;

/// Going from VMA to VMA for the files in `/proc/PID` that tell of mappings (fs/proc/task_mmu.c):
/// each is locked for itself, the mmap lock is not taken.
final class ProcMaps {
    private final Kernel kernel;
    private final VmaLock vmaLock;
    private final Rcu rcu;

    ProcMaps(Kernel kernel) {
        this.kernel = kernel;
        vmaLock = kernel.vmaLock();
        rcu = kernel.machine().rcu();
    }

    /// Has `ops` see all of the VMA that contains `addr`, which is locked meanwhile; the process is
    /// not. Returns `data`, or null where there is no such VMA.
    <T> @Nullable T walk(MmStruct mm, long addr, MmWalkOps<T> ops, T data) {
        Vma vma = start(mm, addr);
        boolean found = vma != null && vma.start() <= addr;
        if (vma != null && found) {
            dropRcu();
            kernel.pageWalk().walkPageVma(vma, ops, data);
            reacquireRcu();
        }
        stop(vma);
        return found ? data : null;
    }

    /// fs/proc/task_mmu.c: m_start(), lock_vma_range(), get_next_vma(). Enters an RCU section; the
    /// first VMA that ends after `addr`, read-locked, or null. {@link #stop} must follow.
    @Nullable Vma start(MmStruct mm, long addr) {
        rcu.readLock();
        return vmaLock.lockNextVma(mm, addr);
    }

    /// fs/proc/task_mmu.c: drop_rcu(). What follows may sleep; the VMA stays locked.
    void dropRcu() {
        rcu.readUnlock();
    }

    /// fs/proc/task_mmu.c: reacquire_rcu().
    void reacquireRcu() {
        rcu.readLock();
    }

    /// fs/proc/task_mmu.c: m_stop(), unlock_vma_range().
    void stop(@Nullable Vma vma) {
        if (vma != null) {
            vmaLock.vmaEndRead(vma);
        }
        rcu.readUnlock();
    }
}
