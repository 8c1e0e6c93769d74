// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.junit;

import org.interleaf.experiment.Failure;
import org.interleaf.experiment.Report;
import org.interleaf.explore.Exploration;
import org.interleaf.report.Ansi;
import org.interleaf.report.ColumnTrace;
import org.interleaf.report.Splat;
import org.interleaf.report.TraceStyle;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Violation;

import java.util.List;

/// What a failed test says.
final class FailureText {
    static final String NO_CONTINUATIONS =
            "the JVM that runs the tests needs the option"
                    + " --add-exports java.base/jdk.internal.vm=ALL-UNNAMED"
                    + " (for Maven, in <argLine> of the Surefire plugin)";

    private static final TraceStyle STYLE = TraceStyle.PLAIN;

    private FailureText() {}

    /// The first of the failures with its trace, and the titles of the others.
    static String of(Report report, Recording recording) {
        List<Failure> failures = report.failures();
        StringBuilder text = new StringBuilder();
        text.append(failures.getFirst().violation().title()).append("\n\n");
        if (failures.getFirst().cause() == null) {
            append(text, recording, asRecorded(failures.getFirst().violation(), recording));
        } else {
            append(text, recording);
            text.append(failures.getFirst().violation().text()).append('\n');
        }
        text.append("\nreplay: @Explore(replay = \"").append(recording.schedule()).append("\")\n");
        for (Failure other : failures.subList(1, failures.size())) {
            text.append("also found: ").append(other.violation().title());
            text.append(" (").append(other.schedule()).append(")\n");
        }
        return text.toString();
    }

    /// The recording knows more: who allocated and freed what.
    private static Violation asRecorded(Violation violation, Recording recording) {
        return recording.violations().stream()
                .filter(other -> other.title().equals(violation.title()))
                .findFirst()
                .orElse(violation);
    }

    /// One execution; it need not have failed.
    static String ofReplay(Recording recording) {
        StringBuilder text = new StringBuilder();
        List<Violation> found = recording.violations();
        text.append("one execution, replayed: ");
        text.append(found.isEmpty() ? "nothing is wrong with it" : found.getFirst().title());
        text.append("\n\n");
        append(text, recording, found.toArray(Violation[]::new));
        return text.append("\n(take `replay` away to explore again)\n").toString();
    }

    private static void append(StringBuilder text, Recording recording, Violation... violations) {
        text.append(ColumnTrace.render(recording, STYLE)).append('\n');
        for (Violation violation : violations) {
            text.append(Splat.render(violation, Ansi.OFF));
        }
    }

    static String undecided(Exploration explored) {
        String why =
                explored.cut() > 0
                        ? explored.cut() + " of them cut at maxSteps (is there a loop without end?)"
                        : "then a limit was reached (seconds, maxExecutions)";
        return "Undecided: nothing is wrong in "
                + explored.executions()
                + " executions, but there are more; "
                + why;
    }
}
