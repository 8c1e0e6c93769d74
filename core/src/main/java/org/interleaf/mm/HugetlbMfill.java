// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Frame;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// Filling huge pages in for userfaultfd: UFFDIO_COPY, UFFDIO_CONTINUE and UFFDIO_POISON
/// (mm/userfaultfd.c, and hugetlb_mfill_atomic_pte() of mm/hugetlb.c). {@link UffdMfill} has found
/// and locked the mapping.
final class HugetlbMfill {
    private final Kernel kernel;
    private final Hugetlb hugetlb;

    HugetlbMfill(Kernel kernel, Hugetlb hugetlb) {
        this.kernel = kernel;
        this.hugetlb = hugetlb;
    }

    /// mm/userfaultfd.c: mfill_atomic_hugetlb(). How many bytes were filled in, or a negative error
    /// number where none. The mapping is read-locked.
    long mfillAtomicHugetlb(Vma vma, long dst, long src, long len, UffdMfill.Mode mode) {
        Hstate h = HugetlbVmas.hstate(vma);
        long copied = 0;
        int err = ((dst | len) & (h.size() - 1)) == 0 ? 0 : -Errno.EINVAL;
        while (err == 0 && copied < len) {
            err = fillOne(vma, h, dst + copied, src + copied, mode);
            copied += err == 0 ? h.size() : 0;
        }
        return copied > 0 ? copied : err;
    }

    /// One round of mfill_atomic_hugetlb(). The mutex keeps faults on the page out, the VMA's lock
    /// keeps the table.
    private int fillOne(Vma vma, Hstate h, long dst, long src, UffdMfill.Mode mode) {
        long idx = hugetlb.vmas().hugecacheOffset(vma, dst);
        Mutex mutex = hugetlb.faultMutex(vma.inode(), idx);
        mutex.lock();
        hugetlb.vmas().lockRead(vma);
        int err = -Errno.ENOMEM;
        Word pte = hugetlb.walk().pteAlloc(vma, h, dst);
        if (pte != null) {
            boolean taken = mode != UffdMfill.Mode.CONTINUE && taken(hugetlb.pte().get(h, pte));
            err = taken ? -Errno.EEXIST : mfillAtomicPte(vma, pte, dst, src, idx, mode);
        }
        hugetlb.vmas().unlockRead(vma);
        mutex.unlock();
        return err;
    }

    /// Whether there is something that must not be overwritten, as markers may be.
    private static boolean taken(long entry) {
        return !Entry.none(entry) && !Entry.isUffdMarker(entry);
    }

    /// mm/hugetlb.c: hugetlb_mfill_atomic_pte(). 0, or a negative error number.
    private int mfillAtomicPte(
            Vma vma, Word pte, long dst, long src, long idx, UffdMfill.Mode mode) {
        if (mode == UffdMfill.Mode.POISON) {
            return installPoison(vma, pte, dst);
        }
        if (mode == UffdMfill.Mode.CONTINUE) {
            Folio folio = kernel.filemap().lockFolio(vma.inode(), idx);
            return folio == null ? -Errno.EFAULT : install(vma, pte, dst, folio, true, true);
        }
        boolean shared = (vma.flags() & Vma.VM_SHARED) != 0;
        if (shared && pagecachePresent(vma.inode(), idx)) {
            return -Errno.EEXIST;
        }
        Folio folio = hugetlb.reserve().alloc(vma, dst, false);
        if (folio == null) {
            Word actual = hugetlb.walk().walk(vma, HugetlbVmas.hstate(vma), dst);
            return actual != null ? -Errno.EEXIST : -Errno.ENOMEM;
        }
        int err = copyFolioFromUser(vma.mm(), folio, src) ? 0 : -Errno.EFAULT;
        if (err == 0) {
            folio.markUptodate();
            if (shared) {
                err = addToFile(vma, folio, idx);
            }
        }
        if (err != 0) {
            hugetlb.reserve().restoreReserveOnError(vma, dst, folio);
            kernel.swap().folioPut(folio);
            return err;
        }
        return install(vma, pte, dst, folio, shared, false);
    }

    /// The part of hugetlb_mfill_atomic_pte() for `MFILL_ATOMIC_POISON`. Not even markers are
    /// overwritten.
    private int installPoison(Vma vma, Word pte, long dst) {
        Hstate h = HugetlbVmas.hstate(vma);
        SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, pte);
        boolean none = Entry.none(hugetlb.pte().get(h, pte));
        if (none) {
            long marker = Entry.makeMarker(Entry.MARKER_POISONED);
            hugetlb.pte().set(vma.mm(), h, dst, pte, marker);
        }
        ptl.unlock();
        return none ? 0 : -Errno.EEXIST;
    }

    /// mm/hugetlb.c: hugetlbfs_pagecache_present().
    private boolean pagecachePresent(Inode inode, long idx) {
        Folio folio = kernel.filemap().getFolio(inode, idx);
        if (folio != null) {
            kernel.swap().folioPut(folio);
        }
        return folio != null;
    }

    /// mm/memory.c: copy_folio_from_user(). False where the source is not mapped: the kernel would
    /// copy to a page of its own with no locks held, and begin again.
    private boolean copyFolioFromUser(MmStruct mm, Folio folio, long src) {
        long pageSize = kernel.geometry().pageSize();
        for (int i = 0; i < folio.nrPages(); i++) {
            Frame frame = kernel.memMap().memory().frame(folio.pfn() + i);
            for (int k = 0; k < frame.words(); k++) {
                Long word =
                        kernel.userAccess()
                                .loadNofault(mm, src + i * pageSize + (long) k * Long.BYTES);
                if (word == null) {
                    return false;
                }
                frame.word(k).writePlain(word);
            }
        }
        return true;
    }

    private int addToFile(Vma vma, Folio folio, long idx) {
        if (idx >= vma.inode().sizeRead() >> HugetlbVmas.hstate(vma).shift()) {
            return -Errno.EFAULT;
        }
        return hugetlb.hugetlbfs().addToPageCache(folio, vma.inode(), idx);
    }

    /// The part of hugetlb_mfill_atomic_pte() that maps a folio, which is locked if it is the
    /// file's. The caller's reference becomes the mapping's.
    private int install(
            Vma vma, Word pte, long dst, Folio folio, boolean inPagecache, boolean isContinue) {
        Hstate h = HugetlbVmas.hstate(vma);
        boolean shared = (vma.flags() & Vma.VM_SHARED) != 0;
        SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, pte);
        int err = folio.isHwpoison() ? -Errno.EIO : 0;
        if (err == 0 && taken(hugetlb.pte().get(h, pte))) {
            err = -Errno.EEXIST;
        }
        if (err != 0) {
            ptl.unlock();
            backOut(vma, dst, folio, inPagecache);
            return err;
        }
        if (inPagecache) {
            kernel.rmap().hugetlbAddFileRmap(folio);
        } else {
            kernel.rmap().hugetlbAddNewAnonRmap(folio, vma, dst);
        }
        // A private page of the file is still to be copied.
        long entry = HugePte.make(vma, folio, shared || !isContinue);
        hugetlb.pte().set(vma.mm(), h, dst, pte, Entry.mkyoung(Entry.mkdirty(entry)));
        if (!isContinue) {
            folio.hugetlb().set(HugetlbFolio.MIGRATABLE);
        }
        if (inPagecache) {
            folio.lock().unlock();
        }
        ptl.unlock();
        return 0;
    }

    /// The labels `out_release_unlock` and `out_release_nounlock`.
    private void backOut(Vma vma, long dst, Folio folio, boolean inPagecache) {
        if (inPagecache) {
            folio.lock().unlock();
        } else {
            hugetlb.reserve().restoreReserveOnError(vma, dst, folio);
        }
        kernel.swap().folioPut(folio);
    }
}
