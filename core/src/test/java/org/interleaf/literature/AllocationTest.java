// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;

import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Straight;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.lang.management.ManagementFactory;

/// Nothing is allocated for an access: what an execution allocates are the branches it plans and a
/// few small objects of its own.
final class AllocationTest {
    private static final ThreadMXBean THREADS =
            ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
    private static final int RUNS = 20_000;

    private static long allocated() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }

    @ParameterizedTest
    @CsvSource({"race_param, 10", "vol90, 0", "ainc, 8", "mutexinc, 5", "lastzero, 10"})
    void runningAllocatesNothing(String name, int n) {
        Scenario program = Literature.make(name, n);
        Straight straight = new Straight(program.machine());
        bytesOf(program, straight);
        assertThat(bytesOf(program, straight) / RUNS).as("bytes an execution").isLessThan(8);
    }

    private static long bytesOf(Scenario program, Straight straight) {
        long before = allocated();
        for (int i = 0; i < RUNS; i++) {
            program.machine().run(straight);
        }
        return allocated() - before;
    }

    /// The bound does not grow with the length: the second program has twice as many accesses. It
    /// holds before anything is compiled.
    @ParameterizedTest
    @CsvSource({"race_param, 10, 1000", "vol90, 0, 1000", "ainc, 8, 1000", "exp_bug, 3, 1000"})
    void exploringAllocatesForWhatItPlansOnly(String name, int n, int bytesMax) {
        Scenario program = Literature.make(name, n);
        Limits limits = Limits.NONE.withEquivalence(Equivalence.TRACE).withMaxExecutions(RUNS);
        Explorer explorer = new Explorer(program, limits, "0000");
        explorer.explore();
        long before = allocated();
        Exploration found = explorer.explore();
        long bytes = allocated() - before;
        assertThat(found.executions()).isEqualTo(RUNS);
        assertThat(bytes / RUNS).as("bytes an execution").isLessThan(bytesMax);
    }
}
