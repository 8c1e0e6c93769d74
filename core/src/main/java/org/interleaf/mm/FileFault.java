// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Faults that the file behind a VMA sees to (mm/memory.c).
///
/// # Locking
///
/// `->huge_fault` is called under the VMA's lock or the mmap lock, whichever the fault holds.
/// `->fault` needs the mmap lock unless the file also has a `->map_pages`, and no device has. What
/// it returns is locked until it is mapped: truncation, which waits for the lock, finds it mapped.
final class FileFault {
    private static final int FAULT_AROUND_BYTES = 65536;

    /// What `->fault` or finish_fault() says where there is no page to be mapped, any more.
    private static final int NOTHING_TO_MAP = VmFault.ERROR | VmFault.NOPAGE | VmFault.RETRY;

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
        boolean anonymous = vmf.vma.isAnonymous();
        boolean unshare = vmf.has(VmFault.FLAG_UNSHARE);
        boolean protectedForUffd = anonymous && !unshare && vmf.vma.userfaultfdEntryWp(vmf.origPmd);
        if (protectedForUffd && !vmf.vma.userfaultfdHas(Userfaultfd.FEATURE_WP_ASYNC)) {
            return kernel.uffdFault()
                    .handleUserfault(vmf.vma, vmf.address, vmf.flags, Vma.VM_UFFD_WP);
        }
        if (anonymous && !protectedForUffd) {
            return kernel.hugeMemory().doHugePmdWpPage(vmf);
        }
        if (!anonymous && (vmf.vma.flags() & (Vma.VM_SHARED | Vma.VM_MAYSHARE)) != 0) {
            int ret = vmf.vma.ops().hugeFault(vmf, Geometry.PMD);
            if ((ret & VmFault.FALLBACK) == 0) {
                return ret;
            }
        }
        kernel.hugeMemory().splitHugePmd(vmf.vma, vmf.pmd(), vmf.address);
        return VmFault.FALLBACK;
    }

    /// mm/memory.c: do_fault(). The PTE is none.
    int doFault(VmFault vmf) {
        int ret;
        if (!vmf.has(VmFault.FLAG_WRITE)) {
            ret = doReadFault(vmf);
        } else if ((vmf.vma.flags() & Vma.VM_SHARED) == 0) {
            ret = doCowFault(vmf);
        } else {
            ret = doSharedFault(vmf);
        }
        if (vmf.preallocPte != null) {
            kernel.pgtable().freePage(vmf.preallocPte);
            vmf.preallocPte = null;
        }
        return ret;
    }

    /// mm/memory.c: do_read_fault(). What is in memory around the page is mapped at once; only if
    /// the page is not among it is the file asked for it.
    private int doReadFault(VmFault vmf) {
        if (shouldFaultAround(vmf)) {
            int ret = doFaultAround(vmf);
            if (ret != 0) {
                return ret;
            }
        }
        int ret = vmfCanCallFault(vmf);
        if (ret != 0) {
            return ret;
        }
        ret = callFault(vmf);
        if ((ret & NOTHING_TO_MAP) != 0) {
            return ret;
        }
        ret |= kernel.finishFault().finishFault(vmf);
        Folio folio = folio(vmf);
        folio.lock().unlock();
        if ((ret & NOTHING_TO_MAP) != 0) {
            kernel.swap().folioPut(folio);
        }
        return ret & ~VmFault.LOCKED;
    }

    /// mm/memory.c: do_cow_fault(). A write to private memory gets a copy of the file's page.
    private int doCowFault(VmFault vmf) {
        int ret = vmfCanCallFault(vmf);
        if (ret == 0) {
            ret = kernel.memory().vmfAnonPrepare(vmf);
        }
        if (ret != 0) {
            return ret;
        }
        Folio copy = kernel.anonFault().folioPrealloc(false);
        if (copy == null) {
            return VmFault.OOM;
        }
        vmf.cowPage = copy.head();
        ret = callFault(vmf);
        if ((ret & NOTHING_TO_MAP) != 0) {
            kernel.swap().folioPut(copy);
            return ret;
        }
        kernel.highmem().copyPage(copy.pfn(), page(vmf).pfn());
        copy.markUptodate();
        ret |= kernel.finishFault().finishFault(vmf);
        Folio folio = folio(vmf);
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
        if ((ret & NOTHING_TO_MAP) != 0) {
            kernel.swap().folioPut(copy);
        }
        return ret & ~VmFault.LOCKED;
    }

    /// mm/memory.c: do_shared_fault(). A write to shared memory makes the file's page dirty.
    private int doSharedFault(VmFault vmf) {
        int ret = vmfCanCallFault(vmf);
        if (ret != 0) {
            return ret;
        }
        ret = callFault(vmf);
        if ((ret & NOTHING_TO_MAP) != 0) {
            return ret;
        }
        ret |= kernel.finishFault().finishFault(vmf);
        Folio folio = folio(vmf);
        if ((ret & NOTHING_TO_MAP) != 0) {
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
            return ret & ~VmFault.LOCKED;
        }
        ret |= kernel.wpFault().faultDirtySharedPage(vmf, folio);
        return ret & ~VmFault.LOCKED;
    }

    private static Page page(VmFault vmf) {
        return Objects.requireNonNull(vmf.page);
    }

    private Folio folio(VmFault vmf) {
        return kernel.memMap().pageFolio(page(vmf));
    }

    /// mm/memory.c: should_fault_around(). Who handles faults on pages that are in the file in user
    /// space wants to be told of each.
    private boolean shouldFaultAround(VmFault vmf) {
        long armed = Vma.VM_UFFD_MINOR | Vma.VM_UFFD_WP;
        return vmf.vma.ops().hasMapPages()
                && (vmf.vma.flags() & armed) == 0
                && faultAroundPages() > 1;
    }

    private int faultAroundPages() {
        return FAULT_AROUND_BYTES >> kernel.geometry().pageShift();
    }

    /// mm/memory.c: do_fault_around(). `NOPAGE` where the page of the fault has been mapped.
    private int doFaultAround(VmFault vmf) {
        int nr = faultAroundPages();
        Geometry geometry = kernel.geometry();
        long pteOff = geometry.index(Geometry.PTE, vmf.address);
        long vmaOff = vmf.pgoff - vmf.vma.pgoff();
        long vmaPages = (vmf.vma.end() - vmf.vma.start()) >> geometry.pageShift();
        long from = Math.max(pteOff & -nr, pteOff - Math.min(pteOff, vmaOff));
        long to = Math.min(from + nr, geometry.entries(Geometry.PTE));
        to = Math.min(to, pteOff + vmaPages - vmaOff) - 1;
        if (Entry.none(vmf.pmd().readPlain())) {
            vmf.preallocPte = kernel.pgtable().pteAllocOne();
            if (vmf.preallocPte == null) {
                return VmFault.OOM;
            }
        }
        kernel.machine().rcu().readLock();
        int ret = vmf.vma.ops().mapPages(vmf, vmf.pgoff + from - pteOff, vmf.pgoff + to - pteOff);
        kernel.machine().rcu().readUnlock();
        return ret;
    }

    /// mm/memory.c: vmf_can_call_fault(). 0, or `RETRY` with the VMA's lock dropped.
    private int vmfCanCallFault(VmFault vmf) {
        if (vmf.vma.ops().hasMapPages() || !vmf.has(VmFault.FLAG_VMA_LOCK)) {
            return 0;
        }
        kernel.vmaLock().vmaEndRead(vmf.vma);
        return VmFault.RETRY;
    }

    /// mm/memory.c: __do_fault(). A PTE table is made beforehand, in case that one is needed while
    /// the page is locked; do_fault() frees it if nobody took it.
    private int callFault(VmFault vmf) {
        if (Entry.none(vmf.pmd().readPlain()) && vmf.preallocPte == null) {
            vmf.preallocPte = kernel.pgtable().pteAllocOne();
            if (vmf.preallocPte == null) {
                return VmFault.OOM;
            }
        }
        return vmf.vma.ops().fault(vmf);
    }

    /// mm/internal.h: maybe_unlock_mmap_for_io(). Drops the lock of a fault that is about to wait,
    /// if it may: then the file that it is in, with a reference, else null.
    @Nullable OpenFile maybeUnlockMmapForIo(VmFault vmf) {
        int first = VmFault.FLAG_ALLOW_RETRY | VmFault.FLAG_TRIED | VmFault.FLAG_RETRY_NOWAIT;
        if ((vmf.flags & first) != VmFault.FLAG_ALLOW_RETRY) {
            return null;
        }
        OpenFile fpin = vmf.vma.file();
        kernel.files().getFile(fpin);
        if (vmf.has(VmFault.FLAG_VMA_LOCK)) { // release_fault_lock()
            kernel.vmaLock().vmaEndRead(vmf.vma);
        } else {
            kernel.mmapLock().readUnlock(vmf.vma.mm());
        }
        return fpin;
    }
}
