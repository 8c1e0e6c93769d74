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
    private static final String RW = "PROT_READ | PROT_WRITE, ";
    private static final String HUGE = "MAP_HUGETLB | MAP_ANONYMOUS";
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
        return "{ char *a = mmap(PMD_SIZE, "
                + RW
                + HUGE
                + " | "
                + kind
                + ");\n  char *s = mmap(PMD_SIZE, "
                + RW
                + "MAP_PRIVATE | MAP_ANONYMOUS);\n  memset(s, 7, PMD_SIZE); "
                + before
                + " long u = userfaultfd("
                + flags
                + ");\n  uffdio_register(u, a, PMD_SIZE, "
                + mode
                + "); }\n";
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-64k"})
    void aMissingPageIsCopied(String arch) {
        String test =
                mapping("MAP_PRIVATE", "", "0", MISSING)
                        + "P0(char *a) { char r0 = a[PAGE_SIZE]; }\n"
                        + "P1(char *a, char *s, long u) { long r0 = uffd_read(u) - (long) a;"
                        + " int r1 = uffdio_copy(u, a, s, PMD_SIZE); }\n"
                        + "locations [0:r0; 1:r0; 1:r1]";
        assertThat(explore(arch, test)).isEqualTo("0:r0=7; 1:r0=0; 1:r1=0;");
    }

    @Test
    void aPageOfTheFileIsMapped() {
        String test =
                mapping("MAP_SHARED", "a[0] = 3; madvise(a, PMD_SIZE, MADV_DONTNEED);", "0", MINOR)
                        + "P0(char *a) { a[1] = 5; }\n"
                        + "P1(char *a, long u) { long r0 = uffd_read(u) - (long) a;"
                        + " int r1 = uffdio_continue(u, a, PMD_SIZE); }\n"
                        + "locations [a[0]; a[1]; 1:r0; 1:r1]";
        assertThat(explore("x86-64", test)).isEqualTo("1:r0=5; 1:r1=0; a[0]=3; a[1]=5;");
    }

    @Test
    void whoeverIsWokenWithoutAPageFaultsAgain() {
        String test =
                mapping("MAP_PRIVATE", "", "0", MISSING)
                        + "P0(char *a) { char r0 = a[0]; }\n"
                        + "P1(char *a, char *s, long u) { uffd_read(u); uffdio_wake(u, a,"
                        + " PMD_SIZE); uffd_read(u); int r1 = uffdio_copy(u, a, s, PMD_SIZE); }\n"
                        + "locations [0:r0; 1:r1]";
        assertThat(explore("x86-64", test)).isEqualTo("0:r0=7; 1:r1=0;");
    }

    @Test
    void whatRequestsRefuse() {
        String test =
                mapping("MAP_SHARED", "", "O_NONBLOCK", MISSING)
                        + "P0(char *a, char *s, long u) {\n"
                        + "  int r0 = uffd_read(u) == -EAGAIN;\n"
                        + "  int r1 = uffdio_register(u, a, PAGE_SIZE, 1) == -EINVAL;\n"
                        + "  int r2 = uffdio_register(u, a, PMD_SIZE, 0) == -EINVAL;\n"
                        + "  int r3 = uffdio_continue(u, a, PMD_SIZE) == -EFAULT;\n"
                        + "  int r4 = uffdio_copy(u, a, s, PMD_SIZE);\n"
                        + "  int r5 = uffdio_copy(u, a, s, PMD_SIZE) == -EEXIST;\n"
                        + "  int r6 = uffdio_copy(u, s, a, PMD_SIZE) == -ENOENT;\n"
                        + "  long v = userfaultfd(0);\n"
                        + "  int r7 = uffdio_register(v, a, PMD_SIZE, 1) == -EBUSY;\n"
                        + "}\n"
                        + "locations [0:r0; 0:r1; 0:r2; 0:r3; 0:r4; 0:r5; 0:r6; 0:r7]";
        assertThat(explore("x86-64", test))
                .isEqualTo("0:r0=1; 0:r1=1; 0:r2=1; 0:r3=1; 0:r4=0; 0:r5=1; 0:r6=1; 0:r7=1;");
    }

    @Test
    void aChildIsNotRegistered() {
        String test =
                mapping("MAP_PRIVATE", "", "O_NONBLOCK", MISSING)
                        + "P0(char *a) { int pid = fork(); kthread_use_mm(pid);"
                        + " char r0 = a[0]; }\n"
                        + "locations [0:r0]";
        assertThat(explore("x86-64", test)).isEqualTo("0:r0=0;");
    }
}
