// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// NUMA hinting (kernel/sched/fair.c, mm/mempolicy.c): from time to time the scheduler makes
/// entries inaccessible, to see by the faults who uses what, and from which node.
///
/// The machine has one node. So no page is ever on the wrong one, and faults only undo the hint.
/// Which part of the address space is next, and how often, is the scheduler's affair: here a run
/// goes through all of it.
public final class TaskNuma {
    private final Kernel kernel;

    TaskNuma(Kernel kernel) {
        this.kernel = kernel;
    }

    /// kernel/sched/fair.c: task_numa_work(). What a task does on its way back to user space when
    /// the next scan is due. The number of pages whose next access faults; 0 where the mmap lock
    /// cannot be had at once.
    public long taskNumaWork(MmStruct mm) {
        if (!kernel.mmapLock().readTrylock(mm)) {
            return 0;
        }
        long pages = 0;
        Vma vma = find(mm, 0);
        while (vma != null) {
            long end = vma.end();
            if (isScanned(vma)) {
                pages += changeProtNuma(vma, vma.start(), end);
            }
            vma = find(mm, end);
        }
        kernel.mmapLock().readUnlock(mm);
        return pages;
    }

    private static @Nullable Vma find(MmStruct mm, long addr) {
        return Objects.requireNonNull(mm.vmas.read(Order.PLAIN)).find(addr);
    }

    /// The part of task_numa_work() that leaves VMAs out; include/linux/mempolicy.h:
    /// vma_migratable().
    private static boolean isScanned(Vma vma) {
        long flags = vma.flags();
        boolean migratable = (flags & (Vma.VM_IO | Vma.VM_PFNMAP)) == 0 && !vma.isDax();
        boolean library =
                !vma.isAnonymous() && (flags & (Vma.VM_READ | Vma.VM_WRITE)) == Vma.VM_READ;
        boolean accessible = (flags & Vma.VM_ACCESS_FLAGS) != 0;
        return migratable && !vma.isHugetlb() && !library && accessible;
    }

    /// mm/mempolicy.c: change_prot_numa(). Has the next accesses to a part of the VMA fault. The
    /// mmap lock is held. Returns the number of pages.
    long changeProtNuma(Vma vma, long start, long end) {
        MmuGather tlb = kernel.tlbGatherMmu(vma.mm());
        long pages =
                kernel.mprotect().changeProtection(tlb, vma, start, end, Mprotect.MM_CP_PROT_NUMA);
        tlb.finish();
        return pages;
    }

    /// mm/internal.h: vma_is_single_threaded_private().
    boolean vmaIsSingleThreadedPrivate(Vma vma) {
        return (vma.flags() & Vma.VM_SHARED) == 0 && vma.mm().users.readOnce() == 1;
    }

    /// mm/mempolicy.c: folio_can_map_prot_numa(). Whether it makes sense to see who uses the folio.
    ///
    /// @param alone whether only one thread can use the mapping
    boolean folioCanMapProtNuma(@Nullable Folio folio, Vma vma, boolean alone) {
        if (folio == null || folio.isZoneDevice()) {
            return false;
        }
        if (Vma.isCowMapping(vma.flags()) && kernel.rmap().folioMaybeMappedShared(folio)) {
            return false;
        }
        if (Rmap.maybeDmaPinned(folio)) {
            return false;
        }
        boolean fileLru = !folio.testFlag(Folio.PG_SWAPBACKED); // folio_is_file_lru()
        if (fileLru && folio.testFlag(Folio.PG_DIRTY)) {
            return false;
        }
        return !alone; // it is on the node of that thread
    }
}
