// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Pct;
import org.interleaf.explore.PreemptionBounded;
import org.interleaf.explore.Strategy;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.report.ColumnTrace;
import org.interleaf.report.TraceStyle;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Violation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// The execution that an answer shows is short, shows what it should, and ends with it.
final class SimplestTest {
    private static final Path RACE = Path.of("../races/gup-fast-vs-collapse");

    private static Answer check(TestRunner runner, RunOptions options, String test) {
        return runner.with(options).check(Source.read(RACE.resolve(test + ".litmus")));
    }

    private static RunOptions patched(String patch) {
        return RunOptions.DEFAULT
                .withPatches(List.of(ModelPatch.read(RACE.resolve(patch + ".patch"))))
                .withLimits(Limits.NONE.withMaxExecutions(20_000));
    }

    @ParameterizedTest
    @CsvSource({
        "race, before, 3, 60",
        "zap, atomic-add, 2, 25",
        "reuse, no-ipi-reuse, 2, 25",
    })
    void aRaceIsShownWithFewSwitchesAndLines(String test, String patch, int switches, int lines) {
        RunOptions options = patched(patch);
        TestRunner runner = new TestRunner(options);
        for (Strategy strategy :
                List.of(new Exhaustive(), new PreemptionBounded(2), new Pct(3, 1))) {
            Answer answer = check(runner, options.withStrategy(strategy), test);
            Recording shown = Objects.requireNonNull(answer.recording());
            assertThat(shown.schedule().switches()).as(strategy.describe()).isEqualTo(switches);
            assertThat(ColumnTrace.render(shown, TraceStyle.PLAIN).lines().count())
                    .isLessThanOrEqualTo(lines);
            if (answer.violations().isEmpty()) {
                assertThat(shown.finalState()).isNotEmpty();
            } else {
                Violation first = answer.violations().getFirst();
                assertThat(shown.violations().getFirst().title()).isEqualTo(first.title());
                assertThat(shown.violations().getFirst().step())
                        .as("the failure ends the trace")
                        .isEqualTo(shown.steps().size() - 1);
            }
        }
    }
}
