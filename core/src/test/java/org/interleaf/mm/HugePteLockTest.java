// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.junit.jupiter.api.Test;

import java.util.Objects;

/// huge_pte_lockptr() where it is odd.
final class HugePteLockTest {
    @Test
    void withHighpteThereIsNoPtepLockptrAndHugetlbTakesThePmdLock() {
        Arch arch = arch("arm64-4k");
        // No arm64 kernel has HIGHPTE; the record does not mind.
        Arch highpte =
                new Arch(
                        arch.architecture(),
                        arch.geometry(),
                        arch.leafSizes(),
                        arch.kconfig().withHighpte(),
                        arch.tlbFlush(),
                        arch.tableFree());
        MmScenario linux = new MmScenario(1, highpte, HugeMemory.Thp.NEVER);
        PtLocks locks = linux.kernel.ptLocks();
        Word pmd = pmd(linux);

        assertThatThrownBy(() -> locks.ptepLockptr(linux.mm, pmd))
                .isInstanceOf(ImpossibleConfig.class)
                .hasMessageContaining("BUILD_BUG_ON");
        long contPte = arch.hugetlbSizes().getFirst().size();
        assertThat(contPte).isLessThan(arch.geometry().size(Geometry.PMD));
        assertThat(locks.hugePteLockptr(contPte, linux.mm, pmd))
                .isSameAs(locks.pmdLockptr(linux.mm, pmd));
    }

    @Test
    void withTwoLevelsAsksForThePudAndGetsTheLockOfThePmd() {
        for (String name : new String[] {"x86-32", "arm64-64k-va42", "arm64-16k-va36"}) {
            Arch arch = arch(name);
            long size = arch.geometry().size(Geometry.PMD);
            assertThat(size).isEqualTo(arch.geometry().size(Geometry.PUD));
            assertThat(arch.pgtableLevels()).isEqualTo(2);
            MmScenario linux = new MmScenario(1, arch, HugeMemory.Thp.NEVER);
            Word pmd = pmd(linux);
            SpinLock hugetlb = linux.kernel.ptLocks().hugePteLockptr(size, linux.mm, pmd);
            assertThat(hugetlb)
                    .as(name)
                    .isSameAs(linux.kernel.ptLocks().pudLockptr(linux.mm, pmd))
                    .isSameAs(linux.kernel.ptLocks().pmdLockptr(linux.mm, pmd));
        }
    }

    @Test
    void withoutSplitLocksAllLocksAreOne() {
        MmScenario linux = new MmScenario(1, MmScenario.unsplit(), HugeMemory.Thp.NEVER);
        PtLocks locks = linux.kernel.ptLocks();
        Word pmd = pmd(linux);
        linux.kernel.pgtable().pteAlloc(linux.mm, pmd);
        Word pte = linux.kernel.memMap().table(Entry.pfn(pmd.peek())).entry(0);
        assertThat(locks.pteLockptr(linux.mm, pmd.peek()))
                .isSameAs(locks.ptepLockptr(linux.mm, pte))
                .isSameAs(locks.pmdLockptr(linux.mm, pmd))
                .isSameAs(locks.pudLockptr(linux.mm, pmd))
                .isSameAs(linux.mm.pageTableLock());
    }

    private static Arch arch(String name) {
        Architecture architecture = Objects.requireNonNull(Architectures.find(name));
        return Arch.of(architecture, architecture.tiny());
    }

    private static Word pmd(MmScenario linux) {
        return Objects.requireNonNull(linux.kernel.pgtable().alloc(Geometry.PMD, linux.mm, 0));
    }
}
