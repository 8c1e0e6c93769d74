// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;

/// What 7.3 gets wrong where UFFDIO_MOVE has to split a large folio; that two such requests do not
/// stand in each other's way is in `races/uffd-move-large`.
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
              madvise(s + 3 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED);
              mremap(s + 2 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, t);
              d[3 * PAGE_SIZE] = 1;
              e[3 * PAGE_SIZE] = 1;
              long u = userfaultfd(0);
              uffdio_register(u, d, PMD_SIZE, UFFDIO_REGISTER_MODE_MISSING);
              uffdio_register(u, e, PMD_SIZE, UFFDIO_REGISTER_MODE_MISSING);
            }
            P0(char *d, char *s, long u) {
              int r0 = uffdio_move(u, d, s, PAGE_SIZE, 0);
            }
            P1(char *e, char *t, long u) { int r0 = uffdio_move(u, e, t, PAGE_SIZE, 0); }
            exists (0:r0 = -EBUSY \\/ 1:r0 = -EBUSY)
            """;

    /// MOVE asks the first page of the folio whether it is the process' own, and not the page that
    /// it is to move: while another MOVE has the first page, in another table, replaced by a
    /// migration entry, the answer is no.
    @Test
    void theFirstPageOfTheFolioCanMakeTheMoveOfAnotherFail() {
        RunOptions options = RunOptions.DEFAULT.withStopAtFirst(true);
        Answer answer = new TestRunner(options).check(Source.of("t.litmus", TEST));
        assertThat(answer.positive()).isPositive();
    }
}
