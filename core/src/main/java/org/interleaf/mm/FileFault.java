// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Faults that the file behind a VMA sees to (mm/memory.c).
///
/// # Locking
///
/// `->huge_fault` is called under the VMA's lock or the mmap lock, whichever the fault holds.
/// `->fault` needs the mmap lock unless the file also has a `->map_pages`, and no device has.
final class FileFault {
    private final Kernel kernel;

    FileFault(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/memory.c: create_huge_pud(). `FALLBACK` where smaller entries must do.
    int createHugePud(VmFault vmf) {
        if (!kernel.arch().thpPud() || vmf.vma.isAnonymous()) {
            return VmFault.FALLBACK;
        }
        return vmf.vma.ops().hugeFault(vmf, Geometry.PUD);
    }

    /// mm/memory.c: wp_huge_pud(). A write to a huge PUD that is not writable. `FALLBACK` where
    /// smaller entries must do; the PUD has been taken out for them.
    int wpHugePud(VmFault vmf) {
        if (!vmf.vma.isAnonymous() && (vmf.vma.flags() & (Vma.VM_SHARED | Vma.VM_MAYSHARE)) != 0) {
            int ret = vmf.vma.ops().hugeFault(vmf, Geometry.PUD);
            if ((ret & VmFault.FALLBACK) == 0) {
                return ret;
            }
        }
        kernel.hugePud().splitHugePudSlow(vmf.vma, vmf.pud(), vmf.address);
        return VmFault.FALLBACK;
    }

    /// mm/memory.c: create_huge_pmd(). `FALLBACK` where PTEs must do.
    int createHugePmd(VmFault vmf) {
        return vmf.vma.isAnonymous()
                ? kernel.hugeMemory().doHugePmdAnonymousPage(vmf)
                : vmf.vma.ops().hugeFault(vmf, Geometry.PMD);
    }

    /// mm/memory.c: wp_huge_pmd(). A write to (or unsharing of) a huge PMD that is not writable.
    /// `FALLBACK` where PTEs must do; the PMD has been split for them.
    int wpHugePmd(VmFault vmf) {
        if (vmf.vma.isAnonymous()) {
            return kernel.hugeMemory().doHugePmdWpPage(vmf);
        }
        if ((vmf.vma.flags() & (Vma.VM_SHARED | Vma.VM_MAYSHARE)) != 0) {
            int ret = vmf.vma.ops().hugeFault(vmf, Geometry.PMD);
            if ((ret & VmFault.FALLBACK) == 0) {
                return ret;
            }
        }
        kernel.hugeMemory().splitHugePmd(vmf.vma, vmf.pmd(), vmf.address);
        return VmFault.FALLBACK;
    }

    /// mm/memory.c: do_fault(). The PTE is none. Devices map what they have themselves, so what
    /// do_read_fault() and do_shared_fault() make of a page is left out, and private memory of
    /// devices there is none.
    int doFault(VmFault vmf) {
        boolean write = vmf.has(VmFault.FLAG_WRITE);
        if (write && (vmf.vma.flags() & Vma.VM_SHARED) == 0) {
            throw new AssertionError("[interleaf internal] a device is mapped privately");
        }
        int ret = vmfCanCallFault(vmf);
        return ret == 0 ? callFault(vmf) : ret;
    }

    /// mm/memory.c: vmf_can_call_fault(). 0, or `RETRY` with the VMA's lock dropped.
    private int vmfCanCallFault(VmFault vmf) {
        if (!vmf.has(VmFault.FLAG_VMA_LOCK)) {
            return 0;
        }
        kernel.vmaLock().vmaEndRead(vmf.vma);
        return VmFault.RETRY;
    }

    /// mm/memory.c: __do_fault(). A PTE table is made beforehand, in case that one is needed while
    /// the page is locked; do_fault() frees it if nobody took it.
    private int callFault(VmFault vmf) {
        PageTable prealloc = null;
        if (Entry.none(vmf.pmd().readPlain())) {
            prealloc = kernel.pgtable().pteAllocOne();
            if (prealloc == null) {
                return VmFault.OOM;
            }
        }
        int ret = vmf.vma.ops().fault(vmf);
        if (prealloc != null) {
            kernel.pgtable().freePage(prealloc);
        }
        return ret;
    }
}
