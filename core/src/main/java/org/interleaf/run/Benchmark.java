// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.explore.Straight;
import org.interleaf.machine.Machine;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.time.Duration;

/// Measures how fast programs are explored, warm: each exploration is repeated until the time is
/// up, after as long a time that is not counted.
public final class Benchmark {
    private static final double NANOS = 1e9;

    private final Duration time;

    /// @param time how long to measure each program, and how long to warm up before
    public Benchmark(Duration time) {
        this.time = time;
    }

    /// What was measured.
    ///
    /// @param traces executions that one whole exploration takes
    /// @param executionsPerSecond explored executions in a second
    /// @param stepsPerExecution accesses in an execution
    /// @param nanosPerStep time for an access of an explored execution, everything included
    /// @param straightNanosPerStep the same where nothing is explored or remembered
    /// @param peakBytes the most heap that was in use
    public record Result(
            long traces,
            double executionsPerSecond,
            double stepsPerExecution,
            double nanosPerStep,
            double straightNanosPerStep,
            long peakBytes) {}

    /// Measures a test as {@link TestRunner#check} runs it, sanitizers and final states included.
    Result measure(Session session) {
        return measure(
                new Program() {
                    @Override
                    public Machine machine() {
                        return session.machine();
                    }

                    @Override
                    public void finished(Ending ending) {
                        session.finished(ending);
                        session.findings();
                    }
                });
    }

    /// Measures a program.
    public Result measure(Program program) {
        explore(program);
        resetPeak();
        double[] totals = explore(program);
        double straight = straight(program);
        return new Result(
                (long) (totals[0] / totals[3]),
                totals[0] / totals[2],
                totals[1] / totals[0],
                totals[2] * NANOS / totals[1],
                straight,
                peak());
    }

    /// Executions, steps, seconds and explorations until the time is up. An exploration that takes
    /// longer is cut off.
    private double[] explore(Program program) {
        long start = System.nanoTime();
        long end = start + time.toNanos();
        Limits limits = Limits.NONE.withStop(() -> System.nanoTime() > end);
        Explorer explorer = new Explorer(program, limits, "bench");
        long executions = 0;
        long steps = 0;
        int explorations = 0;
        do {
            Exploration one = explorer.explore();
            executions += one.executions() + one.superfluous();
            steps += one.steps();
            explorations++;
        } while (System.nanoTime() < end);
        double seconds = (System.nanoTime() - start) / NANOS;
        return new double[] {executions, steps, seconds, explorations};
    }

    private double straight(Program program) {
        Straight straight = new Straight(program.machine());
        long start = System.nanoTime();
        long end = start + time.toNanos();
        while (System.nanoTime() < end) {
            program.machine().run(straight);
        }
        return (double) (System.nanoTime() - start) / straight.steps();
    }

    private static void resetPeak() {
        System.gc();
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            pool.resetPeakUsage();
        }
    }

    private static long peak() {
        long sum = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getType() == MemoryType.HEAP) {
                sum += pool.getPeakUsage().getUsed();
            }
        }
        return sum;
    }
}
