// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

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
    private String name = "";
    private long nextMs = FIRST_AFTER_MS;
    private boolean dirty;

    Progress(PrintWriter out, Terminal terminal) {
        this.out = out;
        this.shown = terminal.interactive();
    }

    /// The explorations that follow are of the test `newName`.
    void begin(String newName) {
        name = newName;
        nextMs = FIRST_AFTER_MS;
    }

    @Override
    public void accept(Exploration exploration) {
        long elapsedMs = exploration.elapsed().toMillis();
        if (shown && elapsedMs >= nextMs) {
            nextMs = elapsedMs + INTERVAL_MS;
            dirty = true;
            out.print(CLEAR_LINE + line(exploration));
            out.flush();
        }
    }

    private String line(Exploration exploration) {
        return "%s: %s, %s, %d s"
                .formatted(
                        name,
                        Numbers.count(exploration.executions(), "execution"),
                        Numbers.rate(exploration),
                        exploration.elapsed().toSeconds());
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
