// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Exploration;
import org.junit.jupiter.api.Test;

/// What hmm_range_fault() says of each page, and what it faults in, by what is wanted.
final class HmmTest {
    private static final long VALID = HmmRange.PFN_VALID;
    private static final long WRITE = HmmRange.PFN_WRITE;
    private static final long FAULT = HmmRange.PFN_REQ_FAULT;
    private static final long FAULT_WRITE = HmmRange.PFN_REQ_FAULT | HmmRange.PFN_REQ_WRITE;

    private final MmScenario linux = new MmScenario(2, MmScenario.x86(), HugeMemory.Thp.MADVISE);
    private final MmuNotifier notifier = linux.kernel.mmuNotifier();
    private final MmuIntervalNotifier sub =
            new MmuIntervalNotifier(
                    linux.machine,
                    null,
                    linux.mm,
                    0,
                    MmuNotifierRange.MAX,
                    (interval, range, seq) -> {
                        notifier.mmuIntervalSetSeq(interval, seq);
                        return true;
                    });

    HmmTest() {
        notifier.mmuIntervalNotifierInsert(linux.kernel, sub);
    }

    /// All pages of a PMD.
    private HmmRange range(long start, long defaultFlags, long mask) {
        return new HmmRange(
                linux.kernel.geometry(), sub, start, start + linux.pmdSize(), defaultFlags, mask);
    }

    private int fault(HmmRange range) {
        range.notifierSeq = notifier.mmuIntervalReadBegin(sub);
        linux.kernel.mmapLock().readLock(linux.mm);
        int ret = linux.kernel.hmm().hmmRangeFault(range);
        linux.kernel.mmapLock().readUnlock(linux.mm);
        return ret;
    }

    private long pfn(long addr) {
        return linux.kernel.inspect().mappedPfn(linux.mm, addr);
    }

    @Test
    void tellsOfPagesWithoutFaultingAnyIn() {
        long a = linux.map(linux.pmdSize());
        linux.store(a, 1);
        HmmRange range = range(a, 0, 0);
        assertThat(fault(range)).isZero();
        assertThat(range.hmmPfns).containsExactly(pfn(a) | VALID | WRITE, 0);
    }

    @Test
    void faultsInWhatIsWantedOfEveryPage() {
        long a = linux.map(linux.pmdSize());
        HmmRange range = range(a, FAULT, 0);
        assertThat(fault(range)).isZero();
        long zero = linux.kernel.zeroFolio().pfn() | VALID;
        assertThat(range.hmmPfns).containsExactly(zero, zero);
        // Copies take the place of the zero page, which the device itself is told of.
        assertThat(fault(range(a, FAULT_WRITE, 0))).isEqualTo(-Errno.EBUSY);
        range = range(a, FAULT_WRITE, 0);
        assertThat(fault(range)).isZero();
        assertThat(range.hmmPfns)
                .containsExactly(pfn(a) | VALID | WRITE, pfn(a + linux.pageSize()) | VALID | WRITE);
    }

    @Test
    void faultsInWhatIsWantedOfSinglePages() {
        long a = linux.map(linux.pmdSize());
        linux.load(a);
        HmmRange range = range(a, 0, FAULT_WRITE);
        range.hmmPfns[1] = FAULT_WRITE;
        assertThat(fault(range)).isZero();
        assertThat(range.hmmPfns)
                .containsExactly(
                        linux.kernel.zeroFolio().pfn() | VALID,
                        pfn(a + linux.pageSize()) | VALID | WRITE);
    }

    @Test
    void whatIsWantedDoesNotCountOutsideOfTheMask() {
        long a = linux.map(linux.pmdSize());
        HmmRange range = range(a, 0, 0);
        range.hmmPfns[0] = FAULT_WRITE;
        assertThat(fault(range)).isZero();
        assertThat(range.hmmPfns).containsExactly(0, 0);
    }

    @Test
    void keepsWhatTheDriverKnowsOfDma() {
        long a = linux.map(linux.pmdSize());
        HmmRange range = range(a, FAULT_WRITE, 0);
        range.hmmPfns[0] = HmmRange.PFN_INOUT_FLAGS;
        assertThat(fault(range)).isZero();
        assertThat(range.hmmPfns[0]).isEqualTo(pfn(a) | VALID | WRITE | HmmRange.PFN_INOUT_FLAGS);
    }

    @Test
    void tellsTheSizeOfAHugePage() {
        long a = linux.map(linux.pmdSize());
        linux.kernel.mmap().madvise(linux.mm, a, linux.pmdSize(), Mman.MADV_HUGEPAGE);
        HmmRange range = range(a, FAULT_WRITE, 0);
        assertThat(fault(range)).isZero();
        int order = linux.kernel.geometry().hpagePmdOrder();
        for (int i = 0; i < range.hmmPfns.length; i++) {
            assertThat(HmmRange.pfn(range.hmmPfns[i])).isEqualTo(pfn(a) + i);
            assertThat(HmmRange.mapOrder(range.hmmPfns[i])).isEqualTo(order);
        }
    }

    @Test
    void whereThereIsNoMappingOnlyWantingIsAnError() {
        long a = linux.map(linux.pmdSize());
        linux.kernel.mmap().munmap(linux.mm, a, linux.pageSize());
        linux.store(a + linux.pageSize(), 1);
        HmmRange range = range(a, 0, 0);
        assertThat(fault(range)).isZero();
        assertThat(range.hmmPfns)
                .containsExactly(HmmRange.PFN_ERROR, pfn(a + linux.pageSize()) | VALID | WRITE);
        assertThat(fault(range(a, FAULT, 0))).isEqualTo(-Errno.EFAULT);
    }

    @Test
    void whatTheProcessMayNotTheDeviceMayNot() {
        long a = linux.map(linux.pmdSize());
        linux.store(a, 1);
        linux.kernel.mprotect().mprotect(linux.mm, a, linux.pmdSize(), Mman.PROT_READ);
        assertThat(fault(range(a, FAULT, 0))).isZero();
        assertThat(fault(range(a, FAULT_WRITE, 0))).isEqualTo(-Errno.EPERM);
        linux.kernel.mprotect().mprotect(linux.mm, a, linux.pmdSize(), Mman.PROT_NONE);
        assertThat(fault(range(a, FAULT, 0))).isEqualTo(-Errno.EFAULT);
        HmmRange range = range(a, 0, 0);
        assertThat(fault(range)).isZero();
        assertThat(range.hmmPfns).containsOnly(HmmRange.PFN_ERROR);
    }

    @Test
    void aRangeThatIsStaleBeforeItBeginsIsBusy() {
        long a = linux.map(linux.pmdSize());
        linux.store(a, 1);
        HmmRange range = range(a, FAULT, 0);
        range.notifierSeq = notifier.mmuIntervalReadBegin(sub);
        linux.kernel.mmap().madvise(linux.mm, a, linux.pmdSize(), Mman.MADV_DONTNEED);
        linux.kernel.mmapLock().readLock(linux.mm);
        assertThat(linux.kernel.hmm().hmmRangeFault(range)).isEqualTo(-Errno.EBUSY);
        linux.kernel.mmapLock().readUnlock(linux.mm);
        assertThat(linux.kernel.hmm().hmmRangeFaultUnlockedTimeout(range, 0)).isZero();
        assertThat(linux.mm.mmapLock().held()).isFalse();
    }

    /// However often the range is invalidated: without a limit it ends well, with one it may not.
    @Test
    void attemptsAreLimitedIfTheCallerWantsThem() {
        long a = linux.map(linux.pmdSize());
        linux.store(a, 1);
        linux.store(a + linux.pageSize(), 1);
        int[] ret = new int[1];
        linux.task(
                () -> {
                    MmuNotifierRange all =
                            notifier.range(
                                    MmuNotifierRange.Event.CLEAR, linux.mm, a, a + linux.pmdSize());
                    for (int i = 0; i < 3; i++) {
                        notifier.invalidateRangeStart(all);
                        notifier.invalidateRangeEnd(all);
                    }
                });
        linux.task(
                () ->
                        ret[0] =
                                linux.kernel
                                        .hmm()
                                        .hmmRangeFaultUnlockedTimeout(range(a, FAULT, 0), 1));
        linux.observe(() -> "returns " + ret[0]);
        Exploration e = linux.explore();
        assertThat(linux.found).isEmpty();
        assertThat(e.complete()).isTrue();
        assertThat(linux.states).containsExactly("returns -16", "returns 0");
    }
}
