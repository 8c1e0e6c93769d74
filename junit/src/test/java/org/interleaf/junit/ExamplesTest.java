// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.junit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The examples of docs/library.md do what it says, and it shows what they are and print.
final class ExamplesTest {
    private static final Path PAGE = Path.of("../docs/library.md");
    private static final Path EXAMPLES = Path.of("src/test/java/org/interleaf/examples");

    private static Class<?> example(String name) throws ClassNotFoundException {
        return Class.forName("org.interleaf.examples." + name);
    }

    @ParameterizedTest
    @CsvSource({
        "SeqlockExample, readersSeeWhatWasWrittenTogether",
        "RcuListExample, readersFinishBeforeAnItemIsFreed"
    })
    void whatIsRightPasses(String name, String method) throws ClassNotFoundException {
        assertThat(Run.of(example(name), method)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "CounterExample, bothAdditionsCount",
        "SeqlockExample, aCarelessReaderSeesHalf",
        "RcuListExample, anItemThatIsFreedAtOnceIsStillRead"
    })
    void whatIsWrongFailsAsThePageShows(String name, String method)
            throws ClassNotFoundException, IOException {
        String said = Run.of(example(name), method);
        assertThat(said).contains("replay: @Explore(replay = \"il1:");
        assertThat(Files.readString(PAGE)).contains("```\n" + said.strip() + "\n```");
    }

    /// Every block of Java on the page is part of an example, but for its indentation.
    @Test
    void codeOnThePageIsCodeThatRuns() throws IOException {
        StringBuilder sources = new StringBuilder();
        for (String name : new String[] {"CounterExample", "SeqlockExample", "RcuListExample"}) {
            sources.append(Files.readString(EXAMPLES.resolve(name + ".java")).indent(-4));
        }
        String[] parts = Files.readString(PAGE).split("```java\n", -1);
        assertThat(parts).hasSizeGreaterThan(3);
        for (int i = 1; i < parts.length; i++) {
            String block = parts[i].substring(0, parts[i].indexOf("```"));
            assertThat(sources).contains(block);
        }
    }
}
