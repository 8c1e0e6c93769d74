// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.run.Benchmark.Once;
import org.interleaf.run.Benchmark.Result;
import org.jspecify.annotations.Nullable;

import java.io.PrintWriter;
import java.util.Locale;

/// Prints what was measured, for people and for programs.
final class BenchTable {
    private static final long KIB = 1024;

    private final PrintWriter out;
    private final JsonLines json;

    private record OnceLine(
            String program,
            long executions,
            long blocked,
            boolean complete,
            @Nullable Long published,
            double seconds) {
        static OnceLine of(Workload workload, Once once) {
            return new OnceLine(
                    workload.name(),
                    once.complete(),
                    once.blocked(),
                    once.whole(),
                    workload.published(),
                    once.seconds());
        }
    }

    private record Line(
            OnceLine cold,
            double executionsPerSecond,
            double stepsPerSecond,
            double stepsPerExecution,
            double nanosPerStep,
            double straightNanosPerStep,
            double overhead,
            double bytesPerExecution,
            long peakBytes) {}

    BenchTable(PrintWriter out, JsonLines json) {
        this.out = out;
        this.json = json;
    }

    /// One exploration of `workload`.
    ExitStatus once(Workload workload, Once result) {
        json.write(OnceLine.of(workload, result));
        // Spelt without a formatter, which takes longer to load than some programs to explore.
        out.println(
                workload.name()
                        + ": "
                        + result.complete()
                        + " executions, "
                        + result.blocked()
                        + " blocked, "
                        + Math.round(result.seconds() * 1000) / 1000.0
                        + " s");
        return verdict(workload, result);
    }

    void head() {
        out.printf(
                "%-34s %12s %8s %9s %10s %7s %6s %6s %8s %6s%n",
                "program",
                "executions",
                "cold s",
                "exec/s",
                "steps/s",
                "steps/x",
                "ns/st",
                "over",
                "B/exec",
                "MiB");
        out.flush();
    }

    /// All measurements of `workload`.
    ExitStatus measured(Workload workload, Result result) {
        json.write(
                new Line(
                        OnceLine.of(workload, result.cold()),
                        result.executionsPerSecond(),
                        result.stepsPerSecond(),
                        result.stepsPerExecution(),
                        result.nanosPerStep(),
                        result.straightNanosPerStep(),
                        result.overhead(),
                        result.bytesPerExecution(),
                        result.peakBytes()));
        Once cold = result.cold();
        long executions = cold.complete() + cold.blocked();
        out.println(
                String.format(
                        Locale.ROOT,
                        "%-34s %12s %8s %9.0f %10.0f %7.1f %6.1f %5.1fx %8.0f %6d",
                        workload.name(),
                        (cold.whole() ? "" : ">") + executions,
                        cold.whole() ? String.format(Locale.ROOT, "%.3f", cold.seconds()) : "-",
                        result.executionsPerSecond(),
                        result.stepsPerSecond(),
                        result.stepsPerExecution(),
                        result.nanosPerStep(),
                        result.overhead(),
                        result.bytesPerExecution(),
                        result.peakBytes() / KIB / KIB));
        return verdict(workload, cold);
    }

    private ExitStatus verdict(Workload workload, Once result) {
        Long published = workload.published();
        boolean wrong = published != null && result.whole() && published != result.complete();
        if (wrong) {
            out.println(
                    workload.name()
                            + ": "
                            + result.complete()
                            + " complete executions, but "
                            + published
                            + " are published");
        }
        out.flush();
        return wrong ? ExitStatus.NOT_AS_DECLARED : ExitStatus.OK;
    }
}
