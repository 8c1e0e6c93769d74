// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.Names;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.report.Ansi.Ink;
import org.interleaf.run.Answer;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/// `interleaf races`: the corpus against what it declares.
@Command(
        name = "races",
        header = "Checks the corpus of known races.",
        description = {
            "",
            "Runs every race of the corpus: on the model as it is, where nothing may be found, and"
                    + " with each patch that puts a bug back or tries a remedy, where what the"
                    + " patch declares must be found, and nothing else. That is the evidence that"
                    + " the model is faithful.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf races",
            "      all of them",
            "  ./interleaf races gup-fast-vs-collapse",
            "      one of them",
            "  ./interleaf races --report pages",
            "      all of them as pages for a browser: open pages/index.html",
            "",
            "Exit status: 0 all as declared; 1 something is not; 2 bad input; 3 undecided",
            "within the limits; 130 after Ctrl-C.",
        })
final class RacesCommand implements Callable<Integer> {
    private final Environment environment;

    @Spec private CommandSpec spec;
    @Mixin private LimitOptions limits;

    @Parameters(
            arity = "0..*",
            paramLabel = "NAME",
            description = "Folders of races/. Default: all.")
    private List<String> names = List.of();

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write one JSON object a line and variant to FILE.")
    private @Nullable Path json;

    @Option(
            names = "--report",
            paramLabel = "DIR",
            description = {
                "Write pages for a browser to the folder DIR: index.html with all races, and one"
                        + " for each execution that shows something."
            })
    private @Nullable Path report;

    RacesCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        List<Race> races = folders().stream().map(Race::read).toList();
        try (JsonLines lines = JsonLines.to(json)) {
            return new Run(races, lines, new CorpusPages(report)).all().code();
        }
    }

    /// The folders of the races that are asked for.
    private List<Path> folders() {
        Path corpus = environment.races();
        List<String> all = new ArrayList<>();
        try (Stream<Path> children = Files.list(corpus)) {
            children.filter(Files::isDirectory)
                    .map(folder -> String.valueOf(folder.getFileName()))
                    .sorted()
                    .forEach(all::add);
        } catch (IOException e) {
            throw new BadInput(corpus + ": cannot be read: " + e.getMessage(), "check its rights");
        }
        if (all.isEmpty()) {
            throw new BadInput(corpus + ": no races in it", "a race is a folder with race.litmus");
        }
        if (names.isEmpty()) {
            return all.stream().map(corpus::resolve).toList();
        }
        return names.stream().map(name -> corpus.resolve(known(name, all))).distinct().toList();
    }

    /// The race that `name` names; a path to its folder will do, as the shell completes it.
    private static String known(String name, List<String> all) {
        String last = String.valueOf(Path.of(name).getFileName());
        if (!all.contains(last)) {
            String others = "there are " + String.join(", ", all);
            throw new BadInput("no race '" + name + "'", Names.hint(last, all, others));
        }
        return last;
    }

    /// The run of all variants.
    private final class Run {
        private final List<Race> races;
        private final JsonLines lines;
        private final CorpusPages pages;
        private final RaceTable table;
        private final PrintWriter out = spec.commandLine().getOut();
        private final PrintWriter err = spec.commandLine().getErr();
        private final Progress progress = new Progress(out, environment.terminal());
        private final AnswerPrinter printer = new AnswerPrinter(out, environment);
        private final Failures failures = new Failures(environment.terminal().ansi());
        private final long start = System.nanoTime();
        private ExitStatus worst = ExitStatus.OK;
        private int done;
        private int failed;
        private long executions;

        Run(List<Race> races, JsonLines lines, CorpusPages pages) {
            this.pages = pages;
            this.races = races;
            this.lines = lines;
            this.table = new RaceTable(races);
        }

        ExitStatus all() {
            out.println(environment.terminal().ansi().paint(Ink.HEADER, table.header().strip()));
            for (Race race : races) {
                for (Race.Variant variant : race.variants()) {
                    if (!environment.interruption().requested()) {
                        add(one(race, variant));
                    }
                }
            }
            printTotal();
            return worst;
        }

        private void add(ExitStatus status) {
            out.flush();
            done++;
            failed += status == ExitStatus.OK ? 0 : 1;
            worst = worst.worseOf(status);
        }

        private ExitStatus one(Race race, Race.Variant variant) {
            RunOptions options =
                    variant.options()
                            .withWorkers(Runtime.getRuntime().availableProcessors())
                            .withLimits(
                                    limits.limits()
                                            .withStop(environment.interruption()::requested)
                                            .withProgress(progress));
            progress.begin(race.name() + " " + variant.label());
            try {
                Engine.Runner runner = environment.engine().load(options);
                Answer answer = runner.check(Source.read(variant.test()));
                progress.clear();
                return report(race, variant, runner, options, answer);
            } catch (OutOfMemoryError e) {
                progress.clear();
                throw e;
            } catch (RuntimeException | AssertionError | StackOverflowError e) {
                progress.clear();
                out.println(table.row(race, variant, null) + status(ExitStatus.BAD_INPUT));
                pages.addFailed(race, variant);
                out.flush();
                return failures.report(e, " in " + variant.test() + ", " + variant.label(), err);
            }
        }

        private ExitStatus report(
                Race race,
                Race.Variant variant,
                Engine.Runner runner,
                RunOptions options,
                Answer answer) {
            Judgement judgement = Judgement.of(variant.expected(), answer, false);
            executions += answer.exploration().executions();
            answer.warnings().forEach(err::println);
            out.println(
                    table.row(race, variant, answer)
                            + status(judgement.status())
                            + RaceTable.found(variant.expected(), answer));
            String file = variant.test().toString();
            if (judgement.status() == ExitStatus.NOT_AS_DECLARED) {
                judgement.reasons().forEach(reason -> out.println("    " + reason));
                printer.printFinding(file, options, answer);
                out.println();
            }
            pages.add(race, variant, runner, options, answer, judgement);
            ModelPatch patch = variant.patch();
            lines.write(
                    file,
                    patch == null ? null : patch.name(),
                    options.strategy().describe(),
                    variant.expected(),
                    answer,
                    judgement);
            return judgement.status();
        }

        private String status(ExitStatus status) {
            var ansi = environment.terminal().ansi();
            return switch (status) {
                case OK -> ansi.paint(Ink.GOOD, "ok") + "  ";
                case UNDECIDED -> ansi.paint(Ink.BAD, "UNDECIDED") + "  ";
                case NOT_AS_DECLARED -> ansi.paint(Ink.BAD, "FAILED") + "  ";
                case BAD_INPUT, INTERNAL_ERROR -> ansi.paint(Ink.BAD, "ERROR");
            };
        }

        private void printTotal() {
            int all = races.stream().mapToInt(race -> race.variants().size()).sum();
            String result = failed == 0 ? "all as declared" : failed + " not as declared";
            String total =
                    String.format(
                            "%s of %s: %s%s; %s in %.1f s",
                            Numbers.count(all, "variant"),
                            Numbers.count(races.size(), "race"),
                            result,
                            done < all ? ", " + (all - done) + " not run" : "",
                            Numbers.count(executions, "execution"),
                            (System.nanoTime() - start) / 1e9);
            out.println(total);
            pages.finish(total);
        }
    }
}
