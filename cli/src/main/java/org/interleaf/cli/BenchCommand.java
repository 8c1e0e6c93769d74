// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Parsimonious;
import org.interleaf.explore.Reduction;
import org.interleaf.run.Benchmark;
import org.interleaf.run.Benchmark.Once;
import org.interleaf.run.Benchmark.Result;
import org.interleaf.run.CheckpointOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/// `interleaf bench`: how fast exploration is on this machine.
@Command(
        name = "bench",
        header = "Measures how fast programs are explored.",
        description = {
            "",
            "Explores each program once cold, then again and again: for a while to warm up, and for"
                    + " as long to measure. Programs are those that the papers on partial order"
                    + " reduction compare tools by, such as lastzero:15, and litmus tests, with"
                    + " everything that a check does: sanitizers, final states. The number of"
                    + " executions is compared with the published one where there is one.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf bench",
            "      a selection, and a race of the corpus on the model as it is",
            "  ./interleaf bench lastzero:15 exp_bug:3",
            "  ./interleaf bench dpor",
            "      all of the papers' programs at the sizes that counts are published for",
            "  time ./interleaf bench --once ainc:8",
            "      one cold exploration, to compare the whole process with another tool",
            "  ./interleaf bench --once --workers 2 lastzero:15",
            "  ./interleaf bench --once --checkpoint save lastzero:17",
            "  ./interleaf bench --once --resume save lastzero:17",
            "      the same after whatever stopped it",
            "  ./interleaf bench --strategy pop lastzero:15",
            "  ./interleaf bench --seconds 20 my.litmus",
            "",
            "Columns: executions of one exploration, and its seconds when cold; warm,",
            "executions and steps (accesses) in a second; steps in an execution, nanoseconds",
            "a step, how many times as long that is as the same code takes when it is run",
            "straight through; heap bytes allocated an execution; the most heap in use.",
            "",
            "Exit status: 0; 1 a number of executions is not the published one; 2 bad input.",
        })
final class BenchCommand implements Callable<Integer> {
    private static final int MANY = 10;
    private static final double SECONDS = 3;
    private static final double SECONDS_WHERE_MANY = 0.3;
    private static final double MILLIS = 1000;

    private final Environment environment;

    @Spec private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "PROGRAM",
            description =
                    "NAME or NAME:SIZE of a program of the papers; a litmus test or a folder of"
                            + " them; dpor for all programs of the papers. Default: a selection.")
    private List<String> words = List.of();

    @Option(names = "--once", description = "Explore exactly once, and print count and time.")
    private boolean once;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            converter = Converters.Time.class,
            description =
                    "How long to measure each program. Default: 3, or 0.3 where there are many.")
    private @Nullable Duration seconds;

    @Option(
            names = "--workers",
            paramLabel = "N",
            converter = Converters.Count.class,
            defaultValue = "1",
            description = "How many threads share an exploration. Default: ${DEFAULT-VALUE}.")
    private long workers;

    @Mixin private SavingOptions saving;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write a line of JSON for each program to FILE.")
    private @Nullable Path json;

    @Option(
            names = "--strategy",
            paramLabel = "NAME",
            converter = Converters.StrategyName.class,
            description = "What to measure: dpor or pop. Default: dpor.")
    private StrategyOptions.Name strategy = StrategyOptions.Name.DPOR;

    BenchCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        if (workers > WorkOptions.WORKERS_MAX) {
            throw new BadInput("--workers " + workers + " are too many", "one a core is best");
        }
        List<Workload> workloads = Workload.find(words, environment);
        CheckpointOptions saved = saving.saved(workloads.size());
        if (saved != null && !once) {
            throw new BadInput(saving.option() + " is for one exploration", "add --once");
        }
        try (JsonLines lines = JsonLines.to(json)) {
            BenchTable table = new BenchTable(spec.commandLine().getOut(), lines);
            return (once ? explore(workloads, table, saved) : measure(workloads, table)).code();
        }
    }

    private ExitStatus explore(
            List<Workload> workloads, BenchTable table, @Nullable CheckpointOptions saved) {
        Limits limits = Benchmark.PLAIN.withStop(environment.interruption()::requested);
        ExitStatus worst = ExitStatus.OK;
        for (Workload workload : workloads) {
            Once result =
                    workload.with(
                            made ->
                                    new Benchmark(Duration.ZERO, reduction(), (int) workers)
                                            .once(made, limits, workload.name(), saved));
            worst = worst.worseOf(table.once(workload, result));
        }
        return worst;
    }

    private ExitStatus measure(List<Workload> workloads, BenchTable table) {
        double usual = workloads.size() > MANY ? SECONDS_WHERE_MANY : SECONDS;
        Duration time = seconds == null ? Duration.ofMillis((long) (usual * MILLIS)) : seconds;
        Benchmark benchmark = new Benchmark(time, reduction(), (int) workers);
        ExitStatus worst = ExitStatus.OK;
        table.head();
        for (Workload workload : workloads) {
            Result result = workload.with(benchmark::measure);
            worst = worst.worseOf(table.measured(workload, result));
        }
        return worst;
    }

    private Reduction reduction() {
        return switch (strategy) {
            case DPOR -> new Exhaustive();
            case POP -> new Parsimonious();
            default ->
                    throw new BadInput(
                            "only strategies that see every execution once can be measured",
                            "there are dpor and pop");
        };
    }
}
