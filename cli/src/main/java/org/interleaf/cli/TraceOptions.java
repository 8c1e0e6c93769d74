// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.report.Ansi;
import org.interleaf.report.DotGraph;
import org.interleaf.report.TraceStyle;
import org.interleaf.trace.Recording;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.nio.file.Path;

/// The options that say how an execution is shown.
final class TraceOptions {
    private static final int WIDTH_MIN = 40;
    private static final int WIDTH_MAX = 1000;

    @Option(
            names = {"-a", "--full", "--all"},
            description = "Show every step of the trace, not only those that bear on its end.")
    private boolean full;

    @Option(
            names = "--width",
            paramLabel = "N",
            description = "Make the trace fit N columns. Default: 100.")
    private int width = TraceStyle.PLAIN.width();

    @Option(
            names = "--commit-message",
            description = "Draw the trace as commit messages of the kernel do.")
    private boolean commitMessage;

    @Option(
            names = "--dot",
            paramLabel = "FILE",
            description = "Write the graph of what happened before what to FILE, for Graphviz.")
    private @Nullable Path dot;

    /// Writes what is asked for beside the trace itself.
    ///
    /// @throws BadInput if it cannot be written
    void writeGraph(Recording recording) {
        if (dot != null) {
            Reports.write(dot, DotGraph.render(recording, full));
        }
    }

    /// Whether to draw it as in a commit message.
    boolean commitMessage() {
        return commitMessage;
    }

    /// Looks whether what is asked for is possible.
    ///
    /// @throws BadInput if it is not
    void check() {
        if (width < WIDTH_MIN || width > WIDTH_MAX) {
            throw new BadInput(
                    "--width " + width + ": no trace has that many columns",
                    "it is a number from " + WIDTH_MIN + " to " + WIDTH_MAX);
        }
    }

    /// How to draw it otherwise.
    TraceStyle style(Ansi ansi) {
        return TraceStyle.PLAIN.withWidth(width).withAllSteps(full).withAnsi(ansi);
    }
}
