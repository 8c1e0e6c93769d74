// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Limits;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.List;

/// Two requests of UFFDIO_MOVE for pages of one large folio, which both want to split.
///
/// Until 37b338eed105 (2025) who found the folio locked took a reference and waited: the split of
/// the other failed, and with both trying again they could go on so for ever. 7.3 gives up a split
/// that fails for good, so with the reference put back alone it is an error instead. That neither
/// happens without it is not proven here: who finds the folio locked tries again without waiting,
/// and the explorer cuts such loops.
final class UffdMoveLargeTest {
    private static final String TEST =
            """
            C uffd-move-large
            config thp=madvise
            {
              char *s = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
              char *t = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
              char *d = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
              char *e = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
              madvise(s, PMD_SIZE, MADV_HUGEPAGE);
              memset(s, 7, PMD_SIZE);
              madvise(s, PAGE_SIZE, MADV_DONTNEED);
              madvise(s + 3 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED);
              mremap(s + 2 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, t);
              d[3 * PAGE_SIZE] = 1;
              e[3 * PAGE_SIZE] = 1;
              long u = userfaultfd(0);
              uffdio_register(u, d, PMD_SIZE, UFFDIO_REGISTER_MODE_MISSING);
              uffdio_register(u, e, PMD_SIZE, UFFDIO_REGISTER_MODE_MISSING);
            }
            P0(char *d, char *s, long u) {
              int r0 = uffdio_move(u, d, s + PAGE_SIZE, PAGE_SIZE, 0);
            }
            P1(char *e, char *t, long u) { int r0 = uffdio_move(u, e, t, PAGE_SIZE, 0); }
            exists (0:r0 = -EBUSY \\/ 1:r0 = -EBUSY)
            """;

    @Test
    void whoWaitsWithAReferenceMakesTheOthersSplitFail() {
        Path patch = Path.of("src/test/resources/patches/uffd-move-holds-large.patch");
        RunOptions options = RunOptions.DEFAULT.withPatches(List.of(ModelPatch.read(patch)));
        Answer answer = check(options.withStopAtFirst(true));
        assertThat(answer.positive()).isPositive();
    }

    @Test
    void withoutItNoneWasSeenToFail() {
        Limits few = Limits.NONE.withMaxExecutions(1_000);
        Answer answer = check(RunOptions.DEFAULT.withLimits(few));
        assertThat(answer.positive()).isZero();
        assertThat(answer.violations()).isEmpty();
    }

    /// MOVE asks the first page of the folio whether it is the process' own, and not the page that
    /// it is to move: while another MOVE has the first page, in another table, replaced by a
    /// migration entry, the answer is no.
    @Test
    void theFirstPageOfTheFolioCanMakeTheMoveOfAnotherFail() {
        String first =
                TEST.replace("madvise(s, PAGE_SIZE, MADV_DONTNEED)", "s[0] = 7")
                        .replace("s + PAGE_SIZE, PAGE_SIZE, 0", "s, PAGE_SIZE, 0");
        Answer answer = check(first, RunOptions.DEFAULT.withStopAtFirst(true));
        assertThat(answer.positive()).isPositive();
    }

    private static Answer check(RunOptions options) {
        return check(TEST, options);
    }

    private static Answer check(String test, RunOptions options) {
        return new TestRunner(options).check(Source.of("t.litmus", test));
    }
}
