// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.patch.ModelPatch;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/// `interleaf locks`: whether hugetlb and core-mm agree on page-table locks.
@Command(
        name = "locks",
        header = "Shows which page-table locks hugetlb takes, and which core-mm takes.",
        description = {
            "",
            "For each configuration and each size of hugetlb pages: a page is mapped, hugetlb is"
                + " asked for the lock of its entry by huge_pte_lockptr(), and folio_walk_start()"
                + " finds the page and holds its lock. Two different locks do not exclude each"
                + " other.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./interleaf locks",
            "  ./interleaf locks --arch arm64-4k --patch races/hugetlb-pt-locking/before.patch",
            "  ./interleaf locks --config nr-cpus=2",
            "",
            "Exit status: 0 the same lock everywhere; 1 different locks somewhere; 2 bad input.",
        })
final class LocksCommand implements Callable<Integer> {
    /// What a kernel can be configured for beside its defaults, as far as locks are concerned.
    private static final List<Map<String, String>> CONFIGURATIONS =
            List.of(Map.of(), Map.of("nr-cpus", "2"), Map.of("highpte", "yes"));

    private final Environment environment;

    @Spec private CommandSpec spec;

    @Option(
            names = "--arch",
            paramLabel = "NAME",
            description = "One architecture; `interleaf arch` lists them. Default: all.")
    private @Nullable String arch;

    @Option(
            names = "--config",
            paramLabel = "KEY=VALUE",
            description = {
                "A setting, as in a test's config line. May be given several times. Default: each"
                        + " configuration that matters for the locks."
            })
    private Map<String, String> config = new LinkedHashMap<>();

    @Option(
            names = "--patch",
            paramLabel = "FILE",
            description = "Change the model first. May be given several times.")
    private List<Path> patches = List.of();

    private int rows;
    private int different;

    LocksCommand(Environment environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() {
        List<ModelPatch> read = patches.stream().map(ModelPatch::read).toList();
        Survey survey = environment.engine().load(RunOptions.DEFAULT.withPatches(read)).survey();
        TextTable table =
                new TextTable(
                        "arch", "config", "page", "size", "entries", "hugetlb", "core-mm", "");
        for (String name : SurveyOptions.names(survey, arch)) {
            if (config.isEmpty()) {
                addPossible(table, survey, name);
            } else {
                add(table, survey, name, config);
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(table.render());
        out.println();
        out.println(
                different == 0
                        ? "The same lock in all " + rows + " cases"
                        : "Different locks in " + different + " of " + rows + " cases");
        return (different == 0 ? ExitStatus.OK : ExitStatus.NOT_AS_DECLARED).code();
    }

    /// Adds the configurations that are possible for the architecture, the default in any case.
    private void addPossible(TextTable table, Survey survey, String name) {
        for (Map<String, String> each : CONFIGURATIONS) {
            try {
                add(table, survey, name, each);
            } catch (LitmusException impossible) {
                if (each.isEmpty()) {
                    throw impossible;
                }
            }
        }
    }

    private void add(TextTable table, Survey survey, String name, Map<String, String> settings) {
        SurveyOptions.Asked asked = SurveyOptions.asked(name, withFull(settings));
        for (Survey.Locks locks : survey.locks(asked.source(), asked.config())) {
            rows++;
            different += locks.same() ? 0 : 1;
            table.row(
                    name,
                    SurveyOptions.text(settings),
                    locks.page(),
                    SurveyOptions.size(locks.size()),
                    locks.entries(),
                    String.join(" and ", locks.hugetlb()),
                    String.join(" and ", locks.core()),
                    locks.same() ? "same" : "DIFFERENT");
        }
    }

    private static Map<String, String> withFull(Map<String, String> settings) {
        Map<String, String> full = new LinkedHashMap<>();
        full.put("geometry", "full");
        full.putAll(settings);
        return full;
    }
}
