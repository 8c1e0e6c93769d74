// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.jspecify.annotations.Nullable;

/// What a device that mirrors an address space needs to know: which pages are where (mm/hmm.c).
///
/// # Locking
///
/// The mmap lock is held for reading. Huge PUDs are looked at under their lock, those of hugetlb
/// too; PMDs and PTEs without any, so what is found may be stale at once. No reference is taken
/// either. Both are the business of the {@link MmuNotifier}: who changes an entry tells the device
/// before, so what was found is true if nobody was told anything since the walk began, and stays so
/// while nobody can be told, under the driver's lock.
///
/// | device                        | who unmaps                       |
/// |-------------------------------|----------------------------------|
/// | seq = read_begin()            |                                  |
/// | PTE read: page 7              |                                  |
/// |                               | tells the device: seq + 1        |
/// |                               | PTE cleared, page 7 freed        |
/// | read_retry(seq): again        |                                  |
///
/// Faults are handled outside of the walk, where none of its locks is held.
///
/// Device-private memory, and address spaces that the OOM killer empties, are not modelled.
public final class Hmm {
    /// HMM_FAULT_PENDING: a callback has noted what must be faulted in.
    private static final int FAULT_PENDING = -Errno.EAGAIN;

    /// HMM_FAULT_UNLOCKED: a fault was handled, and the mmap lock dropped by it.
    private static final int FAULT_UNLOCKED = -Errno.ENOLCK;

    /// What a walk over PTEs comes back with that must wait for a page to have moved; no error
    /// number of the kernel's.
    private static final int MIGRATING = -4096;

    // HMM_NEED_*
    private static final int NEED_FAULT = 1;
    private static final int NEED_WRITE_FAULT = 2;
    private static final int NEED_ALL_BITS = NEED_FAULT | NEED_WRITE_FAULT;

    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;
    private final MmWalkOps<VmaWalk> walkOps;

    /// `struct hmm_vma_walk`.
    private static final class VmaWalk {
        final HmmRange range;

        /// Whether the mmap lock is still held; null where it must be throughout.
        final boolean @Nullable [] locked;

        /// Where to go on: what is before it has been found out.
        long last;

        long end;
        int requiredFault;

        VmaWalk(HmmRange range, boolean @Nullable [] locked) {
            this.range = range;
            this.locked = locked;
            last = range.start;
        }
    }

    Hmm(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
        MmWalkOps.Builder<VmaWalk> ops =
                MmWalkOps.<VmaWalk>builder(WalkLock.RDLOCK)
                        .pmd(this::walkPmd)
                        .hole(this::walkHole)
                        .hugetlb(this::walkHugetlbEntry)
                        .testWalk(this::walkTest);
        walkOps = (kernel.arch().thpPud() ? ops.pud(this::walkPud) : ops).build();
    }

    // ---- what is wanted and what is there

    /// mm/hmm.c: hmm_pfns_fill().
    private int pfnsFill(long addr, long end, HmmRange range, long cpuFlags) {
        for (int i = range.index(addr); i < range.index(end); i++) {
            range.hmmPfns[i] = range.hmmPfns[i] & HmmRange.PFN_INOUT_FLAGS | cpuFlags;
        }
        return 0;
    }

    /// The pages from `addr` on are those from frame `pfn` on.
    private int pfnsFillPages(long addr, long end, HmmRange range, long pfn, long cpuFlags) {
        int first = range.index(addr);
        for (int i = first; i < range.index(end); i++) {
            long kept = range.hmmPfns[i] & HmmRange.PFN_INOUT_FLAGS;
            range.hmmPfns[i] = kept | pfn + i - first | cpuFlags;
        }
        return 0;
    }

    /// mm/hmm.c: hmm_record_fault().
    private int recordFault(long addr, long end, int requiredFault, MmWalk<VmaWalk> walk) {
        kernel.warnOn(requiredFault == 0, "hmm_record_fault: no fault is needed");
        VmaWalk own = walk.data();
        own.last = addr;
        own.end = end;
        own.requiredFault = requiredFault;
        return FAULT_PENDING;
    }

    /// mm/hmm.c: hmm_pte_need_fault(). Which faults a page needs of which this is wanted and that
    /// is there.
    private static int pteNeedFault(VmaWalk own, long reqFlags, long cpuFlags) {
        long wanted = reqFlags & own.range.pfnFlagsMask | own.range.defaultFlags;
        if ((wanted & HmmRange.PFN_REQ_FAULT) == 0) {
            return 0;
        }
        if ((wanted & HmmRange.PFN_REQ_WRITE) != 0 && (cpuFlags & HmmRange.PFN_WRITE) == 0) {
            return NEED_FAULT | NEED_WRITE_FAULT;
        }
        return (cpuFlags & HmmRange.PFN_VALID) == 0 ? NEED_FAULT : 0;
    }

    /// mm/hmm.c: hmm_range_need_fault(). The same of all pages in `[addr, end)` together.
    private static int rangeNeedFault(VmaWalk own, long addr, long end, long cpuFlags) {
        HmmRange range = own.range;
        if (((range.defaultFlags | range.pfnFlagsMask) & HmmRange.PFN_REQ_FAULT) == 0) {
            return 0;
        }
        int required = 0;
        for (int i = range.index(addr); i < range.index(end); i++) {
            required |= pteNeedFault(own, range.hmmPfns[i], cpuFlags);
            if (required == NEED_ALL_BITS) {
                return required;
            }
        }
        return required;
    }

    private static long orderFlags(int order) {
        return (long) order << HmmRange.PFN_ORDER_SHIFT;
    }

    private static long validFlags(long entry) {
        return HmmRange.PFN_VALID | (Entry.write(entry) ? HmmRange.PFN_WRITE : 0);
    }

    // ---- callbacks of the walk

    /// mm/hmm.c: hmm_vma_walk_hole().
    private int walkHole(long addr, long end, int depth, MmWalk<VmaWalk> walk) {
        VmaWalk own = walk.data();
        int required = rangeNeedFault(own, addr, end, 0);
        if (!walk.hasVma()) {
            return required != 0
                    ? -Errno.EFAULT
                    : pfnsFill(addr, end, own.range, HmmRange.PFN_ERROR);
        }
        return required != 0
                ? recordFault(addr, end, required, walk)
                : pfnsFill(addr, end, own.range, 0);
    }

    /// mm/hmm.c: pmd_to_hmm_pfn_flags().
    private long pmdToFlags(long pmd) {
        return Entry.protnone(pmd) ? 0 : validFlags(pmd) | orderFlags(geometry.hpagePmdOrder());
    }

    /// mm/hmm.c: hmm_vma_handle_pmd().
    private int handlePmd(MmWalk<VmaWalk> walk, long addr, long end, long pmd) {
        VmaWalk own = walk.data();
        long cpuFlags = pmdToFlags(pmd);
        int required = rangeNeedFault(own, addr, end, cpuFlags);
        if (required != 0) {
            return recordFault(addr, end, required, walk);
        }
        long inside = addr & geometry.size(Geometry.PMD) - 1;
        long pfn = Entry.pfn(pmd) + (inside >> geometry.pageShift());
        return pfnsFillPages(addr, end, own.range, pfn, cpuFlags);
    }

    /// mm/hmm.c: pte_to_hmm_pfn_flags().
    private static long pteToFlags(long pte) {
        boolean usable = !Entry.none(pte) && Entry.ptePresent(pte) && !Entry.protnone(pte);
        return usable ? validFlags(pte) : 0;
    }

    /// mm/hmm.c: hmm_vma_handle_pte(). The lock of the table is not held.
    private int handlePte(MmWalk<VmaWalk> walk, long addr, long end, Word ptep) {
        VmaWalk own = walk.data();
        long[] pfns = own.range.hmmPfns;
        int i = own.range.index(addr);
        long pte = kernel.entries().get(ptep);
        long found = 0;
        if (!Entry.ptePresent(pte)) {
            int required = pteNeedFault(own, pfns[i], 0);
            if (required != 0) {
                if (Entry.none(pte) || Entry.isUffdWpMarker(pte) || Entry.isSwap(pte)) {
                    return recordFault(addr, end, required, walk);
                }
                return Entry.isMigration(pte) ? MIGRATING : -Errno.EFAULT;
            }
        } else {
            long cpuFlags = pteToFlags(pte);
            int required = pteNeedFault(own, pfns[i], cpuFlags);
            if (required != 0) {
                return recordFault(addr, end, required, walk);
            }
            found = Entry.pfn(pte) | cpuFlags;
            if (Entry.special(pte) && !kernel.isZeroPfn(Entry.pfn(pte))) { // vm_normal_page()
                if (pteNeedFault(own, pfns[i], 0) != 0) {
                    return -Errno.EFAULT;
                }
                found = HmmRange.PFN_ERROR;
            }
        }
        pfns[i] = pfns[i] & HmmRange.PFN_INOUT_FLAGS | found;
        return 0;
    }

    /// mm/hmm.c: hmm_vma_handle_absent_pmd(), and what hmm_vma_walk_pmd() does with a bad one.
    private int noPages(MmWalk<VmaWalk> walk, long start, long end) {
        VmaWalk own = walk.data();
        return rangeNeedFault(own, start, end, 0) != 0
                ? -Errno.EFAULT
                : pfnsFill(start, end, own.range, HmmRange.PFN_ERROR);
    }

    /// mm/hmm.c: hmm_vma_walk_pmd(). The lock is not needed: who splits the PMD tells the device.
    private int walkPmd(Word pmdp, long start, long end, MmWalk<VmaWalk> walk) {
        Rounds retries = null;
        while (true) {
            long pmd = kernel.pgtableGeneric().pmdpGetLockless(pmdp);
            if (Entry.none(pmd)) {
                return walkHole(start, end, -1, walk);
            }
            if (Entry.isMigration(pmd)) {
                return migratingPmd(walk, start, end, pmdp);
            }
            if (!Entry.present(pmd)) {
                return noPages(walk, start, end);
            }
            if (Entry.leaf(pmd)) {
                pmd = kernel.pgtableGeneric().pmdpGetLockless(pmdp);
                if (Entry.leaf(pmd)) {
                    return handlePmd(walk, start, end, pmd);
                }
            } else if (Entry.bad(pmd)) {
                return noPages(walk, start, end);
            } else {
                PteMapping pte = kernel.pgtableGeneric().pteOffsetMap(pmdp, start);
                if (pte != null) {
                    return walkPtes(walk, start, end, pmdp, pte);
                }
            }
            retries = machine.retry(retries, "hmm_vma_walk_pmd");
        }
    }

    /// The loop of hmm_vma_walk_pmd() over the entries of a table, which it unmaps.
    private int walkPtes(MmWalk<VmaWalk> walk, long start, long end, Word pmdp, PteMapping pte) {
        int ret = 0;
        long addr = start;
        for (int i = 0; ret == 0 && addr < end; i++) {
            ret = handlePte(walk, addr, end, pte.pte(i));
            addr += geometry.pageSize();
        }
        pte.unmap();
        if (ret == MIGRATING) {
            walk.data().last = addr - geometry.pageSize();
            kernel.migrationWait().migrationEntryWait(walk.mm(), pmdp, walk.data().last);
            return -Errno.EBUSY;
        }
        return ret;
    }

    /// The part of hmm_vma_walk_pmd() for a huge page that migrates.
    private int migratingPmd(MmWalk<VmaWalk> walk, long start, long end, Word pmdp) {
        VmaWalk own = walk.data();
        if (rangeNeedFault(own, start, end, 0) == 0) {
            return pfnsFill(start, end, own.range, 0);
        }
        own.last = start;
        kernel.migrationWait().pmdMigrationEntryWait(walk.mm(), pmdp);
        return -Errno.EBUSY;
    }

    /// mm/hmm.c: hmm_vma_walk_hugetlb_entry().
    private int walkHugetlbEntry(Word pte, long hmask, long start, long end, MmWalk<VmaWalk> walk) {
        VmaWalk own = walk.data();
        Hstate h = HugetlbVmas.hstate(walk.vma());
        SpinLock ptl = kernel.hugetlb().walk().lock(walk.mm(), h, pte);
        long entry = kernel.hugetlb().pte().get(h, pte);
        long cpuFlags = pteToFlags(entry) | orderFlags(h.order());
        int required = pteNeedFault(own, own.range.hmmPfns[own.range.index(start)], cpuFlags);
        if (required != 0) {
            ptl.unlock();
            return recordFault(start, end, required, walk);
        }
        long pfn = Entry.pfn(entry) + ((start & ~hmask) >> geometry.pageShift());
        pfnsFillPages(start, end, own.range, pfn, cpuFlags);
        ptl.unlock();
        return 0;
    }

    /// mm/hmm.c: hmm_vma_walk_test(). Devices can have no memory that has no pages, or that must
    /// not be read.
    private int walkTest(long start, long end, MmWalk<VmaWalk> walk) {
        long flags = walk.vma().flags();
        if ((flags & (Vma.VM_IO | Vma.VM_PFNMAP)) == 0 && (flags & Vma.VM_READ) != 0) {
            return 0;
        }
        int ret = noPages(walk, start, end);
        return ret == 0 ? 1 : ret;
    }

    /// mm/hmm.c: pud_to_hmm_pfn_flags().
    private long pudToFlags(long pud) {
        int order = geometry.shift(Geometry.PUD) - geometry.pageShift();
        return Entry.present(pud) ? validFlags(pud) | orderFlags(order) : 0;
    }

    /// mm/hmm.c: hmm_vma_walk_pud(). A huge PUD is not split. Without its lock it can turn into
    /// none, into another leaf or into a table at any moment.
    private int walkPud(Word pudp, long start, long end, MmWalk<VmaWalk> walk) {
        SpinLock ptl = kernel.hugePud().pudTransHugeLock(pudp, walk.vma());
        if (ptl == null) {
            return 0;
        }
        walk.action(WalkAction.CONTINUE);
        long pud = pudp.readOnce();
        if (!Entry.present(pud)) {
            ptl.unlock();
            return walkHole(start, end, -1, walk);
        }
        if (!Entry.leaf(pud)) {
            walk.action(WalkAction.SUBTREE);
            ptl.unlock();
            return 0;
        }
        VmaWalk own = walk.data();
        long cpuFlags = pudToFlags(pud);
        int required = rangeNeedFault(own, start, end, cpuFlags);
        if (required != 0) {
            ptl.unlock();
            return recordFault(start, end, required, walk);
        }
        long inside = start & geometry.size(Geometry.PUD) - 1;
        long pfn = Entry.pfn(pud) + (inside >> geometry.pageShift());
        pfnsFillPages(start, end, own.range, pfn, cpuFlags);
        ptl.unlock();
        return 0;
    }

    // ---- the walk, and faults between walks

    /// mm/hmm.c: hmm_do_fault(). Faults in what a callback has noted. -EBUSY where that worked, so
    /// that it is looked at again; {@link #FAULT_UNLOCKED}; or another negative error number.
    private int doFault(MmStruct mm, VmaWalk own) {
        int flags = VmFault.FLAG_REMOTE;
        if (own.locked != null) {
            flags |= VmFault.FLAG_ALLOW_RETRY | VmFault.FLAG_KILLABLE;
        }
        Vma vma = kernel.mmap().vmaLookup(mm, own.last);
        if (vma == null) {
            return -Errno.EFAULT;
        }
        if ((own.requiredFault & NEED_WRITE_FAULT) != 0) {
            if ((vma.flags() & Vma.VM_WRITE) == 0) {
                return -Errno.EPERM;
            }
            flags |= VmFault.FLAG_WRITE;
        }
        for (long addr = own.last; addr < own.end; addr += geometry.pageSize()) {
            int ret = kernel.memory().handleMmFault(vma, addr, flags);
            if ((ret & (VmFault.COMPLETED | VmFault.RETRY)) != 0) {
                if (own.locked == null) {
                    kernel.warnOn(true, "hmm_do_fault: a fault has dropped the mmap lock");
                } else {
                    own.locked[0] = false;
                }
                return FAULT_UNLOCKED;
            }
            if ((ret & VmFault.ERROR) != 0) { // vm_fault_to_errno()
                return (ret & VmFault.OOM) != 0 ? -Errno.ENOMEM : -Errno.EFAULT;
            }
        }
        return -Errno.EBUSY;
    }

    /// mm/hmm.c: hmm_range_fault_locked().
    private int rangeFaultLocked(HmmRange range, boolean @Nullable [] locked) {
        VmaWalk own = new VmaWalk(range, locked);
        MmStruct mm = range.notifier.mm();
        kernel.mmapLock().assertLocked(mm);
        Rounds retries = null;
        int ret;
        do {
            if (kernel.mmuNotifier().mmuIntervalCheckRetry(range.notifier, range.notifierSeq)) {
                return -Errno.EBUSY;
            }
            retries = machine.retry(retries, "hmm_range_fault_locked");
            long from = own.last;
            ret = kernel.pageWalk().walkPageRange(mm, own.last, range.end, walkOps, own);
            if (ret == FAULT_PENDING) {
                ret = doFault(mm, own);
                if (ret == FAULT_UNLOCKED) {
                    return -Errno.EBUSY;
                }
            }
            if (own.last != from) {
                machine.hasEffect();
            }
        } while (ret == -Errno.EBUSY);
        return ret;
    }

    /// mm/hmm.c: hmm_range_fault(). Finds out which pages are in the range, and faults in those
    /// that are wanted. What it finds counts only if {@link MmuNotifier#mmuIntervalReadRetry} says
    /// so under the driver's lock. 0; -EBUSY where the range is being invalidated, so that the
    /// caller has to begin again; -EFAULT, -EPERM, -ENOMEM where there is no such page to be had.
    ///
    /// The mmap lock is held, and stays so.
    public int hmmRangeFault(HmmRange range) {
        return rangeFaultLocked(range, null);
    }

    /// mm/hmm.c: hmm_range_fault_unlocked_timeout(). The same without the mmap lock, which faults
    /// may then drop. Begins again by itself where the range is invalidated.
    ///
    /// @param timeout how often, without a fault on the way, before it is -EBUSY: the model knows
    ///   no time, so each attempt counts as a jiffy; 0 for no limit
    public int hmmRangeFaultUnlockedTimeout(HmmRange range, long timeout) {
        MmStruct mm = range.notifier.mm();
        boolean[] locked = {false};
        long deadline = 0;
        Rounds retries = null;
        for (long jiffies = 0; ; jiffies++) {
            retries = machine.retry(retries, "hmm_range_fault_unlocked_timeout");
            if (timeout != 0 && !locked[0]) {
                deadline = jiffies + timeout;
            }
            range.notifierSeq = kernel.mmuNotifier().mmuIntervalReadBegin(range.notifier);
            kernel.mmapLock().readLock(mm);
            if (timeout != 0) {
                machine.hasEffect(); // time passes
            }
            if (timeout != 0 && jiffies > deadline) {
                kernel.mmapLock().readUnlock(mm);
                return -Errno.EBUSY;
            }
            locked[0] = true;
            int ret = rangeFaultLocked(range, locked);
            if (locked[0]) {
                kernel.mmapLock().readUnlock(mm);
            }
            if (ret != -Errno.EBUSY) {
                return ret;
            }
        }
    }
}
