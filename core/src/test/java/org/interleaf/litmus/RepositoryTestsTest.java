// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.Expectation;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;

/// Each litmus test of the repository comes out as it says.
final class RepositoryTestsTest {
    @Test
    void thereAreTests() {
        assertThat(Tests.files()).hasSizeGreaterThan(30);
    }

    @TestFactory
    Stream<DynamicTest> comesOutAsItSays() {
        return Tests.files().stream()
                .map(file -> dynamicTest(file.getFileName().toString(), () -> check(file)));
    }

    private static void check(Path file) {
        LitmusTest test = LitmusTest.parse(Source.read(file));
        Expectation expected = test.expectation();
        Tests.Result result = Tests.explore(test, Limits.NONE);
        assertThat(result.complete()).as("explored to the end").isTrue();
        switch (Objects.requireNonNull(expected.result(), "no Result: line")) {
            case DEADLOCK -> assertThat(result.program().deadlocks()).isPositive();
            case NEVER, SOMETIMES, ALWAYS -> {
                assertThat(result.verdict()).isEqualTo(expected.result().word());
                assertThat(result.program().deadlocks()).isZero();
            }
        }
        assertThat(result.splats()).hasSameSizeAs(expected.splats());
        for (int i = 0; i < expected.splats().size(); i++) {
            Expectation.Splat splat = expected.splats().get(i);
            assertThat(result.splats().get(i)).startsWith(splat.kind() + " " + splat.where());
        }
    }
}
