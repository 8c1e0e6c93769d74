// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Mutex;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Faults on huge pages of hugetlb (hugetlb_fault() of mm/hugetlb.c).
///
/// # Locking
///
/// The mutex of the page's place in its file comes first: two faults on one page would otherwise
/// both take a page from the pool, and one of them could fail for want of the other's. Then the
/// VMA's hugetlb lock for reading, which keeps the tables in place. The entry is read without a
/// lock, and what was decided by that value is done only if it is still there under the table's
/// lock.
///
/// A fault that a userfaultfd handles is handed over without these locks.
final class HugetlbFault {
    private final Kernel kernel;
    private final Hugetlb hugetlb;

    HugetlbFault(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
    }

    /// What hugetlb keeps in its `struct vm_fault`.
    static final class Fault {
        final Vma vma;
        final Hstate h;

        /// Start of the huge page.
        final long address;

        final int flags;

        /// Index in the file, in huge pages.
        final long pgoff;

        final Mutex mutex;
        private @Nullable Word pte;
        long origPte;
        private @Nullable SpinLock ptl;

        Fault(Kernel kernel, Vma vma, long address, int flags) {
            this.vma = vma;
            this.h = HugetlbVmas.hstate(vma);
            this.address = address & h.mask();
            this.flags = flags;
            this.pgoff = kernel.hugetlb().vmas().hugecacheOffset(vma, this.address);
            this.mutex = kernel.hugetlb().faultMutex(vma.inode(), pgoff);
        }

        boolean has(int flag) {
            return (flags & flag) != 0;
        }

        Word pte() {
            return Objects.requireNonNull(pte);
        }

        boolean hasPte() {
            return pte != null;
        }

        void pte(@Nullable Word newPte) {
            pte = newPte;
        }

        SpinLock ptl() {
            return Objects.requireNonNull(ptl);
        }

        /// `huge_pte_lock()` of the entry.
        void lock(Hugetlb hugetlb) {
            ptl = hugetlb.walk().lock(vma.mm(), h, pte());
        }
    }

    /// mm/hugetlb.c: hugetlb_fault(). Handles a fault in a hugetlb VMA; `flags` and the result are
    /// those of {@link VmFault}. The fault's lock is held; with `RETRY` in the result the VMA's has
    /// been dropped.
    int hugetlbFault(Vma vma, long address, int flags) {
        Fault vmf = new Fault(kernel, vma, address, flags);
        vmf.mutex.lock();
        hugetlb.vmas().lockRead(vma);
        vmf.pte(hugetlb.walk().pteAlloc(vma, vmf.h, vmf.address));
        if (!vmf.hasPte()) {
            unlock(vmf, 0);
            return VmFault.OOM;
        }
        vmf.origPte = hugetlb.pte().get(vmf.h, vmf.pte());
        if (Entry.none(vmf.origPte)) {
            return noPage(vmf);
        }
        if (!Entry.ptePresent(vmf.origPte)) {
            return softleaf(vmf);
        }
        boolean mustOwn = vmf.has(VmFault.FLAG_WRITE | VmFault.FLAG_UNSHARE);
        if (mustOwn && !vma.mayShare() && !Entry.write(vmf.origPte)) {
            hugetlb.reserve().prepare(vma, vmf.address);
        }
        return present(vmf, mustOwn);
    }

    /// The part of hugetlb_fault() for an entry that is neither none nor present.
    private int softleaf(Fault vmf) {
        if (Entry.isMigration(vmf.origPte)) {
            // The VMA's lock keeps the table in place; it is dropped inside.
            vmf.mutex.unlock();
            migrationEntryWaitHuge(vmf);
            return 0;
        }
        boolean marker = Entry.isMarker(vmf.origPte);
        if (marker && (Entry.marker(vmf.origPte) & Entry.MARKER_POISONED) == 0) {
            return noPage(vmf);
        }
        kernel.bugOn(!marker && !Entry.isHwpoison(vmf.origPte), "unknown entry of a huge page");
        unlock(vmf, VmFault.HWPOISON_LARGE);
        return VmFault.HWPOISON_LARGE;
    }

    /// The part of hugetlb_fault() that begins with taking the lock of the table.
    private int present(Fault vmf, boolean mustOwn) {
        vmf.lock(hugetlb);
        int ret = 0;
        Folio busy = null;
        if (vmf.origPte == hugetlb.pte().get(vmf.h, vmf.pte())) {
            if (forUffdWp(vmf)) {
                vmf.ptl().unlock();
                return handleUserfault(vmf, Vma.VM_UFFD_WP);
            }
            if (mustOwn && !Entry.write(vmf.origPte)) {
                Folio folio = folio(vmf.origPte);
                if (folio.isAnon() && !folio.lock().trylock()) {
                    busy = folio;
                } else {
                    ret = ownPage(vmf, folio);
                }
            } else {
                touch(vmf);
            }
        }
        vmf.ptl().unlock();
        unlock(vmf, ret);
        if (busy != null) {
            // Not before: whoever has the folio locked may be waiting for the mutex.
            busy.lock().waitUnlocked();
        }
        return ret;
    }

    /// Whether user space is to handle a write, since the page is write-protected for it. Where
    /// nobody wants to be told any more, the protection goes.
    private boolean forUffdWp(Fault vmf) {
        boolean marked = Entry.uffd(hugetlb.pte().get(vmf.h, vmf.pte()));
        if (!marked || !vmf.has(VmFault.FLAG_WRITE) || Entry.write(vmf.origPte)) {
            return false;
        }
        Vma vma = vmf.vma;
        if (vma.userfaultfdWp() && !vma.userfaultfdHas(Userfaultfd.FEATURE_WP_ASYNC)) {
            return true;
        }
        vmf.origPte = Entry.clearUffd(vmf.origPte);
        hugetlb.pte().set(vma.mm(), vmf.h, vmf.address, vmf.pte(), vmf.origPte);
        return false;
    }

    private Folio folio(long pte) {
        return kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(pte)));
    }

    /// The call of hugetlb_wp() in hugetlb_fault(). The folio is locked if it is anonymous.
    private int ownPage(Fault vmf, Folio folio) {
        folio.get();
        int ret = hugetlb.wp().hugetlbWp(vmf);
        if (folio.isAnon()) {
            folio.lock().unlock();
        }
        kernel.swap().folioPut(folio);
        return ret;
    }

    /// The end of hugetlb_fault() for an entry that permits the access.
    private void touch(Fault vmf) {
        long entry = Entry.mkyoung(vmf.origPte);
        boolean write = vmf.has(VmFault.FLAG_WRITE);
        if (write) {
            entry = Entry.mkdirty(entry);
        }
        hugetlb.pte().setAccessFlags(vmf.vma, vmf.address, vmf.pte(), entry, write);
    }

    /// The label `out_mutex` of hugetlb_fault(), and `out` of hugetlb_no_page().
    private void unlock(Fault vmf, int ret) {
        hugetlb.vmas().unlockRead(vmf.vma);
        if ((ret & VmFault.RETRY) != 0) {
            kernel.vmaLock().vmaEndRead(vmf.vma);
        }
        vmf.mutex.unlock();
    }

    /// mm/migrate.c: migration_entry_wait_huge(), softleaf_entry_wait_on_locked(). Waits until the
    /// page has moved, which is until its folio is unlocked; whoever migrates it needs the lock of
    /// the table to be done, so the folio stays until that is dropped. Drops the VMA's hugetlb
    /// lock.
    private void migrationEntryWaitHuge(Fault vmf) {
        hugetlb.vmas().assertLocked(vmf.vma);
        vmf.lock(hugetlb);
        long entry = hugetlb.pte().get(vmf.h, vmf.pte());
        if (!Entry.isMigration(entry)) {
            vmf.ptl().unlock();
            hugetlb.vmas().unlockRead(vmf.vma);
            return;
        }
        hugetlb.vmas().unlockRead(vmf.vma);
        Folio folio = kernel.memMap().softleafToFolio(kernel, entry);
        folio.folioWait().softleafEntryWaitOnLocked(vmf.ptl());
    }

    // ---- missing pages

    /// mm/hugetlb.c: hugetlb_no_page(). Maps the file's page, or a new one, where the entry is
    /// none. Drops the VMA's hugetlb lock and the mutex.
    private int noPage(Fault vmf) {
        if (hugetlb.vmas().isResvSet(vmf.vma, HugetlbVmas.RESV_UNMAPPED)) {
            // Its page was taken away so that the owner of the reservation could have a copy.
            unlock(vmf, VmFault.SIGBUS);
            return VmFault.SIGBUS;
        }
        Folio folio = kernel.filemap().lockFolio(vmf.vma.inode(), vmf.pgoff);
        if (folio != null) {
            if (folio.isHwpoison()) {
                // Mapped nowhere when its memory went bad, or not here.
                return backOut(vmf, folio, false, VmFault.HWPOISON_LARGE);
            }
            if ((vmf.vma.flags() & Vma.VM_UFFD_MINOR) == 0) {
                return mapFolio(vmf, folio, false, false);
            }
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
            return userfault(vmf, Vma.VM_UFFD_MINOR);
        }
        if (vmf.pgoff >= vmf.vma.inode().sizeRead() >> vmf.h.shift()) {
            unlock(vmf, VmFault.SIGBUS);
            return VmFault.SIGBUS;
        }
        if ((vmf.vma.flags() & Vma.VM_UFFD_MISSING) != 0) {
            return userfault(vmf, Vma.VM_UFFD_MISSING);
        }
        if (!vmf.vma.mayShare()) {
            int ret = kernel.memory().vmfAnonPrepareSlow(vmf.vma, vmf.flags);
            if (ret != 0) {
                unlock(vmf, ret);
                return ret;
            }
        }
        return newPage(vmf);
    }

    /// mm/hugetlb.c: hugetlb_handle_userfault(), and the look before it. The entry was read without
    /// its lock: one that is just being changed must not be told of as one that is missing.
    private int userfault(Fault vmf, long reason) {
        if (!pteStable(vmf)) {
            unlock(vmf, 0);
            return 0;
        }
        return handleUserfault(vmf, reason);
    }

    /// Drops the locks, and has user space handle the fault.
    private int handleUserfault(Fault vmf, long reason) {
        hugetlb.vmas().unlockRead(vmf.vma);
        vmf.mutex.unlock();
        return kernel.uffdFault().handleUserfault(vmf.vma, vmf.address, vmf.flags, reason);
    }

    /// The part of hugetlb_no_page() that allocates a page.
    private int newPage(Fault vmf) {
        Folio folio = hugetlb.reserve().alloc(vmf.vma, vmf.address, false);
        if (folio == null) {
            // Migration clears entries without the mutex: only if there is none under the lock
            // either has the pool really run out.
            int ret = pteStable(vmf) ? VmFault.SIGBUS : 0;
            unlock(vmf, ret);
            return ret;
        }
        for (int i = 0; i < vmf.h.pages(); i++) { // folio_zero_user()
            kernel.highmem().clearPage(folio.pfn() + i);
        }
        folio.markUptodate();
        if (!vmf.vma.mayShare()) {
            folio.lock().lockUnshared();
            return mapFolio(vmf, folio, true, true);
        }
        if (hugetlb.hugetlbfs().addToPageCache(folio, vmf.vma.inode(), vmf.pgoff) != 0) {
            hugetlb.reserve().restoreReserveOnError(vmf.vma, vmf.address, folio);
            kernel.swap().folioPut(folio);
            unlock(vmf, VmFault.SIGBUS);
            return VmFault.SIGBUS;
        }
        return mapFolio(vmf, folio, true, false);
    }

    /// mm/hugetlb.c: hugetlb_pte_stable(). Whether the entry is still the one that the fault saw.
    private boolean pteStable(Fault vmf) {
        vmf.lock(hugetlb);
        boolean same = hugetlb.pte().get(vmf.h, vmf.pte()) == vmf.origPte;
        vmf.ptl().unlock();
        return same;
    }

    /// The part of hugetlb_no_page() that maps a locked folio, of which the caller has a reference
    /// that becomes the mapping's.
    ///
    /// @param fresh whether it was allocated by this fault
    /// @param anon whether it is no page of the file
    private int mapFolio(Fault vmf, Folio folio, boolean fresh, boolean anon) {
        Vma vma = vmf.vma;
        boolean shared = (vma.flags() & Vma.VM_SHARED) != 0;
        boolean cow = vmf.has(VmFault.FLAG_WRITE) && !shared;
        if (cow) {
            hugetlb.reserve().prepare(vma, vmf.address);
        }
        vmf.lock(hugetlb);
        if (hugetlb.pte().get(vmf.h, vmf.pte()) != vmf.origPte) {
            vmf.ptl().unlock();
            return backOut(vmf, folio, anon, 0);
        }
        if (anon) {
            kernel.rmap().hugetlbAddNewAnonRmap(folio, vma, vmf.address);
        } else {
            kernel.rmap().hugetlbAddFileRmap(folio);
        }
        long made = HugePte.make(vma, folio, shared);
        boolean uffdWp = vma.userfaultfdWp() && Entry.isUffdWpMarker(vmf.origPte);
        long pte = uffdWp ? Entry.mkuffd(made) : made;
        hugetlb.pte().set(vma.mm(), vmf.h, vmf.address, vmf.pte(), pte);
        int ret = 0;
        boolean locked = true;
        if (cow) {
            if (!anon) {
                locked = false;
                folio.lock().unlock();
            }
            // At once, and not by a second fault.
            ret = hugetlb.wp().hugetlbWp(vmf);
        }
        if (fresh) {
            folio.hugetlb().set(HugetlbFolio.MIGRATABLE);
        }
        if (locked) {
            folio.lock().unlock();
        }
        // The reference is the entry's by now: its lock is held until we are done with the folio.
        vmf.ptl().unlock();
        unlock(vmf, ret);
        return ret;
    }

    /// The label `backout_unlocked` of hugetlb_no_page(): the folio is not mapped after all.
    /// Returns `ret`.
    private int backOut(Fault vmf, Folio folio, boolean anon, int ret) {
        if (anon) {
            hugetlb.reserve().restoreReserveOnError(vmf.vma, vmf.address, folio);
        }
        folio.lock().unlock();
        kernel.swap().folioPut(folio);
        unlock(vmf, ret);
        return ret;
    }
}
