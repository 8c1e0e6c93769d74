// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.report.Subject;
import org.interleaf.report.TraceReport;
import org.interleaf.run.Answer;
import org.interleaf.run.RunOptions;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Writes pages that show executions.
final class Reports {
    private Reports() {}

    /// Writes the page of a test that was explored.
    ///
    /// @throws BadInput if the file cannot be written
    static void write(
            Path page, Path file, Engine.Runner runner, RunOptions options, Answer answer) {
        Source source = Source.read(file);
        Schedule witness = answer.witness();
        Film film = runner.film(source, witness);
        write(page, TraceReport.render(subject(file, source, options, answer), film));
    }

    private static Subject subject(Path file, Source source, RunOptions options, Answer answer) {
        LitmusTest test = answer.test();
        Recording recording = answer.recording();
        Schedule witness = answer.witness();
        return new Subject(
                title(test, options),
                answer.verdict()
                        + ": the condition holds in "
                        + answer.positive()
                        + " of "
                        + Numbers.count(answer.exploration().executions(), "execution")
                        + (answer.exploration().complete() ? ", which are all" : ", not all"),
                answer.positive() > 0 || !answer.violations().isEmpty(),
                found(recording),
                story(source, options),
                source.text(),
                options.patches().stream().map(ModelPatch::text).collect(Collectors.joining("\n")),
                witness == null ? "" : ReplayLine.of(file.toString(), options, witness));
    }

    private static String title(LitmusTest test, RunOptions options) {
        List<String> parts = new ArrayList<>();
        options.patches().stream()
                .map(patch -> String.valueOf(Path.of(patch.name()).getFileName()))
                .forEach(parts::add);
        options.config().forEach((key, value) -> parts.add(key + "=" + value));
        String changes = parts.isEmpty() ? "" : " with " + String.join(" ", parts);
        return test.name() + changes;
    }

    /// What the test is about, and what each patch does.
    private static String story(Source source, RunOptions options) {
        List<String> parts = new ArrayList<>();
        parts.add(Story.ofTest(source.text()));
        for (ModelPatch patch : options.patches()) {
            String story = Story.paragraphs(patch.header().story().lines().toList());
            parts.add(Path.of(patch.name()).getFileName() + ": " + story);
        }
        return String.join("\n", parts).replace("\n\n", "\n").strip();
    }

    /// What the page shows.
    private static String found(@Nullable Recording recording) {
        if (recording == null) {
            return "Nothing was found. Shown is one task after the other.";
        }
        if (recording.violations().isEmpty()) {
            return "Shown is an execution that ends with " + recording.finalState();
        }
        return recording.violations().stream()
                .map(Violation::title)
                .collect(Collectors.joining("; ", "Shown is an execution with ", ""));
    }

    /// Writes a text to a file.
    ///
    /// @throws BadInput if the file cannot be written
    static void write(Path file, String text) {
        try {
            Files.writeString(file, text, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new BadInput(
                    file + ": cannot be written: " + e.getMessage(),
                    "name a file in a folder that exists");
        }
    }
}
