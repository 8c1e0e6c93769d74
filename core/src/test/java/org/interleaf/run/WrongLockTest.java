// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Violation;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/// A change under the wrong lock is told together with who takes the right one.
final class WrongLockTest {
    private static final String TEST =
            """
            C wrong-lock
            {
              char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
              memset(a, 1, PMD_SIZE);
            }
            P0(char *a) { madvise(a, PMD_SIZE, MADV_DONTNEED); }
            exists (a[0] = 9)
            """;

    @Test
    void tellsBothPlacesAndBothLocks() {
        Answer answer = check(RunOptions.DEFAULT.withPatches(List.of(patch())));
        Recording recording = Objects.requireNonNull(answer.recording());
        Violation violation = recording.violations().getFirst();

        assertThat(violation.title()).isEqualTo("BUG: wrong page-table lock zap_empty_pte_table");
        assertThat(violation.text()).matches("pmd\\[\\d\\] of table \\d+ goes from table .*");
        assertThat(violation.callTrace()).startsWith("zap_empty_pte_table", "zap_pte_range");
        assertThat(violation.details()).hasSize(3);
        assertThat(violation.details().get(0))
                .startsWith("Locks held: ")
                .contains("page_table_lock");
        assertThat(violation.details().get(1)).startsWith("Lock of core-mm: pmd table ");
        assertThat(violation.details().get(2)).contains("pmd_lock <- pmd_install");
    }

    /// One task alone: nothing has gone wrong yet, nor could it.
    @Test
    void findsItWithoutAnybodyToRaceAgainst() {
        Answer answer = check(RunOptions.DEFAULT.withPatches(List.of(patch())));
        assertThat(answer.test().processes()).hasSize(1);
        assertThat(answer.violations()).hasSize(1);
    }

    @Test
    void findsNothingOnMainline() {
        assertThat(check(RunOptions.DEFAULT).violations()).isEmpty();
    }

    private static ModelPatch patch() {
        return ModelPatch.read(Path.of("src/test/resources/patches/wrong-pmd-lock.patch"));
    }

    private static Answer check(RunOptions options) {
        return new TestRunner(options).check(Source.of("t.litmus", TEST));
    }
}
