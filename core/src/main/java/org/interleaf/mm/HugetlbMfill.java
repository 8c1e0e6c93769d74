// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Frame;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

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

    /// What is asked for.
    ///
    /// @param current whose memory `src` is in
    /// @param wp whether the pages are write-protected
    record Request(
            UserfaultfdCtx ctx,
            MmStruct current,
            long dst,
            long src,
            long len,
            UffdMfill.Mode mode,
            boolean wp) {}

    /// How far it has come.
    private static final class Progress {
        final Request request;

        /// The mapping, read-locked as {@link UffdMfill} locks it; null with no locks held.
        @Nullable Vma vma;

        /// What was copied without locks, until it can be put in its place.
        @Nullable Folio staged;

        long copied;

        Progress(Request request, Vma vma) {
            this.request = request;
            this.vma = vma;
        }

        Vma vma() {
            return Objects.requireNonNull(vma);
        }

        long dst() {
            return request.dst + copied;
        }

        long src() {
            return request.src + copied;
        }
    }

    /// mm/userfaultfd.c: mfill_atomic_hugetlb(). How many bytes were filled in, or a negative error
    /// number where none. The mapping is read-locked, and `map_changing_lock` held for reading;
    /// both are dropped.
    long mfillAtomicHugetlb(Request request, Vma vma) {
        Hstate h = HugetlbVmas.hstate(vma);
        Progress progress = new Progress(request, vma);
        boolean aligned = ((request.dst | request.len) & (h.size() - 1)) == 0;
        int err = request.mode == UffdMfill.Mode.ZEROPAGE || !aligned ? -Errno.EINVAL : 0;
        while (err == 0 && progress.copied < request.len) {
            err = fillOne(progress, h);
            if (err == -Errno.ENOENT) {
                err = copyWithoutLocks(progress, h);
            } else if (err == 0) {
                progress.copied += h.size();
            }
        }
        unlock(progress);
        if (progress.staged != null) {
            kernel.swap().folioPut(progress.staged);
        }
        return progress.copied > 0 ? progress.copied : err;
    }

    private void unlock(Progress progress) {
        if (progress.vma != null) {
            progress.request.ctx.mapChangingLock.upRead();
            kernel.vmaLock().vmaEndRead(progress.vma);
            progress.vma = null;
        }
    }

    /// The part of mfill_atomic_hugetlb() for a source that must be faulted in first, and what
    /// follows the label `retry`: 0 with the locks held again, or a negative error number.
    private int copyWithoutLocks(Progress progress, Hstate h) {
        Request request = progress.request;
        unlock(progress);
        Folio staged = Objects.requireNonNull(progress.staged);
        if (!copyFolioFromUser(request.current, staged, progress.src(), true)) {
            return -Errno.EFAULT;
        }
        UffdLocks.Result<Vma> found =
                kernel.uffdLocks().mfillLock(request.ctx.mm, request.dst, request.len);
        Vma vma = found.found();
        if (vma == null) {
            return found.error();
        }
        if (!vma.isHugetlb() || HugetlbVmas.hstate(vma) != h) {
            kernel.vmaLock().vmaEndRead(vma);
            return vma.isHugetlb() ? -Errno.EINVAL : -Errno.ENOENT;
        }
        request.ctx.mapChangingLock.downRead();
        progress.vma = vma;
        return request.ctx.mmapChanging.readOnce() != 0 ? -Errno.EAGAIN : 0;
    }

    /// One round of mfill_atomic_hugetlb(). The mutex keeps faults on the page out, the VMA's lock
    /// keeps the table.
    private int fillOne(Progress progress, Hstate h) {
        Vma vma = progress.vma();
        long dst = progress.dst();
        Mutex mutex = hugetlb.faultMutex(vma.inode(), hugetlb.vmas().hugecacheOffset(vma, dst));
        mutex.lock();
        hugetlb.vmas().lockRead(vma);
        int err = -Errno.ENOMEM;
        Word pte = hugetlb.walk().pteAlloc(vma, h, dst);
        if (pte != null) {
            boolean isContinue = progress.request.mode == UffdMfill.Mode.CONTINUE;
            boolean taken = !isContinue && taken(hugetlb.pte().get(h, pte));
            err = taken ? -Errno.EEXIST : mfillAtomicPte(progress, pte);
        }
        hugetlb.vmas().unlockRead(vma);
        mutex.unlock();
        return err;
    }

    /// Whether there is something that must not be overwritten, as markers may be.
    private static boolean taken(long entry) {
        return !Entry.none(entry) && !Entry.isUffdMarker(entry);
    }

    /// mm/hugetlb.c: hugetlb_mfill_atomic_pte(). 0, or a negative error number; -ENOENT where the
    /// source must be faulted in, with `staged` to copy it to.
    private int mfillAtomicPte(Progress progress, Word pte) {
        Vma vma = progress.vma();
        long dst = progress.dst();
        long idx = hugetlb.vmas().hugecacheOffset(vma, dst);
        boolean wp = progress.request.wp;
        switch (progress.request.mode) {
            case POISON -> {
                return installPoison(vma, pte, dst);
            }
            case CONTINUE -> {
                Folio folio = kernel.filemap().lockFolio(vma.inode(), idx);
                return folio == null ? -Errno.EFAULT : install(vma, pte, dst, folio, true, wp);
            }
            default -> {}
        }
        boolean shared = (vma.flags() & Vma.VM_SHARED) != 0;
        if (shared && hugetlb.hugetlbfs().pagecachePresent(vma, dst)) {
            dropStaged(progress);
            return -Errno.EEXIST;
        }
        Folio folio = hugetlb.reserve().alloc(vma, dst, false);
        if (folio == null) {
            return outOfPages(progress);
        }
        int err = copy(progress, folio);
        if (err == 0) {
            folio.markUptodate();
            err = shared ? addToFile(vma, folio, idx) : 0;
            if (err != 0) {
                release(vma, dst, folio);
            }
        }
        return err == 0 ? install(vma, pte, dst, folio, false, wp) : err;
    }

    private int outOfPages(Progress progress) {
        if (progress.staged != null) {
            dropStaged(progress);
            return -Errno.ENOMEM;
        }
        Vma vma = progress.vma();
        Word actual = hugetlb.walk().walk(vma, HugetlbVmas.hstate(vma), progress.dst());
        return actual != null ? -Errno.EEXIST : -Errno.ENOMEM;
    }

    /// Copies to `folio` what user space has given, or has been copied already. Where neither can
    /// be done now the folio goes back, and its reservation with it.
    private int copy(Progress progress, Folio folio) {
        Folio staged = progress.staged;
        if (staged != null) {
            for (int i = 0; i < folio.nrPages(); i++) { // copy_user_large_folio()
                kernel.highmem().copyPage(folio.pfn() + i, staged.pfn() + i);
            }
            dropStaged(progress);
            return 0;
        }
        if (copyFolioFromUser(progress.request.current, folio, progress.src(), false)) {
            return 0;
        }
        release(progress.vma(), progress.dst(), folio);
        progress.staged = hugetlb.pool().allocFolioNodemask(HugetlbVmas.hstate(progress.vma()));
        return progress.staged == null ? -Errno.ENOMEM : -Errno.ENOENT;
    }

    private void dropStaged(Progress progress) {
        if (progress.staged != null) {
            kernel.swap().folioPut(progress.staged);
            progress.staged = null;
        }
    }

    private void release(Vma vma, long dst, Folio folio) {
        hugetlb.reserve().restoreReserveOnError(vma, dst, folio);
        kernel.swap().folioPut(folio);
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

    /// mm/memory.c: copy_folio_from_user(). False where the process has not what is to be copied,
    /// or it would have to be faulted in and must not be.
    private boolean copyFolioFromUser(MmStruct mm, Folio folio, long src, boolean allowPagefault) {
        long pageSize = kernel.geometry().pageSize();
        for (int i = 0; i < folio.nrPages(); i++) {
            Frame frame = kernel.memMap().memory().frame(folio.pfn() + i);
            for (int k = 0; k < frame.words(); k++) {
                long addr = src + i * pageSize + (long) k * Long.BYTES;
                Long word =
                        allowPagefault
                                ? kernel.userAccess().loadFaulting(mm, addr)
                                : kernel.userAccess().loadNofault(mm, addr);
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
    private int install(Vma vma, Word pte, long dst, Folio folio, boolean isContinue, boolean wp) {
        Hstate h = HugetlbVmas.hstate(vma);
        boolean shared = (vma.flags() & Vma.VM_SHARED) != 0;
        boolean inPagecache = shared || isContinue;
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
        long entry = HugePte.make(vma, folio, !wp && (shared || !isContinue));
        entry = Entry.mkyoung(Entry.mkdirty(entry));
        hugetlb.pte().set(vma.mm(), h, dst, pte, wp ? Entry.mkuffd(entry) : entry);
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
            kernel.swap().folioPut(folio);
        } else {
            release(vma, dst, folio);
        }
    }
}
