// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import org.interleaf.report.Ansi;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

final class CheckTest {
    @TempDir private Path folder;
    private Cli cli;

    @BeforeEach
    void setUp() {
        cli = new Cli(folder);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    never     | Result: Never                  | 0
                    never     | Result: Sometimes              | 1
                    never     | Result: Always                 | 1
                    never     | Result: DEADLOCK               | 1
                    never     | no declaration                 | 0
                    sometimes | Result: Sometimes              | 0
                    sometimes | Result: Never                  | 1
                    sometimes | no declaration                 | 0
                    always    | Result: Always                 | 0
                    always    | Result: Sometimes              | 1
                    splat     | Result: Never                  | 1
                    splat     | no declaration                 | 1
                    splat     | Splat: WARNING try_grab_folio  | 0
                    splat     | Splat: WARNING                 | 0
                    splat     | Splat: KASAN try_grab_folio    | 1
                    never     | Splat: WARNING try_grab_folio  | 1
                    undecided | Result: Never                  | 3
                    undecided | Result: Sometimes              | 3
                    undecided | Result: Always                 | 1
                    undecided | Splat: WARNING try_grab_folio  | 3
                    first     | Result: Never                  | 1
                    first     | Result: Sometimes              | 3
                    internal  | Result: Never                  | 70
                    recursion | Result: Never                  | 70
                    """)
    void theExitStatusTellsWhetherAllIsAsDeclared(String name, String comment, int status)
            throws IOException {
        assertThat(cli.run("check", cli.test("t.litmus", name, comment))).isEqualTo(status);
    }

    @Test
    void theFirstFindingMayBeEnough() throws IOException {
        Path test = cli.test("t.litmus", "first", "Result: Sometimes");
        assertThat(cli.run("check", test, "--first")).isZero();
        assertThat(options().stopAtFirst()).isTrue();
    }

    @Test
    void aFindingThatNobodyDeclaredIsShownWithAllThereIsToKnow() throws IOException {
        assertThat(cli.run("check", cli.test("t.litmus", "splat", "Result: Never"))).isEqualTo(1);
        cli.checkGolden("check-splat.txt");
    }

    @Test
    void aTestWithoutFindingsIsAnsweredAsByHerd7() throws IOException {
        assertThat(cli.run("check", cli.test("t.litmus", "never", "Result: Never"))).isZero();
        assertThat(cli.out())
                .isEqualTo(
                        """
                        Test never Allowed
                        (herd7's summary)
                        Explored 8 executions: all there are (6/s)

                        """);
    }

    @Test
    void ofManyTestsOnlyThoseThatAreNotAsDeclaredAreShownInFull() throws IOException {
        cli.test("d/b.litmus", "sometimes", "Result: Sometimes");
        cli.test("d/e/a.litmus", "sometimes", "Result: Never");
        cli.test("d/c.litmus", "undecided", "Result: Never");
        cli.file("d/README.md", "no test");
        assertThat(cli.run("check", folder.resolve("d"))).isEqualTo(1);
        cli.checkGolden("check-folder.txt");
    }

    @Test
    void quietIsALineATest() throws IOException {
        cli.test("d/a.litmus", "never", "Result: Never");
        cli.test("d/b.litmus", "sometimes", "Result: Never");
        assertThat(cli.run("check", "-q", folder.resolve("d"))).isEqualTo(1);
        assertThat(cli.out())
                .isEqualTo(
                        """
                        never                                    Never     as declared
                        sometimes                                Sometimes NOT AS DECLARED
                            declared Never, found Sometimes
                        2 tests: 1 as declared, 1 not as declared, 0 undecided, 0 with errors
                        """);
    }

    @Test
    void oneWrongTestDoesNotKeepTheOthersFromBeingChecked() throws IOException {
        cli.file("d/a.litmus", "C broken\n\n{}\n\nP0() { r0 = ; }\n\nexists (0:r0=1)\n");
        cli.test("d/b.litmus", "never", "Result: Never");
        assertThat(cli.run("check", "-q", folder.resolve("d"))).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/d/a.litmus:5:").contains("hint: ");
        assertThat(cli.out()).contains("2 tests: 1 as declared").contains("1 with errors");
    }

    @Test
    void nothingIsRunWhereAFileIsMissing() throws IOException {
        Path test = cli.test("t.litmus", "never", "Result: Never");
        assertThat(cli.run("check", test, folder.resolve("none.litmus"))).isEqualTo(2);
        assertThat(cli.err())
                .isEqualTo("FOLDER/none.litmus: no such file or folder\nhint: check the path\n");
        assertThat(cli.engine.loaded).isEmpty();
    }

    @Test
    void aFolderWithoutTestsIsAMistake() throws IOException {
        Files.createDirectories(folder.resolve("empty"));
        assertThat(cli.run("check", folder.resolve("empty"))).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/empty: no .litmus file in this folder or below");
    }

    @Test
    void whatIsNoTestIsRefused() throws IOException {
        Path huge = folder.resolve("huge.litmus");
        try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
            file.setLength(100L << 20);
        }
        Files.write(folder.resolve("binary.litmus"), new byte[] {'C', ' ', 0, (byte) 0xff});
        cli.file("empty.litmus", "");
        cli.file("garbage.litmus", "hello, world");
        for (String name : List.of("huge", "binary", "empty", "garbage")) {
            assertThat(cli.run("check", folder.resolve(name + ".litmus"))).isEqualTo(2);
            assertThat(cli.err()).startsWith("FOLDER/" + name + ".litmus").contains("\nhint: ");
            assertThat(cli.err()).doesNotContain("Exception").doesNotContain("\tat ");
        }
    }

    @Test
    void whatIsNoPatchIsRefused() throws IOException {
        Path test = cli.test("t.litmus", "never", "Result: Never");
        for (String text : List.of("", "hello", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")) {
            Path patch = cli.file("my.patch", text);
            assertThat(cli.run("check", test, "--patch", patch)).isEqualTo(2);
            assertThat(cli.err()).startsWith("FOLDER/my.patch").contains("\nhint: ");
        }
        assertThat(cli.run("check", test, "--patch", folder.resolve("none.patch"))).isEqualTo(2);
        assertThat(cli.err()).isEqualTo("FOLDER/none.patch: no such file\nhint: check the path\n");
    }

    @Test
    void anInternalErrorAsksToBeReported() throws IOException {
        assertThat(cli.run("check", cli.test("t.litmus", "internal", ""))).isEqualTo(70);
        assertThat(cli.err())
                .isEqualTo(
                        "interleaf: internal error in FOLDER/t.litmus: [interleaf internal] the sky"
                                + " falls; please report it, with the test and this command"
                                + " (INTERLEAF_DEBUG=1 shows where it happened)\n");
    }

    @Test
    void limitsAndConfigurationReachTheEngine() throws IOException {
        Path test = cli.test("t.litmus", "never", "Result: Never");
        cli.run(
                "check",
                test,
                "--timeout",
                "1.5m",
                "--max-executions",
                "1_000",
                "--max-steps=77",
                "--config",
                "arch=x86-64",
                "--config",
                "tlb=ipi");
        assertThat(options().limits().timeout()).isEqualTo(Duration.ofSeconds(90));
        assertThat(options().limits().maxExecutions()).isEqualTo(1000);
        assertThat(options().limits().maxSteps()).isEqualTo(77);
        assertThat(options().config()).isEqualTo(Map.of("arch", "x86-64", "tlb", "ipi"));
        assertThat(cli.out()).startsWith("With arch=x86-64 tlb=ipi\nTest never");
    }

    @Test
    void aPatchSaysWhatToExpectAndHowToRun() throws IOException {
        Path test = cli.test("t.litmus", "never", "Result: Never");
        Path patch =
                cli.file(
                        "before.patch",
                        """
                        Expect: Sometimes
                        Expect-splat: WARNING grab
                        Config: tlb=broadcast
                        Control: tlb=ipi
                        """
                                + Cli.PATCH);
        assertThat(cli.run("check", test, "--patch", patch)).isZero();
        assertThat(options().config()).isEqualTo(Map.of("tlb", "broadcast"));
        assertThat(cli.out())
                .contains(
                        "./interleaf replay FOLDER/t.litmus --patch FOLDER/before.patch"
                                + " --config tlb=broadcast");
        assertThat(cli.run("check", test, "--patch", patch, "--config", "tlb=ipi")).isZero();
        assertThat(options().config()).isEqualTo(Map.of("tlb", "ipi"));
        // In a configuration of which the patch says nothing the test's own words count.
        assertThat(cli.run("check", test, "--patch", patch, "--config", "thp=never")).isEqualTo(1);
        assertThat(cli.out()).contains("Not as declared: declared Never, found Sometimes");
    }

    @Test
    void jsonHasALineForEachTest() throws IOException {
        cli.test("d/a.litmus", "splat", "Result: Never");
        cli.test("d/b.litmus", "undecided", "no declaration");
        Path json = folder.resolve("out.json");
        assertThat(cli.run("check", folder.resolve("d"), "--json", json)).isEqualTo(1);
        List<String> lines = Files.readAllLines(json);
        assertThat(lines).hasSize(2);
        JsonObject expected =
                JsonParser.parseString(
                                """
                                {"test": "splat", "file": "FOLDER/d/a.litmus", "variant": null,
                                 "strategy": "dpor", "traces": 8, "coverage": null,
                                 "verdict": "Never", "positive": 0, "negative": 8,
                                 "states": ["0:r0=0;", "0:r0=1;"],
                                 "splats": [{"kind": "WARNING", "where": "try_grab_folio",
                                             "text": "the count of page 7 is zero"}],
                                 "executions": 8, "represented": 8, "cut": [],
                                 "complete": true, "seconds": 1.25,
                                 "expected": "Never", "ok": false, "replay": "il1:beef:0*2.1.0"}
                                """)
                        .getAsJsonObject();
        String first = lines.getFirst().replace(folder.toString(), "FOLDER");
        assertThat(JsonParser.parseString(first)).isEqualTo(expected);
        JsonObject second = JsonParser.parseString(lines.getLast()).getAsJsonObject();
        assertThat(second.get("ok").isJsonNull()).isTrue();
        assertThat(second.get("expected").isJsonNull()).isTrue();
        assertThat(second.get("replay").isJsonNull()).isTrue();
        assertThat(second.get("verdict").getAsString()).isEqualTo("Undecided");
    }

    @Test
    void jsonThatCannotBeWrittenIsAMistakeBeforeAnythingRuns() throws IOException {
        Path test = cli.test("t.litmus", "never", "Result: Never");
        assertThat(cli.run("check", test, "--json", folder.resolve("no/such/out"))).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/no/such/out: cannot be written");
        assertThat(cli.engine.loaded).isEmpty();
    }

    @Test
    void afterAnInterruptionNothingMoreIsRun() throws Exception {
        cli.test("d/a.litmus", "never", "Result: Never");
        Thread hook = new Thread(cli.interruption::onShutdown);
        hook.start();
        while (!cli.interruption.requested()) {
            Thread.onSpinWait();
        }
        cli.test("d/b.litmus", "never", "Result: Never");
        assertThat(cli.run("check", folder.resolve("d"))).isZero();
        assertThat(cli.out())
                .isEqualTo(
                        "2 tests: 0 as declared, 0 not as declared, 0 undecided, 0 with errors,"
                                + " the rest not run\n");
        assertThat(hook.isAlive()).as("the JVM waits until all is printed").isTrue();
        cli.interruption.finished();
        hook.join();
    }

    @Test
    void colourAndProgressAreForTerminals() throws IOException {
        Path test = cli.test("t.litmus", "splat", "Result: Never");
        cli.run("check", test);
        String plain = cli.out();
        assertThat(plain).doesNotContain("\u001b");
        cli.on(new Terminal(true, Ansi.ON)).run("check", test);
        assertThat(cli.out()).contains("\u001b[1;31mNot as declared: \u001b[0m");
        assertThat(cli.out().replaceAll("\u001b\\[[0-9;]*[mK]", "")).isEqualTo(plain);
    }

    private org.interleaf.run.RunOptions options() {
        return Objects.requireNonNull(cli.engine.last());
    }
}
