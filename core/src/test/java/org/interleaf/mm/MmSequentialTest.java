// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.api.Assertions;
import org.interleaf.machine.TaskKilled;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;
import java.util.Objects;

/// What single calls do, one after another: made by the set-up, where nothing runs beside.
final class MmSequentialTest {
    static List<Arch> architectures() {
        return MmScenario.all();
    }

    private static MmScenario small(Arch arch) {
        return new MmScenario(2, arch, HugeMemory.Thp.NEVER);
    }

    private static MmScenario huge(Arch arch) {
        return new MmScenario(2, arch, HugeMemory.Thp.ALWAYS);
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void whatWasStoredIsLoaded(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(2 * s.pmdSize());
        s.store(a, 0x1122334455667788L);
        s.store(a + s.pageSize(), 7);
        assertThat(s.load(a)).isEqualTo(0x1122334455667788L);
        assertThat(s.kernel.userAccess().load(s.mm, a + 1, 1)).isEqualTo(0x77);
        s.kernel.userAccess().store(s.mm, a + 2, 2, 0xabcd);
        assertThat(s.load(a)).isEqualTo(0x11223344abcd7788L);
        assertThat(s.load(a + s.pageSize())).isEqualTo(7);
        assertThat(s.load(a + s.pmdSize())).isZero();
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void munmapGivesEverythingBack(Arch arch) {
        MmScenario s = small(arch);
        int before = s.framesInUse();
        long a = s.map(2 * s.pmdSize());
        for (long at = a; at < a + 2 * s.pmdSize(); at += s.pageSize()) {
            s.store(at, at);
        }
        assertThat(s.framesInUse()).isGreaterThan(before + 4);
        assertThat(s.kernel.mmap().munmap(s.mm, a, 2 * s.pmdSize())).isZero();
        s.machine.seal();
        assertThat(s.framesInUse()).isEqualTo(before);
        assertThat(s.mm.pgtables.peek()).isZero();
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void munmapOfAPartLeavesTheRest(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(2 * s.pmdSize());
        for (int i = 0; i < 4; i++) {
            s.store(a + i * s.pageSize(), i + 1);
        }
        assertThat(s.kernel.mmap().munmap(s.mm, a + s.pageSize(), s.pageSize())).isZero();
        assertThat(s.load(a)).isEqualTo(1);
        assertThat(s.load(a + 2 * s.pageSize())).isEqualTo(3);
        Assertions.assertThatThrownBy(() -> s.load(a + s.pageSize()))
                .isInstanceOf(TaskKilled.class);
        assertThat(s.findings()).isEmpty();
        assertThat(s.kernel.mmap().munmap(s.mm, a, 2 * s.pmdSize())).isZero();
        s.machine.seal();
        assertThat(s.mm.pgtables.peek()).isZero();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void readsShareTheZeroPageAndWritesReplaceIt(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(s.pageSize());
        int before = s.framesInUse();
        assertThat(s.load(a)).isZero();
        assertThat(s.kernel.inspect().mappedPfn(s.mm, a)).isEqualTo(s.kernel.zeroFolio().pfn());
        int tables = s.framesInUse() - before;
        s.store(a, 5);
        assertThat(s.framesInUse() - before).isEqualTo(tables + 1);
        assertThat(s.load(a)).isEqualTo(5);
        assertThat(s.kernel.memMap().contents(s.kernel.zeroFolio().pfn(), 0).peek()).isZero();
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void dontneedZeroesAndFreesTables(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.store(a + s.pageSize(), 2);
        long tables = s.mm.pgtables.peek();
        assertThat(s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED)).isZero();
        assertThat(s.mm.pgtables.peek()).isEqualTo(arch.ptReclaim() ? tables - 1 : tables);
        assertThat(s.load(a)).isZero();
        s.machine.seal();
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void mapFixedReplaces(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(2 * s.pmdSize());
        s.store(a, 1);
        s.store(a + s.pageSize(), 2);
        int fixed = MmScenario.ANON | Mman.MAP_FIXED;
        long b = s.kernel.mmap().mmap(s.mm, a, s.pageSize(), Mman.PROT_READ, fixed);
        assertThat(b).isEqualTo(a);
        assertThat(s.load(a)).isZero();
        assertThat(s.load(a + s.pageSize())).isEqualTo(2);
        Assertions.assertThatThrownBy(() -> s.store(a, 3)).isInstanceOf(TaskKilled.class);
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void hugePagesAreMappedSplitAndFreed(Arch arch) {
        MmScenario s = huge(arch);
        int before = s.framesInUse();
        long a = s.map(2 * s.pmdSize());
        s.store(a, 1);
        s.store(a + s.pageSize(), 2);
        assertThat(Entry.leaf(s.kernel.inspect().entry(s.mm, Geometry.PMD, a))).isTrue();
        assertThat(s.load(a + s.pmdSize())).isZero();
        assertThat(s.findings()).isEmpty();
        assertThat(s.kernel.mmap().munmap(s.mm, a + s.pageSize(), s.pageSize())).isZero();
        assertThat(s.load(a)).isEqualTo(1);
        assertThat(s.findings()).isEmpty();
        assertThat(s.kernel.mmap().munmap(s.mm, a, 2 * s.pmdSize())).isZero();
        s.machine.seal();
        assertThat(s.framesInUse()).isEqualTo(before);
        assertThat(s.mm.pgtables.peek()).isZero();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void collapseKeepsTheContents(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.store(a + s.pageSize(), 2);
        assertThat(s.kernel.khugepaged().collapseHugePage(s.mm, a)).isEqualTo(ScanResult.SUCCEED);
        assertThat(Entry.leaf(s.kernel.inspect().entry(s.mm, Geometry.PMD, a))).isTrue();
        assertThat(s.load(a)).isEqualTo(1);
        assertThat(s.load(a + s.pageSize())).isEqualTo(2);
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void adviceAboutHugePagesCutsTheVma(Arch arch) {
        MmScenario s = new MmScenario(2, arch, HugeMemory.Thp.MADVISE);
        long a = s.map(2 * s.pmdSize());
        long half = a + s.pmdSize();
        assertThat(s.kernel.mmap().madvise(s.mm, half, s.pmdSize(), Mman.MADV_HUGEPAGE)).isZero();
        s.store(a, 1);
        s.store(half, 2);
        assertThat(Entry.leaf(s.kernel.inspect().entry(s.mm, Geometry.PMD, a))).isFalse();
        assertThat(Entry.leaf(s.kernel.inspect().entry(s.mm, Geometry.PMD, half))).isTrue();
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void populateMapsWithoutTouching(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(s.pmdSize());
        int write = Mman.MADV_POPULATE_WRITE;
        assertThat(s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), write)).isZero();
        assertThat(s.kernel.inspect().mappedPfn(s.mm, a + s.pageSize())).isPositive();
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void errorsAreNegativeNumbers(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(s.pageSize());
        Mmap mmap = s.kernel.mmap();
        assertThat(mmap.mmap(s.mm, 0, 0, MmScenario.RW, MmScenario.ANON)).isEqualTo(-Errno.EINVAL);
        assertThat(mmap.mmap(s.mm, 0, 1L << 40, MmScenario.RW, MmScenario.ANON))
                .isEqualTo(-Errno.ENOMEM);
        int noreplace = MmScenario.ANON | Mman.MAP_FIXED_NOREPLACE;
        assertThat(mmap.mmap(s.mm, a, 1, MmScenario.RW, noreplace)).isEqualTo(-Errno.EEXIST);
        assertThat(mmap.munmap(s.mm, a + 1, 1)).isEqualTo(-Errno.EINVAL);
        assertThat(mmap.munmap(s.mm, a, 0)).isEqualTo(-Errno.EINVAL);
        assertThat(mmap.munmap(s.mm, a + s.pageSize(), s.pageSize())).isZero();
        assertThat(mmap.madvise(s.mm, a, s.pageSize(), 999)).isEqualTo(-Errno.EINVAL);
        assertThat(mmap.madvise(s.mm, a, 2 * s.pageSize(), Mman.MADV_DONTNEED))
                .isEqualTo(-Errno.ENOMEM);
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void tablesStayWhileANeighbourUsesThem(Arch arch) {
        MmScenario s = small(arch);
        int fixed = MmScenario.ANON | Mman.MAP_FIXED;
        long pageSize = s.pageSize();
        for (int i = 0; i < 4; i++) {
            s.kernel.mmap().mmap(s.mm, i * pageSize, pageSize, MmScenario.RW, fixed);
            s.store(i * pageSize, i);
        }
        // Two PTE tables, a PMD and a PUD table.
        assertThat(s.mm.pgtables.peek()).isEqualTo(4);
        long[] left = {4, 3, 3, 0};
        int[] order = {1, 0, 2, 3};
        for (int i = 0; i < 4; i++) {
            s.kernel.mmap().munmap(s.mm, order[i] * pageSize, pageSize);
            assertThat(s.mm.pgtables.peek()).as("after %d", i).isEqualTo(left[i]);
        }
        s.machine.seal();
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void noAccessWithoutPermission(Arch arch) {
        MmScenario s = small(arch);
        long none = s.kernel.mmap().mmap(s.mm, 0, s.pageSize(), 0, MmScenario.ANON);
        Assertions.assertThatThrownBy(() -> s.load(none)).isInstanceOf(TaskKilled.class);
        Assertions.assertThatThrownBy(() -> s.load(0)).isInstanceOf(TaskKilled.class);
        long beyond = s.kernel.geometry().taskSize();
        Assertions.assertThatThrownBy(() -> s.load(beyond)).isInstanceOf(TaskKilled.class);
        assertThat(s.findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void neighboursShareAnAnonVma(Arch arch) {
        MmScenario s = small(arch);
        long a = s.map(2 * s.pmdSize());
        s.store(a, 1);
        s.kernel.mmap().munmap(s.mm, a + s.pageSize(), s.pageSize());
        List<Vma> vmas = s.vmas();
        assertThat(vmas).hasSize(2);
        AnonVma anonVma = Objects.requireNonNull(vmas.getFirst().anonVma.peek());
        assertThat(vmas.getLast().anonVma.peek()).isSameAs(anonVma);
        assertThat(anonVma.numActiveVmas.peek()).isEqualTo(2);
        s.kernel.mmap().munmap(s.mm, a, 2 * s.pmdSize());
        assertThat(anonVma.numActiveVmas.peek()).isZero();
        assertThat(anonVma.refcount.peek()).isZero();
    }
}
