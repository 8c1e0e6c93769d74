// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.run.Benchmark;
import org.interleaf.run.RunOptions;
import org.interleaf.run.TestRunner;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/// `interleaf bench`: how fast exploration is on this machine.
@Command(
        name = "bench",
        header = "Measures how fast tests are explored.",
        description = {
            "",
            "Explores each test again and again, first to warm up and then for as long to measure,"
                    + " with everything that a check does: sanitizers, final states, analysis of"
                    + " races. `straight` is the same code run without exploring anything.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf bench",
            "      the first race of the corpus, on the model as it is",
            "  ./interleaf bench --seconds 20 my.litmus",
            "",
            "Exit status: 0; 2 bad input.",
        })
final class BenchCommand implements Callable<Integer> {
    private static final String DEFAULT_TEST = "gup-fast-vs-collapse/race.litmus";
    private static final long KIB = 1024;

    private final Environment environment;

    @Spec private CommandSpec spec;

    @Parameters(arity = "0..*", paramLabel = "FILE", description = "Tests. Default: a known race.")
    private List<Path> files = List.of();

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How long to measure each test. Default: ${DEFAULT-VALUE}.")
    private int seconds;

    BenchCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        if (seconds < 1) {
            throw new BadInput("--seconds " + seconds + ": too short", "give it a second at least");
        }
        List<Path> tests =
                files.isEmpty() ? List.of(environment.races().resolve(DEFAULT_TEST)) : files;
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                "%-40s %10s %12s %12s %10s %12s %9s%n",
                "test", "traces", "exec/s", "steps/exec", "ns/step", "straight ns", "peak MiB");
        Benchmark benchmark = new Benchmark(Duration.ofSeconds(seconds));
        TestRunner runner = new TestRunner(RunOptions.DEFAULT);
        for (Path test : tests) {
            out.println(line(test, runner.measure(Source.read(test), benchmark)));
            out.flush();
        }
        return ExitStatus.OK.code();
    }

    private static String line(Path test, Benchmark.Result result) {
        Path parent = test.toAbsolutePath().getParent();
        String folder = parent == null ? "" : parent.getFileName() + "/";
        return String.format(
                Locale.ROOT,
                "%-40s %10d %12.0f %12.0f %10.1f %12.1f %9d",
                folder + test.getFileName(),
                result.traces(),
                result.executionsPerSecond(),
                result.stepsPerExecution(),
                result.nanosPerStep(),
                result.straightNanosPerStep(),
                result.peakBytes() / KIB / KIB);
    }
}
