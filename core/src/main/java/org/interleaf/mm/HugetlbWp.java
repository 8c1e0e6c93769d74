// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.mm.HugetlbFault.Fault;
import org.interleaf.mm.MmuNotifierRange.Event;

/// Writing to, or unsharing, huge pages that are mapped read-only (hugetlb_wp() of mm/hugetlb.c).
final class HugetlbWp {
    private final Kernel kernel;
    private final Hugetlb hugetlb;

    HugetlbWp(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
    }

    /// mm/hugetlb.c: hugetlb_wp(). Makes a read-only entry writable where the page may be shared or
    /// is the process' own, or maps a copy. The lock of the table is held before and after, and
    /// dropped meanwhile; so are the mutex and the VMA's lock. An anonymous folio is locked.
    int hugetlbWp(Fault vmf) {
        long pte = hugetlb.pte().get(vmf.h, vmf.pte());
        if (!vmf.has(VmFault.FLAG_UNSHARE) && Entry.uffd(pte)) {
            return 0; // mapped by this fault: the next one tells the userfaultfd of the write
        }
        if (vmf.vma.mayShare()) {
            setWritable(vmf);
            return 0;
        }
        Folio old = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
        while (true) {
            if (reuse(vmf, old)) {
                return 0;
            }
            // The owner's reservation went into the page that is shared now: the copy is taken from
            // what is free.
            boolean fromOwner =
                    hugetlb.vmas().isResvSet(vmf.vma, HugetlbVmas.RESV_OWNER) && old.isAnon();
            old.get();
            vmf.ptl().unlock();
            Folio fresh = hugetlb.reserve().alloc(vmf.vma, vmf.address, fromOwner);
            if (fresh != null) {
                return copy(vmf, pte, old, fresh);
            }
            if (!fromOwner) {
                kernel.swap().folioPut(old);
                vmf.ptl().lock();
                return VmFault.SIGBUS;
            }
            if (!takeFromChildren(vmf, pte, old)) {
                return 0;
            }
        }
    }

    /// mm/hugetlb.c: set_huge_ptep_writable().
    private void setWritable(Fault vmf) {
        long now = hugetlb.pte().get(vmf.h, vmf.pte());
        long entry = Entry.mkwrite(Entry.mkdirty(now));
        hugetlb.pte().setAccessFlags(vmf.vma, vmf.address, vmf.pte(), entry, true);
    }

    /// The label `retry_avoidcopy` of hugetlb_wp(): uses the page where nobody else maps it. It may
    /// have other references: with a copy for each of those a process could run out of huge pages
    /// that never did.
    private boolean reuse(Fault vmf, Folio folio) {
        Page head = folio.head();
        if (kernel.rmap().folioMapcount(folio) != 1 || !folio.isAnon()) {
            kernel.bugOn(
                    folio.isAnon() && head.anonExclusive(),
                    "an exclusive huge page is mapped twice");
            return false;
        }
        if (!head.anonExclusive()) {
            kernel.rmap().folioMoveAnonRmap(folio, vmf.vma);
            head.setAnonExclusive();
        }
        if (!vmf.has(VmFault.FLAG_UNSHARE) && (vmf.vma.flags() & Vma.VM_WRITE) != 0) {
            setWritable(vmf);
        }
        return true;
    }

    /// The part of hugetlb_wp() by which an owner that cannot have a copy takes the page away from
    /// the other processes. True where the entry is still the same, with its lock held again.
    private boolean takeFromChildren(Fault vmf, long pte, Folio old) {
        kernel.swap().folioPut(old);
        // Unmapping needs the VMA's lock for writing.
        hugetlb.vmas().unlockRead(vmf.vma);
        vmf.mutex.unlock();

        unmapRefPrivate(vmf.vma, old, vmf.address);

        vmf.mutex.lock();
        hugetlb.vmas().lockRead(vmf.vma);
        vmf.ptl().lock();
        return walkAgain(vmf, pte);
    }

    private boolean walkAgain(Fault vmf, long pte) {
        vmf.pte(hugetlb.walk().walk(vmf.vma, vmf.h, vmf.address));
        return vmf.hasPte() && hugetlb.pte().get(vmf.h, vmf.pte()) == pte;
    }

    /// mm/hugetlb.c: unmap_ref_private(). Unmaps `folio` wherever a private mapping without
    /// reservations of its own has it: faults there will fail.
    private void unmapRefPrivate(Vma vma, Folio folio, long addr) {
        kernel.warnOn(!folio.isAnon(), "a page of the file is taken from others", folio);
        Hstate h = HugetlbVmas.hstate(vma);
        long pgoff = vma.linearPageIndex(kernel.geometry(), addr & h.mask());
        HugetlbZap.What what = new HugetlbZap.What(folio, false);
        Inode inode = vma.inode();
        inode.mmapRwsem().downWrite();
        for (Vma other : kernel.mappingRmap().vmas(inode, pgoff, pgoff)) {
            boolean own =
                    other == vma
                            || other.mayShare()
                            || hugetlb.vmas().isResvSet(other, HugetlbVmas.RESV_OWNER);
            if (!own) {
                long pages = pgoff - other.pgoff();
                long at = other.start() + (pages << kernel.geometry().pageShift());
                hugetlb.zap().unmapHugepageRange(other, at, at + h.size(), what);
            }
        }
        inode.mmapRwsem().upWrite();
    }

    /// The part of hugetlb_wp() that maps a copy. Takes the lock of the table again.
    private int copy(Fault vmf, long pte, Folio old, Folio fresh) {
        // The page may have been the file's: then there was no anon_vma so far.
        int ret = kernel.memory().vmfAnonPrepareSlow(vmf.vma, vmf.flags);
        boolean copied = false;
        if (ret == 0) {
            for (int i = 0; i < vmf.h.pages(); i++) { // copy_user_large_folio()
                kernel.highmem().copyPage(fresh.pfn() + i, old.pfn() + i);
            }
            fresh.markUptodate();
            long end = vmf.address + vmf.h.size();
            MmuNotifierRange range =
                    kernel.mmuNotifier().range(Event.CLEAR, vmf.vma.mm(), vmf.address, end);
            kernel.mmuNotifier().invalidateRangeStart(range);
            vmf.ptl().lock();
            copied = walkAgain(vmf, pte);
            if (copied) {
                replace(vmf, pte, old, fresh);
            }
            vmf.ptl().unlock();
            kernel.mmuNotifier().invalidateRangeEnd(range);
        }
        if (copied) {
            kernel.swap().folioPut(old); // the mapping's reference
        } else {
            hugetlb.reserve().restoreReserveOnError(vmf.vma, vmf.address, fresh);
            kernel.swap().folioPut(fresh);
        }
        kernel.swap().folioPut(old);
        vmf.ptl().lock();
        return ret;
    }

    private void replace(Fault vmf, long pte, Folio old, Folio fresh) {
        long made = HugePte.make(vmf.vma, fresh, !vmf.has(VmFault.FLAG_UNSHARE));
        long entry = Entry.uffd(pte) ? Entry.mkuffd(made) : made;
        hugetlb.pte().clearFlush(vmf.vma.mm(), vmf.h, vmf.address, vmf.pte());
        kernel.rmap().hugetlbRemoveRmap(old);
        kernel.rmap().hugetlbAddNewAnonRmap(fresh, vmf.vma, vmf.address);
        hugetlb.pte().set(vmf.vma.mm(), vmf.h, vmf.address, vmf.pte(), entry);
        fresh.hugetlb().set(HugetlbFolio.MIGRATABLE);
    }
}
