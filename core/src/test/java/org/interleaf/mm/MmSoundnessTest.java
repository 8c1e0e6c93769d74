// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Exploration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/// Accesses through a TLB take their aim in the step that makes them, which the explorer's
/// reduction must survive: no random execution may be one that it has not seen the like of.
final class MmSoundnessTest {
    static List<Arch> architectures() {
        return MmScenario.all();
    }

    private static void compare(Arch arch, int cpus, Consumer<MmScenario> setUp) {
        MmScenario s = new MmScenario(cpus, arch, HugeMemory.Thp.NEVER);
        setUp.accept(s);
        TraceHash hash = new TraceHash(s.machine);
        s.machine.monitor(hash);
        Set<Long> explored = new HashSet<>();
        s.observe(
                () -> {
                    explored.add(hash.hash());
                    return "";
                });
        Exploration e = s.explore();
        assertThat(e.complete()).isTrue();
        assertThat(explored).hasSize((int) e.executions());
        Set<Long> random = TraceHash.random(s.machine, hash, 2_000, 1);
        assertThat(explored).containsAll(random);
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void storeAgainstDontneed(Arch arch) {
        for (int cpus = 1; cpus <= 2; cpus++) {
            compare(
                    arch,
                    cpus,
                    s -> {
                        long a = s.map(s.pmdSize());
                        s.store(a, 1);
                        s.task(() -> s.store(a, 2));
                        s.task(
                                () ->
                                        s.kernel
                                                .mmap()
                                                .madvise(s.mm, a, s.pmdSize(), Mman.MADV_DONTNEED));
                    });
        }
    }

    @ParameterizedTest
    @MethodSource("architectures")
    void twoStoresOnOneCpu(Arch arch) {
        for (int cpus = 1; cpus <= 2; cpus++) {
            compare(
                    arch,
                    cpus,
                    s -> {
                        long a = s.map(s.pmdSize());
                        s.store(a + s.pageSize(), 1);
                        s.load(a);
                        s.task(() -> s.kernel.userAccess().store(s.mm, a, 1, 1));
                        s.task(() -> s.kernel.userAccess().store(s.mm, a + 1, 1, 1));
                    });
        }
    }
}
