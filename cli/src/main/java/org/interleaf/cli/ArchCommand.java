// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/// `interleaf arch`: what architectures and configurations there are.
@Command(
        name = "arch",
        header = "Lists the architectures: levels, sizes of pages, page-table locks.",
        description = {
            "",
            "What `arch=NAME` in a test's configuration stands for. With a name, all about that"
                    + " architecture, in the configuration that --config gives; one that no kernel"
                    + " can be built with is refused, with the reason.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf arch",
            "  ./interleaf arch arm64-64k",
            "  ./interleaf arch x86-32 --config ptl=split",
            "      can that be?",
            "",
            "Exit status: 0; 2 bad input, such as an impossible configuration.",
        })
final class ArchCommand implements Callable<Integer> {
    private final Environment environment;

    @Spec private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "The architecture.")
    private @Nullable String name;

    @Option(
            names = "--config",
            paramLabel = "KEY=VALUE",
            description = "A setting, as in a test's config line. May be given several times.")
    private Map<String, String> config = new LinkedHashMap<>();

    ArchCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        Survey survey = environment.engine().load(RunOptions.DEFAULT).survey();
        PrintWriter out = spec.commandLine().getOut();
        if (name == null) {
            out.print(list(survey));
        } else {
            out.print(text(ask(survey, name)));
        }
        return ExitStatus.OK.code();
    }

    private Survey.Architecture ask(Survey survey, String architecture) {
        SurveyOptions.Asked asked = SurveyOptions.asked(architecture, config);
        return survey.architecture(asked.source(), asked.config());
    }

    private String list(Survey survey) {
        TextTable table =
                new TextTable(
                        "arch", "levels", "entries pgd to pte", "pages", "PTE lock", "PMD lock");
        for (String each : survey.architectures()) {
            Survey.Architecture arch = ask(survey, each);
            table.row(
                    each,
                    Long.toString(arch.levels().stream().filter(l -> l.entries() > 0).count()),
                    arch.levels().stream()
                            .map(l -> l.entries() == 0 ? "-" : Integer.toString(l.entries()))
                            .collect(Collectors.joining(" ")),
                    arch.pageSizes().stream()
                            .map(p -> SurveyOptions.size(p.size()))
                            .collect(Collectors.joining(" ")),
                    lock(arch, "pte"),
                    lock(arch, "pmd"));
        }
        return table.render();
    }

    private static String lock(Survey.Architecture arch, String level) {
        return arch.levels().stream()
                .filter(l -> l.name().equals(level))
                .map(Survey.Level::lock)
                .findFirst()
                .orElse("");
    }

    private static String text(Survey.Architecture arch) {
        TextTable levels = new TextTable("level", "entries", "tiny", "each maps", "lock");
        for (Survey.Level level : arch.levels()) {
            boolean folded = level.entries() == 0;
            levels.row(
                    level.name(),
                    folded ? "-" : Integer.toString(level.entries()),
                    folded ? "-" : Integer.toString(level.tinyEntries()),
                    SurveyOptions.size(level.size()),
                    level.lock());
        }
        TextTable pages = new TextTable("page", "size", "tiny", "entries", "hugetlb", "THP");
        for (Survey.PageSize page : arch.pageSizes()) {
            pages.row(
                    page.name(),
                    SurveyOptions.size(page.size()),
                    SurveyOptions.size(page.tinySize()),
                    page.entries(),
                    page.hugetlb() ? "yes" : "-",
                    page.thp() ? "yes" : "-");
        }
        TextTable facts = new TextTable("", "");
        arch.facts().forEach(fact -> facts.row(fact.word(), fact.meaning()));
        return arch.name()
                + ": "
                + arch.title()
                + " (CONFIG_PGTABLE_LEVELS="
                + arch.pgtableLevels()
                + ")\n\n"
                + levels.render()
                + "\n"
                + pages.render()
                + facts.render();
    }
}
