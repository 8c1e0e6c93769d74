// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.machine.Lock;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Entry;
import org.interleaf.mm.FolioWalk;
import org.interleaf.mm.Foll;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.HugeMemory;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.LeafSize;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.Mman;
import org.interleaf.mm.Page;
import org.interleaf.mm.PageTable;
import org.interleaf.mm.Vma;
import org.jspecify.annotations.Nullable;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/// Which lock hugetlb takes for a page and which one core-mm: asked of a kernel with such a page
/// mapped, near the beginning of its table and at the end. hugetlb's answer is that of
/// huge_pte_lockptr() for the entry that huge_pte_alloc() returns; core-mm's the lock that
/// folio_walk_start() holds when it has found the page, and what get_user_pages() takes on its way.
final class LockSurvey {
    private static final int FRAMES = 64;

    private final Arch arch;
    private final Kernel kernel;
    private final Geometry geometry;

    LockSurvey(Arch arch) {
        this.arch = arch;
        this.geometry = arch.geometry();
        Machine machine = new Machine(1);
        PhysicalMemory memory = new PhysicalMemory(machine, 1, FRAMES, geometry.hpagePmdOrder(), 0);
        kernel = new Kernel(machine, arch, memory, HugeMemory.Thp.NEVER);
    }

    List<Survey.Locks> locks() {
        return arch.hugetlbSizes().stream().map(this::locks).toList();
    }

    private Survey.Locks locks(LeafSize leaf) {
        MmStruct mm = kernel.createMm("mm");
        Set<String> hugetlb = new LinkedHashSet<>();
        Set<String> core = new LinkedHashSet<>();
        boolean same = true;
        for (long addr : new long[] {leaf.size(), tableEnd(leaf) - leaf.size()}) {
            mapVma(mm, addr, leaf.size());
            Word ptep = hugePteAlloc(mm, addr, leaf);
            SpinLock own = kernel.ptLocks().hugePteLockptr(leaf.size(), mm, ptep);
            map(mm, addr, leaf);
            Set<SpinLock> others = coreLocks(mm, addr, leaf);
            hugetlb.add(describe(mm, own));
            others.forEach(lock -> core.add(describe(mm, lock)));
            same &= others.equals(Set.of(own));
        }
        return new Survey.Locks(
                arch.name(),
                leaf.name(),
                leaf.size(),
                ArchSurvey.entries(leaf),
                List.copyOf(hugetlb),
                List.copyOf(core),
                same);
    }

    /// The end of what the first table with entries for the page maps; twice that for a page over
    /// two tables.
    private long tableEnd(LeafSize leaf) {
        int level = geometry.tableLevel(leaf.level());
        long end = level == Geometry.PGD ? geometry.taskSize() : geometry.size(level + 1);
        return end * leaf.tables();
    }

    private void mapVma(MmStruct mm, long addr, long size) {
        int prot = Mman.PROT_READ | Mman.PROT_WRITE;
        int flags = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS | Mman.MAP_FIXED;
        if (kernel.mmap().mmap(mm, addr, size, prot, flags) != addr) {
            throw new AssertionError("[interleaf internal] no room for a page of " + size);
        }
    }

    /// The entry that hugetlb handles a page by, with the tables above its entries made: the first
    /// of them, or the first PMD entry where they are in several tables.
    private Word hugePteAlloc(MmStruct mm, long addr, LeafSize leaf) {
        if (leaf.level() == Geometry.PUD) {
            return entry(Geometry.PUD, mm, addr);
        }
        if (leaf.level() == Geometry.PMD) {
            return entry(Geometry.PMD, mm, addr);
        }
        long pmdSize = geometry.size(Geometry.PMD);
        for (int i = 0; i < leaf.tables(); i++) {
            kernel.pgtable().pteAlloc(mm, entry(Geometry.PMD, mm, addr + i * pmdSize));
        }
        return leaf.tables() > 1 ? entry(Geometry.PMD, mm, addr) : pte(mm, addr);
    }

    private Word entry(int level, MmStruct mm, long addr) {
        return Objects.requireNonNull(kernel.pgtable().alloc(level, mm, addr));
    }

    private Word pte(MmStruct mm, long addr) {
        long pmd = entry(Geometry.PMD, mm, addr).peek();
        PageTable table = kernel.memMap().table(Entry.pfn(pmd));
        return table.entry(geometry.index(Geometry.PTE, addr));
    }

    /// Has all entries of the page lead to one frame: nobody looks at what is in it.
    private void map(MmStruct mm, long addr, LeafSize leaf) {
        long value = Entry.make(kernel.zeroFolio().pfn(), Entry.PRESENT | Entry.USER);
        value = leaf.level() == Geometry.PTE ? value : Entry.mkhuge(value);
        value = leaf.contiguous() ? Entry.mkcont(value) : value;
        for (int slot = 0; slot < leaf.slots(); slot++) {
            long at = addr + slot * leaf.slotSize();
            Word entry = leaf.level() == Geometry.PTE ? pte(mm, at) : entry(leaf.level(), mm, at);
            entry.poke(value);
        }
    }

    private Set<SpinLock> coreLocks(MmStruct mm, long addr, LeafSize leaf) {
        Set<SpinLock> locks = new LinkedHashSet<>();
        for (int slot = 0; slot < leaf.slots(); slot++) {
            long at = addr + slot * leaf.slotSize();
            kernel.mmapLock().readLock(mm);
            Vma vma = Objects.requireNonNull(kernel.mmap().vmaLookup(mm, at));
            FolioWalk.Found found =
                    Objects.requireNonNull(kernel.folioWalk().start(vma, at, false));
            kernel.folioWalk().end(found, vma);
            kernel.mmapLock().readUnlock(mm);
            locks.add(found.ptl());
        }
        locks.addAll(gupLocks(mm, addr));
        return locks;
    }

    /// The page-table locks that get_user_pages() takes when it has not to fault anything in.
    private Set<SpinLock> gupLocks(MmStruct mm, long addr) {
        Set<SpinLock> locks = new LinkedHashSet<>();
        Machine machine = kernel.machine();
        machine.monitor(
                new Monitor() {
                    @Override
                    public void acquired(Task task, Lock lock) {
                        if (lock instanceof SpinLock spin) {
                            locks.add(spin);
                        }
                    }
                });
        @Nullable Page[] pages = new Page[1];
        int flags = Foll.GET | Foll.NOFAULT;
        if (kernel.gup().getUserPagesUnlocked(mm, addr, pages, flags) == 1) {
            kernel.swap().folioPut(kernel.memMap().pageFolio(Objects.requireNonNull(pages[0])));
        }
        machine.monitor(new Monitor() {});
        return locks;
    }

    /// The lock in words that do not depend on frames.
    private static String describe(MmStruct mm, SpinLock lock) {
        if (lock == mm.pageTableLock()) {
            return ArchSurvey.MM_LOCK;
        }
        if (lock.word().owner() instanceof PageTable table) {
            String level = Geometry.name(table.level()).toUpperCase(Locale.ROOT);
            return lock == table.ptl() ? level + " table's" : level + " table's 2nd page's";
        }
        throw new AssertionError("[interleaf internal] no page-table lock: " + lock.name());
    }
}
