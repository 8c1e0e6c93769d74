// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;

import java.util.Objects;
import java.util.function.BiFunction;

/// The sanitizer of page-table locks: what it must find, and what it must let be.
final class PageTableLockTest {
    private static final String WRONG = "BUG: wrong page-table lock";

    @Test
    void findsPteChangedUnderTheLockOfTheProcess() {
        assertThat(change(MmScenario.arm64(), Geometry.PTE, (mm, entry) -> mm.pageTableLock()))
                .contains(WRONG);
    }

    @Test
    void findsPteChangedUnderTheLockOfThePmdTable() {
        MmScenario linux = mapped(MmScenario.arm64());
        Word pmd = entry(linux, Geometry.PMD);
        Word pte = entry(linux, Geometry.PTE);
        linux.task(() -> clear(pte, linux.kernel.ptLocks().pmdLockptr(linux.mm, pmd)));
        assertThat(found(linux)).contains(WRONG);
    }

    @Test
    void findsPmdChangedUnderTheLockOfTheProcess() {
        assertThat(change(MmScenario.x86(), Geometry.PMD, (mm, entry) -> mm.pageTableLock()))
                .contains(WRONG);
    }

    @Test
    void letsEntriesBeChangedUnderTheLockOfTheirTable() {
        for (int level : new int[] {Geometry.PTE, Geometry.PMD}) {
            assertThat(change(MmScenario.arm64(), level, (mm, entry) -> PageTable.of(entry).ptl()))
                    .doesNotContain(WRONG);
        }
    }

    @Test
    void letsPudBeChangedUnderTheLockOfTheProcess() {
        assertThat(change(MmScenario.arm64(), Geometry.PUD, (mm, entry) -> mm.pageTableLock()))
                .doesNotContain(WRONG);
        assertThat(change(MmScenario.arm64(), Geometry.PUD, (mm, e) -> PageTable.of(e).ptl()))
                .contains(WRONG);
    }

    @Test
    void withoutSplitLocksWantsTheLockOfTheProcess() {
        assertThat(change(MmScenario.unsplit(), Geometry.PTE, (mm, entry) -> mm.pageTableLock()))
                .doesNotContain(WRONG);
        assertThat(
                        change(
                                MmScenario.unsplit(),
                                Geometry.PTE,
                                (mm, entry) -> PageTable.of(entry).ptl()))
                .contains(WRONG);
    }

    @Test
    void letsTablesBeFilledThatNobodyCanReach() {
        MmScenario linux = mapped(MmScenario.arm64());
        linux.task(
                () -> {
                    PageTable table = Objects.requireNonNull(linux.kernel.pgtable().pteAllocOne());
                    table.entry(0).writeOnce(Entry.make(1, Entry.PRESENT));
                    linux.kernel.pgtable().freePage(table);
                });
        assertThat(found(linux)).isEmpty();
    }

    @Test
    void letsTheHardwareSetAccessedAndDirty() {
        MmScenario linux = new MmScenario(1, MmScenario.arm64(), HugeMemory.Thp.NEVER);
        long a = linux.map(linux.pageSize());
        linux.load(a);
        linux.task(
                () -> {
                    linux.store(a, 1);
                    linux.store(a, 2);
                });
        assertThat(found(linux)).isEmpty();
    }

    @Test
    void letsTablesBeUnhookedWhereTheVmasAreGone() {
        MmScenario linux = mapped(MmScenario.arm64());
        linux.task(() -> linux.kernel.mmap().munmap(linux.mm, BASE, linux.pageSize()));
        assertThat(found(linux)).isEmpty();
    }

    @Test
    void findsTablesUnhookedWithoutTheLockWhileThereIsAVma() {
        MmScenario linux = mapped(MmScenario.arm64());
        Word pmd = entry(linux, Geometry.PMD);
        linux.task(() -> pmd.writeOnce(0));
        assertThat(found(linux)).contains(WRONG);
    }

    private static final long BASE = 1 << 12;

    /// One page, written.
    private static MmScenario mapped(Arch arch) {
        MmScenario linux = new MmScenario(1, arch, HugeMemory.Thp.NEVER);
        linux.mapAt(BASE, linux.pageSize());
        linux.store(BASE, 1);
        return linux;
    }

    /// The entry for that page.
    private static Word entry(MmScenario linux, int level) {
        Pgtable pgtable = linux.kernel.pgtable();
        if (level > Geometry.PTE) {
            return Objects.requireNonNull(pgtable.alloc(level, linux.mm, BASE));
        }
        long pmd = Objects.requireNonNull(pgtable.mmFindPmd(linux.mm, BASE)).peek();
        int index = linux.kernel.geometry().index(Geometry.PTE, BASE);
        return linux.kernel.memMap().table(Entry.pfn(pmd)).entry(index);
    }

    private static void clear(Word entry, SpinLock lock) {
        lock.lock();
        entry.xchg(0, Order.FULL);
        lock.unlock();
    }

    /// What is found when a task changes the entry of that page under a lock.
    private static String change(Arch arch, int level, BiFunction<MmStruct, Word, SpinLock> lock) {
        MmScenario linux = mapped(arch);
        Word entry = entry(linux, level);
        linux.task(() -> clear(entry, lock.apply(linux.mm, entry)));
        return found(linux);
    }

    private static String found(MmScenario linux) {
        linux.explore();
        return String.join("\n", linux.found);
    }
}
