// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.util.Objects;

/// The slow path of GUP on huge pages of hugetlb.
final class GupHugetlbTest {
    private final MmScenario linux = new MmScenario(2, MmScenario.arm64(), HugeMemory.Thp.NEVER);
    private final Kernel kernel = linux.kernel;
    private String seen = "";

    /// A written page in a mapping that has a hugetlb lock.
    private long map() {
        LeafSize leaf = kernel.arch().leaf(linux.pmdSize());
        kernel.hugetlb().pool().addHstate(leaf, 1, 0);
        int log = Long.numberOfTrailingZeros(leaf.size());
        int flags = MmScenario.ANON | Mman.MAP_HUGETLB | log << Mman.MAP_HUGE_SHIFT;
        long addr = kernel.mmap().mmap(linux.mm, 0, leaf.size(), MmScenario.RW, flags);
        linux.store(addr, 1);
        return addr;
    }

    /// Who holds the VMA's hugetlb lock for writing may clear an entry for a moment: a walk under
    /// the lock of its table alone would find nothing there.
    @Test
    void walksUnderTheHugetlbLockOfTheVma() {
        long addr = map();
        Vma vma = linux.vmas().getFirst();
        Hstate h = HugetlbVmas.hstate(vma);
        Hugetlb hugetlb = kernel.hugetlb();
        linux.task(
                () -> {
                    hugetlb.vmas().lockWrite(vma);
                    Word ptep = Objects.requireNonNull(hugetlb.walk().walk(vma, h, addr));
                    SpinLock ptl = hugetlb.walk().lock(linux.mm, h, ptep);
                    long entry = hugetlb.pte().clearFlush(linux.mm, h, addr, ptep);
                    ptl.unlock();
                    ptl.lock();
                    hugetlb.pte().set(linux.mm, h, addr, ptep, entry);
                    ptl.unlock();
                    hugetlb.vmas().unlockWrite(vma);
                });
        linux.task(
                () -> {
                    @Nullable Page[] page = new Page[1];
                    int flags = Foll.NOFAULT | Foll.GET;
                    long got = kernel.gup().getUserPagesUnlocked(linux.mm, addr, page, flags);
                    seen = "got " + got;
                    if (page[0] != null) {
                        kernel.swap().folioPut(kernel.memMap().pageFolio(page[0]));
                    }
                });
        linux.observe(() -> seen).explore();
        assertThat(linux.found).isEmpty();
        assertThat(linux.states).containsExactly("got 1");
    }

    /// try_grab_folio() warns also where no reference is asked for: whoever holds the lock of the
    /// entry knows that the page is in use.
    @Test
    void aPageWithoutReferencesIsWarnedOfEvenIfNobodyWantsOne() {
        map();
        Folio free = kernel.memMap().folioAt(kernel.memMap().size() - 1);
        linux.task(() -> seen = "answer " + kernel.gupRefs().tryGrabFolio(free, 1, Foll.TOUCH));
        linux.observe(() -> seen).explore();
        assertThat(linux.found).hasSize(1).first().asString().contains("WARNING");
        assertThat(linux.states).containsExactly("answer -12");
    }
}
