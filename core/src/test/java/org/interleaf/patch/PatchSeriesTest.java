// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

final class PatchSeriesTest {
    private static final String DIFF =
            """
            --- a/core/src/main/java/org/interleaf/mm/Gup.java
            +++ b/core/src/main/java/org/interleaf/mm/Gup.java
            @@ -1 +1 @@
            -a
            +b
            """;

    @TempDir private Path folder = Path.of("");

    @BeforeEach
    void posted() throws IOException {
        write("posted.patch", "Config: tlb=ipi thp=never\n" + DIFF);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static List<String> names(List<ModelPatch> patches) {
        return patches.stream()
                .map(patch -> String.valueOf(Path.of(patch.name()).getFileName()))
                .toList();
    }

    @Test
    void thePatchesThatOneBuildsOnComeFirst() throws IOException {
        write("second.patch", "After: posted.patch\n" + DIFF);
        Path third = write("third.patch", "After: second.patch\n" + DIFF);
        assertThat(names(PatchSeries.read(List.of(third))))
                .containsExactly("posted.patch", "second.patch", "third.patch");
    }

    @Test
    void noneIsAppliedTwice() throws IOException {
        Path second = write("second.patch", "After: posted.patch\n" + DIFF);
        Path third = write("third.patch", "After: posted.patch second.patch\n" + DIFF);
        Path posted = folder.resolve("posted.patch");
        assertThat(names(PatchSeries.read(List.of(posted, second, third))))
                .containsExactly("posted.patch", "second.patch", "third.patch");
    }

    @Test
    void aPatchThatBuildsOnOthersNeedsNoDiff() throws IOException {
        Path other = write("other.patch", "Another test.\n\nAfter: posted.patch\nTest: a.litmus\n");
        assertThat(PatchSeries.read(List.of(other)).getLast().files()).isEmpty();
        assertThatThrownBy(() -> ModelPatch.parse("x.patch", "Another test.\n"))
                .hasMessageContaining("no diff in it");
    }

    @Test
    void theConfigurationsAddUpAndTheLastOneHasTheLastWord() throws IOException {
        Path other = write("other.patch", "After: posted.patch\nConfig: thp=always\n");
        assertThat(PatchSeries.config(PatchSeries.read(List.of(other))))
                .isEqualTo(Map.of("tlb", "ipi", "thp", "always"));
    }

    @Test
    void circlesAndMissingPatchesAreReported() throws IOException {
        Path a = write("a.patch", "After: b.patch\n" + DIFF);
        write("b.patch", "After: a.patch\n" + DIFF);
        assertThatThrownBy(() -> PatchSeries.read(List.of(a)))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("b.patch: After: a.patch leads back to it");
        Path lost = write("lost.patch", "After: nowhere.patch\n");
        assertThatThrownBy(() -> PatchSeries.read(List.of(lost)))
                .isInstanceOf(PatchException.class)
                .hasMessageContaining("nowhere.patch: no such file");
        assertThatThrownBy(() -> ModelPatch.parse("x.patch", "After: gup.txt\n" + DIFF))
                .hasMessageContaining("x.patch:1: After: 'gup.txt' is no patch");
    }
}
