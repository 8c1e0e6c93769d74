// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The forms in which an execution is shown, as the command line offers them.
final class SeeingTest {
    @TempDir private Path folder;
    private Cli cli;
    private Path test;

    @BeforeEach
    void setUp() throws IOException {
        cli = new Cli(folder);
        test = cli.test("t.litmus", "sometimes", "Result: Sometimes");
    }

    @Test
    void aTraceIsDrawnAsInACommitMessage() {
        assertThat(cli.run("check", test, "--commit-message")).isZero();
        assertThat(cli.out())
                .contains(
                        """
                        \tCPU0\t\tCPU1
                        \t----\t\t----
                        \tx: 0 -> 1
                        \t\t\tx == 1
                        """);
    }

    @Test
    void aTraceFitsTheWidthThatIsAskedFor() {
        assertThat(cli.run("check", test, "--width", "40")).isZero();
        assertThat(cli.out().lines().filter(line -> line.contains("WRITE_ONCE")))
                .isNotEmpty()
                .allMatch(line -> line.length() <= 40);
        assertThat(cli.run("check", test, "--width", "4")).isEqualTo(2);
        assertThat(cli.err()).contains("--width 4: no trace has that many columns\nhint: ");
    }

    @Test
    void everyStepIsShownWhenAskedFor() {
        assertThat(cli.run("check", test)).isZero();
        assertThat(cli.out()).doesNotContain("mmap_lock");
        assertThat(cli.run("check", test, "--full")).isZero();
        assertThat(cli.out()).contains("unlock(mmap_lock)");
    }

    @Test
    void theGraphGoesToAFile() throws IOException {
        Path dot = folder.resolve("t.dot");
        assertThat(cli.run("check", test, "--dot", dot)).isZero();
        assertThat(Files.readString(dot)).startsWith("digraph execution {").contains("s1 -> s2");
    }

    @Test
    void thePageGoesToAFile() throws IOException {
        Path page = folder.resolve("t.html");
        assertThat(cli.run("check", test, "--report", page)).isZero();
        assertThat(Files.readString(page))
                .startsWith("<!DOCTYPE html>")
                .contains("Sometimes: the condition holds in 3 of 8 executions, which are all");
    }

    @Test
    void aPageThatCannotBeWrittenIsAMistake() {
        Path page = folder.resolve("no/such/folder/t.html");
        assertThat(cli.run("check", test, "--report", page)).isEqualTo(2);
        assertThat(cli.err()).contains("cannot be written").contains("hint: ");
    }

    @Test
    void thereIsOnePageForOneTest() throws IOException {
        cli.test("d/a.litmus", "never", "Result: Never");
        cli.test("d/b.litmus", "never", "Result: Never");
        Path page = folder.resolve("t.html");
        assertThat(cli.run("check", folder.resolve("d"), "--report", page)).isEqualTo(2);
        assertThat(cli.err())
                .contains("--report is for a single test, and these are 2")
                .contains("races --report DIR");
        assertThat(page).doesNotExist();
    }

    @Test
    void theCorpusIsWrittenToAFolder() throws IOException {
        cli.test("races/one/race.litmus", "never", "Result: Never");
        cli.file(
                "races/one/before.patch",
                "Expect: Sometimes\nExpect-splat: WARNING\n\n" + Cli.PATCH);
        cli.file("races/one/README.md", "# A `race`\n\nIts story,\ntold.\n\n| a | b |\n");
        Path pages = folder.resolve("pages");
        assertThat(cli.run("races", "--report", pages)).isZero();
        assertThat(pages.resolve("one--before.patch.html")).isNotEmptyFile();
        assertThat(Files.readString(pages.resolve("index.html")))
                .contains("\"title\":\"A race\"")
                .contains("\"story\":\"Its story, told.\"")
                .contains("\"page\":\"one--before.patch.html\"");
    }

    @Test
    void aStoryIsWhatADeclarationIsNot() {
        String story =
                Story.ofTest("C t\n\n(*\n * Result: Never\n *\n * One\n * story.\n *)\n{}\n");
        assertThat(story).isEqualTo("One story.");
        assertThat(Story.ofTest("C t\n{}\n")).isEmpty();
    }
}
