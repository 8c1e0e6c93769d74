// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Reduction;
import org.interleaf.explore.Strategy;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.run.Answer;
import org.interleaf.run.CheckpointOptions;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/// `interleaf check`: explores tests and says what can come out of them.
@Command(
        name = "check",
        header = "Explores every interleaving of litmus tests.",
        description = {
            "",
            "Runs litmus tests through every interleaving and prints, as herd7 does, the final"
                    + " states and whether the condition holds Never, Sometimes or Always. For a"
                    + " single test, or one that is not as its `Result:` and `Splat:` lines"
                    + " declare, an execution that shows it is printed as a trace, with the"
                    + " command that replays it.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf check my.litmus",
            "      all interleavings of one test",
            "  ./interleaf check races --quiet",
            "      all *.litmus files below a folder, a line each",
            "  ./interleaf check my.litmus --patch fix.patch --config tlb=broadcast",
            "      the same on a changed model, on an architecture without IPI flushes",
            "  ./interleaf check my.litmus --patch before.patch --report out.html",
            "      what was found as a page for a browser, to step through",
            "  ./interleaf check my.litmus --patch before.patch --commit-message",
            "      the race as commit messages draw it",
            "  ./interleaf check big.litmus --timeout 10m --first --json out.json",
            "      until something is found, for ten minutes at most",
            "  ./interleaf check big.litmus --checkpoint big.save",
            "  ./interleaf check big.litmus --resume big.save",
            "      for hours, and after whatever stopped it from where it was",
            "  ./interleaf check big.litmus --strategy bounded --preemptions 2 --first",
            "      only what takes two preemptions or less, the simplest first",
            "  ./interleaf check big.litmus --strategy pct --depth 2 --seed 7 --timeout 1h",
            "      a sample, of which is said how likely it would have shown a bug",
            "",
            "Exit status: 0 all as declared; 1 something is not, or a splat nobody declared;",
            "2 bad input; 3 undecided within the limits; 130 after Ctrl-C.",
        })
final class CheckCommand implements Callable<Integer> {
    private final Environment environment;

    @Spec private CommandSpec spec;
    @Mixin private ModelOptions model;
    @Mixin private StrategyOptions strategies;
    @Mixin private WorkOptions work;
    @Mixin private LimitOptions limits;
    @Mixin private TraceOptions traces;

    @Parameters(
            arity = "1..*",
            paramLabel = "PATH",
            description = "Tests, or folders to search for *.litmus.")
    private List<Path> paths;

    @Option(names = "--first", description = "Stop a test at the first finding.")
    private boolean first;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write one JSON object a line and test to FILE.")
    private @Nullable Path json;

    @Option(
            names = "--progress",
            paramLabel = "FILE",
            description = {
                "Write how far it is to FILE (to standard error where that is -): one JSON object"
                        + " a line, about once a second. A terminal shows it without asking."
            })
    private @Nullable Path progressFile;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = {
                "Write a page to FILE, for a browser, that shows the execution step by step and the"
                        + " machine at each of them. For a single test."
            })
    private @Nullable Path report;

    @Option(
            names = {"-q", "--quiet"},
            description = "One line a test; no states, no trace.")
    private boolean quiet;

    private final Map<ExitStatus, Integer> counts = new EnumMap<>(ExitStatus.class);

    CheckCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        List<Path> files = TestFiles.find(paths);
        traces.check();
        if (report != null && files.size() > 1) {
            throw new BadInput(
                    "--report is for a single test, and these are " + files.size(),
                    "name one of them; `./interleaf races --report DIR` is for a whole corpus");
        }
        Strategy strategy = strategies.strategy();
        if (limits.symmetry() && !(strategy instanceof Exhaustive)) {
            throw new BadInput(
                    "--symmetry means nothing to this strategy",
                    "leave out one of --symmetry and --strategy");
        }
        try (JsonLines lines = JsonLines.to(json);
                ProgressLines told = ProgressLines.to(progressFile, spec.commandLine().getErr())) {
            Progress progress = new Progress(out(), environment.terminal(), told);
            RunOptions options =
                    work.apply(
                            model.runOptions()
                                    .withStrategy(strategy)
                                    .withLimits(
                                            StrategyOptions.limited(limits.limits(), strategy)
                                                    .withStop(environment.interruption()::requested)
                                                    .withProgress(progress))
                                    .withStopAtFirst(first),
                            files.size());
            Engine.Runner runner = environment.engine().load(options);
            Check check = new Check(runner, options, lines, progress, files.size() == 1);
            for (Path file : files) {
                if (!environment.interruption().requested()) {
                    counts.merge(check.run(file), 1, Integer::sum);
                }
            }
        }
        if (files.size() > 1) {
            printSummary(files.size());
        }
        return counts.keySet().stream().reduce(ExitStatus.OK, ExitStatus::worseOf).code();
    }

    private void printSummary(int files) {
        int errors =
                counts.getOrDefault(ExitStatus.BAD_INPUT, 0)
                        + counts.getOrDefault(ExitStatus.INTERNAL_ERROR, 0);
        int run = counts.values().stream().mapToInt(Integer::intValue).sum();
        out().println(
                        "%s: %d as declared, %d not as declared, %d undecided, %d with errors%s"
                                .formatted(
                                        Numbers.count(files, "test"),
                                        counts.getOrDefault(ExitStatus.OK, 0),
                                        counts.getOrDefault(ExitStatus.NOT_AS_DECLARED, 0),
                                        counts.getOrDefault(ExitStatus.UNDECIDED, 0),
                                        errors,
                                        run < files ? ", the rest not run" : ""));
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /// The checking of several tests on the same model.
    private final class Check {
        private final Engine.Runner runner;
        private final RunOptions options;
        private final JsonLines lines;
        private final Progress progress;
        private final boolean single;
        private final AnswerPrinter printer = new AnswerPrinter(out(), environment, traces);
        private final Failures failures = new Failures(environment.terminal().ansi());

        Check(
                Engine.Runner runner,
                RunOptions options,
                JsonLines lines,
                Progress progress,
                boolean single) {
            this.runner = runner;
            this.options = options;
            this.lines = lines;
            this.progress = progress;
            this.single = single;
        }

        /// Checks one test. One that is wrong does not keep the others from being checked.
        ExitStatus run(Path file) {
            progress.begin(String.valueOf(Objects.requireNonNullElse(file.getFileName(), file)));
            try {
                Answer answer = runner.check(Source.read(file));
                progress.end(answer.exploration());
                out().flush();
                answer.warnings().forEach(spec.commandLine().getErr()::println);
                return report(file, answer);
            } catch (OutOfMemoryError e) {
                progress.clear();
                throw e;
            } catch (RuntimeException | AssertionError | StackOverflowError e) {
                progress.clear();
                out().flush();
                return failures.report(e, " in " + file, spec.commandLine().getErr());
            }
        }

        private ExitStatus report(Path file, Answer answer) {
            Expected expected = model.expected(answer.test());
            boolean anyFindingWillDo = first || !(options.strategy() instanceof Reduction);
            Judgement judgement = Judgement.of(expected, answer, anyFindingWillDo);
            if (quiet) {
                printer.printBriefly(answer, judgement);
            } else {
                boolean failed = judgement.status() == ExitStatus.NOT_AS_DECLARED;
                printer.print(file.toString(), options, answer, judgement, single || failed);
            }
            printHowToGoOn(file, answer);
            out().flush();
            String strategy = options.strategy().describe();
            lines.write(file.toString(), variant(), strategy, expected, answer, judgement);
            if (report != null) {
                Reports.write(report, file, runner, options, answer);
            }
            return judgement.status();
        }

        private void printHowToGoOn(Path file, Answer answer) {
            CheckpointOptions saved = options.checkpoint();
            if (saved != null && !answer.exploration().complete()) {
                String how = "./interleaf check " + file + " --resume " + saved.file();
                out().println("Saved. To go on, with the same options: " + how);
            }
        }

        private @Nullable String variant() {
            return options.patches().isEmpty()
                    ? null
                    : options.patches().stream()
                            .map(ModelPatch::name)
                            .collect(Collectors.joining(" "));
        }
    }
}
