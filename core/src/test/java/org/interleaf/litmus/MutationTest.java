// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A test that is wrong at any character gives a message or runs, but never crashes or hangs: each
/// test of the repository is cut at each character, and has each character dropped, repeated or
/// replaced.
final class MutationTest {
    /// Replacements that most often change the meaning, and one that is no C at all.
    private static final String REPLACEMENTS = "(){}[]*&=;:,0x\"'/~\u0001";

    private static final Limits FEW = Limits.NONE.withMaxExecutions(2).withMaxSteps(300);

    @TestFactory
    List<DynamicTest> neverCrashes() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Path file : Tests.files()) {
            tests.add(
                    DynamicTest.dynamicTest(
                            file.getFileName().toString(), () -> mutate(Source.read(file).text())));
        }
        return tests;
    }

    private static void mutate(String text) {
        int refused = 0;
        for (int i = 0; i < text.length(); i++) {
            char replacement = REPLACEMENTS.charAt(i % REPLACEMENTS.length());
            refused += attempt(text.substring(0, i));
            refused +=
                    switch (i % 3) {
                        case 0 -> attempt(text.substring(0, i) + text.substring(i + 1));
                        case 1 -> attempt(text.substring(0, i) + text.substring(i - 1));
                        default ->
                                attempt(text.substring(0, i) + replacement + text.substring(i + 1));
                    };
        }
        assertThat(refused).as("mutants refused").isPositive();
    }

    /// 1 where the text was refused with a message, 0 where it ran.
    private static int attempt(String text) {
        try {
            LitmusTest test = LitmusTest.parse(Source.of("mutant.litmus", text));
            Tests.explore(test, FEW);
            return 0;
        } catch (LitmusException e) {
            assertThat(e.problem()).isNotEmpty();
            assertThat(e.hint()).isNotEmpty();
            return 1;
        }
    }
}
