// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

final class DeliberateBugTest {
    private static final Path FOLDER = Path.of("src/main/resources/bugs");

    @TestFactory
    Stream<DynamicTest> everyTrialPassesAsItIs() {
        return Trials.names().stream()
                .map(
                        name ->
                                dynamicTest(
                                        name,
                                        () -> assertThat(new Trials().apply(name)).isEmpty()));
    }

    @TestFactory
    Stream<DynamicTest> everyBugIsCaught() {
        // While formatting, the sources change under the build.
        assumeThat(System.getProperty("format")).isNotEqualTo("apply");
        return DeliberateBug.all().stream()
                .map(
                        bug ->
                                dynamicTest(
                                        bug.mechanism() + ": " + bug.text(),
                                        () -> assertThat(bug.provoke()).isNotEmpty()));
    }

    /// A trial that no bug was ever put to may be one that never fails.
    @Test
    void everyBugHasATrial() {
        List<String> trials = DeliberateBug.all().stream().map(DeliberateBug::trial).toList();
        assertThat(Trials.names()).containsAll(trials);
    }

    @Test
    void everyPatchIsInTheOrder() throws IOException {
        List<String> files;
        try (Stream<Path> paths = Files.list(FOLDER)) {
            files = paths.map(path -> path.getFileName().toString()).toList();
        }
        List<String> named = DeliberateBug.all().stream().map(bug -> bug.patch().name()).toList();
        assertThat(files).hasSize(named.size() + 1).containsAll(named);
    }
}
