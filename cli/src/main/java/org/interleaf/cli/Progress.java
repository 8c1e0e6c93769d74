// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Coverage;
import org.interleaf.explore.Exploration;

import java.io.PrintWriter;
import java.util.function.Consumer;

/// Tells on a terminal how far an exploration is, in a line that is overwritten.
final class Progress implements Consumer<Exploration> {
    private static final long FIRST_AFTER_MS = 300;
    private static final long INTERVAL_MS = 200;
    private static final String CLEAR_LINE = "\r\033[K";

    private final PrintWriter out;
    private final boolean shown;
    private final ProgressLines lines;
    private String name = "";
    private long nextMs = FIRST_AFTER_MS;
    private boolean dirty;

    /// One that tells nobody else.
    Progress(PrintWriter out, Terminal terminal) {
        this(out, terminal, ProgressLines.to(null, out));
    }

    /// @param lines is told the same
    Progress(PrintWriter out, Terminal terminal, ProgressLines lines) {
        this.out = out;
        this.lines = lines;
        this.shown = terminal.interactive();
    }

    /// The explorations that follow are of the test `newName`.
    void begin(String newName) {
        name = newName;
        lines.begin(newName);
        nextMs = FIRST_AFTER_MS;
    }

    @Override
    public void accept(Exploration exploration) {
        lines.accept(exploration);
        long elapsedMs = exploration.elapsed().toMillis();
        if (shown && elapsedMs >= nextMs) {
            nextMs = elapsedMs + INTERVAL_MS;
            dirty = true;
            out.print(CLEAR_LINE + line(exploration));
            out.flush();
        }
    }

    private String line(Exploration exploration) {
        Coverage coverage = exploration.coverage();
        String line =
                "%s: %s, %s, %d s"
                        .formatted(
                                name,
                                Numbers.count(exploration.executions(), "execution"),
                                Numbers.rate(exploration),
                                exploration.elapsed().toSeconds());
        if (coverage.depth() > 0) {
            line += ", depth " + coverage.depth();
        }
        Long left = Numbers.secondsLeft(exploration);
        return left == null
                ? line
                : line
                        + ", about %s done, %s left"
                                .formatted(Numbers.part(coverage.fraction()), Numbers.about(left));
    }

    /// The exploration is over.
    void end(Exploration exploration) {
        clear();
        lines.end(exploration);
    }

    /// Makes place for other output.
    void clear() {
        if (dirty) {
            out.print(CLEAR_LINE);
            out.flush();
            dirty = false;
        }
    }
}
