// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.jspecify.annotations.Nullable;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToLongFunction;

/// `/proc/PID/smaps` (fs/proc/task_mmu.c): what of a mapping is in memory, and whose it is.
///
/// Not modelled: locked, idle and merged pages, swap, and the text itself.
public final class Smaps {
    private static final int KB_SHIFT = 10;

    private static final int PSS_SHIFT = 12;

    private final Kernel kernel;
    private final Hugetlb hugetlb;
    private final MmWalkOps<Sizes> walkOps;

    Smaps(Kernel kernel) {
        this.kernel = kernel;
        this.hugetlb = kernel.hugetlb();
        // With the VMA locked: the mmap lock is for VMAs with more readers than can be counted.
        walkOps =
                MmWalkOps.<Sizes>builder(WalkLock.VMA_RDLOCK_VERIFY)
                        .pmd(this::smapsPteRange)
                        .hugetlb(this::smapsHugetlbRange)
                        .build();
    }

    /// fs/proc/task_mmu.c: struct mem_size_stats. What one entry tells, in bytes.
    public static final class Sizes {
        private long resident;
        private long pss;
        private long sharedClean;
        private long sharedDirty;
        private long privateClean;
        private long privateDirty;
        private long referenced;
        private long anonymous;
        private long lazyfree;
        private long anonymousThp;
        private long fileThp;
        private long swap;
        private long swapPss;
        private long sharedHugetlb;
        private long privateHugetlb;

        private static final Map<String, ToLongFunction<Sizes>> GETTERS = getters();

        /// The names of the lines.
        public static final List<String> LINES = List.copyOf(GETTERS.keySet());

        private static Map<String, ToLongFunction<Sizes>> getters() {
            Map<String, ToLongFunction<Sizes>> map = new LinkedHashMap<>();
            map.put("Rss", sizes -> sizes.resident);
            map.put("Pss", sizes -> sizes.pss >> PSS_SHIFT);
            map.put("Shared_Clean", sizes -> sizes.sharedClean);
            map.put("Shared_Dirty", sizes -> sizes.sharedDirty);
            map.put("Private_Clean", sizes -> sizes.privateClean);
            map.put("Private_Dirty", sizes -> sizes.privateDirty);
            map.put("Referenced", sizes -> sizes.referenced);
            map.put("Anonymous", sizes -> sizes.anonymous);
            map.put("LazyFree", sizes -> sizes.lazyfree);
            map.put("AnonHugePages", sizes -> sizes.anonymousThp);
            map.put("FilePmdMapped", sizes -> sizes.fileThp);
            map.put("Swap", sizes -> sizes.swap);
            map.put("SwapPss", sizes -> sizes.swapPss >> PSS_SHIFT);
            map.put("Shared_Hugetlb", sizes -> sizes.sharedHugetlb);
            map.put("Private_Hugetlb", sizes -> sizes.privateHugetlb);
            return map;
        }

        /// The line of that name, one of {@link #LINES}.
        public long line(String name) {
            return Objects.requireNonNull(GETTERS.get(name)).applyAsLong(this);
        }

        /// All that is mapped.
        public long all() {
            return resident + sharedHugetlb + privateHugetlb;
        }
    }

    /// fs/proc/task_mmu.c: show_smap(), smap_gather_stats(). Of the VMA that contains `addr`; null
    /// where there is none. The VMA is locked meanwhile, the process is not.
    public @Nullable Sizes show(MmStruct mm, long addr) {
        return kernel.procMaps().walk(mm, addr, walkOps, new Sizes());
    }

    /// fs/proc/task_mmu.c: smaps_page_accumulate().
    private static void accumulate(
            Sizes sizes, Folio folio, long size, long pss, boolean dirty, boolean own) {
        sizes.pss += pss;
        if (dirty || folio.testFlag(Folio.PG_DIRTY)) {
            sizes.privateDirty += own ? size : 0;
            sizes.sharedDirty += own ? 0 : size;
        } else {
            sizes.privateClean += own ? size : 0;
            sizes.sharedClean += own ? 0 : size;
        }
    }

    /// fs/proc/task_mmu.c: smaps_account(). A page, or a whole folio that a PMD maps. The mapcount
    /// is only a snapshot.
    ///
    /// @param entry tells whether it is present, young and dirty
    private void smapsAccount(Sizes sizes, Page page, boolean compound, long entry) {
        Folio folio = kernel.memMap().pageFolio(page);
        int nr = compound ? folio.nrPages() : 1;
        long pageSize = kernel.geometry().pageSize();
        long size = nr * pageSize;
        boolean dirty = Entry.dirty(entry);
        if (folio.isAnon()) {
            sizes.anonymous += size;
            if (!folio.testFlag(Folio.PG_SWAPBACKED) && !dirty && !folio.testFlag(Folio.PG_DIRTY)) {
                sizes.lazyfree += size;
            }
        }
        sizes.resident += size;
        if (Entry.young(entry) || folio.testFlag(Folio.PG_REFERENCED)) {
            sizes.referenced += size;
        }
        // One reference means one mapping. Of what is not present nobody can say how often it is
        // mapped; not even the mapcount may be read.
        if (folio.refCount() == 1 || !Entry.ptePresent(entry)) {
            accumulate(sizes, folio, size, size << PSS_SHIFT, dirty, Entry.ptePresent(entry));
            return;
        }
        for (int i = 0; i < nr; i++) {
            long mapcount =
                    kernel.rmap()
                            .folioPrecisePageMapcount(folio, kernel.memMap().page(page.pfn() + i));
            long pss = pageSize << PSS_SHIFT;
            pss /= mapcount >= 2 ? mapcount : 1;
            accumulate(sizes, folio, pageSize, pss, dirty, mapcount < 2);
        }
    }

    /// fs/proc/task_mmu.c: smaps_pte_entry(). The PTE lock is held.
    private void smapsPteEntry(Word ptep, Sizes sizes) {
        long pte = ptep.readOnce();
        Page page = null;
        if (Entry.ptePresent(pte)) {
            page = kernel.memMap().vmNormalPage(pte);
        } else if (Entry.isSwap(pte)) {
            long size = kernel.geometry().pageSize();
            int mapcount = kernel.swapfile().swpSwapcount(Entry.swpOffset(pte));
            sizes.swap += size;
            sizes.swapPss += (size << PSS_SHIFT) / (mapcount >= 2 ? mapcount : 1);
        } else if (Entry.softleafHasPfn(pte)) {
            page = kernel.memMap().softleafToPage(kernel, pte);
        }
        if (page != null) {
            smapsAccount(sizes, page, false, Entry.ptePresent(pte) ? pte : 0);
        }
    }

    /// fs/proc/task_mmu.c: smaps_pmd_entry(). The PMD lock is held.
    private void smapsPmdEntry(Word pmd, Sizes sizes) {
        if (Entry.none(pmd.readPlain())) {
            return;
        }
        boolean present = Entry.present(pmd.readPlain());
        Page page =
                present
                        ? kernel.memMap().vmNormalPage(pmd.readPlain())
                        : kernel.memMap().softleafToPage(kernel, pmd.readPlain());
        if (page == null) {
            return;
        }
        Folio folio = kernel.memMap().pageFolio(page);
        long size = kernel.geometry().size(Geometry.PMD);
        if (folio.isAnon()) {
            sizes.anonymousThp += size;
        } else {
            sizes.fileThp += size;
        }
        boolean young = Entry.young(pmd.readPlain());
        boolean dirty = Entry.dirty(pmd.readPlain());
        long bits = (young ? Entry.ACCESSED : 0) | (dirty ? Entry.DIRTY : 0);
        smapsAccount(sizes, page, true, (present ? Entry.PRESENT : 0) | bits);
    }

    /// fs/proc/task_mmu.c: smaps_pte_range().
    private int smapsPteRange(Word pmd, long start, long end, MmWalk<Sizes> walk) {
        SpinLock ptl = kernel.hugeMemory().pmdTransHugeLock(pmd, walk.vma());
        if (ptl != null) {
            smapsPmdEntry(pmd, walk.data());
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
            smapsPteEntry(pte.pte(i), walk.data());
        }
        pte.unmapUnlock();
        return 0;
    }

    /// fs/proc/task_mmu.c: smaps_hugetlb_range(). What migrates counts as shared.
    private int smapsHugetlbRange(Word pte, long hmask, long addr, long end, MmWalk<Sizes> walk) {
        Hstate h = HugetlbVmas.hstate(walk.vma());
        SpinLock ptl = hugetlb.walk().lock(walk.mm(), h, pte);
        long entry = hugetlb.pte().get(h, pte);
        if (Entry.ptePresent(entry)) {
            Folio folio = kernel.memMap().pageFolio(kernel.memMap().page(Entry.pfn(entry)));
            boolean shared =
                    kernel.rmap().hugetlbMaybeMappedShared(folio)
                            || hugetlb.pmdShare().isShared(pte);
            walk.data().sharedHugetlb += shared ? h.size() : 0;
            walk.data().privateHugetlb += shared ? 0 : h.size();
        } else if (Entry.isMigration(entry)) {
            kernel.memMap().softleafToFolio(kernel, entry);
            walk.data().sharedHugetlb += h.size();
        } else if (Entry.isHwpoison(entry)) {
            walk.data().sharedHugetlb += h.size();
        }
        ptl.unlock();
        return 0;
    }

    /// fs/proc/task_mmu.c: task_mem(), of which the line `VmPTE`: what the page tables below the
    /// top take, in kB. Tables that are shared count for everybody who uses them.
    public long vmPte(MmStruct mm) {
        return mm.pgtables.readOnce() << kernel.geometry().pageShift() >> KB_SHIFT;
    }
}
