// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.jspecify.annotations.Nullable;

import java.util.List;

/// `/proc/PID/numa_maps` (fs/proc/task_mmu.c), of a machine with one node.
public final class NumaMaps {
    private final Kernel kernel;
    private final MmWalkOps<Counts> walkOps;

    NumaMaps(Kernel kernel) {
        this.kernel = kernel;
        walkOps =
                MmWalkOps.<Counts>builder(WalkLock.VMA_RDLOCK_VERIFY)
                        .hugetlb(this::gatherHugetlbStats)
                        .pmd(this::gatherPteStats)
                        .build();
    }

    /// fs/proc/task_mmu.c: struct numa_maps. What one line tells, in pages; a huge page of hugetlb
    /// counts as one.
    public static final class Counts {
        private long pages;
        private long anon;
        private long dirty;
        private long active;
        private long mapcountMax;

        /// What numbers there are; `N0` is all pages.
        public static final List<String> NUMBERS =
                List.of("N0", "anon", "dirty", "active", "mapmax");

        /// The number after `name=`, one of {@link #NUMBERS}.
        public long number(String name) {
            return switch (name) {
                case "N0" -> pages;
                case "anon" -> anon;
                case "dirty" -> dirty;
                case "active" -> active;
                case "mapmax" -> mapcountMax;
                default -> throw new IllegalArgumentException(name);
            };
        }
    }

    /// fs/proc/task_mmu.c: show_numa_map(). Of the VMA that contains `addr`; null where there is
    /// none. The VMA is locked meanwhile, the process is not.
    public @Nullable Counts show(MmStruct mm, long addr) {
        return kernel.procMaps().walk(mm, addr, walkOps, new Counts());
    }

    /// fs/proc/task_mmu.c: gather_stats().
    private void gatherStats(Page page, Counts counts, boolean dirty, long nr) {
        Folio folio = kernel.memMap().pageFolio(page);
        long count = kernel.rmap().folioPrecisePageMapcount(folio, page);
        counts.pages += nr;
        counts.dirty += dirty || folio.testFlag(Folio.PG_DIRTY) ? nr : 0;
        counts.active += folio.testFlag(Folio.PG_ACTIVE) ? nr : 0;
        counts.anon += folio.isAnon() ? nr : 0;
        counts.mapcountMax = Math.max(counts.mapcountMax, count);
    }

    /// fs/proc/task_mmu.c: can_gather_numa_stats(), can_gather_numa_stats_pmd().
    private @Nullable Page canGather(boolean present, long entry) {
        return present ? kernel.memMap().vmNormalPage(entry) : null;
    }

    /// fs/proc/task_mmu.c: gather_pte_stats().
    private int gatherPteStats(Word pmd, long start, long end, MmWalk<Counts> walk) {
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmd, walk.vma());
        if (ptl != null) {
            long value = pmd.readPlain();
            Page page = canGather(Entry.present(value), value);
            if (page != null) {
                boolean dirty = Entry.dirty(pmd.readPlain());
                gatherStats(page, walk.data(), dirty, kernel.geometry().hpagePmdNr());
            }
            ptl.unlock();
            return 0;
        }
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(walk.mm(), pmd, start);
        if (pte == null) {
            walk.action(WalkAction.AGAIN);
            return 0;
        }
        int nr = (int) ((end - start) >> kernel.geometry().pageShift());
        for (int i = 0; i < nr; i++) {
            long value = pte.pte(i).readOnce();
            Page page = canGather(Entry.ptePresent(value), value);
            if (page != null) {
                gatherStats(page, walk.data(), Entry.dirty(value), 1);
            }
        }
        pte.unmapUnlock();
        return 0;
    }

    /// fs/proc/task_mmu.c: gather_hugetlb_stats().
    private int gatherHugetlbStats(Word pte, long hmask, long addr, long end, MmWalk<Counts> walk) {
        Hstate h = HugetlbVmas.hstate(walk.vma());
        SpinLock ptl = kernel.hugetlb().walk().lock(walk.mm(), h, pte);
        long entry = kernel.hugetlb().pte().get(h, pte);
        if (Entry.ptePresent(entry)) {
            Page page = kernel.memMap().page(Entry.pfn(entry));
            gatherStats(page, walk.data(), Entry.dirty(entry), 1);
        }
        ptl.unlock();
        return 0;
    }
}
