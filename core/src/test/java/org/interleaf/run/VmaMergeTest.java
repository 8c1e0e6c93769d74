// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// VMAs that are merged when they become alike. UFFDIO_COPY tells: it fills one mapping only, so
/// what goes over two is not there for it (-ENOENT). In the tests `P` is the size of a page, `d` is
/// of eight pages, `s` has contents, and `M` stands for `UFFDIO_REGISTER_MODE_MISSING`.
final class VmaMergeTest {
    private static final String SET_UP =
            """
            {
              char *s = mmap(8 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              memset(s, 5, 8 * P);
              MAP
              long u = userfaultfd(0);
              BEFORE
            }
            """;

    private static final String ANONYMOUS =
            "char *d = mmap(8 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS);";

    private static final String FILE =
            """
            int fd = memfd_create("f", 0);
            ftruncate(fd, 8 * P);
            char *d = mmap(0, 8 * P, RW, MAP_SHARED, fd, 0);
            """;

    private String map = ANONYMOUS;

    private String states(String before, String test) {
        String text =
                ("C t\n" + SET_UP.replace("MAP\n", map + "\n").replace("BEFORE", before) + test)
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bM\\b", "UFFDIO_REGISTER_MODE_MISSING")
                        .replaceAll("\\bP\\b", "PAGE_SIZE");
        RunOptions options = RunOptions.DEFAULT.withConfig(Map.of("arch", "x86-64"));
        Answer answer = new TestRunner(options).check(Source.of("t.litmus", text));
        assertThat(answer.violations()).as(test).isEmpty();
        assertThat(answer.exploration().complete()).as(test).isTrue();
        return String.join(" ", answer.states());
    }

    /// 0 where `d` is one mapping over pages 0 and 1, as far as userfaultfd goes.
    private static final String COPY =
            """
            P0(char *d, char *s, long u) { int r0 = uffdio_copy(u, d, s, 2 * P) == -ENOENT; }
            locations [0:r0]
            """;

    @ParameterizedTest
    @CsvSource({
        "'uffdio_register(u, d, P, M); uffdio_register(u, d + P, P, M);', 0",
        "'uffdio_register(u, d + P, P, M); uffdio_register(u, d, P, M);', 0",
        "'uffdio_register(u, d, P, M); uffdio_register(u, d + 2 * P, P, M);"
                + " uffdio_register(u, d + P, P, M);', 0",
        "'uffdio_register(u, d, 8 * P, M); uffdio_unregister(u, d + P, P);', 1",
        "'uffdio_register(u, d, 8 * P, M); uffdio_unregister(u, d + P, P);"
                + " uffdio_register(u, d + P, P, M);', 0",
        "'uffdio_register(u, d, 8 * P, M); mprotect(d + P, P, PROT_READ);', 1",
        "'uffdio_register(u, d, 8 * P, M); mprotect(d + P, P, PROT_READ);"
                + " mprotect(d + P, P, RW);', 0",
        "'uffdio_register(u, d, 8 * P, M); mprotect(d, P, PROT_READ);"
                + " mprotect(d + P, 7 * P, PROT_READ); mprotect(d, 8 * P, RW);', 0",
        "'uffdio_register(u, d, 8 * P, M); madvise(d + P, P, MADV_HUGEPAGE);', 1",
        "'uffdio_register(u, d, 8 * P, M); madvise(d + P, P, MADV_HUGEPAGE);"
                + " madvise(d, P, MADV_HUGEPAGE);', 0",
    })
    void whatBecomesAlikeIsOneMapping(String before, int two) {
        assertThat(states(before, COPY)).isEqualTo("0:r0=" + two + ";");
        map = FILE;
        assertThat(states(before, COPY)).isEqualTo("0:r0=" + two + ";");
    }

    @Test
    void anotherUserfaultfdIsAnotherMapping() {
        String before =
                "long v = userfaultfd(0); uffdio_register(u, d, P, M);"
                        + " uffdio_register(v, d + P, P, M);";
        assertThat(states(before, COPY)).isEqualTo("0:r0=1;");
    }

    /// The page is at its place, and found by rmap, whichever mapping it is in.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "d[0] = 1; mprotect(d + P, P, PROT_READ);",
                "mprotect(d + P, P, PROT_READ); d[0] = 1;",
                "d[0] = 1; d[2 * P] = 1; mprotect(d + P, P, PROT_READ);",
                "d[P] = 1; mprotect(d + P, P, PROT_READ);",
            })
    void pagesAreFoundAfterThat(String before) {
        String test =
                """
                P0(char *d) {
                  mprotect(d + P, P, RW);
                  int r0 = move_pages(d);
                  int r1 = move_pages(d + P);
                  d[P] = 2;
                  int r2 = d[0] + d[P] + d[2 * P];
                }
                locations [0:r2]
                """;
        int sum = 2 + (before.contains("d[0]") ? 1 : 0) + (before.contains("d[2") ? 1 : 0);
        assertThat(states(before, test)).isEqualTo("0:r2=" + sum + ";");
    }

    /// Its anon_vma would be searched for pages that the child has from its parent.
    @Test
    void whatAChildHasFromItsParentIsNotMerged() {
        String before =
                """
                mprotect(d + P, P, PROT_READ);
                d[0] = 1;
                int pid = fork();
                """;
        String test =
                """
                P0(char *d, int pid) {
                  kthread_use_mm(pid);
                  int r0 = mprotect(d + P, P, RW);
                  d[P] = 3;
                  int r1 = d[0] + d[P];
                  kthread_unuse_mm(pid);
                }
                locations [0:r0; 0:r1]
                """;
        assertThat(states(before, test)).isEqualTo("0:r0=0; 0:r1=4;");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "d[P] = 2",
                "d[2 * P] = 2",
                "int r0 = move_pages(d)",
                "int r0 = madvise(d, 2 * P, MADV_DONTNEED)",
                "int r0 = uffdio_register(u, d, 8 * P, M)",
            })
    void othersDoNotNotice(String use) {
        String before = "d[0] = 1; mprotect(d + P, P, PROT_READ);";
        String test = "P0(char *d) { mprotect(d + P, P, RW); }\nP1(char *d, long u) { USE; }\n";
        states(before, test.replace("USE", use) + "exists (true)\n");
        map = FILE;
        states(before, test.replace("USE", use) + "exists (true)\n");
    }
}
