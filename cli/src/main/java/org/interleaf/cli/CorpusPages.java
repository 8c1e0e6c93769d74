// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.report.CorpusReport;
import org.interleaf.run.Answer;
import org.interleaf.run.RunOptions;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes the corpus as pages: one for all races, and one for each execution that shows something.
final class CorpusPages {
    private final @Nullable Path folder;
    private final Map<Race, List<CorpusReport.Variant>> variants = new LinkedHashMap<>();

    /// @param folder where to; null for nowhere
    /// @throws BadInput if there is no such folder and none can be made
    CorpusPages(@Nullable Path folder) {
        this.folder = folder;
        if (folder != null) {
            try {
                Files.createDirectories(folder);
            } catch (IOException e) {
                throw new BadInput(
                        folder + ": no such folder can be made: " + e.getMessage(),
                        "name a folder that can be written");
            }
        }
    }

    /// Adds what a variant came to, and writes the page of its execution.
    void add(
            Race race,
            Race.Variant variant,
            Engine.Runner runner,
            RunOptions options,
            Answer answer,
            Judgement judgement) {
        if (folder == null) {
            return;
        }
        String page = "";
        if (answer.witness() != null) {
            page = pageName(race, variant);
            Reports.write(folder.resolve(page), variant.test(), runner, options, answer);
        }
        boolean ok = judgement.status() == ExitStatus.OK;
        add(
                race,
                new CorpusReport.Variant(
                        variant.label(),
                        RaceTable.config(variant.config()),
                        RaceTable.found(variant.expected(), answer),
                        ok ? "as declared" : "not as declared",
                        ok,
                        Numbers.grouped(answer.exploration().executions()),
                        Numbers.seconds(answer.exploration()),
                        page));
    }

    /// Adds a variant that could not be run.
    void addFailed(Race race, Race.Variant variant) {
        String config = RaceTable.config(variant.config());
        add(
                race,
                new CorpusReport.Variant(variant.label(), config, "", "error", false, "", "", ""));
    }

    private void add(Race race, CorpusReport.Variant variant) {
        variants.computeIfAbsent(race, x -> new ArrayList<>()).add(variant);
    }

    /// A name that any file system and any URL can have.
    private static String pageName(Race race, Race.Variant variant) {
        StringBuilder name = new StringBuilder(race.name()).append("--").append(variant.label());
        variant.config().forEach((key, value) -> name.append("--" + key + "=" + value));
        return name.toString().replaceAll("[^A-Za-z0-9_+=.-]", "_") + ".html";
    }

    /// Writes the page for all.
    ///
    /// @param total what all came to, in one line
    void finish(String total) {
        if (folder == null) {
            return;
        }
        List<CorpusReport.Race> races = new ArrayList<>();
        variants.forEach(
                (race, list) -> {
                    Path readme = race.folder().resolve("README.md");
                    races.add(
                            new CorpusReport.Race(
                                    race.name(),
                                    Story.title(readme, race.name()),
                                    Story.ofReadme(readme),
                                    list));
                });
        Reports.write(folder.resolve("index.html"), CorpusReport.render(total, races));
    }
}
