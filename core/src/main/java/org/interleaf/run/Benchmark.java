// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Checkpoints;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.explore.Reduction;
import org.interleaf.explore.Straight;
import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.function.Supplier;

/// Measures how fast programs are explored.
public final class Benchmark {
    private static final double NANOS = 1e9;

    /// What other tools count as well.
    public static final Limits PLAIN = Limits.NONE.withEquivalence(Equivalence.TRACE);

    private static final String FINGERPRINT = "bench";

    private final Duration time;
    private final Reduction reduction;
    private final int workers;

    /// @param time how long to measure each program, and how long to warm up before
    /// @param reduction how to explore
    /// @param workers how many threads share an exploration
    public Benchmark(Duration time, Reduction reduction, int workers) {
        this.time = time;
        this.reduction = reduction;
        this.workers = workers;
    }

    /// What one exploration found, and how long it took.
    ///
    /// @param complete executions in which every task came to its end
    /// @param blocked executions that ended with a task waiting in vain
    /// @param whole whether all executions have been explored
    /// @param seconds wall-clock time
    public record Once(long complete, long blocked, boolean whole, double seconds) {}

    /// What was measured.
    ///
    /// @param cold the first exploration, with nothing compiled for it yet
    /// @param executionsPerSecond explored executions in a second, warm, as all that follows
    /// @param stepsPerExecution accesses in an execution, repeated prefixes included
    /// @param nanosPerStep time for an access of an explored execution, everything included
    /// @param straightNanosPerStep the same where one execution is run again and again, and nothing
    ///   is explored or remembered
    /// @param bytesPerExecution heap that an explored execution allocates; of the first worker only
    /// @param peakBytes the most heap that was in use
    public record Result(
            Once cold,
            double executionsPerSecond,
            double stepsPerExecution,
            double nanosPerStep,
            double straightNanosPerStep,
            double bytesPerExecution,
            long peakBytes) {
        public double stepsPerSecond() {
            return NANOS / nanosPerStep;
        }

        /// How many times as long an access takes where it is explored.
        public double overhead() {
            return nanosPerStep / straightNanosPerStep;
        }
    }

    /// Explores a program once.
    ///
    /// @param programs makes the program, for each worker anew
    private Once once(Supplier<Program> programs, Limits limits) {
        return once(programs, limits, FINGERPRINT, null);
    }

    /// The same, saved as it goes on.
    ///
    /// @param name tells the program from others
    /// @param saved where; null for nowhere
    public Once once(
            Supplier<Program> programs,
            Limits limits,
            String name,
            @Nullable CheckpointOptions saved) {
        Counts counts = new Counts(programs);
        Explorer explorer = explorer(counts::newPart, limits);
        if (saved != null) {
            explorer.withCheckpoints(
                    new Checkpoints(
                            saved.file(),
                            name + " " + Build.id() + " " + reduction.describe(),
                            saved.interval(),
                            counts,
                            saved.resume()));
        }
        Exploration found = explorer.explore();
        double seconds = found.elapsed().toNanos() / NANOS;
        return new Once(counts.complete(), counts.blocked(), found.complete(), seconds);
    }

    private Explorer explorer(Supplier<Program> programs, Limits limits) {
        Explorer explorer = new Explorer(reduction, programs.get(), limits, FINGERPRINT);
        return workers == 1 ? explorer : explorer.withWorkers(workers, programs);
    }

    /// Measures a program: first cold, then warm, repeating its exploration until the time is up
    /// once uncounted and once counted. An exploration that takes longer than that is cut off.
    ///
    /// @param programs makes the program, for each worker anew
    public Result measure(Supplier<Program> programs) {
        Once cold = once(programs, until(System.nanoTime() + time.toNanos()));
        explore(programs);
        HeapUse heap = new HeapUse();
        Totals totals = explore(programs);
        double bytes = (double) heap.allocated() / totals.executions;
        long peak = heap.peak();
        return new Result(
                cold,
                totals.executions / totals.seconds,
                (double) totals.steps / totals.executions,
                totals.seconds * NANOS / totals.steps,
                straight(programs.get()),
                bytes,
                peak);
    }

    private record Totals(long executions, long steps, double seconds) {}

    private static Limits until(long end) {
        return PLAIN.withStop(() -> System.nanoTime() > end);
    }

    private Totals explore(Supplier<Program> programs) {
        long start = System.nanoTime();
        long end = start + time.toNanos();
        Explorer explorer = explorer(programs, until(end));
        long executions = 0;
        long steps = 0;
        do {
            Exploration one = explorer.explore();
            executions += one.made();
            steps += one.steps();
        } while (System.nanoTime() < end);
        return new Totals(executions, steps, (System.nanoTime() - start) / NANOS);
    }

    private double straight(Program program) {
        Straight straight = new Straight(program.machine());
        long start = System.nanoTime();
        long end = start + time.toNanos() / 2;
        do {
            program.machine().run(straight);
        } while (System.nanoTime() < end);
        return (double) (System.nanoTime() - start) / straight.steps();
    }
}
