// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The litmus archive of the Linux-kernel memory model and what herd7 says of it: not part of this
/// repository, so these tests run where `-Dlkmm=FOLDER` says where it is.
@EnabledIfSystemProperty(named = "lkmm", matches = ".+")
final class LkmmArchiveTest {
    private static final Limits LIMITS = Limits.NONE.withTimeout(Duration.ofMinutes(1));

    private static Path archive() {
        return Path.of(System.getProperty("lkmm"));
    }

    /// Each test can be read and set up, and does not crash.
    @TestFactory
    Stream<DynamicTest> runs() {
        return Tests.litmusFilesBelow(archive()).stream()
                .map(
                        file ->
                                dynamicTest(
                                        archive().relativize(file).toString(),
                                        () -> runBriefly(file)));
    }

    private static void runBriefly(Path file) {
        LitmusTest test = LitmusTest.parse(Source.read(file));
        Tests.Result result = Tests.explore(test, LIMITS.withMaxExecutions(100));
        assertThat(result.exploration().executions()).isPositive();
    }

    /// The final states are exactly those that herd7 gives under sequential consistency, in its
    /// order, and so is the verdict.
    @TestFactory
    Stream<DynamicTest> hasTheStatesOfHerd() throws IOException {
        return Files.readAllLines(archive().resolve("herd7-sc.jsonl")).stream()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .map(
                        expected ->
                                dynamicTest(
                                        expected.get("test").getAsString(),
                                        () -> compare(expected)));
    }

    private static void compare(JsonObject expected) {
        Path file = archive().resolve(expected.get("test").getAsString());
        LitmusTest test = LitmusTest.parse(Source.read(file));
        Tests.Result result = Tests.explore(test, LIMITS);
        List<String> states = new ArrayList<>();
        for (JsonElement state : expected.getAsJsonArray("states")) {
            states.add(state.getAsString());
        }
        assertThat(result.complete()).as("explored to the end").isTrue();
        assertThat(result.states()).isEqualTo(states);
        assertThat(result.verdict()).isEqualTo(expected.get("observation").getAsString());
        assertThat(test.condition().quantifier().kind())
                .isEqualTo(expected.get("kind").getAsString());
    }
}
