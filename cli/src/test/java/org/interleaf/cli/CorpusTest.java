// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import static java.util.Objects.requireNonNull;

import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.report.ColumnTrace;
import org.interleaf.report.TraceStyle;
import org.interleaf.run.Answer;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The corpus on the real model: each bug is found with its patch, and nothing without it or where
/// it is harmless. What was found replays from the text of its token.
final class CorpusTest {
    private static final Path CORPUS = Path.of("..", "races");
    private static final Engine ENGINE = new Engine.RealEngine();

    @TestFactory
    List<DynamicContainer> everyVariantIsAsItDeclares() throws IOException {
        try (Stream<Path> folders = Files.list(CORPUS)) {
            List<Race> races = folders.filter(Files::isDirectory).sorted().map(Race::read).toList();
            assertThat(races).isNotEmpty();
            return races.stream()
                    .map(race -> dynamicContainer(race.name(), variants(race)))
                    .toList();
        }
    }

    private static Stream<DynamicTest> variants(Race race) {
        return race.variants().stream()
                .map(
                        variant ->
                                dynamicTest(
                                        variant.label() + " " + variant.config(),
                                        () -> check(variant)));
    }

    private static void check(Race.Variant variant) {
        Engine.Runner runner = ENGINE.load(variant.options());
        Answer answer = runner.check(Source.read(variant.test()));
        Judgement judgement = Judgement.of(variant.expected(), answer, false);
        assertThat(judgement.reasons()).isEmpty();
        assertThat(judgement.status()).isEqualTo(ExitStatus.OK);
        assertThat(answer.exploration().complete()).isTrue();
        assertThat(answer.exploration().superfluous()).isZero();
        Schedule witness = answer.witness();
        if (witness != null) {
            replays(runner, variant, answer, Schedule.parse(witness.toString()));
        }
    }

    private static void replays(
            Engine.Runner runner, Race.Variant variant, Answer answer, Schedule schedule) {
        Recording again = runner.replay(Source.read(variant.test()), schedule);
        Recording first = requireNonNull(answer.recording());
        assertThat(again.steps()).isEqualTo(first.steps());
        assertThat(again.violations()).isEqualTo(first.violations());
        assertThat(again.finalState()).isEqualTo(first.finalState());
        String trace = ColumnTrace.render(again, TraceStyle.PLAIN);
        boolean alone = LitmusTest.parse(Source.read(variant.test())).processes().size() == 1;
        if (alone || again.violations().stream().anyMatch(CorpusTest::needsNobodyElse)) {
            assertThat(trace).containsPattern("CPU [01] ");
        } else {
            assertThat(trace).contains("CPU 0").contains("CPU 1");
        }
    }

    /// As a change under the wrong lock, or an assertion that always fails.
    private static boolean needsNobodyElse(Violation violation) {
        return violation.latent() || violation.kind().startsWith("WARNING");
    }
}
