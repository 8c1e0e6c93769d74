// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

import org.interleaf.explore.Coverage;
import org.interleaf.explore.Exploration;
import org.jspecify.annotations.Nullable;

import java.io.Closeable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/// Tells programs how far an exploration is: one JSON object a line, about once a second, and one
/// when it is over.
final class ProgressLines implements Consumer<Exploration>, Closeable {
    private static final long INTERVAL_MS = 1000;
    private static final String STANDARD_ERROR = "-";
    private static final Gson GSON =
            new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    private static final double MILLIS = 1e3;

    private final @Nullable PrintWriter out;
    private final boolean ours;
    private String test = "";
    private long nextMs = INTERVAL_MS;

    private record Line(
            String test,
            boolean over,
            double seconds,
            long executions,
            long rate,
            int depth,
            @Nullable Long traces,
            @Nullable Double fraction,
            @Nullable Long secondsLeft) {}

    private ProgressLines(@Nullable PrintWriter out, boolean ours) {
        this.out = out;
        this.ours = ours;
    }

    /// Writes to `file`; to `err` where that is `-`, and nowhere where it is null.
    ///
    /// @throws BadInput if the file cannot be written
    static ProgressLines to(@Nullable Path file, PrintWriter err) {
        if (file == null) {
            return new ProgressLines(null, false);
        }
        if (file.toString().equals(STANDARD_ERROR)) {
            return new ProgressLines(err, false);
        }
        try {
            var out = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8));
            return new ProgressLines(out, true);
        } catch (IOException e) {
            throw new BadInput(
                    file + ": cannot be written: " + e.getMessage(),
                    "name a file in a folder that exists, or - for standard error");
        }
    }

    /// The explorations that follow are of the test `name`.
    void begin(String name) {
        test = name;
        nextMs = INTERVAL_MS;
    }

    @Override
    public void accept(Exploration exploration) {
        long elapsedMs = exploration.elapsed().toMillis();
        if (elapsedMs >= nextMs) {
            nextMs = elapsedMs + INTERVAL_MS;
            write(exploration, false);
        }
    }

    /// The exploration is over.
    void end(Exploration exploration) {
        write(exploration, true);
    }

    private void write(Exploration exploration, boolean over) {
        if (out == null) {
            return;
        }
        Coverage coverage = exploration.coverage();
        double seconds = exploration.elapsed().toMillis() / MILLIS;
        Double fraction = Double.isNaN(coverage.fraction()) ? null : coverage.fraction();
        Line line =
                new Line(
                        test,
                        over,
                        seconds,
                        exploration.executions(),
                        Numbers.perSecond(exploration),
                        coverage.depth(),
                        coverage.traces() < 0 ? null : coverage.traces(),
                        fraction,
                        over ? null : Numbers.secondsLeft(exploration));
        out.println(GSON.toJson(line));
        out.flush();
    }

    @Override
    public void close() {
        if (out != null && ours) {
            out.close();
        }
    }
}
