// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Coverage;
import org.interleaf.explore.Exploration;
import org.interleaf.report.Ansi;
import org.junit.jupiter.api.Test;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;

final class ProgressTest {
    private final StringWriter out = new StringWriter();

    private Progress progress(boolean interactive) {
        Progress progress = new Progress(new PrintWriter(out), new Terminal(interactive, Ansi.OFF));
        progress.begin("my.litmus");
        return progress;
    }

    private static Exploration after(long millis, long executions) {
        return new Exploration(executions, 0, 0, 0, false, Duration.ofMillis(millis));
    }

    @Test
    void aLineIsOverwrittenAndTakenAway() {
        Progress progress = progress(true);
        progress.accept(after(2000, 123_456));
        progress.accept(after(2001, 123_520));
        progress.accept(after(3000, 200_000));
        progress.clear();
        progress.clear();
        assertThat(out)
                .hasToString(
                        "\r\u001b[Kmy.litmus: 123,456 executions, 61,700/s, 2 s"
                                + "\r\u001b[Kmy.litmus: 200,000 executions, 66,600/s, 3 s"
                                + "\r\u001b[K");
    }

    @Test
    void whatIsKnownOfTheRestIsTold() {
        Exploration twoThirds =
                new Exploration(
                        600,
                        0,
                        0,
                        0,
                        0,
                        600.0,
                        false,
                        Duration.ofMinutes(10),
                        new Coverage(-1, true, 45, 2.0 / 3, ""));
        progress(true).accept(twoThirds);
        assertThat(out)
                .hasToString(
                        "\r\u001b[Kmy.litmus: 600 executions, 1/s, 600 s, depth 45,"
                                + " about 66 % done, 5 min left");
    }

    @Test
    void whatIsDoneAtOnceShowsNoProgress() {
        Progress progress = progress(true);
        progress.accept(after(100, 64));
        progress.clear();
        assertThat(out).hasToString("");
    }

    @Test
    void aPipeSeesNothing() {
        Progress progress = progress(false);
        progress.accept(after(5000, 64));
        progress.clear();
        assertThat(out).hasToString("");
    }
}
