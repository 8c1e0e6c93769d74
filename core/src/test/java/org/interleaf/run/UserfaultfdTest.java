// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Faults on huge pages that a userfaultfd handles, and what its requests answer.
final class UserfaultfdTest {
    private static final String MISSING = "UFFDIO_REGISTER_MODE_MISSING";
    private static final String MINOR = "UFFDIO_REGISTER_MODE_MINOR";

    /// The final states; every execution ends well.
    private static String explore(String arch, String test) {
        Answer answer =
                new TestRunner(
                                RunOptions.DEFAULT.withConfig(
                                        Map.of("arch", arch, "hugetlb", "PMD:2")))
                        .check(Source.of("t.litmus", "C t\n" + test));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return String.join(" ", answer.states());
    }

    private static String mapping(String kind, String before, String flags, String mode) {
        return """
        {
          char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_HUGETLB | MAP_ANONYMOUS | KIND);
          char *s = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
          memset(s, 7, PMD_SIZE);
          BEFORE
          long u = userfaultfd(FLAGS);
          uffdio_register(u, a, PMD_SIZE, MODE);
        }
        """
                .replace("KIND", kind)
                .replace("BEFORE", before)
                .replace("FLAGS", flags)
                .replace("MODE", mode);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-64k"})
    void aMissingPageIsCopied(String arch) {
        String test =
                """
                P0(char *a) { char r0 = a[PAGE_SIZE]; }
                P1(char *a, char *s, long u) {
                  long r0 = uffd_read(u) - (long) a;
                  int r1 = uffdio_copy(u, a, s, PMD_SIZE);
                }
                locations [0:r0; 1:r0; 1:r1]
                """;
        assertThat(explore(arch, mapping("MAP_PRIVATE", "", "0", MISSING) + test))
                .isEqualTo("0:r0=7; 1:r0=0; 1:r1=0;");
    }

    @Test
    void aPageOfTheFileIsMapped() {
        String filled = "a[0] = 3; madvise(a, PMD_SIZE, MADV_DONTNEED);";
        String test =
                """
                P0(char *a) { a[1] = 5; }
                P1(char *a, long u) {
                  long r0 = uffd_read(u) - (long) a;
                  int r1 = uffdio_continue(u, a, PMD_SIZE);
                }
                locations [a[0]; a[1]; 1:r0; 1:r1]
                """;
        assertThat(explore("x86-64", mapping("MAP_SHARED", filled, "0", MINOR) + test))
                .isEqualTo("1:r0=5; 1:r1=0; a[0]=3; a[1]=5;");
    }

    @Test
    void whoeverIsWokenWithoutAPageFaultsAgain() {
        String test =
                """
                P0(char *a) { char r0 = a[0]; }
                P1(char *a, char *s, long u) {
                  uffd_read(u);
                  uffdio_wake(u, a, PMD_SIZE);
                  uffd_read(u);
                  int r1 = uffdio_copy(u, a, s, PMD_SIZE);
                }
                locations [0:r0; 1:r1]
                """;
        assertThat(explore("x86-64", mapping("MAP_PRIVATE", "", "0", MISSING) + test))
                .isEqualTo("0:r0=7; 1:r1=0;");
    }

    @Test
    void whatRequestsRefuse() {
        String test =
                """
                P0(char *a, char *s, long u) {
                  int r0 = uffd_read(u) == -EAGAIN;
                  int r1 = uffdio_register(u, a, PAGE_SIZE, 1) == -EINVAL;
                  int r2 = uffdio_register(u, a, PMD_SIZE, 0) == -EINVAL;
                  int r3 = uffdio_continue(u, a, PMD_SIZE) == -EFAULT;
                  int r4 = uffdio_copy(u, a, s, PMD_SIZE);
                  int r5 = uffdio_copy(u, a, s, PMD_SIZE) == -EEXIST;
                  int r6 = uffdio_copy(u, s, a, PMD_SIZE) == -ENOENT;
                  long v = userfaultfd(0);
                  int r7 = uffdio_register(v, a, PMD_SIZE, 1) == -EBUSY;
                }
                locations [0:r0; 0:r1; 0:r2; 0:r3; 0:r4; 0:r5; 0:r6; 0:r7]
                """;
        assertThat(explore("x86-64", mapping("MAP_SHARED", "", "O_NONBLOCK", MISSING) + test))
                .isEqualTo("0:r0=1; 0:r1=1; 0:r2=1; 0:r3=1; 0:r4=0; 0:r5=1; 0:r6=1; 0:r7=1;");
    }

    @Test
    void aChildIsNotRegistered() {
        String test =
                """
                P0(char *a) { int pid = fork(); kthread_use_mm(pid); char r0 = a[0]; }
                locations [0:r0]
                """;
        assertThat(explore("x86-64", mapping("MAP_PRIVATE", "", "O_NONBLOCK", MISSING) + test))
                .isEqualTo("0:r0=0;");
    }

    /// The last request lets go of the mappings: who waits there goes on, whoever that is.
    @Test
    void closingLeavesTheRestToTheLastRequest() {
        String test =
                """
                P0(char *a) { char r0 = a[0]; }
                P1(char *a, long u) { int r0 = uffdio_wake(u, a, PMD_SIZE); }
                P2(long u) { int r0 = uffd_close(u); }
                locations [0:r0; 1:r0; 2:r0]
                """;
        assertThat(explore("x86-64", mapping("MAP_PRIVATE", "", "0", MISSING) + test))
                .isEqualTo("0:r0=0; 1:r0=-9; 2:r0=0; 0:r0=0; 1:r0=0; 2:r0=0;");
    }

    /// Who reads has the file open as long as that takes, and nobody will tell him.
    @Test
    void closingDoesNotWakeWhoReads() {
        String test =
                """
                P0(long u) { long r0 = uffd_read(u); }
                P1(long u) { int r0 = uffd_close(u); int r1 = 1; }
                exists (1:r1 = 1)
                """;
        String text = "C t\n" + mapping("MAP_PRIVATE", "", "0", MISSING) + test;
        Map<String, String> config = Map.of("arch", "x86-64", "hugetlb", "PMD:4");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).extracting(v -> v.kind().toString()).contains("DEADLOCK");
    }
}
