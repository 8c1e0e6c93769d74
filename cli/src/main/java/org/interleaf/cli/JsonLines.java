// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

import org.interleaf.run.Answer;
import org.interleaf.trace.Verdict;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.io.Closeable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Writes answers for programs to read: one JSON object a line and test.
final class JsonLines implements Closeable {
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double MILLIS_PER_SECOND = 1e3;

    private final @Nullable PrintWriter out;

    /// Made when the first line is written, since making it takes a while.
    private static final class Json {
        private static final Gson GSON =
                new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    }

    private record Line(
            String test,
            String file,
            @Nullable String variant,
            String strategy,
            String verdict,
            long positive,
            long negative,
            List<String> states,
            List<SplatLine> splats,
            long executions,
            long traces,
            long represented,
            boolean complete,
            List<String> cut,
            @Nullable String coverage,
            double seconds,
            @Nullable String expected,
            @Nullable Boolean ok,
            @Nullable String replay) {}

    private record SplatLine(String kind, String where, String text) {
        static SplatLine of(Violation violation) {
            return new SplatLine(violation.kind(), violation.where(), violation.text());
        }
    }

    private JsonLines(@Nullable PrintWriter out) {
        this.out = out;
    }

    /// Writes to `file`; nowhere where that is null.
    ///
    /// @throws BadInput if the file cannot be written
    static JsonLines to(@Nullable Path file) {
        if (file == null) {
            return new JsonLines(null);
        }
        try {
            return new JsonLines(
                    new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new BadInput(
                    file + ": cannot be written: " + e.getMessage(),
                    "name a file in a folder that exists");
        }
    }

    /// Writes a line.
    ///
    /// @param variant the names of the patches, or null where there are none
    /// @param strategy the strategy, with its parameters
    void write(
            String file,
            @Nullable String variant,
            String strategy,
            Expected expected,
            Answer answer,
            Judgement judgement) {
        if (out == null) {
            return;
        }
        Verdict declared = expected.verdict();
        String statement = answer.exploration().coverage().statement();
        Line line =
                new Line(
                        answer.test().name(),
                        file,
                        variant,
                        strategy,
                        answer.verdict().word(),
                        answer.positive(),
                        answer.negative(),
                        answer.states(),
                        answer.violations().stream().map(SplatLine::of).toList(),
                        answer.exploration().executions(),
                        answer.exploration().traces(),
                        answer.exploration().represented(),
                        answer.exploration().complete(),
                        answer.bounds(),
                        statement.isEmpty() ? null : statement,
                        seconds(answer),
                        declared == null ? null : declared.word(),
                        ok(judgement),
                        answer.witness() == null ? null : answer.witness().toString());
        write(line);
    }

    /// Writes the fields of `line`.
    void write(Record line) {
        if (out != null) {
            out.println(Json.GSON.toJson(line));
            out.flush();
        }
    }

    private static double seconds(Answer answer) {
        long millis = Math.round(answer.exploration().elapsed().toNanos() / NANOS_PER_MILLI);
        return millis / MILLIS_PER_SECOND;
    }

    private static @Nullable Boolean ok(Judgement judgement) {
        return switch (judgement.status()) {
            case OK -> true;
            case NOT_AS_DECLARED -> false;
            case UNDECIDED, BAD_INPUT, INTERNAL_ERROR -> null;
        };
    }

    @Override
    public void close() {
        if (out != null) {
            out.close();
        }
    }
}
