// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.difflib.DiffUtils;
import com.github.difflib.UnifiedDiffUtils;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Applying patches to one file of numbered lines.
final class ApplyTest {
    private static final String PATH = "core/src/main/java/org/interleaf/mm/Lines.java";
    private static final String AT_20 =
            """
            --- a/core/src/main/java/org/interleaf/mm/Lines.java
            +++ b/core/src/main/java/org/interleaf/mm/Lines.java
            @@ -17,7 +17,7 @@
             line 17
             line 18
             line 19
            -line 20
            +changed
             line 21
             line 22
             line 23
            """;

    @TempDir private Path folder;

    private static List<String> numbered(int from, int to) {
        List<String> lines = new ArrayList<>();
        for (int i = from; i <= to; i++) {
            lines.add("line " + i);
        }
        return lines;
    }

    private List<String> apply(List<String> file, String... patches) throws IOException {
        return patchedLines(file, patches).stream().map(SourceLine::text).toList();
    }

    private List<SourceLine> patchedLines(List<String> file, String... patches) throws IOException {
        Path source = folder.resolve("src/org/interleaf/mm/Lines.java");
        Files.createDirectories(source.getParent());
        Files.write(source, file);
        PatchedSources sources = new PatchedSources(ModelSources.in(PatchScope.MODEL, folder));
        for (String patch : patches) {
            sources.apply(ModelPatch.parse("my.patch", patch));
        }
        return sources.files().getOrDefault(PATH, List.of());
    }

    @Test
    void linesRememberWhereTheyCameFrom() throws IOException {
        List<SourceLine> lines = patchedLines(numbered(1, 30), AT_20);
        assertThat(lines.get(19)).isEqualTo(new SourceLine("changed", "my.patch", 8, true));
        assertThat(lines.get(20)).isEqualTo(new SourceLine("line 21", PATH, 21, false));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 40})
    void aHunkIsFoundWhereItsLinesHaveMoved(int by) throws IOException {
        List<String> file = new ArrayList<>(numbered(101, 100 + by));
        file.addAll(numbered(1, 30));
        List<String> expected = new ArrayList<>(file);
        expected.set(by + 19, "changed");
        assertThat(apply(file, AT_20)).isEqualTo(expected);
    }

    @Test
    void contextAtTheEndsOfAHunkMayHaveChanged() throws IOException {
        List<String> file = numbered(1, 30);
        file.set(16, "other 17");
        file.set(17, "other 18");
        file.set(22, "other 23");
        List<String> expected = new ArrayList<>(file);
        expected.set(19, "changed");
        assertThat(apply(file, AT_20)).isEqualTo(expected);
    }

    @Test
    void contextBesideTheChangeMayNotHaveChanged() {
        List<String> file = numbered(1, 30);
        file.set(18, "other 19");
        assertThatThrownBy(() -> apply(file, AT_20))
                .isInstanceOf(PatchException.class)
                .hasMessage(
                        "my.patch:6: hunk 1 does not apply to "
                                + PATH
                                + ": expected \"line 19\" at line 19, found \"other 19\"\n"
                                + "hint: the model is not the one that the patch was made for:"
                                + " make it anew");
    }

    @Test
    void ofTwoPlacesTheExpectedOneIsTaken() throws IOException {
        List<String> file = numbered(1, 30);
        file.addAll(numbered(1, 30));
        List<String> expected = new ArrayList<>(file);
        expected.set(19, "changed");
        assertThat(apply(file, AT_20)).isEqualTo(expected);
    }

    @Test
    void ofTwoPlacesNeitherOfWhichWasExpectedNoneIsTaken() {
        List<String> file = new ArrayList<>(List.of("new first line"));
        file.addAll(numbered(1, 30));
        file.addAll(numbered(1, 30));
        assertThatThrownBy(() -> apply(file, AT_20))
                .isInstanceOf(PatchException.class)
                .hasMessageStartingWith("my.patch:3: hunk 1 fits at lines 18 and 48 of " + PATH);
    }

    @Test
    void aHunkWithoutContextIsRefused() {
        String patch =
                """
                --- a/core/src/main/java/org/interleaf/mm/Lines.java
                +++ b/core/src/main/java/org/interleaf/mm/Lines.java
                @@ -20,0 +21,1 @@
                +somewhere
                """;
        assertThatThrownBy(() -> apply(numbered(1, 30), patch))
                .isInstanceOf(PatchException.class)
                .hasMessageStartingWith("my.patch:3: hunk 1 has no context");
    }

    @Test
    void aSecondApplicationIsRecognised() {
        String patch = AT_20.replace("+17,7", "+17,8").replace("+changed", "+one\n+two");
        assertThatThrownBy(() -> apply(numbered(1, 30), patch, patch))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("expected \"line 20\" at line 20, found \"one\"")
                .hasMessageContaining("is the patch given twice?");
    }

    @Test
    void lostWhiteSpaceIsRecognised() {
        List<String> file = numbered(1, 30);
        file.set(19, "    line 20");
        assertThatThrownBy(() -> apply(file, AT_20))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("they differ in white space only");
    }

    @Test
    void theEndOfTheFileIsSaidToBeThere() {
        assertThatThrownBy(() -> apply(numbered(1, 20), AT_20))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("expected \"line 21\" at line 21, found the end of the file");
    }

    @Test
    void aFileThatIsNotThereCannotBeChanged() {
        String patch = AT_20.replace("Lines.java", "Other.java");
        assertThatThrownBy(() -> apply(numbered(1, 30), patch))
                .isInstanceOf(PatchException.class)
                .hasMessageStartingWith("my.patch:1: the model has no file ");
    }

    @Test
    void aFileThatIsThereCannotBeAdded() {
        String patch =
                """
                --- /dev/null
                +++ b/core/src/main/java/org/interleaf/mm/Lines.java
                @@ -0,0 +1 @@
                +first
                """;
        assertThatThrownBy(() -> apply(numbered(1, 30), patch))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("is there already");
    }

    @Test
    void aFileIsDeletedOnlyWhole() throws IOException {
        String patch =
                """
                --- a/core/src/main/java/org/interleaf/mm/Lines.java
                +++ /dev/null
                @@ -1,2 +0,0 @@
                -line 1
                -line 2
                """;
        assertThat(apply(numbered(1, 2), patch)).isEmpty();
        assertThatThrownBy(() -> apply(numbered(1, 3), patch))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("more lines than the patch removes, such as \"line 3\"");
    }

    /// Whatever changes there are between two texts: their diff turns the one into the other.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void theDiffOfTwoTextsTurnsOneIntoTheOther(long seed) throws IOException {
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            List<String> before = numbered(1, 10 + random.nextInt(60));
            List<String> after = edited(before, random);
            if (!after.equals(before)) {
                var diff = DiffUtils.diff(before, after);
                int context = 1 + random.nextInt(4);
                List<String> text =
                        UnifiedDiffUtils.generateUnifiedDiff(
                                "a/" + PATH, "b/" + PATH, before, diff, context);
                assertThat(apply(before, String.join("\n", text))).isEqualTo(after);
            }
        }
    }

    private static List<String> edited(List<String> before, Random random) {
        List<String> after = new ArrayList<>(before);
        for (int edits = random.nextInt(6); edits >= 0; edits--) {
            int at = random.nextInt(after.size());
            switch (random.nextInt(3)) {
                case 0 -> after.add(at, "-- added " + random.nextInt(100));
                case 1 -> after.set(at, "++ changed " + random.nextInt(100));
                default -> after.remove(at);
            }
        }
        return after;
    }
}
