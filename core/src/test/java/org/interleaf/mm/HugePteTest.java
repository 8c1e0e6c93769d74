// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Objects;

/// The entries of a page that takes several of them.
final class HugePteTest {
    private final Architecture architecture =
            Objects.requireNonNull(Architectures.find("arm64-4k"));
    private final Arch arch = Arch.of(architecture, architecture.tiny());
    private final MmScenario linux = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
    private final HugePte huge = linux.kernel.hugetlb().pte();
    private String seen = "";

    /// A pool of pages of several entries of `level`.
    private Hstate pool(int level) {
        for (LeafSize leaf : arch.hugetlbSizes()) {
            if (leaf.level() == level && leaf.contiguous()) {
                return linux.kernel.hugetlb().pool().addHstate(leaf, 0, 0);
            }
        }
        throw new AssertionError("no contiguous pages at level " + level);
    }

    private Word entry(Hstate h) {
        linux.map(linux.pageSize());
        Vma vma = linux.vmas().getFirst();
        return Objects.requireNonNull(linux.kernel.hugetlb().walk().pteAlloc(vma, h, 0));
    }

    private static long valid(Hstate h, long bits) {
        long entry = Entry.make(h.pages(), Entry.PRESENT | Entry.USER | bits);
        return HugePte.archMakeHuge(entry, h);
    }

    private SpinLock lock(Hstate h, Word first) {
        return linux.kernel.hugetlb().walk().lock(linux.mm, h, first);
    }

    @ParameterizedTest
    @ValueSource(ints = {Geometry.PTE, Geometry.PMD})
    void whatTheHardwareSetsInAnyEntryIsSeen(int level) {
        Hstate h = pool(level);
        Word first = entry(h);
        linux.task(
                () -> {
                    SpinLock ptl = lock(h, first);
                    huge.set(linux.mm, h, 0, first, valid(h, 0));
                    Word second = PageTable.plus(first, 1);
                    Word last = PageTable.plus(first, h.slots() - 1);
                    second.poke(second.peek() | Entry.ACCESSED);
                    last.poke(last.peek() | Entry.DIRTY);
                    long read = huge.get(h, first);
                    long cleared = huge.getAndClear(h, first);
                    ptl.unlock();
                    seen = Entry.show(level, read) + ", " + Entry.show(level, cleared);
                });
        linux.observe(() -> seen).explore();
        assertThat(linux.found).isEmpty();
        String page = (level == Geometry.PMD ? "huge page " : "page ") + h.pages();
        String all = page + " r cont dirty young";
        assertThat(linux.states).containsExactly(all + ", " + all);
    }

    /// Break before make: who sees the first entry changed does not find another as it was.
    @ParameterizedTest
    @ValueSource(ints = {Geometry.PTE, Geometry.PMD})
    void noEntryIsChangedBeforeAllAreBroken(int level) {
        Hstate h = pool(level);
        Word first = entry(h);
        linux.task(
                () -> {
                    SpinLock ptl = lock(h, first);
                    huge.set(linux.mm, h, 0, first, valid(h, 0));
                    huge.set(linux.mm, h, 0, first, valid(h, Entry.WRITE));
                    huge.getAndClear(h, first);
                    ptl.unlock();
                });
        linux.task(
                () -> {
                    long one = first.readOnce();
                    long other = PageTable.plus(first, h.slots() - 1).readOnce();
                    seen = show(one) + " " + show(other);
                });
        linux.observe(() -> seen).explore();
        assertThat(linux.found).isEmpty();
        assertThat(linux.states).contains("w w", "r r", "w -").doesNotContain("w r");
    }

    private static String show(long entry) {
        return Entry.none(entry) ? "-" : Entry.write(entry) ? "w" : "r";
    }
}
