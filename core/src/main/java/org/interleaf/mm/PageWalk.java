// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// The generic walker of page tables (mm/pagewalk.c).
///
/// # Locking
///
/// The mmap lock, or that of the VMA, keeps tables of PMD level and above where they are: an entry
/// that points to one goes on doing so. All other entries may change at any moment, as faults, zaps
/// and splits take the lock for reading only. So each level looks for itself at the entry that it
/// is given, and where that is no table (any more) the level above starts over:
///
/// | CPU 0 walk_pud_range              | CPU 1 faults in device memory |
/// |-----------------------------------|-------------------------------|
/// | huge PUD: split, which leaves none |                              |
/// |                                   | PUD = huge                    |
/// | walk_pmd_range: huge, AGAIN       |                               |
/// | the same PUD again                |                               |
///
/// PTE tables can go away at any moment: {@link PgtableGeneric#pteOffsetMapLock} says so.
///
/// The kernel's own page tables are not modelled, and so no walk over them.
public final class PageWalk {
    private final Kernel kernel;
    private final Machine machine;
    private final Geometry geometry;
    private final Pgtable pgtable;
    private final EntryAccess entries;

    PageWalk(Kernel kernel) {
        this.kernel = kernel;
        this.machine = kernel.machine();
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
        this.entries = kernel.entries();
    }

    /// mm/pagewalk.c: real_depth(). The highest of the folded levels that `depth` is one of.
    private int realDepth(int depth) {
        int real = depth;
        while (real > 0 && geometry.folded(Geometry.PGD - real)) {
            real--;
        }
        return real;
    }

    /// A callback wants the same entry again, or what was to be below is gone.
    ///
    /// @param before what this returned before the last attempt at the same entry
    /// @param calledBack whether a callback may have run: what it remembers is its own affair, so
    ///   the attempt was not for nothing
    private Rounds again(@Nullable Rounds before, boolean calledBack, String function) {
        if (calledBack) {
            machine.hasEffect();
        }
        return machine.retry(before, function);
    }

    /// There is nothing in a range.
    private static <T> int hole(long addr, long next, int depth, MmWalk<T> walk) {
        MmWalkOps.HoleCallback<T> hole = walk.ops.hole();
        return hole == null ? 0 : hole.hole(addr, next, depth, walk);
    }

    // ---- levels

    /// mm/pagewalk.c: walk_pte_range_inner(). The entries of one table, which is locked inside a
    /// VMA.
    private <T> int walkPteRangeInner(PteMapping pte, long start, long end, MmWalk<T> walk) {
        MmWalkOps<T> ops = walk.ops;
        long addr = start;
        for (int i = 0; ; i++) {
            Word ptep = pte.pte(i);
            long next = addr + geometry.pageSize();
            int err;
            if (ops.installPte() != null && Entry.none(ptep.readOnce())) {
                err = ops.installPte().install(addr, next, walk);
                if (err != 0) {
                    return err;
                }
                entries.setPte(ptep, walk.newPte());
                kernel.warnOn(walk.noVma, "walk_pte_range_inner: a PTE installed outside of VMAs");
            } else {
                err = Objects.requireNonNull(ops.pte()).entry(ptep, addr, next, walk);
                if (err != 0) {
                    return err;
                }
            }
            if (addr >= end - geometry.pageSize()) {
                return 0;
            }
            addr = next;
        }
    }

    /// mm/pagewalk.c: walk_pte_range(). `AGAIN` where there is no PTE table (any more).
    private <T> int walkPteRange(Word pmd, long addr, long end, MmWalk<T> walk) {
        PteMapping pte;
        int err = 0;
        if (walk.noVma) {
            pte = kernel.pgtableGeneric().pteOffsetMap(pmd, addr);
            if (pte != null) {
                err = walkPteRangeInner(pte, addr, end, walk);
                pte.unmap();
            }
        } else {
            pte = kernel.pgtableGeneric().pteOffsetMapLock(walk.mm(), pmd, addr);
            if (pte != null) {
                err = walkPteRangeInner(pte, addr, end, walk);
                pte.unmapUnlock();
            }
        }
        if (pte == null) {
            entries.settle(pmd);
            walk.action = WalkAction.AGAIN;
        }
        return err;
    }

    /// mm/pagewalk.c: walk_pmd_range(). `AGAIN` where `pud` is no table (any more): one that is
    /// stays one as long as the VMA does.
    private <T> int walkPmdRange(Word pud, long start, long end, MmWalk<T> walk) {
        long pudval = pud.readOnce();
        if (!geometry.folded(Geometry.PMD) && (!Entry.present(pudval) || Entry.leaf(pudval))) {
            walk.action = WalkAction.AGAIN;
            return 0;
        }
        Word pmd = pgtable.offset(Geometry.PMD, pud, start);
        long addr = start;
        while (true) {
            long next = geometry.addrEnd(Geometry.PMD, addr, end);
            int err = walkPmd(pmd, addr, next, walk);
            if (err != 0 || next == end) {
                return err;
            }
            addr = next;
            pmd = pgtable.sameTable(Geometry.PMD, pmd, addr);
        }
    }

    /// One PMD of walk_pmd_range(), until nobody says `AGAIN`.
    private <T> int walkPmd(Word pmd, long addr, long next, MmWalk<T> walk) {
        boolean install = walk.ops.installPte() != null;
        Rounds retries = null;
        while (true) {
            walk.action = WalkAction.SUBTREE;
            if (entries.none(pmd.readPlain())) {
                int err = install ? allocPte(walk, pmd) : hole(addr, next, realDepth(3), walk);
                if (err != 0 || !install) {
                    return err;
                }
            }
            int err = walkPresentPmd(pmd, addr, next, walk);
            if (err != 0 || walk.action != WalkAction.AGAIN) {
                return err;
            }
            retries = again(retries, walk.ops.pmd() != null, "walk_pmd_range");
        }
    }

    /// A PMD that was not none when it was looked at.
    private <T> int walkPresentPmd(Word pmd, long addr, long next, MmWalk<T> walk) {
        MmWalkOps<T> ops = walk.ops;
        if (ops.pmd() != null) {
            int err = ops.pmd().entry(pmd, addr, next, walk);
            if (err != 0 || walk.action != WalkAction.SUBTREE) {
                return err;
            }
        }
        if (ops.pte() == null) {
            boolean install = ops.installPte() != null;
            // Who only installs leaves huge pages whole.
            if (!install || Entry.present(pmd.readPlain()) && Entry.leaf(pmd.readPlain())) {
                return 0;
            }
        }
        if (walk.vma != null) {
            splitHugePmd(walk.vma, pmd, addr);
        } else if (Entry.leaf(pmd.readPlain()) || !Entry.present(pmd.readPlain())) {
            return 0;
        }
        return walkPteRange(pmd, addr, next, walk);
    }

    /// mm/memory.c: __pte_alloc().
    private int allocPte(MmWalk<?> walk, Word pmd) {
        return pgtable.pteAllocTable(walk.mm(), pmd) ? 0 : -Errno.ENOMEM;
    }

    /// include/linux/huge_mm.h: split_huge_pmd(), a macro.
    private void splitHugePmd(Vma vma, Word pmd, long addr) {
        if (HugeMemory.pmdIsHuge(pmd.readPlain())) {
            kernel.hugeMemory().splitHugePmd(vma, pmd, addr);
        }
    }

    /// mm/pagewalk.c: walk_pud_range().
    private <T> int walkPudRange(Word p4d, long start, long end, MmWalk<T> walk) {
        Word pud = pgtable.offset(Geometry.PUD, p4d, start);
        long addr = start;
        while (true) {
            long next = geometry.addrEnd(Geometry.PUD, addr, end);
            int err = walkPud(pud, addr, next, walk);
            if (err != 0 || next == end) {
                return err;
            }
            addr = next;
            pud = pgtable.sameTable(Geometry.PUD, pud, addr);
        }
    }

    /// One PUD of walk_pud_range(), until nobody says `AGAIN`.
    private <T> int walkPud(Word pud, long addr, long next, MmWalk<T> walk) {
        boolean install = walk.ops.installPte() != null;
        Rounds retries = null;
        while (true) {
            walk.action = WalkAction.SUBTREE;
            if (!geometry.folded(Geometry.PMD) && entries.none(pud.readPlain())) {
                int err =
                        install
                                ? allocBelow(Geometry.PMD, walk, pud)
                                : hole(addr, next, realDepth(2), walk);
                if (err != 0 || !install) {
                    return err;
                }
            }
            int err = walkPresentPud(pud, addr, next, walk);
            if (err != 0 || walk.action != WalkAction.AGAIN) {
                return err;
            }
            boolean calledBack = walk.ops.pud() != null || walk.ops.hole() != null;
            retries = again(retries, calledBack, "walk_pud_range");
        }
    }

    /// A PUD that was not none when it was looked at. Above a folded level it is a table, without
    /// any look.
    private <T> int walkPresentPud(Word pud, long addr, long next, MmWalk<T> walk) {
        MmWalkOps<T> ops = walk.ops;
        boolean table = geometry.folded(Geometry.PMD);
        if (ops.pud() != null) {
            int err = ops.pud().entry(pud, addr, next, walk);
            if (err != 0 || walk.action != WalkAction.SUBTREE) {
                return err;
            }
        }
        if (!ops.belowPud()) {
            if (ops.installPte() == null
                    || !table && Entry.present(pud.readPlain()) && Entry.leaf(pud.readPlain())) {
                return 0;
            }
        }
        if (walk.vma != null) {
            if (kernel.arch().thpPud()) {
                kernel.hugePud().splitHugePud(walk.vma, pud, addr);
            }
        } else if (!table && (Entry.leaf(pud.readPlain()) || !Entry.present(pud.readPlain()))) {
            return 0;
        }
        return walkPmdRange(pud, addr, next, walk);
    }

    /// mm/memory.c: __p4d_alloc(), __pud_alloc(), __pmd_alloc().
    private int allocBelow(int level, MmWalk<?> walk, Word upper) {
        return pgtable.allocTable(level, walk.mm(), upper) ? 0 : -Errno.ENOMEM;
    }

    /// mm/pagewalk.c: walk_p4d_range(). What callbacks say to do next does not count here, nor in
    /// walk_pgd_range().
    private <T> int walkP4dRange(Word pgd, long start, long end, MmWalk<T> walk) {
        Word p4d = pgtable.offset(Geometry.P4D, pgd, start);
        long addr = start;
        while (true) {
            long next = geometry.addrEnd(Geometry.P4D, addr, end);
            int err = walkP4d(p4d, addr, next, walk);
            if (err != 0 || next == end) {
                return err;
            }
            addr = next;
            p4d = pgtable.sameTable(Geometry.P4D, p4d, addr);
        }
    }

    private <T> int walkP4d(Word p4d, long addr, long next, MmWalk<T> walk) {
        MmWalkOps<T> ops = walk.ops;
        boolean install = ops.installPte() != null;
        if (pgtable.noneOrClearBad(Geometry.P4D, p4d)) {
            int err =
                    install
                            ? allocBelow(Geometry.PUD, walk, p4d)
                            : hole(addr, next, realDepth(1), walk);
            if (err != 0 || !install) {
                return err;
            }
        }
        if (ops.p4d() != null) {
            int err = ops.p4d().entry(p4d, addr, next, walk);
            if (err != 0) {
                return err;
            }
        }
        return ops.belowP4d() || install ? walkPudRange(p4d, addr, next, walk) : 0;
    }

    /// mm/pagewalk.c: walk_pgd_range().
    private <T> int walkPgdRange(long start, long end, MmWalk<T> walk) {
        long addr = start;
        while (true) {
            long next = geometry.addrEnd(Geometry.PGD, addr, end);
            Word pgd =
                    walk.pgd == null
                            ? pgtable.pgdOffset(walk.mm(), addr)
                            : walk.pgd.entry(geometry.index(Geometry.PGD, addr));
            int err = walkPgd(pgd, addr, next, walk);
            if (err != 0 || next == end) {
                return err;
            }
            addr = next;
        }
    }

    private <T> int walkPgd(Word pgd, long addr, long next, MmWalk<T> walk) {
        MmWalkOps<T> ops = walk.ops;
        boolean install = ops.installPte() != null;
        if (pgtable.noneOrClearBad(Geometry.PGD, pgd)) {
            int err = install ? allocBelow(Geometry.P4D, walk, pgd) : hole(addr, next, 0, walk);
            if (err != 0 || !install) {
                return err;
            }
        }
        if (ops.pgd() != null) {
            int err = ops.pgd().entry(pgd, addr, next, walk);
            if (err != 0) {
                return err;
            }
        }
        return ops.belowPgd() || install ? walkP4dRange(pgd, addr, next, walk) : 0;
    }

    /// mm/pagewalk.c: walk_hugetlb_range(). The VMA's hugetlb lock keeps the tables in place.
    private <T> int walkHugetlbRange(
            MmWalkOps.HugetlbCallback<T> callback, long start, long end, MmWalk<T> walk) {
        Vma vma = walk.vma();
        Hstate h = HugetlbVmas.hstate(vma);
        long hmask = -h.size();
        int err = 0;
        kernel.hugetlb().vmas().lockRead(vma);
        for (long addr = start, next; addr != end && err == 0; addr = next) {
            next = Math.min((addr & hmask) + h.size(), end); // hugetlb_entry_end()
            Word pte = kernel.hugetlb().walk().walk(vma, h, addr & hmask);
            err =
                    pte == null
                            ? hole(addr, next, -1, walk)
                            : callback.entry(pte, hmask, addr, next, walk);
        }
        kernel.hugetlb().vmas().unlockRead(vma);
        return err;
    }

    // ---- VMAs

    /// mm/pagewalk.c: walk_page_test(). Whether the VMA is walked: 0, or 1 to leave it out; a
    /// negative error number ends the walk. What maps no pages but frames is a hole.
    private <T> int walkPageTest(long start, long end, MmWalk<T> walk) {
        MmWalkOps<T> ops = walk.ops;
        if (ops.testWalk() != null) {
            return ops.testWalk().range(start, end, walk);
        }
        if ((walk.vma().flags() & Vma.VM_PFNMAP) == 0) {
            return 0;
        }
        int err = hole(start, end, -1, walk);
        return err != 0 ? err : 1;
    }

    /// mm/pagewalk.c: __walk_page_range(). A part of one VMA.
    private <T> int walkPartOfVma(long start, long end, MmWalk<T> walk) {
        MmWalkOps<T> ops = walk.ops;
        boolean hugetlb = walk.vma().isHugetlb();
        if (ops.installPte() != null && hugetlb) {
            return -Errno.EINVAL;
        }
        if (ops.preVma() != null) {
            int err = ops.preVma().range(start, end, walk);
            if (err != 0) {
                return err;
            }
        }
        int err = 0;
        if (!hugetlb) {
            err = walkPgdRange(start, end, walk);
        } else if (ops.hugetlb() != null) {
            err = walkHugetlbRange(ops.hugetlb(), start, end, walk);
        }
        if (ops.postVma() != null) {
            ops.postVma().end(walk);
        }
        return err;
    }

    /// mm/pagewalk.c: process_mm_walk_lock().
    private void processMmWalkLock(MmStruct mm, WalkLock walkLock) {
        if (walkLock == WalkLock.RDLOCK) {
            kernel.mmapLock().assertLocked(mm);
        } else if (walkLock != WalkLock.VMA_RDLOCK_VERIFY) {
            kernel.mmapLock().assertWriteLocked(mm);
        }
    }

    /// mm/pagewalk.c: process_vma_walk_lock().
    private void processVmaWalkLock(Vma vma, WalkLock walkLock) {
        switch (walkLock) {
            case RDLOCK -> {}
            case WRLOCK -> kernel.vmaLock().vmaStartWrite(vma);
            case WRLOCK_VERIFY -> kernel.vmaLock().assertWriteLocked(vma);
            case VMA_RDLOCK_VERIFY -> kernel.vmaLock().assertLocked(vma);
        }
    }

    // ---- entry points

    /// mm/pagewalk.c: walk_page_range(). All that is mapped in `[start, end)`, in the order of
    /// addresses: 0, or what a callback returned to end the walk; -EINVAL for an empty range, and
    /// for callbacks that install. The walk lock says what must be locked.
    public <T> int walkPageRange(MmStruct mm, long start, long end, MmWalkOps<T> ops, T data) {
        return checkOpsSafe(ops) ? walkPageRangeMmUnsafe(mm, start, end, ops, data) : -Errno.EINVAL;
    }

    /// mm/pagewalk.c: check_ops_safe(). Only core-mm may install entries.
    private static boolean checkOpsSafe(MmWalkOps<?> ops) {
        return ops.installPte() == null;
    }

    /// mm/pagewalk.c: walk_page_range_mm_unsafe(). As {@link #walkPageRange}, and may install.
    <T> int walkPageRangeMmUnsafe(MmStruct mm, long start, long end, MmWalkOps<T> ops, T data) {
        if (start >= end) {
            return -Errno.EINVAL;
        }
        MmWalk<T> walk = new MmWalk<>(ops, mm, null, data);
        processMmWalkLock(mm, ops.walkLock());
        Vma vma = kernel.mmap().findVma(mm, start);
        long addr = start;
        int err = 0;
        while (addr < end && err == 0) {
            long next;
            if (vma == null || addr < vma.start()) {
                walk.vma = null;
                next = vma == null ? end : Math.min(end, vma.start());
                err = hole(addr, next, -1, walk);
            } else {
                processVmaWalkLock(vma, ops.walkLock());
                walk.vma = vma;
                next = Math.min(end, vma.end());
                vma = kernel.mmap().findVma(mm, vma.end());
                err = walkPageTest(addr, next, walk);
                if (err > 0) {
                    err = 0; // Only leaves this VMA out.
                } else if (err == 0) {
                    err = walkPartOfVma(addr, next, walk);
                }
            }
            addr = next;
        }
        return err;
    }

    /// mm/pagewalk.c: walk_page_range_debug(). The tables of a process, whether VMAs know of what
    /// they map or not: nothing is split, and PTEs are not locked. The mmap lock must be held for
    /// writing: munmap() frees tables with it held for reading.
    ///
    /// @param pgd a top table in place of the process'
    public <T> int walkPageRangeDebug(
            MmStruct mm, long start, long end, MmWalkOps<T> ops, @Nullable PageTable pgd, T data) {
        kernel.mmapLock().assertWriteLocked(mm);
        if (start >= end || !checkOpsSafe(ops)) {
            return -Errno.EINVAL;
        }
        return walkPgdRange(start, end, MmWalk.withoutVmas(ops, mm, pgd, data));
    }

    /// mm/pagewalk.c: walk_page_range_vma_unsafe(). As {@link #walkPageRangeVma}, and may install.
    <T> int walkPageRangeVmaUnsafe(Vma vma, long start, long end, MmWalkOps<T> ops, T data) {
        if (start >= end || start < vma.start() || end > vma.end()) {
            return -Errno.EINVAL;
        }
        processMmWalkLock(vma.mm(), ops.walkLock());
        processVmaWalkLock(vma, ops.walkLock());
        return walkPartOfVma(start, end, new MmWalk<>(ops, vma.mm(), vma, data));
    }

    /// mm/pagewalk.c: walk_page_range_vma(). A part of one VMA, which nobody tests; -EINVAL where
    /// it is not inside.
    public <T> int walkPageRangeVma(Vma vma, long start, long end, MmWalkOps<T> ops, T data) {
        return checkOpsSafe(ops)
                ? walkPageRangeVmaUnsafe(vma, start, end, ops, data)
                : -Errno.EINVAL;
    }

    /// mm/pagewalk.c: walk_page_vma(). The whole of one VMA.
    public <T> int walkPageVma(Vma vma, MmWalkOps<T> ops, T data) {
        if (!checkOpsSafe(ops)) {
            return -Errno.EINVAL;
        }
        processMmWalkLock(vma.mm(), ops.walkLock());
        processVmaWalkLock(vma, ops.walkLock());
        MmWalk<T> walk = new MmWalk<>(ops, vma.mm(), vma, data);
        return walkPartOfVma(vma.start(), vma.end(), walk);
    }

    /// mm/pagewalk.c: walk_page_mapping(). Wherever a process maps one of `nr` pages of a file from
    /// page `first` on. `i_mmap_rwsem` is held; the mmap locks are not, so callbacks can neither
    /// need them nor rely on flags that change. A VMA that is to be left out ends the walk.
    public <T> int walkPageMapping(Inode mapping, long first, long nr, MmWalkOps<T> ops, T data) {
        if (!checkOpsSafe(ops)) {
            return -Errno.EINVAL;
        }
        kernel.warnOn(!mapping.mmapRwsem().held(), "walk_page_mapping without i_mmap_rwsem");
        MmWalk<T> walk = new MmWalk<>(ops, null, null, data);
        for (Vma vma : kernel.mappingRmap().vmas(mapping, first, first + nr - 1)) {
            long vba = vma.pgoff();
            long vea = vba + ((vma.end() - vma.start()) >> geometry.pageShift());
            long cba = Math.max(first, vba);
            long cea = Math.min(first + nr, vea);
            long start = ((cba - vba) << geometry.pageShift()) + vma.start();
            long end = ((cea - vba) << geometry.pageShift()) + vma.start();
            if (start >= end) {
                continue;
            }
            walk.vma = vma;
            walk.mm = vma.mm();
            int err = walkPageTest(vma.start(), vma.end(), walk);
            if (err != 0) {
                return Math.min(err, 0);
            }
            err = walkPartOfVma(start, end, walk);
            if (err != 0) {
                return err;
            }
        }
        return 0;
    }
}
