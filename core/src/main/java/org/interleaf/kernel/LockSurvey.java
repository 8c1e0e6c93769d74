// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.machine.Machine;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.Arch;
import org.interleaf.mm.Entry;
import org.interleaf.mm.FolioWalk;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.HugeMemory;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.LeafSize;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.Mman;
import org.interleaf.mm.PageTable;
import org.interleaf.mm.Vma;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/// Which lock hugetlb takes for a page and which one core-mm: asked of a kernel with such a page
/// mapped. hugetlb's answer is that of huge_pte_lockptr() for the entry that huge_pte_alloc()
/// returns; core-mm's the lock that folio_walk_start() holds when it has found the page.
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
        long addr = leaf.size();
        int prot = Mman.PROT_READ | Mman.PROT_WRITE;
        int flags = Mman.MAP_PRIVATE | Mman.MAP_ANONYMOUS | Mman.MAP_FIXED;
        kernel.mmap().mmap(mm, addr, leaf.size(), prot, flags);
        Word ptep = hugePteAlloc(mm, addr, leaf);
        SpinLock hugetlb = kernel.ptLocks().hugePteLockptr(leaf.size(), mm, ptep);
        map(mm, addr, leaf);
        List<SpinLock> core = new ArrayList<>();
        for (int slot = 0; slot < leaf.slots(); slot++) {
            SpinLock lock = coreLock(mm, addr + slot * leaf.slotSize());
            if (!core.contains(lock)) {
                core.add(lock);
            }
        }
        return new Survey.Locks(
                arch.name(),
                leaf.name(),
                leaf.size(),
                ArchSurvey.entries(leaf),
                describe(mm, hugetlb),
                core.stream().map(lock -> describe(mm, lock)).toList(),
                core.equals(List.of(hugetlb)));
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

    private SpinLock coreLock(MmStruct mm, long addr) {
        kernel.mmapLock().readLock(mm);
        Vma vma = Objects.requireNonNull(kernel.mmap().vmaLookup(mm, addr));
        FolioWalk.Found found = Objects.requireNonNull(kernel.folioWalk().start(vma, addr));
        found.end();
        kernel.mmapLock().readUnlock(mm);
        return found.ptl();
    }

    /// The lock in words that do not depend on frames.
    private static String describe(MmStruct mm, SpinLock lock) {
        if (lock == mm.pageTableLock()) {
            return ArchSurvey.MM_LOCK;
        }
        if (lock.word().owner() instanceof PageTable table) {
            String level = Geometry.name(table.level()).toUpperCase(Locale.ROOT);
            return lock == table.ptl() ? level + " table's" : level + " table's, wrong page";
        }
        throw new AssertionError("[interleaf internal] no page-table lock: " + lock.name());
    }
}
