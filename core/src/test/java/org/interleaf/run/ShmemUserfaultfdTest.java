// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Userfaultfds for files in memory. `FILE` makes the file `fd` of the size of a PMD, maps it
/// shared at `a` and private at `b`, and has a page full of sevens at `s`.
final class ShmemUserfaultfdTest {
    private static String explore(String test) {
        String rw = ", PROT_READ | PROT_WRITE, MAP_";
        String file =
                "int fd = memfd_create(\"f\", 0); ftruncate(fd, PMD_SIZE);"
                        + " char *a = mmap(0, PMD_SIZE"
                        + rw
                        + "SHARED, fd, 0); char *b = mmap(0, PMD_SIZE"
                        + rw
                        + "PRIVATE, fd, 0); char *s = mmap(PAGE_SIZE"
                        + rw
                        + "PRIVATE | MAP_ANONYMOUS); s[0] = 7; long u = userfaultfd(0);";
        String text =
                ("C t\n" + test)
                        .replace("FILE;", file)
                        .replaceAll("\\b(MISSING|MINOR)\\b", "UFFDIO_REGISTER_MODE_$1");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(Map.of("arch", "arm64-64k")))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return String.join(" ", answer.states());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void aMissingPageIsCopied(String where) {
        String test =
                """
                { FILE; uffdio_register(u, W, PMD_SIZE, MISSING); }
                P0(char *W) { r0 = W[0]; }
                P1(char *W, char *s, long u) {
                  long r0 = uffd_read(u) - (long) W;
                  r1 = uffdio_copy(u, W, s, PAGE_SIZE);
                }
                locations [0:r0; 1:r0; 1:r1; a[0]] exists (0:r0!=7)
                """;
        String file = where.equals("a") ? "7" : "0";
        assertThat(explore(test.replace("W", where)))
                .isEqualTo("0:r0=7; 1:r0=0; 1:r1=0; a[0]=" + file + ";");
    }

    @Test
    void aPageThatIsInTheFileIsMappedByContinue() {
        String test =
                """
                {
                  FILE; a[0] = 3; madvise(a, PAGE_SIZE, MADV_DONTNEED);
                  uffdio_register(u, a, PMD_SIZE, MINOR);
                }
                P0(char *a) { r0 = a[0]; }
                P1(char *a, long u) {
                  long r0 = uffd_read(u) - (long) a;
                  r1 = uffdio_continue(u, a, PAGE_SIZE);
                }
                locations [0:r0; 1:r0; 1:r1] exists (0:r0!=3)
                """;
        assertThat(explore(test)).isEqualTo("0:r0=3; 1:r0=4; 1:r1=0;");
    }

    @Test
    void theFileDecidesWhatCanBeFilledIn() {
        String test =
                """
                {
                  FILE; uffdio_register(u, a, PMD_SIZE, MISSING | MINOR);
                  uffdio_register(u, b, PMD_SIZE, MISSING | MINOR);
                }
                P0(char *a, char *b, char *s, long u, int fd) {
                  r0 = uffdio_continue(u, a, PAGE_SIZE);
                  r1 = uffdio_zeropage(u, a, PAGE_SIZE);
                  r2 = uffdio_copy(u, a, s, PAGE_SIZE);
                  r3 = uffdio_continue(u, b, PAGE_SIZE);
                  r4 = uffdio_poison(u, b + PAGE_SIZE, PAGE_SIZE);
                  r5 = uffdio_copy(u, b + PAGE_SIZE, s, PAGE_SIZE);
                  ftruncate(fd, PAGE_SIZE);
                  r6 = uffdio_copy(u, a + PAGE_SIZE, s, PAGE_SIZE);
                  r7 = uffdio_copy(u, b + PAGE_SIZE, s, PAGE_SIZE);
                  r8 = b[PAGE_SIZE - 1];
                }
                locations [0:r0; 0:r1; 0:r2; 0:r3; 0:r4; 0:r5; 0:r6; 0:r7; 0:r8] exists (0:r0!=7)
                """;
        assertThat(explore(test))
                .isEqualTo(
                        "0:r0=-14; 0:r1=0; 0:r2=-17; 0:r3=0; 0:r4=0; 0:r5=0; 0:r6=-12;"
                                + " 0:r7=-14; 0:r8=0;");
    }

    @Test
    void twoWhoFillAPageInDoItOnce() {
        String test =
                """
                { FILE; uffdio_register(u, a, PMD_SIZE, MISSING); }
                P0(char *a, char *s, long u) { r0 = uffdio_copy(u, a, s, PAGE_SIZE); }
                P1(char *a, long u) { r0 = uffdio_zeropage(u, a, PAGE_SIZE); }
                locations [0:r0; 1:r0; a[0]] exists (0:r0=1:r0)
                """;
        assertThat(explore(test)).isEqualTo("0:r0=-17; 1:r0=0; a[0]=0; 0:r0=0; 1:r0=-17; a[0]=7;");
    }
}
