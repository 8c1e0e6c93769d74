// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.interleaf.run.UffdProtectRuns.WRITER_AND_MONITOR;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Map;

/// Write protection by a userfaultfd of anonymous memory. In the tests `P` is the size of a page
/// and `H` of a huge one; `d`, `2 * H` long, is registered for writes with `u`, `WP` protects and
/// `NONE` takes the protection away.
final class UffdProtectTest {
    private static final String SET_UP =
            """
            {
              char *s = mmap(2 * H, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              char *d = mmap(2 * H, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              long u = userfaultfd(0, FEATURES);
              uffdio_register(u, d, 2 * H, MODE);
              BEFORE
            }
            """;

    private String arch = "x86-64";
    private String thp = "never";
    private String features = "0";
    private String mode = "UFFDIO_REGISTER_MODE_WP";

    private String states(String before, String test) {
        String setUp =
                SET_UP.replace("FEATURES", features)
                        .replace("MODE", mode)
                        .replace("BEFORE", before);
        return UffdProtectRuns.states(setUp + test, Map.of("arch", arch, "thp", thp, "swap", "8"));
    }

    @Test
    void whoWritesToAProtectedPageWaitsUntilTheProtectionGoes() {
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, P, WP);", WRITER_AND_MONITOR))
                .isEqualTo("1:r0=3; 1:r1=1; 1:r2=0; d[0]=2;");
    }

    @Test
    void soDoesWhoWritesToAHugePage() {
        thp = "always";
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, H, WP);", WRITER_AND_MONITOR))
                .isEqualTo("1:r0=3; 1:r1=1; 1:r2=0; d[0]=2;");
    }

    @ParameterizedTest
    @CsvSource({
        "'move_pages(d);'",
        "'madvise(d, P, MADV_PAGEOUT);'",
        "'mprotect(d, P, PROT_READ); mprotect(d, P, PROT_READ | PROT_WRITE);'",
        "'uffdio_writeprotect(u, d + P, P, NONE);'",
    })
    void theProtectionStaysWithThePage(String what) {
        String before = "d[0] = 1; d[P] = 1; uffdio_writeprotect(u, d, 2 * P, WP); " + what;
        assertThat(states(before, WRITER_AND_MONITOR)).isEqualTo("1:r0=3; 1:r1=1; 1:r2=0; d[0]=2;");
    }

    @Test
    void splittingAHugePageLeavesItsPagesProtected() {
        thp = "always";
        String before = "d[0] = 1; uffdio_writeprotect(u, d, H, WP); split_huge_pmd(d);";
        assertThat(states(before, WRITER_AND_MONITOR)).isEqualTo("1:r0=3; 1:r1=1; 1:r2=0; d[0]=2;");
    }

    @Test
    void soDoesSplittingTheHugeZeroPage() {
        thp = "always";
        String before = "int x = d[0]; uffdio_writeprotect(u, d, H, WP); split_huge_pmd(d);";
        assertThat(states(before, WRITER_AND_MONITOR)).isEqualTo("1:r0=3; 1:r1=0; 1:r2=0; d[0]=2;");
    }

    @ParameterizedTest
    @CsvSource({
        // Nobody is told of the move, so nobody knows of the page at its new place.
        "'char *n = mremap(d, 2 * H, 2 * H, MREMAP_MAYMOVE | MREMAP_DONTUNMAP); n[0] = 3;'",
        "'uffdio_unregister(u, d, 2 * H); d[0] = 3;'",
        "'madvise(d, P, MADV_DONTNEED); d[0] = 3;'",
        "'int c = fork(); kthread_use_mm(c); d[0] = 3;'",
    })
    void otherwiseItGoes(String what) {
        String test =
                "P0(char *d, long u) { int r0 = 0; %s r0 = 1; }\nlocations [0:r0]\n"
                        .formatted(what);
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, P, WP);", test))
                .isEqualTo("0:r0=1;");
    }

    /// A page that MOVE finds in memory is unprotected at its new place, whose monitor never asked
    /// for protection. Of one in swap 7.3 moves the entry with the mark.
    @ParameterizedTest
    @CsvSource({"'', 0", "'madvise(s, P, MADV_PAGEOUT);', 1"})
    void moveKeepsTheProtectionOfPagesInSwapOnly(String before, int told) {
        mode = "UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP";
        String moved =
                "uffdio_register(u, s, 2 * H, UFFDIO_REGISTER_MODE_WP); s[0] = 1;"
                        + " uffdio_writeprotect(u, s, P, WP);"
                        + before
                        + " uffdio_move(u, d, s, P, 0);";
        String test =
                """
                P0(char *d) { d[0] = 2; }
                P1(char *d, long u) {
                  if (%d) {
                    long r0 = uffd_read(u);
                    uffdio_writeprotect(u, d, P, NONE);
                  }
                }
                locations [d[0]]
                """
                        .formatted(told);
        assertThat(states(moved, test)).isEqualTo("d[0]=2;");
    }

    @Test
    void withWpAsyncNobodyIsTold() {
        features = "UFFD_FEATURE_WP_ASYNC";
        String test = "P0(char *d) { d[0] = 2; int r0 = d[0]; }\nlocations [0:r0]\n";
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, P, WP);", test))
                .isEqualTo("0:r0=2;");
    }

    @ParameterizedTest
    @CsvSource({
        "never,  'd[0] = 1;'",
        "never,  'd[0] = 1; madvise(d, P, MADV_PAGEOUT);'",
        "never,  ''",
        "always, 'd[0] = 1;'"
    })
    void pagemapScanProtectsAllPages(String huge, String before) {
        thp = huge;
        features = "UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_ASYNC";
        String test =
                """
                P0(char *d) { int r0 = pagemap_scan_wp(d, 2 * H); d[0] = 2; int r1 = d[0]; }
                locations [0:r0; 0:r1]
                """;
        assertThat(states(before, test)).isEqualTo("0:r0=0; 0:r1=2;");
    }

    @Test
    void withWpUnpopulatedAlsoWhatIsMissingIsProtected() {
        features = "UFFD_FEATURE_WP_UNPOPULATED";
        String test =
                """
                P0(char *d) { int r0 = d[0]; d[0] = 2; }
                P1(char *d, long u) {
                  long r0 = uffd_read(u) - (long)d;
                  int r2 = uffdio_writeprotect(u, d, P, NONE);
                }
                locations [0:r0; 1:r0; 1:r2; d[0]]
                """;
        assertThat(states("uffdio_writeprotect(u, d, P, WP);", test))
                .isEqualTo("0:r0=0; 1:r0=3; 1:r2=0; d[0]=2;");
    }

    @Test
    void aDeviceFaultsInWhatIsMissingAndProtected() {
        features = "UFFD_FEATURE_WP_UNPOPULATED";
        String test =
                """
                P0(char *d) {
                  int fd = open("/dev/hmm_dmirror0", O_RDWR);
                  int r0 = dmirror_read(fd, d);
                }
                locations [0:r0]
                """;
        assertThat(states("uffdio_writeprotect(u, d, P, WP);", test)).isEqualTo("0:r0=0;");
    }

    @Test
    void withoutItWhatIsMissingIsNotProtected() {
        String test = "P0(char *d) { d[0] = 2; int r0 = d[0]; }\nlocations [0:r0]\n";
        assertThat(states("uffdio_writeprotect(u, d, P, WP);", test)).isEqualTo("0:r0=2;");
    }

    @Test
    void aPageCanBeFilledInProtected() {
        mode = "UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP";
        String before = "s[0] = 1; uffdio_copy(u, d, s, P, UFFDIO_COPY_MODE_WP);";
        assertThat(states(before, WRITER_AND_MONITOR)).isEqualTo("1:r0=3; 1:r1=1; 1:r2=0; d[0]=2;");
    }

    @ParameterizedTest
    @CsvSource({
        "'uffdio_writeprotect(u, d, P, WP)',                               0",
        "'uffdio_writeprotect(u, d + 1, P, WP)',                           -EINVAL",
        "'uffdio_writeprotect(u, d, 0, WP)',                               -EINVAL",
        "'uffdio_writeprotect(u, d, P, WP | UFFDIO_WRITEPROTECT_MODE_DONTWAKE)', -EINVAL",
        "'uffdio_writeprotect(u, d, P, 4)',                                -EINVAL",
        "'uffdio_writeprotect(u, s, P, WP)',                               -ENOENT",
        "'uffdio_copy(u, d, s, P, UFFDIO_COPY_MODE_WP)',                   0",
        "'uffdio_zeropage(u, d, P, 2)',                                    -EINVAL",
        "'uffdio_register(u, d, 2 * H, UFFDIO_REGISTER_MODE_MISSING)',     -EBUSY",
        "'uffdio_register(u, s, H, 3)',                                    0",
    })
    void whatTheRequestsAnswer(String request, String expected) {
        String test =
                "P0(char *s, char *d, long u) { int r0 = %s - (%s); }\nlocations [0:r0]\n"
                        .formatted(request, expected);
        assertThat(states("s[0] = 1;", test)).isEqualTo("0:r0=0;");
    }

    @Test
    void architecturesWithoutTheBitRefuse() {
        arch = "s390";
        String test =
                """
                P0(char *s, char *d, long u) {
                  int r0 = uffdio_register(u, s, H, UFFDIO_REGISTER_MODE_WP) - (-EINVAL);
                }
                locations [0:r0]
                """;
        assertThat(states("", test)).isEqualTo("0:r0=0;");
    }

    @Test
    void khugepagedLeavesProtectedPagesAlone() {
        String before =
                "for (int i = 0; i < HPAGE_PMD_NR; i++) d[i * P] = 1;"
                        + " uffdio_writeprotect(u, d, P, WP);";
        String test =
                """
                P0(char *d) { int r0 = madvise(d, H, MADV_COLLAPSE) - (-EINVAL); }
                locations [0:r0]
                """;
        assertThat(states(before, test)).isEqualTo("0:r0=0;");
    }

    @Test
    void aWriteIsEitherBeforeTheProtectionOrReported() {
        String test =
                """
                P0(char *d) { d[0] = 2; }
                P1(char *d, long u) {
                  uffdio_writeprotect(u, d, P, WP);
                  int r0 = d[0];
                  int r1 = d[0];
                  uffdio_writeprotect(u, d, P, NONE);
                }
                locations [1:r0; 1:r1]
                """;
        assertThat(states("d[0] = 1;", test)).isEqualTo("1:r0=1; 1:r1=1; 1:r0=2; 1:r1=2;");
    }
}
