// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Fence;
import org.interleaf.machine.Frame;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Filling pages in for a userfaultfd: UFFDIO_COPY and UFFDIO_ZEROPAGE (mfill_atomic() of
/// mm/userfaultfd.c), in anonymous memory; {@link HugetlbMfill} does it in hugetlb.
///
/// # Locking
///
/// The mapping is read-locked, and `map_changing_lock` held for reading. PTE tables can go away as
/// long as their lock is not held.
public final class UffdMfill {
    /// `UFFDIO_COPY_MODE_DONTWAKE`, `UFFDIO_ZEROPAGE_MODE_DONTWAKE` and so on.
    public static final int MODE_DONTWAKE = 1;

    /// `UFFDIO_COPY_MODE_WP`, `UFFDIO_CONTINUE_MODE_WP`: what is filled in is write-protected.
    public static final int MODE_WP = 2;

    private final Kernel kernel;

    UffdMfill(Kernel kernel) {
        this.kernel = kernel;
    }

    /// `MFILL_ATOMIC_…`: what is to be filled in.
    enum Mode {
        COPY,
        ZEROPAGE,
        CONTINUE,
        POISON
    }

    /// `struct mfill_state`.
    private static final class State {
        final UserfaultfdCtx ctx;

        /// Whose memory is copied; that of the userfaultfd where nothing is.
        final MmStruct current;

        final long dstStart;
        final long len;
        final Mode mode;
        @Nullable Vma vma;

        /// `MFILL_ATOMIC_WP`.
        boolean wp;

        long srcAddr;
        long dstAddr;
        @Nullable Word pmd;

        State(UserfaultfdCtx ctx, long dst, long len, Mode mode) {
            this(ctx, ctx.mm, dst, 0, len, mode);
        }

        State(UserfaultfdCtx ctx, MmStruct current, long dst, long src, long len, Mode mode) {
            this.ctx = ctx;
            this.current = current;
            this.dstStart = dst;
            this.len = len;
            this.mode = mode;
            srcAddr = src;
            dstAddr = dst;
        }

        Vma vma() {
            return Objects.requireNonNull(vma);
        }

        Word pmd() {
            return Objects.requireNonNull(pmd);
        }
    }

    /// mm/userfaultfd.c: userfaultfd_copy(). Maps pages with a copy of what is at `src`, and wakes
    /// who waits for them. 0 or a negative error number.
    ///
    /// @param current the address space of the caller, which `src` is in
    public long copy(UserfaultfdCtx ctx, MmStruct current, long dst, long src, long len, int mode) {
        if (ctx.mmapChanging.readOnce() != 0) {
            return -Errno.EAGAIN;
        }
        int err = kernel.userfaultfd().validateUnalignedRange(src, len);
        if (err != 0) {
            return err;
        }
        return fill(new State(ctx, current, dst, src, len, Mode.COPY), mode);
    }

    /// mm/userfaultfd.c: userfaultfd_zeropage(). Maps the zero page, and wakes who waits. 0 or a
    /// negative error number.
    public long zeropage(UserfaultfdCtx ctx, long dst, long len, int mode) {
        if (ctx.mmapChanging.readOnce() != 0) {
            return -Errno.EAGAIN;
        }
        return fill(new State(ctx, dst, len, Mode.ZEROPAGE), mode);
    }

    /// mm/userfaultfd.c: userfaultfd_continue(). Maps pages that are in the file already, and wakes
    /// who waits for them. 0 or a negative error number.
    public long continueMinor(UserfaultfdCtx ctx, long dst, long len, int mode) {
        if (ctx.mmapChanging.readOnce() != 0) {
            return -Errno.EAGAIN;
        }
        kernel.machine().fence(Fence.WMB);
        return fill(new State(ctx, dst, len, Mode.CONTINUE), mode);
    }

    /// mm/userfaultfd.c: userfaultfd_poison(). Has whoever touches these pages told that their
    /// memory is bad, and wakes who waits for them. 0 or a negative error number.
    public long poison(UserfaultfdCtx ctx, long dst, long len, int mode) {
        if (ctx.mmapChanging.readOnce() != 0) {
            return -Errno.EAGAIN;
        }
        return fill(new State(ctx, dst, len, Mode.POISON), mode);
    }

    private long fill(State state, int mode) {
        int err = kernel.userfaultfd().validateRange(state.dstStart, state.len);
        if (err != 0) {
            return err;
        }
        boolean canProtect = state.mode == Mode.COPY || state.mode == Mode.CONTINUE;
        if ((mode & ~(MODE_DONTWAKE | (canProtect ? MODE_WP : 0))) != 0) {
            return -Errno.EINVAL;
        }
        state.wp = (mode & MODE_WP) != 0;
        if (!kernel.fork().mmgetNotZero(state.ctx.mm)) {
            return -Errno.ESRCH;
        }
        long ret = mfillAtomic(state);
        kernel.fork().mmput(state.ctx.mm);
        if (ret < 0) {
            return ret;
        }
        if ((mode & MODE_DONTWAKE) == 0) {
            kernel.uffdQueues().wake(state.ctx, state.dstStart, ret);
        }
        return ret == state.len ? 0 : -Errno.EAGAIN;
    }

    /// mm/userfaultfd.c: mfill_atomic(). How many bytes were filled in, or a negative error number
    /// where none.
    private long mfillAtomic(State state) {
        int err = getVma(state);
        if (err != 0) {
            return err;
        }
        long copied = 0;
        if (state.vma().isHugetlb()) {
            return hugetlb(state);
        }
        long pageSize = kernel.geometry().pageSize();
        while (err == 0 && copied < state.len) {
            err = establishPmd(state);
            if (err == 0) {
                err = fillPte(state);
            }
            if (err == 0) {
                state.dstAddr += pageSize;
                state.srcAddr += pageSize;
                copied += pageSize;
            }
        }
        putVma(state);
        return copied > 0 ? copied : err;
    }

    /// mm/userfaultfd.c: mfill_atomic_pte().
    private int fillPte(State state) {
        return switch (state.mode) {
            case COPY -> pteFolio(state, isShared(state));
            case ZEROPAGE ->
                    isShared(state) ? pteFolio(state, true) : pteSet(state, zeroPte(state));
            case POISON -> pteSet(state, Entry.makeMarker(Entry.MARKER_POISONED));
            case CONTINUE -> pteContinue(state);
        };
    }

    private static boolean isShared(State state) {
        return (state.vma().flags() & Vma.VM_SHARED) != 0;
    }

    /// mm/userfaultfd.c: mfill_atomic_pte_continue(). Maps what the file has. 0 or a negative error
    /// number.
    private int pteContinue(State state) {
        Vma vma = state.vma();
        Folio folio = kernel.uffdShmem().getFolioNoalloc(vma, state.dstAddr);
        if (folio == null) {
            return -Errno.EFAULT;
        }
        long index = vma.linearPageIndex(kernel.geometry(), state.dstAddr);
        int err = installPte(state, folio, kernel.memMap().folioPage(folio, index));
        if (err != 0) {
            folio.lock().unlock();
            kernel.swap().folioPut(folio);
        }
        return err;
    }

    private long hugetlb(State state) {
        HugetlbMfill.Request request =
                new HugetlbMfill.Request(
                        state.ctx,
                        state.current,
                        state.dstStart,
                        state.srcAddr,
                        state.len,
                        state.mode,
                        state.wp);
        return kernel.hugetlb().mfill().mfillAtomicHugetlb(request, state.vma());
    }

    /// mm/userfaultfd.c: mfill_get_vma(). 0 or a negative error number.
    private int getVma(State state) {
        UffdLocks.Result<Vma> found =
                kernel.uffdLocks().mfillLock(state.ctx.mm, state.dstStart, state.len);
        if (found.found() == null) {
            return found.error();
        }
        state.ctx.mapChangingLock.downRead();
        state.vma = found.found();
        if (state.ctx.mmapChanging.readOnce() != 0) {
            putVma(state);
            return -Errno.EAGAIN;
        }
        // Anonymous memory is in no file.
        boolean continues = state.mode == Mode.CONTINUE && state.vma().isAnonymous();
        if (continues || state.wp && !state.vma().userfaultfdWp()) {
            putVma(state);
            return -Errno.EINVAL;
        }
        return 0;
    }

    /// mm/userfaultfd.c: mfill_put_vma().
    private void putVma(State state) {
        if (state.vma != null) {
            state.ctx.mapChangingLock.upRead();
            kernel.vmaLock().vmaEndRead(state.vma);
            state.vma = null;
        }
    }

    /// mm/userfaultfd.c: mfill_establish_pmd(). Makes the tables above the page. 0 or a negative
    /// error number.
    private int establishPmd(State state) {
        MmStruct mm = state.ctx.mm;
        Word pmd = kernel.pgtable().alloc(Geometry.PMD, mm, state.dstAddr); // mm_alloc_pmd()
        if (pmd == null) {
            return -Errno.ENOMEM;
        }
        if (Entry.none(kernel.pgtableGeneric().pmdpGetLockless(pmd))
                && !kernel.pgtable().pteAllocTable(mm, pmd)) {
            return -Errno.ENOMEM;
        }
        long value = kernel.pgtableGeneric().pmdpGetLockless(pmd);
        if (!Entry.present(value) || Entry.leaf(value)) {
            return -Errno.EEXIST;
        }
        if (Entry.bad(value)) {
            return -Errno.EFAULT;
        }
        state.pmd = pmd;
        return 0;
    }

    /// mm/userfaultfd.c: mfill_atomic_pte_copy(), mfill_atomic_pte_zeroed_folio(),
    /// __mfill_atomic_pte(). Maps a new folio, which also goes into the page cache where `inFile`:
    /// holes of files are not filled through private mappings. 0 or a negative error number.
    private int pteFolio(State state, boolean inFile) {
        Folio folio =
                inFile
                        ? kernel.uffdShmem().allocFolio(state.vma(), state.dstAddr)
                        : kernel.anonFault().folioPrealloc(false);
        if (folio == null) {
            return -Errno.ENOMEM;
        }
        int err = 0;
        if (state.mode == Mode.ZEROPAGE) {
            kernel.highmem().clearPage(folio.pfn());
        } else if (!copyFolioLocked(state, folio)) {
            err = copyFolioRetry(state, folio);
        }
        if (err == 0) {
            folio.markUptodate();
            err = inFile ? kernel.uffdShmem().filemapAdd(folio, state.vma(), state.dstAddr) : 0;
            err = err == 0 ? installFolio(state, folio, inFile) : err;
        }
        if (err != 0) {
            kernel.swap().folioPut(folio);
        }
        return err;
    }

    private int installFolio(State state, Folio folio, boolean inFile) {
        int err = installPte(state, folio, folio.head());
        if (err != 0 && inFile) {
            kernel.uffdShmem().filemapRemove(folio, state.vma());
        }
        return err;
    }

    /// mm/userfaultfd.c: mfill_copy_folio_locked(). False where the source would have to be faulted
    /// in, which must not be done with the locks held.
    private boolean copyFolioLocked(State state, Folio folio) {
        Frame frame = kernel.memMap().memory().frame(folio.pfn());
        for (int k = 0; k < frame.words(); k++) {
            long addr = state.srcAddr + (long) k * Long.BYTES;
            Long word = kernel.userAccess().loadNofault(state.current, addr);
            if (word == null) {
                return false;
            }
            frame.word(k).writePlain(word);
        }
        return true;
    }

    /// mm/userfaultfd.c: mfill_copy_folio_retry(). Drops the locks, copies, and takes them again,
    /// if what was decided with them still holds. 0 or a negative error number; then the locks may
    /// not be held.
    private int copyFolioRetry(State state, Folio folio) {
        Retry retry = save(state.vma());
        putVma(state);
        int err = copyFolioUnlocked(state, folio);
        if (err == 0) {
            err = getVma(state);
        }
        if (err == 0 && changed(retry, state.vma())) {
            err = -Errno.EAGAIN;
        }
        if (retry.file() != null) { // mfill_retry_state_put()
            kernel.files().fput(retry.file());
        }
        return err == 0 ? establishPmd(state) : err;
    }

    /// The part of mfill_copy_folio_retry() without locks. 0 or -EFAULT.
    private int copyFolioUnlocked(State state, Folio folio) {
        Frame frame = kernel.memMap().memory().frame(folio.pfn());
        for (int k = 0; k < frame.words(); k++) {
            long addr = state.srcAddr + (long) k * Long.BYTES;
            Long word = kernel.userAccess().loadFaulting(state.current, addr);
            if (word == null) {
                return -Errno.EFAULT;
            }
            frame.word(k).writePlain(word);
        }
        return 0;
    }

    /// `struct mfill_retry_state`: what must be the same when the locks are held again.
    private record Retry(long flags, @Nullable OpenFile file, long pgoff) {}

    private static final long KEPT = Vma.VM_UFFD_FLAGS | Vma.VM_SHARED;

    /// mm/userfaultfd.c: mfill_retry_state_save().
    private Retry save(Vma vma) {
        if (vma.file != null) {
            kernel.files().getFile(vma.file);
        }
        return new Retry(vma.flags() & KEPT, vma.file, vma.file == null ? 0 : vma.pgoff());
    }

    /// mm/userfaultfd.c: mfill_retry_state_changed().
    private static boolean changed(Retry retry, Vma vma) {
        return (vma.flags() & KEPT) != retry.flags()
                || !Objects.equals(vma.file, retry.file())
                || vma.file != null && vma.pgoff() != retry.pgoff();
    }

    /// mm/userfaultfd.c: mfill_atomic_install_pte(). The folio's reference becomes the mapping's;
    /// if it is a page cache's, it is unlocked. 0, or a negative error number with all as before.
    private int installPte(State state, Folio folio, Page page) {
        Vma vma = state.vma();
        boolean inCache = folio.mapping.readPlain() != 0;
        long flags = vma.flags();
        long prot = vma.isAnonymous() ? AnonFault.PAGE_PROT : Vma.pageProt(flags);
        long entry = Entry.mkdirty(Entry.make(page.pfn(), prot));
        boolean shared = (flags & Vma.VM_SHARED) != 0;
        if ((flags & Vma.VM_WRITE) != 0 && (!inCache || shared)) {
            entry = Entry.mkwrite(entry);
        }
        if (state.wp) {
            entry = Entry.mkuffd(entry);
        }
        PteMapping pte =
                kernel.pgtableGeneric().pteOffsetMapLock(vma.mm(), state.pmd(), state.dstAddr);
        if (pte == null) {
            return -Errno.EAGAIN;
        }
        int err = kernel.uffdShmem().overSize(vma, state.dstAddr) ? -Errno.EFAULT : 0;
        if (err == 0) {
            long now = pte.pte().readOnce();
            err = Entry.none(now) || Entry.isUffdMarker(now) ? 0 : -Errno.EEXIST;
        }
        if (err == 0) {
            if (inCache) {
                kernel.rmap().folioAddFileRmapPte(folio, page);
            } else {
                kernel.rmap().folioAddNewAnonRmap(folio, vma, state.dstAddr);
                kernel.swap().folioAddLru(folio);
            }
            kernel.entries().setPte(pte.pte(), entry);
            if (inCache) {
                folio.lock().unlock();
            }
        }
        pte.unmapUnlock();
        return err;
    }

    private long zeroPte(State state) {
        Vma vma = state.vma();
        long prot = vma.isAnonymous() ? AnonFault.PAGE_PROT : Vma.pageProt(vma.flags());
        return Entry.mkspecial(Entry.make(kernel.zeroFolio().pfn(), prot));
    }

    /// mm/userfaultfd.c: mfill_atomic_pte_zeropage(), mfill_atomic_pte_poison(). Sets the entry to
    /// `value` if it is none; not even markers are overwritten. 0 or a negative error number.
    private int pteSet(State state, long value) {
        PteMapping pte =
                kernel.pgtableGeneric().pteOffsetMapLock(state.ctx.mm, state.pmd(), state.dstAddr);
        if (pte == null) {
            return -Errno.EAGAIN;
        }
        int err = kernel.uffdShmem().overSize(state.vma(), state.dstAddr) ? -Errno.EFAULT : 0;
        if (err == 0) {
            err = Entry.none(pte.pte().readOnce()) ? 0 : -Errno.EEXIST;
        }
        if (err == 0) {
            kernel.entries().setPte(pte.pte(), value);
        }
        pte.unmapUnlock();
        return err;
    }
}
