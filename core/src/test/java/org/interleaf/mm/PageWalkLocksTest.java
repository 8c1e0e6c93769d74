// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/// What must be locked for a walk, what a walk locks itself, and what that is good for.
final class PageWalkLocksTest {
    /// What is locked before the walk begins.
    enum Held {
        NOTHING,
        VMA_READ,
        MMAP_READ,
        MMAP_WRITE,
        MMAP_AND_VMA_WRITE
    }

    private static void lock(MmScenario s, Vma vma, Held held) {
        switch (held) {
            case NOTHING -> {}
            case VMA_READ ->
                    Objects.requireNonNull(
                            s.kernel.vmaLock().lockVmaUnderRcu(s.mm, vma.start.peek()));
            case MMAP_READ -> s.kernel.mmapLock().readLock(s.mm);
            case MMAP_WRITE, MMAP_AND_VMA_WRITE -> s.kernel.mmapLock().writeLock(s.mm);
        }
        if (held == Held.MMAP_AND_VMA_WRITE) {
            s.kernel.vmaLock().vmaStartWrite(vma);
        }
    }

    private static void unlock(MmScenario s, Vma vma, Held held) {
        switch (held) {
            case NOTHING -> {}
            case VMA_READ -> s.kernel.vmaLock().vmaEndRead(vma);
            case MMAP_READ -> s.kernel.mmapLock().readUnlock(s.mm);
            case MMAP_WRITE, MMAP_AND_VMA_WRITE -> s.kernel.mmapLock().writeUnlock(s.mm);
        }
    }

    private static MmWalkOps<int[]> counting(WalkLock lock) {
        return MmWalkOps.<int[]>builder(lock)
                .pte(
                        (pte, addr, next, walk) -> {
                            walk.data()[0]++;
                            return 0;
                        })
                .build();
    }

    /// One walk over a VMA of one PMD with some of this locked; what is found is "" for nothing.
    private static MmScenario walkVma(WalkLock lock, Held held) {
        MmScenario s = new MmScenario(1, MmScenario.x86(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        int[] counts = new int[1];
        s.task(
                () -> {
                    Vma vma = s.vmas().get(0);
                    lock(s, vma, held);
                    s.kernel.pageWalk().walkPageVma(vma, counting(lock), counts);
                    unlock(s, vma, held);
                });
        s.observe(() -> String.valueOf(counts[0]));
        assertThat(s.explore().complete()).isTrue();
        return s;
    }

    @ParameterizedTest
    @CsvSource({
        "RDLOCK,NOTHING,mmap_lock is not held",
        "RDLOCK,VMA_READ,mmap_lock is not held",
        "RDLOCK,MMAP_READ,",
        "RDLOCK,MMAP_WRITE,",
        "WRLOCK,NOTHING,mmap_lock is not held for writing",
        "WRLOCK,MMAP_READ,mmap_lock is not held for writing",
        "WRLOCK,MMAP_WRITE,",
        "WRLOCK_VERIFY,NOTHING,mmap_lock is not held for writing",
        "WRLOCK_VERIFY,MMAP_READ,mmap_lock is not held for writing",
        "WRLOCK_VERIFY,MMAP_WRITE,is not write-locked",
        "WRLOCK_VERIFY,MMAP_AND_VMA_WRITE,",
        "VMA_RDLOCK_VERIFY,NOTHING,is not write-locked",
        "VMA_RDLOCK_VERIFY,MMAP_READ,is not write-locked",
        "VMA_RDLOCK_VERIFY,VMA_READ,",
        "VMA_RDLOCK_VERIFY,MMAP_AND_VMA_WRITE,"
    })
    void eachKindAsksForItsLocks(WalkLock lock, Held held, String complaint) {
        MmScenario s = walkVma(lock, held);
        if (complaint == null) {
            assertThat(s.found).isEmpty();
            assertThat(s.states).containsExactly("2");
        } else {
            assertThat(s.found).anyMatch(text -> text.contains(complaint));
        }
    }

    /// Walks over a range lock, or look at the locks of, each VMA that they come to.
    @Test
    void aRangeLocksEachVmaOnTheWay() {
        MmScenario s = new MmScenario(1, MmScenario.x86(), HugeMemory.Thp.NEVER);
        long first = 2 * s.pmdSize();
        s.mapAt(first, s.pageSize());
        s.mapAt(first + s.pmdSize(), s.pageSize());
        s.store(first, 1);
        s.store(first + s.pmdSize(), 1);
        AtomicInteger locked = new AtomicInteger();
        s.task(
                () -> {
                    var ops =
                            MmWalkOps.<int[]>builder(WalkLock.WRLOCK)
                                    .pte(
                                            (pte, addr, next, walk) -> {
                                                s.kernel.vmaLock().assertWriteLocked(walk.vma());
                                                locked.incrementAndGet();
                                                return 0;
                                            })
                                    .build();
                    s.kernel.mmapLock().writeLock(s.mm);
                    long end = first + 2 * s.pmdSize();
                    s.kernel.pageWalk().walkPageRange(s.mm, first, end, ops, new int[0]);
                    s.kernel.mmapLock().writeUnlock(s.mm);
                });
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
        assertThat(locked).hasValue(2);
    }

    /// A PMD callback looks twice at an entry that a fault makes; whether it ever saw a change.
    private static boolean aFaultIsSeenDuring(WalkLock lock, boolean write) {
        MmScenario s = new MmScenario(2, MmScenario.x86(), HugeMemory.Thp.ALWAYS);
        long a = s.kernel.geometry().size(Geometry.PUD);
        s.mapAt(a, 2 * s.pmdSize());
        s.store(a + s.pmdSize(), 1);
        AtomicBoolean changed = new AtomicBoolean();
        s.task(
                () -> {
                    var ops =
                            MmWalkOps.<int[]>builder(lock)
                                    .pud(
                                            (pud, addr, next, walk) -> {
                                                changed.compareAndSet(false, differ(s, a));
                                                return 0;
                                            })
                                    .build();
                    Held held = write ? Held.MMAP_WRITE : Held.MMAP_READ;
                    Vma vma = s.vmas().get(0);
                    lock(s, vma, held);
                    s.kernel.pageWalk().walkPageVma(vma, ops, new int[0]);
                    unlock(s, vma, held);
                });
        s.task(() -> s.store(a, 1));
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
        return changed.get();
    }

    /// Two looks at the PMD of an address.
    private static boolean differ(MmScenario s, long addr) {
        Word pmd = Objects.requireNonNull(s.kernel.pgtable().mmFindPmd(s.mm, addr));
        long first = pmd.readOnce();
        return pmd.readOnce() != first;
    }

    /// That is what WRLOCK is there for: with the lock of the VMA faults do without the mmap lock.
    @Test
    void onlyALockedVmaKeepsFaultsOut() {
        assertThat(aFaultIsSeenDuring(WalkLock.RDLOCK, false)).isTrue();
        assertThat(aFaultIsSeenDuring(WalkLock.RDLOCK, true)).isTrue();
        assertThat(aFaultIsSeenDuring(WalkLock.WRLOCK, true)).isFalse();
    }

    // ---- walks without VMAs

    @ParameterizedTest
    @EnumSource(
            value = Held.class,
            names = {"NOTHING", "MMAP_READ", "MMAP_WRITE"})
    void aWalkWithoutVmasNeedsTheMmapLockForWriting(Held held) {
        MmScenario s = new MmScenario(1, MmScenario.arm64(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        s.task(
                () -> {
                    lock(s, s.vmas().get(0), held);
                    s.kernel
                            .pageWalk()
                            .walkPageRangeDebug(
                                    s.mm,
                                    a,
                                    a + s.pmdSize(),
                                    counting(WalkLock.RDLOCK),
                                    null,
                                    new int[1]);
                    unlock(s, s.vmas().get(0), held);
                });
        assertThat(s.explore().complete()).isTrue();
        if (held == Held.MMAP_WRITE) {
            assertThat(s.found).isEmpty();
        } else {
            assertThat(s.found).anyMatch(text -> text.contains("mmap_lock is not held for"));
        }
    }

    /// It takes no lock of a table and goes where no VMA is: a hole is one of tables only.
    @Test
    void aWalkWithoutVmasTakesNoLocksAndKnowsNoVmas() {
        MmScenario s = new MmScenario(1, MmScenario.arm64(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pageSize());
        s.store(a, 1);
        int[] counts = new int[2];
        s.task(
                () -> {
                    var ops =
                            MmWalkOps.<int[]>builder(WalkLock.RDLOCK)
                                    .pte(
                                            (pte, addr, next, walk) -> {
                                                assertThat(walk.noVma).isTrue();
                                                PageTable table = PageTable.of(pte);
                                                assertThat(table.ptl().held()).isFalse();
                                                walk.data()[0]++;
                                                return 0;
                                            })
                                    .hole(
                                            (addr, next, depth, walk) -> {
                                                assertThat(depth).isNotNegative();
                                                walk.data()[1]++;
                                                return 0;
                                            })
                                    .build();
                    s.kernel.mmapLock().writeLock(s.mm);
                    long end = s.kernel.geometry().taskSize();
                    s.kernel.pageWalk().walkPageRangeDebug(s.mm, 0, end, ops, null, counts);
                    s.kernel.mmapLock().writeUnlock(s.mm);
                });
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
        assertThat(counts[0]).isEqualTo(s.kernel.geometry().entries(Geometry.PTE));
        assertThat(counts[1]).isPositive();
    }

    // ---- AGAIN

    /// The walker looks again for a table that MADV_DONTNEED frees meanwhile, below a PMD for which
    /// there is no callback; and there is an interleaving in which it must.
    @Test
    void theWalkerLooksAgainForATableThatIsGone() {
        MmScenario s = new MmScenario(2, MmScenario.arm64(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        int[][] seen = new int[1][];
        s.task(
                () -> {
                    int[] counts = new int[3];
                    var ops =
                            MmWalkOps.<int[]>builder(WalkLock.RDLOCK)
                                    .pmd(
                                            (pmd, addr, next, walk) -> {
                                                walk.data()[0]++;
                                                return 0;
                                            })
                                    .pte(
                                            (pte, addr, next, walk) -> {
                                                walk.data()[1]++;
                                                return 0;
                                            })
                                    .hole(
                                            (addr, next, depth, walk) -> {
                                                walk.data()[2]++;
                                                return 0;
                                            })
                                    .build();
                    s.kernel.mmapLock().readLock(s.mm);
                    s.kernel.pageWalk().walkPageRange(s.mm, a, a + s.pmdSize(), ops, counts);
                    s.kernel.mmapLock().readUnlock(s.mm);
                    seen[0] = counts;
                });
        s.task(() -> s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED));
        s.observe(() -> seen[0][0] + " pmd, " + seen[0][1] + " pte, " + seen[0][2] + " hole");
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
        // In the last the callback saw a table which then was gone. Each page is told of once.
        assertThat(s.states)
                .containsExactlyInAnyOrder(
                        "1 pmd, 2 pte, 0 hole", "0 pmd, 0 pte, 1 hole", "1 pmd, 0 pte, 1 hole");
    }

    /// A callback that says AGAIN until somebody else has done something waits for that: there is
    /// an end of executions, and of rounds in each.
    @Test
    void againEndsWhenTheOtherTaskHasDoneItsPart() {
        MmScenario s = new MmScenario(2, MmScenario.x86(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a + s.pageSize(), 1);
        s.task(
                () -> {
                    var ops =
                            MmWalkOps.<int[]>builder(WalkLock.RDLOCK)
                                    .pmd((pmd, addr, next, walk) -> againUntilStored(s, pmd, walk))
                                    .build();
                    s.kernel.mmapLock().readLock(s.mm);
                    s.kernel.pageWalk().walkPageRange(s.mm, a, a + s.pmdSize(), ops, new int[1]);
                    s.kernel.mmapLock().readUnlock(s.mm);
                });
        s.task(() -> s.store(a, 1));
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
    }

    private static int againUntilStored(MmScenario s, Word pmd, MmWalk<int[]> walk) {
        PteMapping pte =
                Objects.requireNonNull(s.kernel.pgtableGeneric().pteOffsetMap(pmd, s.pmdSize()));
        if (Entry.none(pte.pte(0).readOnce()) && walk.data()[0]++ < 2) {
            walk.action(WalkAction.AGAIN);
        }
        pte.unmap();
        return 0;
    }
}
