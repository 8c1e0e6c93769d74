// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Exploration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;

/// Two threads of a process, in every interleaving: nothing is found, and the final states are
/// those that either order would give.
final class MmConcurrentTest {
    static List<Arch> architectures() {
        return MmScenario.all();
    }

    private static void expectClean(MmScenario s, String... states) {
        Exploration e = s.explore();
        assertThat(s.found).isEmpty();
        assertThat(e.complete()).isTrue();
        assertThat(s.states).containsExactly(states);
    }

    private static String valueAt(MmScenario s, long addr) {
        return String.valueOf(s.kernel.inspect().user(s.mm, addr, 8));
    }

    /// The first page of all: tables of every level and the anon_vma are made as well.
    @Test
    void twoThreadsFaultTheFirstPage() {
        MmScenario s = new MmScenario(2, MmScenario.x86(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.task(() -> s.kernel.userAccess().store(s.mm, a, 1, 1));
        s.task(() -> s.kernel.userAccess().store(s.mm, a + 1, 1, 1));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "257");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void twoThreadsFaultTheSamePage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.load(a + s.pageSize());
        s.task(() -> s.kernel.userAccess().store(s.mm, a, 1, 1));
        s.task(() -> s.kernel.userAccess().store(s.mm, a + 1, 1, 1));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "257");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstDontneed(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "0", "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstMunmap(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().munmap(s.mm, a, s.pmdSize()));
        s.observe(() -> s.framesInUse() + " " + s.machine.tasks().getFirst().killed());
        expectClean(s, "4 false", "4 true");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void twoDontneeds(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        for (int i = 0; i < 2; i++) {
            s.task(() -> s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED));
        }
        s.observe(() -> valueAt(s, a));
        expectClean(s, "0");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void twoThreadsReplaceTheZeroPage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a + s.pageSize(), 1);
        s.load(a);
        s.task(() -> s.kernel.userAccess().store(s.mm, a, 1, 1));
        s.task(() -> s.kernel.userAccess().store(s.mm, a + 1, 1, 1));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "257");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void twoThreadsFaultTheSameHugePage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.ALWAYS);
        long a = s.map(2 * s.pmdSize());
        s.store(a + s.pmdSize(), 1);
        s.task(() -> s.kernel.userAccess().store(s.mm, a, 1, 1));
        s.task(() -> s.kernel.userAccess().store(s.mm, a + 1, 1, 1));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "257");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstSplit(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.ALWAYS);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.split(a));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstDontneedOfAHugePage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.ALWAYS);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "0", "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstAMappingOnTop(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        int fixed = MmScenario.ANON | Mman.MAP_FIXED;
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().mmap(s.mm, a, s.pmdSize(), MmScenario.RW, fixed));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "0", "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstMunmapOfTheOtherPage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.store(a + s.pageSize(), 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().munmap(s.mm, a + s.pageSize(), s.pageSize()));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void faultAgainstMunmapOfTheOtherPage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a + s.pageSize(), 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().munmap(s.mm, a + s.pageSize(), s.pageSize()));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstMunmapThatSplitsAHugePage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.ALWAYS);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().munmap(s.mm, a + s.pageSize(), s.pageSize()));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void twoMunmapsOfNeighbours(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(2 * s.pmdSize());
        s.store(a, 1);
        s.store(a + s.pmdSize(), 1);
        s.task(() -> s.kernel.mmap().munmap(s.mm, a, s.pmdSize()));
        s.task(() -> s.kernel.mmap().munmap(s.mm, a + s.pmdSize(), s.pmdSize()));
        s.observe(() -> s.framesInUse() + " " + s.mm.pgtables.peek());
        expectClean(s, "4 0");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void pinAgainstMunmap(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.task(
                () -> {
                    Page[] page = new Page[1];
                    int flags = Foll.PIN | Foll.FAST_ONLY;
                    if (s.kernel.gupFast().pinUserPagesFast(s.mm, a, flags, page) == 1) {
                        s.kernel.gupRefs().unpinUserPage(page[0]);
                    }
                });
        s.task(() -> s.kernel.mmap().munmap(s.mm, a, s.pmdSize()));
        s.observe(() -> s.framesInUse() + "");
        expectClean(s, "4");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void nothingIsLeftWhenDontneedReturns(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pageSize());
        s.store(a, 1);
        long[] seen = new long[1];
        s.task(() -> s.kernel.mmap().madvise(s.mm, a, s.pageSize(), Mman.MADV_DONTNEED));
        s.task(
                () -> {
                    s.load(a);
                    s.kernel.mmap().madvise(s.mm, a, s.pageSize(), Mman.MADV_DONTNEED);
                    seen[0] = s.load(a);
                });
        s.observe(() -> String.valueOf(seen[0]));
        expectClean(s, "0");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void faultAgainstMunmap(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a + s.pageSize(), 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().munmap(s.mm, a, s.pmdSize()));
        s.observe(() -> s.framesInUse() + " " + s.machine.tasks().getFirst().killed());
        expectClean(s, "4 false", "4 true");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void faultAgainstMunmapOfItsPage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a + s.pageSize(), 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().munmap(s.mm, a, s.pageSize()));
        s.observe(() -> String.valueOf(s.kernel.inspect().mappedPfn(s.mm, a)));
        expectClean(s, "-1");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void readersSeeTheCopyOfTheZeroPage(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a + s.pageSize(), 1);
        s.load(a);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.load(a));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "2");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void dontneedAgainstFaultsAround(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        // Both PMD ranges below one PMD table, whose lock the fault holds for a moment.
        long a = s.mapAt(2 * s.pmdSize(), 2 * s.pmdSize());
        s.store(a, 1);
        s.task(() -> s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED));
        s.task(
                () -> {
                    s.store(a + s.pmdSize(), 2);
                    s.store(a + s.pageSize(), 3);
                });
        s.observe(() -> valueAt(s, a + s.pmdSize()) + " " + valueAt(s, a + s.pageSize()));
        expectClean(s, "2 0", "2 3");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void faultAgainstCollapse(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a + s.pageSize(), 1);
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.khugepaged().collapseHugePage(s.mm, a));
        s.observe(() -> valueAt(s, a) + " " + valueAt(s, a + s.pageSize()));
        expectClean(s, "2 1");
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void faultAgainstACutOfItsVma(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        long half = a + s.pageSize();
        s.load(half);
        int advice = Mman.MADV_NOHUGEPAGE;
        s.task(() -> s.store(a, 2));
        s.task(() -> s.kernel.mmap().madvise(s.mm, half, s.pageSize(), advice));
        s.observe(() -> valueAt(s, a));
        expectClean(s, "2");
    }
}
