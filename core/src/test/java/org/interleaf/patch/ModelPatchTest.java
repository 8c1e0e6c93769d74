// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.trace.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

final class ModelPatchTest {
    private static final String GUP = "core/src/main/java/org/interleaf/mm/GupFast.java";
    private static final String DIFF =
            """
            diff --git a/%1$s b/%1$s
            index 1234567..89abcde 100644
            --- a/%1$s
            +++ b/%1$s
            @@ -10,3 +10,4 @@ final class GupFast {
             a
            -b
            +c
            +d
             e
            @@ -20 +21,2 @@
            -x
            \\ No newline at end of file
            +x
            +y
            """
                    .formatted(GUP);
    private static final String PATCH =
            """
            From: A Developer <dev@example.org>
            Subject: put the old recheck back

            Story: in 2014 there was no IPI.
            Tested-by: nobody
            Test: zap.litmus
            Expect: Sometimes
            Expect-splat: KASAN gup_fast_pte_range
            Expect-splat: WARNING
            Config: arch=arm64-4k tlb=broadcast
            Control: arch=arm64-4k tlb=ipi
            Control: arch=x86-64
            ---
             GupFast.java | 5 +++--
            """
                    + DIFF
                    + "-- \n2.43.0\n\n";

    @TempDir private Path folder;

    @Test
    void theHeaderSaysWhatMustBeFound() {
        PatchHeader header = ModelPatch.parse("before.patch", PATCH).header();
        assertThat(header.test()).isEqualTo("zap.litmus");
        assertThat(header.expect()).isEqualTo(Verdict.SOMETIMES);
        assertThat(header.expectSplats()).containsExactly("KASAN gup_fast_pte_range", "WARNING");
        assertThat(header.config())
                .containsExactly(Map.entry("arch", "arm64-4k"), Map.entry("tlb", "broadcast"));
        assertThat(header.controls())
                .containsExactly(
                        Map.of("arch", "arm64-4k", "tlb", "ipi"), Map.of("arch", "x86-64"));
        assertThat(header.story())
                .startsWith("From: A Developer")
                .contains("Story: in 2014 there was no IPI.")
                .doesNotContain("Expect");
    }

    @Test
    void aDiffNeedsNoHeader() {
        ModelPatch patch = ModelPatch.parse("plain.patch", DIFF);
        assertThat(patch.header().expect()).isNull();
        assertThat(patch.header().test()).isNull();
        assertThat(patch.header().story()).isEmpty();
        assertThat(patch.files()).containsExactly(GUP);
    }

    @Test
    void hunksKeepTheirLines() {
        FileChange change = ModelPatch.parse("my.patch", PATCH).changes().getFirst();
        assertThat(change.hunks()).hasSize(2);
        Hunk first = change.hunks().getFirst();
        assertThat(first.before()).extracting(Hunk.Line::text).containsExactly("a", "b", "e");
        assertThat(first.after()).extracting(Hunk.Line::text).containsExactly("a", "c", "d", "e");
        Hunk second = change.hunks().getLast();
        assertThat(second.after()).extracting(Hunk.Line::text).containsExactly("x", "y");
    }

    @Test
    void otherNotationsOfTheSame() {
        for (String text :
                List.of(
                        DIFF.replace("\n", "\r\n"),
                        DIFF.replace(" a/", " ").replace(" b/", " "),
                        DIFF.replace(" a/", " i/").replace(" b/", " w/"),
                        DIFF.replace("java\n@@", "java\t2014-10-26 20:19:20\n@@"),
                        DIFF.substring(DIFF.indexOf("---")),
                        DIFF.stripTrailing())) {
            assertThat(ModelPatch.parse("my.patch", text).files()).containsExactly(GUP);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    Expect: Maybe                 | 1: unknown expectation 'Maybe'
                    Expect:                       | 1: unknown expectation ''
                    Expected: Never               | 1: unknown declaration 'Expected:'
                    Expect-spalt: KASAN           | 1: unknown declaration 'Expect-spalt:'
                    expect: Never                 | 1: unknown declaration 'expect:'
                    Test: other/zap.litmus        | 1: Test: 'other/zap.litmus' is no test
                    Test: zap                     | 1: Test: 'zap' is no test
                    Tests: zap.litmus             | 1: unknown declaration 'Tests:'
                    Expect-splat:                 | 1: nothing follows Expect-splat:
                    Config: arch                  | 1: Config: 'arch' is not a setting
                    Config: arch=                 | 1: Config: 'arch=' is not a setting
                    Config: arch = x86-64         | 1: Config: 'arch' is not a setting
                    Config: tlb=ipi tlb=broadcast | 1: Config: tlb is set twice
                    Control:                      | 1: Control: '' is not a setting
                    Controls: arch=x86-64         | 1: unknown declaration 'Controls:'
                    """)
    void aWrongDeclarationIsRefused(String line, String message) {
        refuses(line + "\n" + DIFF, "my.patch:" + message);
    }

    @Test
    void oneExpectationAndOneConfigurationAreEnough() {
        refuses("Expect: Never\nExpect: Never\n" + DIFF, "my.patch:2: a second Expect: line");
        refuses("Test: a.litmus\nTest: a.litmus\n" + DIFF, "my.patch:2: a second Test: line");
        refuses("Config: a=b\n\nConfig: c=d\n" + DIFF, "my.patch:3: a second Config: line");
    }

    @Test
    void onlyTheModelCanBePatched() {
        for (String path :
                List.of(
                        "core/src/main/java/org/interleaf/machine/Word.java",
                        "core/src/main/java/org/interleaf/check/Kasan.java",
                        "core/src/main/java/org/interleaf/mm/../machine/Word.java",
                        "core/src/main/java/org/interleaf/mm/notes.txt",
                        "src/main/java/org/interleaf/mm/GupFast.java",
                        "/etc/passwd",
                        "")) {
            refuses(
                    DIFF.replace(GUP, path),
                    "my.patch:3: only Java files of the kernel model can be patched, not '");
        }
    }

    @Test
    void aHunkThatWasCutOrEditedIsRefused() {
        refuses(
                DIFF.replace("-b\n", ""),
                """
                my.patch:5: hunk 1 has not as many lines as its header says
                hint: if none got lost, the header should be `@@ -10,2 +10,4 @@`\
                """);
        refuses(
                DIFF.replace("+d\n", "+d\n+dd\n"),
                """
                my.patch:5: hunk 1 has not as many lines as its header says
                hint: if none got lost, the header should be `@@ -10,3 +10,5 @@`\
                """);
        refuses(DIFF.replace("+y\n", ""), "my.patch:11: hunk 2 has not as many lines");
        refuses(
                DIFF.replace("@@ -20 ", "@@ -2o "),
                "my.patch:11: cannot read the header of hunk 2");
        refuses(
                DIFF.replace("-b\n+c\n+d", " b").replace("3 +10,4", "3 +10,3"),
                "my.patch:5: hunk 1 changes nothing");
    }

    @Test
    void whatIsNoDiffOfTextFilesIsRefused() {
        refuses("", "my.patch: the file is empty");
        refuses(" \n\n", "my.patch: the file is empty");
        refuses("Hello, world\n", "my.patch: no diff in it");
        refuses("{\"a\": [1, 2]}", "my.patch: no diff in it");
        refuses("@@ -1 +1 @@\n-a\n+b\n", "my.patch:1: a hunk of no file");
        refuses("diff --git a/x b/x\n", "my.patch:1: a diff without a change");
        refuses(
                "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
                "my.patch:3: renamed, copied and binary files are not supported");
        refuses(
                "diff --git a/x b/x\nBinary files a/x and b/x differ\n",
                "my.patch:2: renamed, copied and binary files are not supported");
        refuses(
                DIFF.replace("+++ b/" + GUP, "+++ b/" + GUP.replace("Fast", "Slow")),
                "my.patch:3: the file has two names");
        refuses("--- a/" + GUP + "\n+++ b/" + GUP + "\n", "my.patch:2: no hunk follows");
    }

    @Test
    void aFileThatCannotBeAPatchIsRefused() throws IOException {
        assertThatThrownBy(() -> ModelPatch.read(folder.resolve("none.patch")))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("none.patch: no such file");
        assertThatThrownBy(() -> ModelPatch.read(folder))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining(": is a folder");
        Path binary = Files.write(folder.resolve("binary"), new byte[] {'-', 0, 1, 2});
        assertThatThrownBy(() -> ModelPatch.read(binary)).hasMessageContaining(": is not text");
        Path latin1 = Files.write(folder.resolve("latin1"), new byte[] {'-', (byte) 0xe4, ' '});
        assertThatThrownBy(() -> ModelPatch.read(latin1)).hasMessageContaining(": is not text");
        Path huge = folder.resolve("huge");
        try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
            file.setLength(100L << 20);
        }
        assertThatThrownBy(() -> ModelPatch.read(huge))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining(": is too long for a patch (more than 4 MiB)");
    }

    @Test
    void aPatchIsReadFromItsFile() throws IOException {
        Path file = Files.writeString(folder.resolve("my.patch"), PATCH);
        ModelPatch patch = ModelPatch.read(file);
        assertThat(patch.name()).isEqualTo(file.toString());
        assertThat(patch.text()).isEqualTo(PATCH);
    }

    /// A patch that is wrong at any one character is either still one or refused as such.
    @Test
    void noMistakeIsMetWithAnotherException() {
        for (int i = 0; i < PATCH.length(); i++) {
            for (String put : List.of("", "\n", "@", "-", "+", " ", "\\", "9", "\0")) {
                String text = PATCH.substring(0, i) + put + PATCH.substring(i + 1);
                try {
                    assertThat(ModelPatch.parse("my.patch", text).files()).isNotEmpty();
                } catch (PatchException e) {
                    assertThat(e.getMessage()).startsWith("my.patch").contains("\nhint: ");
                }
            }
        }
    }

    private static void refuses(String text, String message) {
        assertThatThrownBy(() -> ModelPatch.parse("my.patch", text))
                .isInstanceOf(PatchException.class)
                .hasMessageStartingWith(message);
    }
}
