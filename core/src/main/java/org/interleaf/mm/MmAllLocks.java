// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Order;
import org.interleaf.machine.RwSem;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Taking every lock under which entries of an address space can change (mm/vma.c), so that nobody
/// is between the start and the end of an invalidation while subscriptions begin.
///
/// # Locking
///
/// The mmap lock is held for writing. One task at a time takes all locks, of whatever process: the
/// order in which it takes those of one kind is anybody's.
final class MmAllLocks {
    private final Kernel kernel;
    private final Mutex mutex;

    /// Those that are held, in the order in which they were taken. Who has the mutex uses it: it
    /// stands for the marks in `i_mapping->flags` and in the root anon_vmas.
    private final List<RwSem> taken = new ArrayList<>();

    MmAllLocks(Kernel kernel) {
        this.kernel = kernel;
        Machine machine = kernel.machine();
        mutex = new Mutex(machine, null, "mm_all_locks_mutex");
        machine.onReset(taken::clear);
    }

    /// mm/vma.c: mm_take_all_locks(). First the VMAs, then files of huge pages, whose locks come
    /// before those of other files, then anon_vmas.
    void take(MmStruct mm) {
        mutex.lock();
        List<Vma> vmas = Objects.requireNonNull(mm.vmas.read(Order.PLAIN)).vmas();
        for (Vma vma : vmas) {
            kernel.vmaLock().vmaStartWrite(vma);
        }
        for (Vma vma : vmas) {
            if (vma.isHugetlb()) {
                take(vma.inode().mmapRwsem());
            }
        }
        for (Vma vma : vmas) {
            if (!vma.isAnonymous() && !vma.isHugetlb()) {
                take(vma.inode().mmapRwsem());
            }
        }
        for (Vma vma : vmas) {
            AnonVma own = vma.anonVma.read(Order.PLAIN);
            if (own != null) {
                take(own.rwsem());
                AnonVmaChain inherited = vma.inherited();
                if (inherited != null) {
                    inherited.links().forEach(link -> take(link.rwsem()));
                }
            }
        }
    }

    private void take(RwSem sem) {
        if (!taken.contains(sem)) {
            sem.downWrite();
            taken.add(sem);
        }
    }

    /// mm/vma.c: mm_drop_all_locks(). The VMAs stay write-locked until the mmap lock is dropped.
    void drop(MmStruct mm) {
        kernel.mmapLock().assertWriteLocked(mm);
        taken.forEach(RwSem::upWrite);
        taken.clear();
        mutex.unlock();
    }
}
