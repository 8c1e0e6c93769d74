// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Coverage;
import org.interleaf.explore.Exploration;
import org.interleaf.explore.PreemptionBounded;
import org.interleaf.explore.Reduction;
import org.interleaf.patch.ModelPatch;
import org.interleaf.report.Ansi;
import org.interleaf.report.Ansi.Ink;
import org.interleaf.report.ColumnTrace;
import org.interleaf.report.CommitMessage;
import org.interleaf.report.Splat;
import org.interleaf.run.Answer;
import org.interleaf.run.RunOptions;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Violation;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/// Prints what came out of a test.
final class AnswerPrinter {
    private static final int NAME_WIDTH = 40;

    private final PrintWriter out;
    private final Environment environment;
    private final TraceOptions traces;
    private final Ansi ansi;

    /// Shows traces as is usual.
    AnswerPrinter(PrintWriter out, Environment environment) {
        this(out, environment, new TraceOptions());
    }

    AnswerPrinter(PrintWriter out, Environment environment, TraceOptions traces) {
        this.out = out;
        this.environment = environment;
        this.traces = traces;
        this.ansi = environment.terminal().ansi();
    }

    /// The summary as herd7 prints it and how much was explored, the execution to look at if
    /// `withTrace`, and what is not as declared.
    void print(
            String file,
            RunOptions options,
            Answer answer,
            Judgement judgement,
            boolean withTrace) {
        printVariant(options);
        out.print(answer.herd());
        out.println(explored(answer, options));
        printCoverage(answer, options);
        if (withTrace) {
            printFinding(file, options, answer);
        }
        printJudgement(judgement);
        out.println();
    }

    /// Name, verdict and judgement in one line, and below it what is not as declared.
    void printBriefly(Answer answer, Judgement judgement) {
        out.printf(
                "%-" + NAME_WIDTH + "s %-9s %s%n",
                answer.test().name(),
                answer.verdict(),
                status(judgement.status()));
        judgement.reasons().forEach(reason -> out.println("    " + reason));
    }

    private void printVariant(RunOptions options) {
        List<String> parts = new ArrayList<>();
        options.patches().stream().map(ModelPatch::name).forEach(parts::add);
        options.config().forEach((key, value) -> parts.add(key + "=" + value));
        if (!parts.isEmpty()) {
            out.println("With " + String.join(" ", parts));
        }
    }

    /// The execution to look at, with all that was found in it, and how to see it again.
    void printFinding(String file, RunOptions options, Answer answer) {
        Recording recording = answer.recording();
        if (recording == null) {
            return;
        }
        out.println();
        printRecording(recording);
        printOtherFindings(answer, recording);
        out.println();
        out.println(
                "Reproduce: "
                        + ReplayLine.of(file, options, Objects.requireNonNull(answer.witness())));
    }

    /// One execution, with all that was found in it.
    void printRecording(Recording recording) {
        traces.writeGraph(recording);
        out.print(
                traces.commitMessage()
                        ? CommitMessage.render(recording)
                        : ColumnTrace.render(recording, traces.style(ansi)));
        for (Violation violation : recording.violations()) {
            out.println();
            out.print(Splat.render(violation, ansi));
        }
    }

    private void printOtherFindings(Answer answer, Recording recording) {
        String others =
                answer.violations().stream()
                        .map(Violation::title)
                        .filter(
                                title ->
                                        recording.violations().stream()
                                                .noneMatch(v -> v.title().equals(title)))
                        .map(title -> "  " + title + "\n")
                        .collect(Collectors.joining());
        if (!others.isEmpty()) {
            out.print("\nFound in other executions:\n" + others);
        }
    }

    private void printJudgement(Judgement judgement) {
        switch (judgement.status()) {
            case OK, BAD_INPUT, INTERNAL_ERROR -> {}
            case UNDECIDED -> out.println(ansi.paint(Ink.BAD, "Undecided within the limits"));
            case NOT_AS_DECLARED ->
                    judgement
                            .reasons()
                            .forEach(
                                    r -> out.println(ansi.paint(Ink.BAD, "Not as declared: ") + r));
        }
    }

    /// A judgement in a few words.
    String status(ExitStatus status) {
        return switch (status) {
            case OK -> ansi.paint(Ink.GOOD, "as declared");
            case UNDECIDED -> ansi.paint(Ink.BAD, "undecided");
            case NOT_AS_DECLARED -> ansi.paint(Ink.BAD, "NOT AS DECLARED");
            case BAD_INPUT, INTERNAL_ERROR -> ansi.paint(Ink.BAD, "error");
        };
    }

    private String explored(Answer answer, RunOptions options) {
        Exploration explored = answer.exploration();
        String count = Numbers.count(explored.executions(), "execution");
        if (options.limits().symmetry()) {
            count += ", which stand for " + explored.represented();
        }
        if (explored.complete()) {
            return "Explored " + count + ": all there are (" + Numbers.rate(explored) + ")";
        }
        return "Explored " + count + ", not all: " + whyNotAll(answer, options);
    }

    /// What another strategy than the usual one says of itself.
    private void printCoverage(Answer answer, RunOptions options) {
        if (options.strategy() instanceof Reduction) {
            return;
        }
        Exploration explored = answer.exploration();
        Coverage coverage = explored.coverage();
        StringBuilder text = new StringBuilder("Strategy ").append(options.strategy().describe());
        text.append(": ").append(coverage.tracesExact() ? "" : "about ");
        text.append(Numbers.count(explored.traces(), "distinct trace"));
        if (!coverage.statement().isEmpty()) {
            text.append("; ").append(coverage.statement());
        }
        out.println(text);
    }

    private String whyNotAll(Answer answer, RunOptions options) {
        Exploration explored = answer.exploration();
        if (environment.interruption().requested()) {
            return "interrupted";
        }
        if (options.stopAtFirst() && answer.witness() != null) {
            return "stopped at the first finding";
        }
        if (explored.executions() + explored.cut() >= options.limits().maxExecutions()) {
            return "--max-executions reached";
        }
        if (explored.elapsed().compareTo(options.limits().timeout()) >= 0) {
            return "--timeout reached";
        }
        if (explored.cut() > 0) {
            String where =
                    answer.bounds().isEmpty()
                            ? Numbers.count(options.limits().maxSteps(), "step") + " (--max-steps)"
                            : String.join(", ", answer.bounds());
            return Numbers.count(explored.cut(), "execution")
                    + " cut: "
                    + where
                    + "; can the test loop forever?";
        }
        if (options.strategy() instanceof PreemptionBounded) {
            return "--preemptions reached";
        }
        return "a loop was cut; does it wait for something that no task does?";
    }
}
