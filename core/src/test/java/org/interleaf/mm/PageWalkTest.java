// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.machine.Machine;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmWalkOps.WalkLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/// The generic walker: what it calls, in which order, and what callbacks can make of it.
final class PageWalkTest {
    private static final int ROUNDS = 60;

    static List<Arch> architectures() {
        return Architectures.all().stream().map(a -> Arch.of(a, a.tiny())).toList();
    }

    /// A process with memory enough, for the set-up.
    private static final class OneProcess {
        final Kernel kernel;
        final MmStruct mm;
        final Geometry geometry;

        OneProcess(Arch arch, HugeMemory.Thp thp) {
            Machine machine = new Machine(1);
            int bigOrder = arch.geometry().hpagePmdOrder();
            PhysicalMemory memory = new PhysicalMemory(machine, 1, 250, bigOrder, 6);
            kernel = new Kernel(machine, arch, memory, thp);
            mm = kernel.createMm("mm");
            kernel.activate(mm);
            geometry = arch.geometry();
        }

        long mapAt(long addr, long len) {
            int flags = MmScenario.ANON | Mman.MAP_FIXED;
            return kernel.mmap().mmap(mm, addr, len, MmScenario.RW, flags);
        }

        int walk(long start, long end, MmWalkOps<List<String>> ops, List<String> calls) {
            kernel.mmapLock().readLock(mm);
            int ret = kernel.pageWalk().walkPageRange(mm, start, end, ops, calls);
            kernel.mmapLock().readUnlock(mm);
            return ret;
        }

        long size(int level) {
            return geometry.size(level);
        }
    }

    private static MmWalkOps.EntryCallback<List<String>> entry(OneProcess p, int level) {
        return (entry, addr, next, walk) -> {
            String name = Geometry.name(level);
            walk.data().add(WalkOracle.call(name, p.geometry, addr, next, 0));
            return 0;
        };
    }

    private static MmWalkOps.HoleCallback<List<String>> hole(OneProcess p) {
        return (addr, next, depth, walk) -> {
            walk.data().add(WalkOracle.call("hole", p.geometry, addr, next, depth));
            return 0;
        };
    }

    private static MmWalkOps<List<String>> recording(OneProcess p, Set<String> callbacks) {
        var ops = MmWalkOps.<List<String>>builder(WalkLock.RDLOCK);
        for (String each : callbacks) {
            switch (each) {
                case "pgd" -> ops.pgd(entry(p, Geometry.PGD));
                case "p4d" -> ops.p4d(entry(p, Geometry.P4D));
                case "pud" -> ops.pud(entry(p, Geometry.PUD));
                case "pmd" -> ops.pmd(entry(p, Geometry.PMD));
                case "pte" -> ops.pte(entry(p, Geometry.PTE));
                default -> ops.hole(hole(p));
            }
        }
        return ops.build();
    }

    /// Maps some ranges, stores to or reads from some of their pages, and frees some again.
    private static void populate(OneProcess p, Random random) {
        long top = Math.min(p.geometry.taskSize(), 64 * p.size(Geometry.PMD));
        for (int i = 0; i < 3; i++) {
            long pages = top >> p.geometry.pageShift();
            long start = (1 + random.nextLong(pages - 2)) << p.geometry.pageShift();
            long len = Math.min(top - start, (1 + random.nextLong(24)) * p.geometry.pageSize());
            if (random.nextBoolean()) {
                start &= -p.size(Geometry.PMD);
                len = Math.max(len, p.size(Geometry.PMD));
            }
            if (start == 0 || p.mapAt(start, len) < 0) {
                continue;
            }
            for (int k = random.nextInt(5); k > 0; k--) {
                long at =
                        start
                                + random.nextLong(len >> p.geometry.pageShift())
                                        * p.geometry.pageSize();
                if (random.nextInt(3) > 0) {
                    p.kernel.userAccess().store(p.mm, at, 1, 1);
                } else {
                    p.kernel.userAccess().load(p.mm, at, 1);
                }
            }
            if (random.nextInt(4) == 0) {
                p.kernel.mmap().madvise(p.mm, start, len, Mman.MADV_DONTNEED);
            }
        }
    }

    private static Set<String> someCallbacks(Random random) {
        Set<String> callbacks = new LinkedHashSet<>();
        for (String each : List.of("pgd", "p4d", "pud", "pmd", "pte", "hole")) {
            if (random.nextBoolean()) {
                callbacks.add(each);
            }
        }
        return callbacks;
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void callbacksAreThoseOfTheRulesOnRandomTables(Arch arch) {
        for (int seed = 0; seed < ROUNDS; seed++) {
            Random random = new Random(seed);
            OneProcess p = new OneProcess(arch, HugeMemory.Thp.ALWAYS);
            populate(p, random);
            Set<String> callbacks = someCallbacks(random);
            long pages = p.geometry.taskSize() >> p.geometry.pageShift();
            long start = random.nextLong(Math.min(pages, 400)) << p.geometry.pageShift();
            long len = (1 + random.nextLong(500)) << p.geometry.pageShift();
            long end = Math.min(p.geometry.taskSize(), start + len);
            List<String> expected = new WalkOracle(p.kernel, p.mm, callbacks).range(start, end);
            List<String> calls = new ArrayList<>();
            assertThat(p.walk(start, end, recording(p, callbacks), calls)).isZero();
            assertThat(calls).as("seed %s, callbacks %s", seed, callbacks).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void pagesAndHolesCoverTheRangeOnce(Arch arch) {
        for (int seed = 0; seed < ROUNDS; seed++) {
            OneProcess p = new OneProcess(arch, HugeMemory.Thp.ALWAYS);
            populate(p, new Random(seed));
            List<String> calls = new ArrayList<>();
            long end = Math.min(p.geometry.taskSize(), 80 * p.size(Geometry.PMD));
            p.walk(0, end, recording(p, Set.of("pte", "hole")), calls);
            long at = 0;
            for (String call : calls) {
                int dash = call.indexOf('-');
                long from = Long.parseLong(call.substring(call.indexOf(' ') + 1, dash));
                assertThat(from).as("%s after %s", call, at).isEqualTo(at);
                at = Long.parseLong(call.substring(dash + 1).split(" ", 2)[0]);
            }
            assertThat(at).isEqualTo(end >> p.geometry.pageShift());
        }
    }

    /// A process with a huge page at one PMD and single pages in the next.
    private static OneProcess hugeAndSmall(long[] at) {
        OneProcess p = new OneProcess(MmScenario.x86(), HugeMemory.Thp.ALWAYS);
        at[0] = p.size(Geometry.PMD);
        p.mapAt(at[0], 2 * p.size(Geometry.PMD) - p.geometry.pageSize());
        p.kernel.userAccess().store(p.mm, at[0], 1, 1);
        p.kernel.userAccess().store(p.mm, at[0] + p.size(Geometry.PMD), 1, 1);
        return p;
    }

    @Test
    void continueLeavesOutWhatIsBelow() {
        long[] at = new long[1];
        OneProcess p = hugeAndSmall(at);
        var ops =
                MmWalkOps.<List<String>>builder(WalkLock.RDLOCK)
                        .pmd(
                                (pmd, addr, next, walk) -> {
                                    walk.data().add("pmd");
                                    walk.action(WalkAction.CONTINUE);
                                    return 0;
                                })
                        .pte(entry(p, Geometry.PTE))
                        .build();
        List<String> calls = new ArrayList<>();
        assertThat(p.walk(at[0], at[0] + 2 * p.size(Geometry.PMD), ops, calls)).isZero();
        assertThat(calls).containsExactly("pmd", "pmd");
        long pmd = p.kernel.inspect().entry(p.mm, Geometry.PMD, at[0]);
        assertThat(Entry.leaf(pmd)).isTrue();
    }

    @Test
    void againComesToTheSameEntryOnceMore() {
        long[] at = new long[1];
        OneProcess p = hugeAndSmall(at);
        AtomicInteger times = new AtomicInteger();
        var ops =
                MmWalkOps.<List<String>>builder(WalkLock.RDLOCK)
                        .pud(
                                (pud, addr, next, walk) -> {
                                    walk.data().add("pud");
                                    if (times.incrementAndGet() < 4) {
                                        walk.action(WalkAction.AGAIN);
                                    }
                                    return 0;
                                })
                        .pmd(
                                (pmd, addr, next, walk) -> {
                                    walk.data().add("pmd");
                                    if (times.incrementAndGet() == 5) {
                                        walk.action(WalkAction.AGAIN);
                                    }
                                    return 0;
                                })
                        .build();
        List<String> calls = new ArrayList<>();
        assertThat(p.walk(at[0], at[0] + p.size(Geometry.PMD), ops, calls)).isZero();
        assertThat(calls).containsExactly("pud", "pud", "pud", "pud", "pmd", "pmd");
    }

    @Test
    void resultsOtherThanZeroEndTheWalk() {
        long[] at = new long[1];
        OneProcess p = hugeAndSmall(at);
        for (int result : new int[] {7, -Errno.EBUSY}) {
            var ops =
                    MmWalkOps.<List<String>>builder(WalkLock.RDLOCK)
                            .pte(
                                    (pte, addr, next, walk) -> {
                                        walk.data().add("pte");
                                        return result;
                                    })
                            .postVma(walk -> walk.data().add("post"))
                            .build();
            List<String> calls = new ArrayList<>();
            assertThat(p.walk(at[0], at[0] + 2 * p.size(Geometry.PMD), ops, calls))
                    .isEqualTo(result);
            assertThat(calls).containsExactly("pte", "post");
        }
    }

    @Test
    void vmasCanBeLeftOutOrEndTheWalk() {
        long[] at = new long[1];
        OneProcess p = hugeAndSmall(at);
        p.mapAt(at[0] + 2 * p.size(Geometry.PMD), p.geometry.pageSize());
        for (int answer : new int[] {1, -Errno.EBUSY}) {
            AtomicInteger vmas = new AtomicInteger();
            var ops =
                    MmWalkOps.<List<String>>builder(WalkLock.RDLOCK)
                            .pgd(entry(p, Geometry.PGD))
                            .testWalk((start, end, walk) -> vmas.incrementAndGet() > 0 ? answer : 0)
                            .build();
            List<String> calls = new ArrayList<>();
            long end = at[0] + 3 * p.size(Geometry.PMD);
            assertThat(p.walk(at[0], end, ops, calls)).isEqualTo(Math.min(answer, 0));
            assertThat(calls).isEmpty();
            assertThat(vmas).hasValue(answer > 0 ? 2 : 1);
        }
    }

    @Test
    void emptyRangesAndInstallingAreRefused() {
        OneProcess p = new OneProcess(MmScenario.x86(), HugeMemory.Thp.NEVER);
        List<String> calls = new ArrayList<>();
        var all = recording(p, Set.of("pte", "hole"));
        assertThat(p.walk(8192, 8192, all, calls)).isEqualTo(-Errno.EINVAL);
        assertThat(p.walk(8192, 4096, all, calls)).isEqualTo(-Errno.EINVAL);
        var install =
                MmWalkOps.<List<String>>builder(WalkLock.RDLOCK)
                        .installPte((addr, next, walk) -> 0)
                        .build();
        assertThat(p.walk(0, 4096, install, calls)).isEqualTo(-Errno.EINVAL);
        assertThat(calls).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void installingMakesTablesAndFillsWhatIsEmpty(Arch arch) {
        OneProcess p = new OneProcess(arch, HugeMemory.Thp.NEVER);
        long start = 3 * p.geometry.pageSize();
        long pages = p.geometry.entries(Geometry.PTE) + 2L;
        p.mapAt(start, pages * p.geometry.pageSize());
        p.kernel.userAccess().store(p.mm, start + p.geometry.pageSize(), 1, 1);
        long zero = Entry.make(p.kernel.zeroFolio().pfn(), Entry.PRESENT | Entry.SPECIAL);
        AtomicInteger present = new AtomicInteger();
        var ops =
                MmWalkOps.<AtomicInteger>builder(WalkLock.RDLOCK)
                        .installPte(
                                (addr, next, walk) -> {
                                    walk.newPte(zero);
                                    return 0;
                                })
                        .pte(
                                (pte, addr, next, walk) -> {
                                    walk.data().incrementAndGet();
                                    return 0;
                                })
                        .build();
        p.kernel.mmapLock().readLock(p.mm);
        Vma vma = Objects.requireNonNull(p.kernel.mmap().vmaLookup(p.mm, start));
        long end = start + pages * p.geometry.pageSize();
        int ret = p.kernel.pageWalk().walkPageRangeVmaUnsafe(vma, start, end, ops, present);
        p.kernel.mmapLock().readUnlock(p.mm);
        assertThat(ret).isZero();
        assertThat(present).hasValue(1);
        for (long at = start; at < end; at += p.geometry.pageSize()) {
            assertThat(p.kernel.inspect().mappedPfn(p.mm, at)).isPositive();
        }
    }

    @Test
    void walksWithoutVmasSplitNothing() {
        long[] at = new long[1];
        OneProcess p = hugeAndSmall(at);
        p.kernel.mmapLock().writeLock(p.mm);
        List<String> calls = new ArrayList<>();
        var ops = recording(p, Set.of("pmd", "pte"));
        long end = at[0] + 2 * p.size(Geometry.PMD);
        p.kernel.pageWalk().walkPageRangeDebug(p.mm, at[0], end, ops, null, calls);
        p.kernel.mmapLock().writeUnlock(p.mm);
        assertThat(calls).hasSize(2 + p.geometry.hpagePmdNr()).startsWith("pmd 2-4", "pmd 4-6");
        assertThat(Entry.leaf(p.kernel.inspect().entry(p.mm, Geometry.PMD, at[0]))).isTrue();
    }

    // ---- while others change the tables

    /// Reads the pages of one PMD as smaps does, counting how often the table was gone.
    private static int countPages(MmScenario s, Word pmd, long addr, long next, MmWalk<int[]> w) {
        PteMapping pte = s.kernel.pgtableGeneric().pteOffsetMapLock(s.mm, pmd, addr);
        if (pte == null) {
            w.data()[1]++;
            w.action(WalkAction.AGAIN);
            return 0;
        }
        for (int i = 0; i < (next - addr) / s.pageSize(); i++) {
            w.data()[0] += Entry.ptePresent(pte.pte(i).readOnce()) ? 1 : 0;
        }
        pte.unmapUnlock();
        return 0;
    }

    /// Tables that MADV_DONTNEED frees (PT_RECLAIM) are looked for again, and there is an
    /// interleaving in which they are.
    @Test
    void aTableThatIsGoneIsLookedForAgain() {
        MmScenario s = new MmScenario(2, MmScenario.arm64(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.store(a, 1);
        AtomicInteger agains = new AtomicInteger();
        int[][] seen = new int[1][];
        s.task(
                () -> {
                    int[] counts = new int[2];
                    var ops =
                            MmWalkOps.<int[]>builder(WalkLock.RDLOCK)
                                    .pmd((pmd, at, next, w) -> countPages(s, pmd, at, next, w))
                                    .build();
                    s.kernel.mmapLock().readLock(s.mm);
                    s.kernel.pageWalk().walkPageRange(s.mm, a, a + s.pmdSize(), ops, counts);
                    s.kernel.mmapLock().readUnlock(s.mm);
                    agains.addAndGet(counts[1]);
                    seen[0] = counts;
                });
        s.task(() -> s.kernel.mmap().madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED));
        s.observe(() -> String.valueOf(seen[0][0]));
        assertThat(s.explore().complete()).isTrue();
        assertThat(s.found).isEmpty();
        assertThat(s.states).containsExactly("0", "1");
        assertThat(agains).hasPositiveValue();
    }

    @Test
    void aWalkWithoutTheMmapLockIsReported() {
        MmScenario s = new MmScenario(1, MmScenario.x86(), HugeMemory.Thp.NEVER);
        long a = s.map(s.pmdSize());
        s.task(
                () -> {
                    var ops =
                            MmWalkOps.<int[]>builder(WalkLock.RDLOCK)
                                    .pmd((pmd, at, next, w) -> 0)
                                    .build();
                    s.kernel.pageWalk().walkPageRange(s.mm, a, a + s.pmdSize(), ops, new int[0]);
                });
        s.explore();
        assertThat(s.found).anyMatch(text -> text.contains("mmap_lock is not held"));
    }
}
