// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.TaskKilled;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Memory that has gone bad, in huge pages of hugetlb (mm/memory-failure.c).
///
/// # Locking
///
/// One failure is dealt with at a time, under `mf_mutex`. The folio is marked under `hugetlb_lock`,
/// together with finding out whether it is free, so that nobody is given it afterwards. What maps
/// it is unmapped with the folio locked. A page of a file stays in the file, marked; one of nobody
/// else's goes back to the page allocator, but for the bad page itself.
public final class MemoryFailure {
    /// `MF_COUNT_INCREASED`: the caller has a reference, which becomes ours.
    static final int COUNT_INCREASED = 1;

    /// `MF_ACTION_REQUIRED`: the running process was about to use the memory.
    static final int ACTION_REQUIRED = 1 << 1;

    private static final int NO_RETRY = 1 << 6;

    /// What get_huge_page_for_hwpoison() finds: `MF_HUGETLB_…`.
    private enum Found {
        FREED,
        IN_USED,
        NON_HUGEPAGE,
        FOLIO_PRE_POISONED,
        PAGE_PRE_POISONED,
        RETRY
    }

    private final Kernel kernel;
    private final Machine machine;
    private final Hugetlb hugetlb;
    private final Mutex mfMutex;
    private final Word numPoisonedPages;

    MemoryFailure(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.hugetlb = kernel.hugetlb();
        mfMutex = new Mutex(machine, null, "mf_mutex");
        numPoisonedPages = machine.word(null, null, "num_poisoned_pages", -1, 0);
    }

    /// One failure on its way.
    private static final class Failure {
        final Page page;

        /// The address space of the running process; null where the failure has to do with none.
        final @Nullable MmStruct mm;

        int flags;
        boolean killed;

        Failure(Page page, @Nullable MmStruct mm, int flags) {
            this.page = page;
            this.mm = mm;
            this.flags = flags;
        }

        boolean has(int flag) {
            return (flags & flag) != 0;
        }
    }

    // ---- entry points

    /// mm/madvise.c: madvise_inject_error(), for `MADV_HWPOISON`. Has the memory at `start`, and at
    /// the same place of each page up to `end`, go bad. 0 or a negative error number; the task is
    /// killed, as by SIGBUS, where the kernel sends it that.
    long injectError(MmStruct mm, long start, long end) {
        boolean killed = false;
        long ret = 0;
        long addr = start;
        while (ret == 0 && addr < end) {
            @Nullable Page[] one = new Page[1];
            long got = kernel.gupFast().getUserPagesFast(mm, addr, 0, one);
            Page page = one[0];
            if (got != 1 || page == null) {
                ret = got;
                break;
            }
            addr +=
                    (long) kernel.memMap().pageFolio(page).nrPages()
                            << kernel.geometry().pageShift();
            Failure failure = new Failure(page, mm, ACTION_REQUIRED | COUNT_INCREASED);
            ret = memoryFailure(failure);
            killed |= failure.killed;
        }
        if (killed) {
            throw TaskKilled.INSTANCE; // on the way back to user space
        }
        return ret;
    }

    /// mm/memory-failure.c: memory_failure(), as the hardware has it called: the memory of `page`
    /// is found to be bad by nobody in particular. 0 where it is dealt with, or a negative error
    /// number.
    public long memoryFailure(Page page) {
        return memoryFailure(new Failure(page, null, 0));
    }

    private long memoryFailure(Failure failure) {
        mfMutex.lock();
        long res = tryMemoryFailureHugetlb(failure);
        mfMutex.unlock();
        return res;
    }

    /// The pages that are known to be bad (`HardwareCorrupted`), looked at from outside.
    public long peekPoisonedPages() {
        return numPoisonedPages.peek();
    }

    // ---- hugetlb

    /// mm/memory-failure.c: try_memory_failure_hugetlb().
    private long tryMemoryFailureHugetlb(Failure failure) {
        Found found = getHugePage(failure);
        if (found == Found.RETRY) {
            failure.flags |= NO_RETRY;
            found = getHugePage(failure);
        }
        return switch (found) {
            case NON_HUGEPAGE ->
                    throw new IllegalArgumentException(
                            "memory failure is modelled for huge pages of hugetlb only");
            case FOLIO_PRE_POISONED -> prePoisoned(failure, true);
            case PAGE_PRE_POISONED -> prePoisoned(failure, false);
            case FREED -> freed(failure);
            case IN_USED -> inUse(failure);
            case RETRY -> throw new AssertionError("[interleaf internal] asked twice");
        };
    }

    /// mm/memory-failure.c: get_huge_page_for_hwpoison(). Marks the folio; if it is in use a
    /// reference is ours from then on.
    private Found getHugePage(Failure failure) {
        SpinLock lock = hugetlb.pool().lock();
        lock.lock();
        Folio folio = kernel.memMap().pageFolio(failure.page);
        Found found = classify(failure, folio);
        boolean counted = found == Found.IN_USED;
        boolean retry = found == Found.RETRY && !failure.has(NO_RETRY);
        if (found == Found.NON_HUGEPAGE || retry) {
            lock.unlock();
            return found;
        }
        Found known = updateHwpoison(folio, failure.page);
        if (known != null) {
            lock.unlock();
            if (counted) {
                kernel.swap().folioPut(folio);
            }
            return known;
        }
        if (counted && folio.hugetlb().test(HugetlbFolio.MIGRATABLE)) {
            folio.hugetlb().clear(HugetlbFolio.MIGRATABLE);
        }
        lock.unlock();
        return found;
    }

    private static Found classify(Failure failure, Folio folio) {
        if (!folio.isHugetlb()) {
            return Found.NON_HUGEPAGE;
        }
        if (failure.has(COUNT_INCREASED)) {
            return Found.IN_USED;
        }
        if (folio.hugetlb().test(HugetlbFolio.FREED)) {
            return Found.FREED;
        }
        if (folio.hugetlb().test(HugetlbFolio.MIGRATABLE)) {
            return folio.refAddUnlessZero(1) ? Found.IN_USED : Found.FREED;
        }
        return Found.RETRY;
    }

    /// mm/memory-failure.c: hugetlb_update_hwpoison(). Marks the folio and writes down which page
    /// it is; which of both was done before, if any.
    private static @Nullable Found updateHwpoison(Folio folio, Page page) {
        Found marked = folio.testSetHwpoison() ? Found.FOLIO_PRE_POISONED : null;
        HugetlbFolio state = folio.hugetlb();
        if (state.test(HugetlbFolio.RAW_HWP_UNRELIABLE)) {
            return Found.FOLIO_PRE_POISONED;
        }
        long index = page.pfn() - folio.pfn();
        if (index >= Long.SIZE) {
            // As where there is no memory to write it down.
            state.set(HugetlbFolio.RAW_HWP_UNRELIABLE);
            state.rawHwp.xchg(0, Order.FULL);
            return marked;
        }
        if ((state.rawHwp.readPlain() >> index & 1) != 0) {
            return Found.PAGE_PRE_POISONED;
        }
        state.rawHwp.fetchOr(1L << index, Order.FULL);
        return marked;
    }

    /// mm/memory-failure.c: folio_clear_hugetlb_hwpoison(). The mark of a folio that will be one no
    /// longer goes to the pages that are bad.
    void clearHugetlbHwpoison(Folio folio) {
        if (folio.hugetlb().test(HugetlbFolio.RAW_HWP_UNRELIABLE)) {
            return;
        }
        folio.clearFlag(Folio.PG_HWPOISON);
        long bad = folio.hugetlb().rawHwp.xchg(0, Order.FULL); // folio_free_raw_hwp()
        for (long bits = bad; bits != 0; bits &= bits - 1) {
            long pfn = folio.pfn() + Long.numberOfTrailingZeros(bits);
            kernel.memMap().folioAt(pfn).setFlag(Folio.PG_HWPOISON);
        }
    }

    /// The part of try_memory_failure_hugetlb() for a folio that was marked before.
    private long prePoisoned(Failure failure, boolean otherPage) {
        long rv = -Errno.EHWPOISON;
        if (failure.has(ACTION_REQUIRED) && failure.mm != null) {
            rv = killAccessingProcess(failure, failure.mm);
        }
        if (otherPage) {
            numPoisonedPages.add(1, Order.RELAXED); // action_result()
        }
        return rv;
    }

    /// The part of try_memory_failure_hugetlb() for a folio that is free.
    private long freed(Failure failure) {
        Folio folio = kernel.memMap().pageFolio(failure.page);
        folio.lock().lock();
        folio.lock().unlock();
        return actionResult(handlePoison(failure.page));
    }

    /// The part of try_memory_failure_hugetlb() for a folio that is in use.
    private long inUse(Failure failure) {
        Folio folio = kernel.memMap().pageFolio(failure.page);
        folio.lock().lock();
        if (!userMappings(failure, folio)) {
            folio.lock().unlock();
            folio.hugetlb().keepReference();
            return actionResult(false);
        }
        return actionResult(meHugePage(failure, folio));
    }

    /// mm/memory-failure.c: __page_handle_poison(), with what its callers do on success. Gives the
    /// folio back to the page allocator, and takes the bad page out for good.
    private boolean handlePoison(Page page) {
        Folio folio = kernel.memMap().pageFolio(page);
        int order = folio.order();
        if (hugetlb.pool().dissolveFreeHugetlbFolio(folio) != 0
                || !kernel.pageAlloc().takePageOff(page, order)) {
            return false;
        }
        kernel.memMap().folioAt(page.pfn()).refcount.add(1, Order.RELAXED); // page_ref_inc()
        return true;
    }

    /// mm/memory-failure.c: me_huge_page(). Whether nobody can come across the page any more.
    /// Unlocks the folio.
    private boolean meHugePage(Failure failure, Folio folio) {
        boolean cached = hugetlb.rmap().folioMapping(folio) != null;
        boolean recovered = cached; // truncate_error_folio(): the page stays in its file
        folio.lock().unlock();
        if (cached) {
            folio.hugetlb().keepReference();
        } else {
            kernel.swap().folioPut(folio);
            recovered = handlePoison(failure.page);
        }
        Folio now = kernel.memMap().pageFolio(failure.page); // has_extra_refcount()
        long others = now.refCount() - 1 - (cached ? now.nrPages() : 0);
        return recovered && others <= 0;
    }

    /// mm/memory-failure.c: action_result().
    private long actionResult(boolean recovered) {
        numPoisonedPages.add(1, Order.RELAXED);
        return recovered ? 0 : -Errno.EBUSY;
    }

    // ---- who uses it

    /// mm/memory-failure.c: hwpoison_user_mappings(). Puts entries that tell of the failure where
    /// the folio was mapped; false where it could not be unmapped everywhere.
    private boolean userMappings(Failure failure, Folio folio) {
        if (kernel.rmap().folioMapcount(folio) == 0) {
            return true;
        }
        boolean tokill = collectProcs(failure, folio);
        boolean unmapped = unmapPoisonedFolio(folio);
        boolean forcekill = folio.testFlag(Folio.PG_DIRTY) || !unmapped;
        failure.killed |= tokill && forcekill;
        return unmapped;
    }

    /// mm/memory-failure.c: collect_procs(). Whether the running process maps the page. Others are
    /// told when they touch it: none has asked to be told at once.
    private boolean collectProcs(Failure failure, Folio folio) {
        if (folio.mapping.readPlain() == 0) {
            return false;
        }
        return folio.isAnon() ? collectProcsAnon(failure, folio) : collectProcsFile(failure, folio);
    }

    private boolean collectProcsAnon(Failure failure, Folio folio) {
        AnonVma anonVma = kernel.anonVmas().folioLockAnonVmaRead(folio);
        if (anonVma == null) {
            return false;
        }
        boolean[] mapped = new boolean[1];
        machine.rcu().readLock();
        hugetlb.rmap()
                .visitAnon(
                        anonVma,
                        folio,
                        (vma, addr) -> {
                            if (concerns(failure, vma)) {
                                mapped[0] |= pageMappedInVma(folio, vma, addr);
                            }
                            return true;
                        });
        machine.rcu().readUnlock();
        anonVma.rwsem().upRead();
        return mapped[0];
    }

    private boolean collectProcsFile(Failure failure, Folio folio) {
        Inode inode = hugetlb.rmap().folioMapping(folio);
        if (inode == null) {
            return false;
        }
        boolean[] mapped = new boolean[1];
        inode.mmapRwsem().downRead();
        machine.rcu().readLock();
        hugetlb.rmap()
                .visitFile(
                        folio,
                        (vma, addr) -> {
                            mapped[0] |= concerns(failure, vma);
                            return true;
                        });
        machine.rcu().readUnlock();
        inode.mmapRwsem().upRead();
        return mapped[0];
    }

    /// task_early_kill(): only the running process, where it must act.
    private static boolean concerns(Failure failure, Vma vma) {
        return failure.has(ACTION_REQUIRED) && vma.mm() == failure.mm;
    }

    /// mm/rmap.c: page_mapped_in_vma().
    private boolean pageMappedInVma(Folio folio, Vma vma, long addr) {
        Word ptep = hugetlb.rmap().mappedEntry(folio, vma, addr);
        if (ptep == null) {
            return false;
        }
        hugetlb.rmap().lockOf(vma, ptep).unlock();
        return true;
    }

    /// mm/memory-failure.c: unmap_poisoned_folio(); mm/rmap.c: try_to_unmap(). False where the
    /// folio is still mapped afterwards.
    private boolean unmapPoisonedFolio(Folio folio) {
        Inode locked = null;
        if (!folio.isAnon()) {
            locked = hugetlb.rmap().mappingLockWrite(folio);
            if (locked == null) {
                return false;
            }
        }
        hugetlb.rmap().walkWhileMapped(folio, (vma, addr) -> unmapOne(folio, vma, addr));
        if (locked != null) {
            locked.mmapRwsem().upWrite();
        }
        return kernel.rmap().folioMapcount(folio) == 0;
    }

    /// mm/rmap.c: try_to_unmap_poisoned_hugetlb_one(). An entry that tells of the failure stands
    /// where the folio was mapped; false where that cannot be now.
    private boolean unmapOne(Folio folio, Vma vma, long addr) {
        kernel.warnOn(!folio.isHwpoison(), "a folio is unmapped that is not poisoned", folio);
        long end = Math.min(addr + HugetlbVmas.hstate(vma).size(), vma.end());
        MmuNotifierRange range = hugetlb.pmdShare().adjusted(Event.CLEAR, vma, addr, end);
        kernel.mmuNotifier().invalidateRangeStart(range);
        boolean ret = replaceByPoison(folio, vma, addr);
        kernel.mmuNotifier().invalidateRangeEnd(range);
        return ret;
    }

    /// The part of it that others are told of.
    private boolean replaceByPoison(Folio folio, Vma vma, long addr) {
        Word ptep = hugetlb.rmap().mappedEntry(folio, vma, addr);
        if (ptep == null) {
            return true;
        }
        SpinLock ptl = hugetlb.rmap().lockOf(vma, ptep);
        Hstate h = HugetlbVmas.hstate(vma);
        long pte = hugetlb.pte().get(h, ptep);
        kernel.warnOn(!Entry.ptePresent(pte), "a huge page is not mapped where it was found", vma);
        if (!folio.isAnon()) {
            if (!hugetlb.vmas().trylockWrite(vma)) {
                ptl.unlock();
                return false;
            }
            if (hugetlb.pmdShare().unshareOne(vma, addr, ptep)) {
                ptl.unlock();
                return true;
            }
        }
        pte = hugetlb.pte().clearFlush(vma.mm(), h, addr, ptep);
        if (Entry.dirty(pte)) {
            folio.setFlag(Folio.PG_DIRTY);
        }
        hugetlb.pte().set(vma.mm(), h, addr, ptep, Entry.hwpoison(folio.pfn()));
        kernel.rmap().hugetlbRemoveRmap(folio);
        kernel.swap().folioPut(folio);
        ptl.unlock();
        return true;
    }

    /// mm/memory-failure.c: kill_accessing_process(), hwpoison_hugetlb_range(). Kills the running
    /// process if it has the page, or an entry that tells of it. 0 or -EHWPOISON.
    private long killAccessingProcess(Failure failure, MmStruct mm) {
        kernel.mmapLock().readLock(mm);
        boolean found = false;
        Vma vma = kernel.mmap().findVma(mm, 0);
        while (vma != null && !found) {
            found = vma.isHugetlb() && findPoisoned(failure, vma);
            vma = kernel.mmap().findVma(mm, vma.end());
        }
        failure.killed |= found;
        kernel.mmapLock().readUnlock(mm);
        return found ? -Errno.EHWPOISON : 0;
    }

    /// mm/pagewalk.c: walk_hugetlb_range(), with hwpoison_hugetlb_range().
    private boolean findPoisoned(Failure failure, Vma vma) {
        Hstate h = HugetlbVmas.hstate(vma);
        boolean found = false;
        hugetlb.vmas().lockRead(vma);
        for (long addr = vma.start(); addr < vma.end() && !found; addr += h.size()) {
            Word ptep = hugetlb.walk().walk(vma, h, addr);
            if (ptep != null) {
                SpinLock ptl = hugetlb.walk().lock(vma.mm(), h, ptep);
                long pte = hugetlb.pte().get(h, ptep);
                boolean page = Entry.ptePresent(pte) || Entry.isHwpoison(pte);
                found = page && Entry.pfn(pte) == (failure.page.pfn() & -(long) h.pages());
                ptl.unlock();
            }
        }
        hugetlb.vmas().unlockRead(vma);
        return found;
    }
}
