// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// Page faults, from where the VMA is known to where it is clear what kind of fault it is
/// (mm/memory.c).
///
/// # Locking
///
/// The fault holds the mmap lock for reading or, with `FAULT_FLAG_VMA_LOCK`, only the VMA's. Either
/// keeps tables above PTE level in place once they are there; PTE tables and all entries can change
/// until their lock is held. So entries are read without a lock first, what is to be done is
/// decided by that value, and done only if the value is still there under the lock. If it is not,
/// the fault ends: the access is made again, and faults again if it must.
public final class Memory {
    private final Kernel kernel;
    private final Geometry geometry;
    private final Pgtable pgtable;
    private final PgtableGeneric pgtableGeneric;

    Memory(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
        this.pgtableGeneric = kernel.pgtableGeneric();
    }

    /// mm/memory.c: handle_mm_fault(). Handles a fault of the VMA at `address`; `flags` and the
    /// result are those of {@link VmFault}. The fault's lock is held; with `RETRY` in the result it
    /// no longer is. Sleeps.
    public int handleMmFault(Vma vma, long address, int flags) {
        kernel.machine().mightSleep("handle_mm_fault");
        if (!flagsAllowed(vma, flags)) {
            return VmFault.SIGSEGV;
        }
        boolean unshare = (flags & VmFault.FLAG_UNSHARE) != 0;
        boolean plainRead = unshare && !Vma.isCowMapping(vma.flags());
        int sane = plainRead ? flags & ~VmFault.FLAG_UNSHARE : flags;
        if (vma.isHugetlb()) {
            return kernel.hugetlb().fault().hugetlbFault(vma, address, sane);
        }
        VmFault vmf = new VmFault(vma, address & -geometry.pageSize(), sane);
        if (!vma.isAnonymous()) {
            vmf.pgoff = vma.linearPageIndex(geometry, address);
        }
        return faultDown(vmf);
    }

    /// mm/memory.c: sanitize_fault_flags().
    private boolean flagsAllowed(Vma vma, int flags) {
        boolean write = (flags & VmFault.FLAG_WRITE) != 0;
        if ((flags & VmFault.FLAG_UNSHARE) != 0) {
            if (kernel.warnOn(write, "a fault unshares and writes")) {
                return false;
            }
        } else if (write) {
            long vmFlags = vma.flags();
            boolean never = (vmFlags & Vma.VM_MAYWRITE) == 0;
            boolean shared = (vmFlags & Vma.VM_WRITE) == 0 && !Vma.isCowMapping(vmFlags);
            if (kernel.warnOn(never, "write fault in a read-only mapping")
                    || kernel.warnOn(shared, "forced write fault in a shared mapping")) {
                return false;
            }
        }
        int both = VmFault.FLAG_VMA_LOCK | VmFault.FLAG_RETRY_NOWAIT;
        return !kernel.warnOn((flags & both) == both, "FAULT_FLAG_RETRY_NOWAIT under a VMA lock");
    }

    /// mm/memory.c: __handle_mm_fault(). Makes the tables above PTE level and decides who handles
    /// the fault.
    private int faultDown(VmFault vmf) {
        MmStruct mm = vmf.vma.mm();
        vmf.pud = pgtable.alloc(Geometry.PUD, mm, vmf.address);
        if (vmf.pud == null) {
            return VmFault.OOM;
        }
        do {
            int ret = handlePudFault(vmf);
            if ((ret & VmFault.FALLBACK) == 0) {
                return ret;
            }
            vmf.pmd = pgtable.allocBelow(Geometry.PMD, mm, vmf.pud, vmf.address);
            if (vmf.pmd == null) {
                return VmFault.OOM;
            }
        } while (pudTransUnstable(vmf.pud));

        if (Entry.none(vmf.pmd().readPlain())
                && kernel.hugeMemory().thpVmaAllowable(vmf.vma, Geometry.PMD)) {
            int ret = kernel.fileFault().createHugePmd(vmf);
            return (ret & VmFault.FALLBACK) != 0 ? handlePteFault(vmf) : ret;
        }
        return handlePmdFault(vmf);
    }

    /// The part of __handle_mm_fault() that decides by the PUD. `FALLBACK` where it is left to the
    /// levels below.
    private int handlePudFault(VmFault vmf) {
        Word pud = vmf.pud();
        if (geometry.folded(Geometry.PMD)) {
            return VmFault.FALLBACK;
        }
        if (Entry.none(pud.readPlain())
                && kernel.hugeMemory().thpVmaAllowable(vmf.vma, Geometry.PUD)) {
            return kernel.fileFault().createHugePud(vmf);
        }
        long origPud = pud.readPlain();
        if (!kernel.hugePud().pudTransHuge(origPud)) {
            return VmFault.FALLBACK;
        }
        if (vmf.has(VmFault.FLAG_WRITE) && !Entry.write(origPud)) {
            return kernel.fileFault().wpHugePud(vmf);
        }
        kernel.hugePud().hugePudSetAccessed(vmf, origPud);
        return 0;
    }

    /// include/linux/pgtable.h: pud_trans_unstable(). Whether the PUD is no table, and never was
    /// when the PMD was looked for.
    private boolean pudTransUnstable(Word pud) {
        if (!kernel.arch().thpPud()) {
            return false;
        }
        long value = pud.readOnce();
        if (Entry.none(value) || Entry.leaf(value)) {
            return true;
        }
        if (Entry.bad(value)) {
            pgtable.pudClearBad(pud);
            return true;
        }
        return false;
    }

    /// The part of __handle_mm_fault() that decides by the PMD.
    private int handlePmdFault(VmFault vmf) {
        vmf.origPmd = pgtableGeneric.pmdpGetLockless(vmf.pmd());
        if (Entry.isMigration(vmf.origPmd)) {
            kernel.migrationWait().pmdMigrationEntryWait(vmf.vma.mm(), vmf.pmd());
            return 0;
        }
        if (!Entry.none(vmf.origPmd) && !Entry.present(vmf.origPmd)) {
            kernel.entries().settle(vmf.pmd());
            return 0;
        }
        if (!Entry.leaf(vmf.origPmd)) {
            return handlePteFault(vmf);
        }
        if (Entry.protnone(vmf.origPmd) && isAccessible(vmf.vma)) {
            return kernel.numaFault().doHugePmdNumaPage(vmf);
        }
        boolean mustOwn = vmf.has(VmFault.FLAG_WRITE | VmFault.FLAG_UNSHARE);
        if (mustOwn && !Entry.write(vmf.origPmd)) {
            int ret = kernel.fileFault().wpHugePmd(vmf);
            return (ret & VmFault.FALLBACK) != 0 ? handlePteFault(vmf) : ret;
        }
        if (!kernel.hugeMemory().hugePmdSetAccessed(vmf)) {
            fixSpuriousFault(vmf);
        }
        return 0;
    }

    /// include/linux/mm.h: vma_is_accessible().
    private boolean isAccessible(Vma vma) {
        return (vma.flags() & (Vma.VM_READ | Vma.VM_WRITE | Vma.VM_EXEC)) != 0;
    }

    /// mm/memory.c: handle_pte_fault(). The PMD may be none: the table is made late, so that nobody
    /// sees a table where a huge page might be put.
    private int handlePteFault(VmFault vmf) {
        if (Entry.none(vmf.pmd().readPlain())) {
            vmf.pte = null;
            vmf.flags &= ~VmFault.FLAG_ORIG_PTE_VALID;
            return doPteMissing(vmf);
        }
        // That the table may be detached by now does no harm: below, an entry that is not none and
        // is
        // the same under the lock proves that it is not.
        PteMapping pte = pgtableGeneric.pteOffsetMapNolock(vmf.vma.mm(), vmf.pmd(), vmf.address);
        if (pte == null) {
            kernel.entries().settle(vmf.pmd());
            return 0;
        }
        vmf.origPte = kernel.entries().getLockless(pte.pte());
        vmf.flags |= VmFault.FLAG_ORIG_PTE_VALID;
        if (Entry.none(vmf.origPte)) {
            pte.unmap();
            vmf.pte = null;
            return doPteMissing(vmf);
        }
        if (!Entry.ptePresent(vmf.origPte)) {
            return kernel.swapFault().doSwapPage(vmf, pte);
        }
        if (Entry.protnone(vmf.origPte) && isAccessible(vmf.vma)) {
            return kernel.numaFault().doNumaPage(vmf, pte);
        }
        vmf.pte = pte;
        pte.ptl().lock();
        return handlePresentPte(vmf, pte);
    }

    /// mm/memory.c: do_pte_missing().
    int doPteMissing(VmFault vmf) {
        return vmf.vma.isAnonymous()
                ? kernel.anonFault().doAnonymousPage(vmf)
                : kernel.fileFault().doFault(vmf);
    }

    /// The part of handle_pte_fault() under the PTE lock, which it drops.
    private int handlePresentPte(VmFault vmf, PteMapping pte) {
        long entry = vmf.origPte;
        if (pte.pte().readOnce() != entry) {
            pte.unmapUnlock();
            return 0;
        }
        boolean write = vmf.has(VmFault.FLAG_WRITE);
        if (vmf.has(VmFault.FLAG_WRITE | VmFault.FLAG_UNSHARE)) {
            if (!Entry.write(entry)) {
                return kernel.wpFault().doWpPage(vmf, pte);
            }
            if (write) {
                entry = Entry.mkdirty(entry);
            }
        }
        entry = Entry.mkyoung(entry);
        if (!pgtableGeneric.ptepSetAccessFlags(vmf.vma, vmf.address, pte.pte(), entry, write)) {
            fixSpuriousFault(vmf);
        }
        pte.unmapUnlock();
        return 0;
    }

    /// mm/memory.c: fix_spurious_fault(). The entry permits the access, so the fault came of an
    /// older translation in this CPU's TLB. After a retry that has been seen to already.
    private void fixSpuriousFault(VmFault vmf) {
        if (!vmf.has(VmFault.FLAG_TRIED) && vmf.has(VmFault.FLAG_WRITE)) {
            kernel.tlbFlush().flushTlbFixSpuriousFault(vmf.vma.mm(), vmf.address);
        }
    }

    /// mm/internal.h: vmf_anon_prepare(). Sees to it that the VMA has an anon_vma. Where that
    /// cannot be had `RETRY`, and the VMA's lock has been dropped. 0 otherwise.
    public int vmfAnonPrepare(VmFault vmf) {
        int ret = vmfAnonPrepareSlow(vmf.vma, vmf.flags);
        if (ret != 0) {
            kernel.vmaLock().vmaEndRead(vmf.vma);
        }
        return ret;
    }

    /// mm/memory.c: __vmf_anon_prepare(). Sees to it that the VMA has an anon_vma. For that the
    /// mmap lock is needed, for which a fault that holds the VMA's must not wait: where it cannot
    /// be had `RETRY`, else 0.
    int vmfAnonPrepareSlow(Vma vma, int flags) {
        if (vma.anonVma.read(Order.PLAIN) != null) {
            return 0;
        }
        boolean vmaLock = (flags & VmFault.FLAG_VMA_LOCK) != 0;
        if (vmaLock && !kernel.mmapLock().readTrylock(vma.mm())) {
            return VmFault.RETRY;
        }
        kernel.anonVmas().anonVmaPrepare(vma);
        if (vmaLock) {
            kernel.mmapLock().readUnlock(vma.mm());
        }
        return 0;
    }
}
