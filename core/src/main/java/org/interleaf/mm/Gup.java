// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// get_user_pages() with the mmap lock held: the slow path of GUP (mm/gup.c), for anonymous and
/// hugetlb memory, which differ in nothing but the lock that is held during the walk.
///
/// # Locking
///
/// The caller holds the mmap lock; references are taken under the page-table lock of the entry that
/// maps the page, which therefore owns a reference that keeps the folio's count above zero.
public final class Gup {
    private final Kernel kernel;
    private final Geometry geometry;
    private final GupRefs refs;

    Gup(Kernel kernel, GupRefs refs) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.refs = refs;
    }

    /// What goes down to a page and comes back: `struct follow_page_context`.
    private static final class Context {
        final Vma vma;
        final int flags;

        /// Pages of the leaf that was found, minus one.
        int pageMask;

        /// A negative error number instead of a page.
        int error;

        Context(Vma vma, int flags) {
            this.vma = vma;
            this.flags = flags;
        }

        boolean has(int flag) {
            return Foll.has(flags, flag);
        }

        @Nullable Page fail(int errno) {
            error = -errno;
            return null;
        }
    }

    /// Whether the mmap lock is still held: a fault may drop it.
    static final class Locked {
        boolean held;
    }

    // ---- entry points

    /// mm/gup.c: get_user_pages_unlocked() and pin_user_pages_unlocked(). Takes the mmap lock for
    /// reading itself. The number of pages from `start` on, or a negative error number.
    public long getUserPagesUnlocked(MmStruct mm, long start, @Nullable Page[] pages, int flags) {
        return lockedLoop(mm, start, pages.length, flags | Foll.UNLOCKABLE, pages, new Locked());
    }

    /// mm/gup.c: get_dump_page(). The page at `addr`, with a reference, for a core dump; null where
    /// there is none that is worth it. `locked` says whether the mmap lock is held for reading, and
    /// is kept up to date.
    @Nullable Page getDumpPage(MmStruct mm, long addr, Locked locked) {
        @Nullable Page[] pages = new Page[1];
        int flags = Foll.FORCE | Foll.DUMP | Foll.GET;
        return lockedLoop(mm, addr, 1, flags, pages, locked) == 1 ? pages[0] : null;
    }

    /// mm/gup.c: faultin_page_range(). Faults the pages of a range in, as MADV_POPULATE_READ and
    /// MADV_POPULATE_WRITE do; takes no references. The mmap lock is held for reading and may have
    /// been dropped on return, as the second element says: {pages or error, 1 if still held}.
    public long[] faultinPageRange(MmStruct mm, long start, long end, boolean write) {
        int flags = Foll.TOUCH | Foll.HWPOISON | Foll.UNLOCKABLE | Foll.MADV_POPULATE;
        Locked locked = new Locked();
        locked.held = true;
        int nr = (int) ((end - start) >> geometry.pageShift());
        long done = lockedLoop(mm, start, nr, write ? flags | Foll.WRITE : flags, null, locked);
        return new long[] {done, locked.held ? 1 : 0};
    }

    /// mm/gup.c: __get_user_pages_locked(). Goes on after faults that dropped the mmap lock.
    private long lockedLoop(
            MmStruct mm,
            long start,
            int nrPages,
            int gupFlags,
            @Nullable Page @Nullable [] pages,
            Locked locked) {
        if (nrPages == 0) {
            return 0;
        }
        boolean mustUnlock = false;
        if (!locked.held) {
            kernel.mmapLock().readLock(mm);
            mustUnlock = true;
            locked.held = true;
        } else {
            kernel.mmapLock().assertLocked(mm);
        }
        int flags = gupFlags;
        if (Foll.has(flags, Foll.PIN)) {
            refs.mmSetHasPinnedFlag(mm);
        }
        if (pages != null && !Foll.has(flags, Foll.PIN)) {
            flags |= Foll.GET;
        }
        long done = getUserPagesRange(mm, start, nrPages, flags, pages, 0, locked);
        while (Foll.has(flags, Foll.UNLOCKABLE) && !locked.held) {
            mustUnlock = true;
            long so = Math.max(done, 0);
            kernel.mmapLock().readLock(mm);
            locked.held = true;
            long addr = start + (so << geometry.pageShift());
            long one = getUserPagesRange(mm, addr, 1, flags | Foll.TRIED, pages, (int) so, locked);
            if (!locked.held) {
                done = so;
                continue;
            }
            if (one != 1) {
                done = so > 0 ? so : one;
                break;
            }
            done = so + 1;
            if (done < nrPages) {
                long next = start + (done << geometry.pageShift());
                int left = nrPages - (int) done;
                long more = getUserPagesRange(mm, next, left, flags, pages, (int) done, locked);
                done += Math.max(more, 0);
            }
        }
        if (mustUnlock && locked.held) {
            kernel.mmapLock().readUnlock(mm);
            locked.held = false;
        }
        if (kernel.warnOn(
                done == 0 && !Foll.has(flags, Foll.NOWAIT), "get_user_pages made no progress")) {
            return -Errno.EFAULT;
        }
        return done;
    }

    /// mm/gup.c: __get_user_pages(). Pages `first` and following of `pages`, as far as one goes
    /// without an error and without losing the mmap lock.
    private long getUserPagesRange(
            MmStruct mm,
            long start,
            int nrPages,
            int flags,
            @Nullable Page @Nullable [] pages,
            int first,
            Locked locked) {
        int done = 0;
        Context context = null;
        while (done < nrPages) {
            long addr = start + ((long) done << geometry.pageShift());
            if (context == null || addr >= context.vma.end()) {
                Vma vma = kernel.mmap().vmaLookup(mm, addr);
                if (vma == null) {
                    int errno = Foll.has(flags, Foll.MADV_POPULATE) ? Errno.ENOMEM : Errno.EFAULT;
                    return done > 0 ? done : -errno;
                }
                int refused = checkVmaFlags(vma, flags);
                if (refused != 0) {
                    return done > 0 ? done : refused;
                }
                context = new Context(vma, flags);
            }
            context.error = 0;
            context.pageMask = 0;
            Page page = followPageMask(context, addr);
            if (page == null && (context.error == 0 || context.error == -Errno.EMLINK)) {
                int ret = faultinPage(context, addr, context.error == -Errno.EMLINK, locked);
                if (ret == 0) {
                    continue;
                }
                if (ret == -Errno.EBUSY || ret == -Errno.EAGAIN) {
                    return done;
                }
                return done > 0 ? done : ret;
            }
            if (page == null) {
                if (context.error != -Errno.EEXIST || pages != null) {
                    return done > 0 ? done : context.error;
                }
                done++;
                continue;
            }
            int increment = increment(addr, context.pageMask, nrPages - done);
            if (pages != null && !store(page, increment, flags, pages, first + done)) {
                return done > 0 ? done : -Errno.EFAULT;
            }
            done += increment;
        }
        return done;
    }

    /// How many of the pages wanted are behind the leaf that was found for `addr`.
    private int increment(long addr, int pageMask, int wanted) {
        int inLeaf = 1 + (int) (~(addr >> geometry.pageShift()) & pageMask);
        return Math.min(inLeaf, wanted);
    }

    /// Takes the references for the other pages of a large leaf and stores all of them.
    private boolean store(Page page, int increment, int flags, @Nullable Page[] pages, int first) {
        Folio folio = kernel.memMap().pageFolio(page);
        if (increment > 1
                && kernel.warnOn(
                        refs.tryGrabFolio(folio, increment - 1, flags) != 0,
                        "no further references",
                        folio)) {
            refs.gupPutFolio(folio, 1, flags);
            return false;
        }
        for (int i = 0; i < increment; i++) {
            pages[first + i] = kernel.memMap().page(page.pfn() + i);
        }
        return true;
    }

    /// mm/gup.c: check_vma_flags(). 0, or a negative error number where the VMA does not allow it.
    private static int checkVmaFlags(Vma vma, int flags) {
        long vmFlags = vma.flags();
        if (Foll.has(flags, Foll.SPLIT_PMD) && vma.isHugetlb()) {
            return Foll.has(flags, Foll.MADV_POPULATE) ? -Errno.EINVAL : -Errno.EOPNOTSUPP;
        }
        if ((vmFlags & (Vma.VM_IO | Vma.VM_PFNMAP)) != 0) {
            return Foll.has(flags, Foll.MADV_POPULATE) ? -Errno.EINVAL : -Errno.EFAULT;
        }
        int refused = Foll.has(flags, Foll.MADV_POPULATE) ? -Errno.EINVAL : -Errno.EFAULT;
        boolean force = Foll.has(flags, Foll.FORCE);
        if (Foll.has(flags, Foll.WRITE)) {
            if ((vmFlags & Vma.VM_WRITE) == 0 && !(force && Vma.isCowMapping(vmFlags))) {
                return refused;
            }
        } else if ((vmFlags & Vma.VM_READ) == 0 && !(force && (vmFlags & Vma.VM_MAYREAD) != 0)) {
            return refused;
        }
        return 0;
    }

    /// mm/gup.c: __mm_populate(), populate_vma_page_range(). Faults `[start, start + len)` in, for
    /// a write where that makes pages private; what cannot be had is left out.
    void mmPopulate(MmStruct mm, long start, long len) {
        long addr = start;
        long end = start + len;
        while (addr < end) {
            kernel.mmapLock().readLock(mm);
            Vma vma = kernel.mmap().findVma(mm, addr);
            if (vma == null || vma.start() >= end) {
                kernel.mmapLock().readUnlock(mm);
                return;
            }
            addr = Math.max(addr, vma.start());
            long to = Math.min(end, vma.end());
            long vmFlags = vma.flags();
            int flags = Foll.TOUCH | Foll.UNLOCKABLE;
            if ((vmFlags & (Vma.VM_WRITE | Vma.VM_SHARED)) == Vma.VM_WRITE) {
                flags |= Foll.WRITE;
            }
            if ((vmFlags & Vma.VM_ACCESS_FLAGS) != 0) {
                flags |= Foll.FORCE;
            }
            Locked locked = new Locked();
            locked.held = true;
            int nr = (int) ((to - addr) >> geometry.pageShift());
            long done = lockedLoop(mm, addr, nr, flags, null, locked);
            if (locked.held) {
                kernel.mmapLock().readUnlock(mm);
            }
            // __mm_populate() goes on behind a VMA that it could not populate.
            addr = done <= 0 ? to : addr + (done << geometry.pageShift());
        }
    }

    // ---- following the tables

    /// mm/gup.c: follow_page_mask(), follow_p4d_mask(). The page at `addr` with a reference or pin
    /// as the flags say. Null where a fault is needed, or with the context's error set.
    private @Nullable Page followPageMask(Context context, long addr) {
        Vma vma = context.vma;
        boolean hugetlb = vma.isHugetlb();
        if (hugetlb) { // vma_pgtable_walk_begin()
            kernel.hugetlb().vmas().lockRead(vma);
        }
        Page page = followTables(context, addr);
        if (hugetlb) {
            kernel.hugetlb().vmas().unlockRead(vma);
        }
        return page;
    }

    private @Nullable Page followTables(Context context, long addr) {
        Pgtable pgtable = kernel.pgtable();
        Word entry = pgtable.pgdOffset(context.vma.mm(), addr);
        for (int level = Geometry.P4D; level >= Geometry.PUD; level--) {
            if (!geometry.folded(level)) {
                // Above the PUD there are no leaves: what is no table is bad.
                long value = entry.readOnce();
                if (!Entry.isTable(value)) {
                    return noPageTable(context, addr);
                }
                entry = pgtable.offsetLockless(level, entry, value, addr);
            }
        }
        return followPudMask(context, entry, addr);
    }

    /// mm/gup.c: follow_pud_mask(). A PUD above a folded PMD is no more than that.
    private @Nullable Page followPudMask(Context context, Word pud, long addr) {
        if (geometry.folded(Geometry.PMD)) {
            return followPmdMask(context, pud, addr);
        }
        long value = pud.readOnce();
        if (!Entry.present(value)) {
            return noPageTable(context, addr);
        }
        if (Entry.leaf(value)) {
            SpinLock ptl = kernel.ptLocks().pudLock(context.vma.mm(), pud);
            Page page = followHugePud(context, pud, addr);
            ptl.unlock();
            return page == null && context.error == 0 ? noPageTable(context, addr) : page;
        }
        if (Entry.bad(value)) {
            return noPageTable(context, addr);
        }
        Word pmd = kernel.pgtable().offsetLockless(Geometry.PMD, pud, value, addr);
        return followPmdMask(context, pmd, addr);
    }

    /// mm/gup.c: follow_huge_pud(). The PUD lock is held. Whether the entry still is a leaf is not
    /// asked.
    private @Nullable Page followHugePud(Context context, Word pud, long addr) {
        long value = pud.readPlain();
        if (!Entry.present(value)) {
            return null;
        }
        long pfn = Entry.pfn(value);
        if (context.has(Foll.WRITE) && !canFollowWrite(context, value, kernel.memMap().page(pfn))) {
            return null;
        }
        long mask = geometry.size(Geometry.PUD) - 1;
        Page page = kernel.memMap().page(pfn + ((addr & mask) >> geometry.pageShift()));
        if (!Entry.write(value) && refs.gupMustUnshare(context.vma, context.flags, page)) {
            return context.fail(Errno.EMLINK);
        }
        if (refs.tryGrabFolio(kernel.memMap().pageFolio(page), 1, context.flags) != 0) {
            return context.fail(Errno.ENOMEM);
        }
        context.pageMask = (int) (mask >> geometry.pageShift());
        return page;
    }

    /// mm/gup.c: follow_pmd_mask().
    private @Nullable Page followPmdMask(Context context, Word pmd, long addr) {
        MmStruct mm = context.vma.mm();
        long pmdval = kernel.pgtableGeneric().pmdpGetLockless(pmd);
        if (Entry.none(pmdval) || !Entry.present(pmdval)) {
            return noPageTable(context, addr);
        }
        if (!Entry.leaf(pmdval)) {
            return followPagePte(context, pmd, addr);
        }
        if (Entry.protnone(pmdval) && !gupCanFollowProtnone(context)) {
            return noPageTable(context, addr);
        }
        SpinLock ptl = kernel.ptLocks().pmdLock(mm, pmd);
        pmdval = pmd.readOnce();
        if (!Entry.present(pmdval)) {
            ptl.unlock();
            return noPageTable(context, addr);
        }
        if (!Entry.leaf(pmdval)) {
            ptl.unlock();
            return followPagePte(context, pmd, addr);
        }
        if (context.has(Foll.SPLIT_PMD)) {
            ptl.unlock();
            kernel.hugeMemory().splitHugePmd(context.vma, pmd, addr);
            return kernel.pgtable().pteAlloc(mm, pmd)
                    ? followPagePte(context, pmd, addr)
                    : context.fail(Errno.ENOMEM);
        }
        Page page = followHugePmd(context, pmd, addr);
        ptl.unlock();
        if (page != null) {
            context.pageMask = geometry.hpagePmdNr() - 1;
        }
        return page;
    }

    /// mm/gup.c: follow_huge_pmd(). The PMD lock is held.
    private @Nullable Page followHugePmd(Context context, Word pmd, long addr) {
        long pmdval = pmd.readPlain();
        Page head = kernel.memMap().page(Entry.pfn(pmdval));
        if (context.has(Foll.WRITE) && !canFollowWrite(context, pmdval, head)) {
            return null;
        }
        if (context.has(Foll.DUMP) && kernel.isHugeZeroPfn(head.pfn())) {
            return context.fail(Errno.EFAULT);
        }
        if (Entry.protnone(pmd.readPlain()) && !gupCanFollowProtnone(context)) {
            return null;
        }
        int offset = geometry.index(Geometry.PTE, addr);
        Page page = kernel.memMap().page(head.pfn() + offset);
        if (!Entry.write(pmdval) && refs.gupMustUnshare(context.vma, context.flags, head)) {
            return context.fail(Errno.EMLINK);
        }
        Folio folio = kernel.memMap().pageFolio(page);
        warnPinnedShared(context, folio, head);
        if (refs.tryGrabFolio(folio, 1, context.flags) != 0) {
            return context.fail(Errno.ENOMEM);
        }
        if (context.has(Foll.TOUCH)) {
            kernel.hugeMemory().touchPmd(pmd, pmdval, context.has(Foll.WRITE));
        }
        return page;
    }

    /// mm/gup.c: follow_page_pte().
    private @Nullable Page followPagePte(Context context, Word pmd, long addr) {
        PteMapping mapping = kernel.pgtableGeneric().pteOffsetMapLock(context.vma.mm(), pmd, addr);
        if (mapping == null) {
            return noPageTable(context, addr);
        }
        long pte = mapping.pte().readOnce();
        if (!Entry.ptePresent(pte) || Entry.protnone(pte) && !gupCanFollowProtnone(context)) {
            mapping.unmapUnlock();
            return Entry.none(pte) ? noPageTable(context, addr) : null;
        }
        Page page = followPresentPte(context, pte);
        mapping.unmapUnlock();
        return page;
    }

    /// The middle of follow_page_pte(): the PTE lock is held.
    private @Nullable Page followPresentPte(Context context, long pte) {
        Page page = kernel.memMap().page(Entry.pfn(pte));
        boolean special = Entry.special(pte);
        if (context.has(Foll.WRITE) && !canFollowWrite(context, pte, special ? null : page)) {
            return null;
        }
        if (special) {
            if (context.has(Foll.DUMP)) {
                return context.fail(Errno.EFAULT);
            }
            if (!kernel.isZeroPage(page)) {
                return context.fail(Errno.EEXIST);
            }
        }
        Folio folio = kernel.memMap().pageFolio(page);
        if (!Entry.write(pte) && refs.gupMustUnshare(context.vma, context.flags, page)) {
            return context.fail(Errno.EMLINK);
        }
        warnPinnedShared(context, folio, page);
        if (refs.tryGrabFolio(folio, 1, context.flags) != 0) {
            return context.fail(Errno.ENOMEM);
        }
        if (context.has(Foll.TOUCH)) {
            if (context.has(Foll.WRITE) && !Entry.dirty(pte) && !folio.testFlag(Folio.PG_DIRTY)) {
                folio.setFlag(Folio.PG_DIRTY);
            }
            kernel.swap().folioMarkAccessed(folio);
        }
        return page;
    }

    private void warnPinnedShared(Context context, Folio folio, Page page) {
        if (context.has(Foll.PIN) && folio.isAnon()) {
            kernel.warnOn(
                    !refs.pageAnonExclusive(page), "pin of a page that is not exclusive", page);
        }
    }

    /// mm/gup.c: can_follow_write_pte() and can_follow_write_pmd().
    private boolean canFollowWrite(Context context, long entry, @Nullable Page page) {
        if (Entry.write(entry)) {
            return true;
        }
        // A debugger may write to a private page that the process itself may not write, once the
        // page is the process' own.
        if (!context.has(Foll.FORCE)) {
            return false;
        }
        long flags = context.vma.flags();
        if ((flags & Vma.VM_SHARED) != 0
                || (flags & Vma.VM_MAYWRITE) == 0
                || (flags & Vma.VM_WRITE) != 0) {
            return false;
        }
        return page != null
                && kernel.memMap().pageFolio(page).isAnon()
                && refs.pageAnonExclusive(page)
                && !context.vma.userfaultfdEntryWp(entry);
    }

    /// mm/gup.c: gup_can_follow_protnone(). GUP looks through NUMA-hinting entries.
    private static boolean gupCanFollowProtnone(Context context) {
        if (!context.has(Foll.HONOR_NUMA_FAULT)) {
            return true;
        }
        long accessible = Vma.VM_READ | Vma.VM_WRITE | Vma.VM_EXEC;
        return (context.vma.flags() & accessible) == 0;
    }

    /// mm/gup.c: no_page_table(). Null to have the page faulted in, except that a core dump leaves
    /// out what would surely be zeros.
    private @Nullable Page noPageTable(Context context, long addr) {
        if (!context.has(Foll.DUMP)) {
            return null;
        }
        Vma vma = context.vma;
        boolean zeros =
                vma.isHugetlb()
                        ? !kernel.hugetlb().hugetlbfs().pagecachePresent(vma, addr)
                        : vma.isAnonymous();
        return zeros ? context.fail(Errno.EFAULT) : null;
    }

    /// mm/gup.c: faultin_page(). 0 to look again; -EBUSY or -EAGAIN where the mmap lock was
    /// dropped; another negative error number where there is no page to be had.
    private int faultinPage(Context context, long addr, boolean unshare, Locked locked) {
        if (context.has(Foll.NOFAULT)) {
            return -Errno.EFAULT;
        }
        int fault = context.has(Foll.WRITE) ? VmFault.FLAG_WRITE : 0;
        fault |= context.has(Foll.REMOTE) ? VmFault.FLAG_REMOTE : 0;
        if (context.has(Foll.UNLOCKABLE)) {
            fault |= VmFault.FLAG_ALLOW_RETRY | VmFault.FLAG_KILLABLE;
        }
        if (context.has(Foll.NOWAIT)) {
            fault |= VmFault.FLAG_ALLOW_RETRY | VmFault.FLAG_RETRY_NOWAIT;
        }
        fault |= context.has(Foll.TRIED) ? VmFault.FLAG_TRIED : 0;
        if (unshare) {
            fault |= VmFault.FLAG_UNSHARE;
        }
        int ret = kernel.memory().handleMmFault(context.vma, addr, fault);
        boolean nowait = (fault & VmFault.FLAG_RETRY_NOWAIT) != 0;
        if ((ret & VmFault.COMPLETED) != 0) {
            locked.held = nowait;
            return -Errno.EAGAIN;
        }
        if ((ret & VmFault.ERROR) != 0) {
            return vmFaultToErrno(ret, context.flags);
        }
        if ((ret & VmFault.RETRY) != 0) {
            locked.held = nowait;
            return -Errno.EBUSY;
        }
        return 0;
    }

    /// include/linux/mm.h: vm_fault_to_errno(), for a result that is an error.
    private static int vmFaultToErrno(int fault, int follFlags) {
        if ((fault & VmFault.OOM) != 0) {
            return -Errno.ENOMEM;
        }
        boolean poison = (fault & (VmFault.HWPOISON | VmFault.HWPOISON_LARGE)) != 0;
        return poison && Foll.has(follFlags, Foll.HWPOISON) ? -Errno.EHWPOISON : -Errno.EFAULT;
    }
}
