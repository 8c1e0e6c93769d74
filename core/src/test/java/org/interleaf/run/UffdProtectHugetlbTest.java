// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.interleaf.run.UffdProtectRuns.TOLD;
import static org.interleaf.run.UffdProtectRuns.WRITER;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Write protection of hugetlb by a userfaultfd. In the tests `H` is the size of a huge page; `d`,
/// `2 * H` long, is hugetlb and registered for writes with `u`, `WP` protects and `NONE` takes the
/// protection away.
final class UffdProtectHugetlbTest {
    private static final String SET_UP =
            """
            {
              char *s = mmap(H, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              char *d = mmap(2 * H, RW, MAP_HUGETLB | MAP_ANONYMOUS | MAP_KIND);
              FILL
              long u = userfaultfd(0, FEATURES);
              uffdio_register(u, d, 2 * H, MODE);
              BEFORE
            }
            """;

    /// The whole page is protected.
    private static final String WRITER_AND_MONITOR =
            UffdProtectRuns.WRITER_AND_MONITOR.replace("d, P,", "d, H,");

    private String arch = "x86-64";
    private String kind = "SHARED";
    private String fill = "d[0] = 1;";
    private String mode = "UFFDIO_REGISTER_MODE_WP";
    private String features = "0";

    private String states(String before, String test) {
        String setUp =
                SET_UP.replace("KIND", kind)
                        .replace("FILL", fill)
                        .replace("FEATURES", features)
                        .replace("MODE", mode)
                        .replace("BEFORE", before);
        return UffdProtectRuns.states(setUp + test, Map.of("arch", arch, "hugetlb", "PMD:6"));
    }

    @ParameterizedTest
    @CsvSource({"x86-64, SHARED", "x86-64, PRIVATE", "arm64-4k, SHARED", "arm64-64k, PRIVATE"})
    void whoWritesToAProtectedPageWaitsUntilTheProtectionGoes(String machine, String of) {
        arch = machine;
        kind = of;
        assertThat(states("uffdio_writeprotect(u, d, H, WP);", WRITER_AND_MONITOR)).isEqualTo(TOLD);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "madvise(d, 2 * H, MADV_DONTNEED);",
                "move_pages(d);",
                "mprotect(d, H, PROT_READ); mprotect(d, H, PROT_READ | PROT_WRITE);",
                "uffdio_writeprotect(u, d + H, H, NONE);",
            })
    void theProtectionStaysWhateverBecomesOfThePage(String what) {
        String before = "uffdio_writeprotect(u, d, 2 * H, WP); " + what;
        assertThat(states(before, WRITER_AND_MONITOR)).isEqualTo(TOLD);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SHARED", "PRIVATE"})
    void whatIsNotMappedYetIsProtectedToo(String of) {
        kind = of;
        fill = "";
        assertThat(states("uffdio_writeprotect(u, d, H, WP);", WRITER_AND_MONITOR))
                .isEqualTo("1:r0=3; 1:r1=0; 1:r2=0; d[0]=2;");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "uffdio_unregister(u, d, 2 * H);",
                "madvise(d, 2 * H, MADV_DONTNEED); uffdio_unregister(u, d, 2 * H);",
                "uffd_close(u);",
                "uffdio_writeprotect(u, d, 2 * H, NONE);",
                "madvise(d, 2 * H, MADV_DONTNEED); uffdio_writeprotect(u, d, 2 * H, NONE);",
            })
    void theProtectionEndsWithTheRegistration(String what) {
        assertThat(states("uffdio_writeprotect(u, d, H, WP); " + what, WRITER))
                .isEqualTo("d[0]=2;");
    }

    @Test
    void aChildWithoutUserfaultfdMayWrite() {
        kind = "PRIVATE";
        String test =
                """
                P0(char *d) {
                  int r0 = fork();
                  kthread_use_mm(r0);
                  d[0] = 2;
                  int r1 = d[0];
                  kthread_unuse_mm(r0);
                }
                locations [0:r1; d[0]]
                """;
        assertThat(states("uffdio_writeprotect(u, d, H, WP);", test)).isEqualTo("0:r1=2; d[0]=1;");
    }

    @ParameterizedTest
    @CsvSource({
        "MISSING, 'uffdio_copy(u, d, s, H, UFFDIO_COPY_MODE_WP)'",
        "MINOR, 'uffdio_continue(u, d, H, UFFDIO_CONTINUE_MODE_WP)'",
    })
    void whatIsFilledInCanBeProtectedAtOnce(String of, String request) {
        mode = "UFFDIO_REGISTER_MODE_" + of + " | UFFDIO_REGISTER_MODE_WP";
        boolean minor = of.equals("MINOR");
        fill = "s[0] = 1; " + (minor ? "d[0] = 1; madvise(d, H, MADV_DONTNEED);" : "");
        assertThat(states(request + ";", WRITER_AND_MONITOR)).isEqualTo(TOLD);
    }

    @Test
    void whereNobodyIsToldTheFirstWriteTakesTheProtectionAway() {
        features = "UFFD_FEATURE_WP_ASYNC";
        assertThat(states("uffdio_writeprotect(u, d, H, WP);", WRITER)).isEqualTo("d[0]=2;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"SHARED", "PRIVATE"})
    void aPageIsCopiedFromMemoryThatMustBeFaultedInFirst(String of) {
        kind = of;
        fill = "";
        mode = "UFFDIO_REGISTER_MODE_MISSING";
        String test =
                """
                P0(char *d, char *s, long u) {
                  int r0 = uffdio_copy(u, d, s, H);
                  int r1 = d[0];
                }
                locations [0:r0; 0:r1]
                """;
        assertThat(states("", test)).isEqualTo("0:r0=0; 0:r1=0;");
    }

    /// Who writes to a protected page is killed; else the write would be there.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "madvise(d, 2 * H, MADV_DONTNEED)",
                "move_pages(d)",
                "mprotect(d, H, PROT_READ); mprotect(d, H, PROT_READ | PROT_WRITE)",
                "uffdio_writeprotect(u, d, 2 * H, WP)",
            })
    void noWriteGetsThroughBeside(String what) {
        features = "UFFD_FEATURE_SIGBUS";
        String test =
                """
                P0(char *d, long u) { WHAT; }
                P1(char *d) { d[0] = 2; }
                locations [d[0]]
                """
                        .replace("WHAT", what);
        assertThat(states("uffdio_writeprotect(u, d, H, WP);", test)).isEqualTo("d[0]=1;");
    }
}
