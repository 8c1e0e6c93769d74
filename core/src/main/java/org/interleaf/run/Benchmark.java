// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.Explorer;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Program;
import org.interleaf.explore.Straight;
import org.interleaf.machine.Machine;

import java.time.Duration;

/// Measures how fast programs are explored.
public final class Benchmark {
    private static final double NANOS = 1e9;

    /// What other tools count as well.
    public static final Limits PLAIN = Limits.NONE.withEquivalence(Equivalence.TRACE);

    private static final String FINGERPRINT = "bench";

    private final Duration time;

    /// @param time how long to measure each program, and how long to warm up before
    public Benchmark(Duration time) {
        this.time = time;
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
    /// @param bytesPerExecution heap that an explored execution allocates
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

    /// Explores `program` once.
    public static Once once(Program program, Limits limits) {
        Counting counting = new Counting(program);
        Exploration found = Explorer.explore(counting, limits, FINGERPRINT);
        double seconds = found.elapsed().toNanos() / NANOS;
        return new Once(counting.complete, counting.blocked, found.complete(), seconds);
    }

    /// Measures a program: first cold, then warm, repeating its exploration until the time is up
    /// once uncounted and once counted. An exploration that takes longer than that is cut off.
    public Result measure(Program program) {
        Once cold = once(program, until(System.nanoTime() + time.toNanos()));
        explore(program);
        HeapUse heap = new HeapUse();
        Totals totals = explore(program);
        double bytes = (double) heap.allocated() / totals.executions;
        long peak = heap.peak();
        return new Result(
                cold,
                totals.executions / totals.seconds,
                (double) totals.steps / totals.executions,
                totals.seconds * NANOS / totals.steps,
                straight(program),
                bytes,
                peak);
    }

    private record Totals(long executions, long steps, double seconds) {}

    private static Limits until(long end) {
        return PLAIN.withStop(() -> System.nanoTime() > end);
    }

    private Totals explore(Program program) {
        long start = System.nanoTime();
        long end = start + time.toNanos();
        Explorer explorer = new Explorer(program, until(end), FINGERPRINT);
        long executions = 0;
        long steps = 0;
        do {
            Exploration one = explorer.explore();
            executions += one.executions() + one.superfluous() + one.cut();
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

    /// Counts how the executions of another program end.
    private static final class Counting implements Program {
        private final Program program;
        private long complete;
        private long blocked;

        Counting(Program program) {
            this.program = program;
        }

        @Override
        public Machine machine() {
            return program.machine();
        }

        @Override
        public void finished(Ending ending) {
            switch (ending.kind()) {
                case COMPLETE -> complete++;
                case DEADLOCK, LIVELOCK -> blocked++;
                case CUT, FRUITLESS -> {}
            }
            program.finished(ending);
        }
    }
}
