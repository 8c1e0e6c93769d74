// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.interleaf.run.UffdProtectRuns.TOLD;
import static org.interleaf.run.UffdProtectRuns.WRITER;
import static org.interleaf.run.UffdProtectRuns.WRITER_AND_MONITOR;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Write protection by a userfaultfd of files in memory. The pages can go and come back without the
/// userfaultfd being told, so the protection is kept in the page tables when they go. In the tests
/// `P` is the size of a page and `H` of a huge one; `d`, `2 * H` long, maps the file `fd` and is
/// registered for writes with `u`, `WP` protects and `NONE` takes the protection away.
final class UffdProtectShmemTest {
    private static final String SET_UP =
            """
            {
              int fd = memfd_create("f", 0);
              ftruncate(fd, 2 * H);
              char *d = mmap(0, 2 * H, RW, MAP_KIND, fd, 0);
              long u = userfaultfd(0, FEATURES);
              uffdio_register(u, d, 2 * H, MODE);
              BEFORE
            }
            """;

    private String kind = "SHARED";
    private String mode = "UFFDIO_REGISTER_MODE_WP";
    private String features = "0";
    private String shmem = "never";

    private String states(String before, String test) {
        String setUp =
                SET_UP.replace("KIND", kind)
                        .replace("FEATURES", features)
                        .replace("MODE", mode)
                        .replace("BEFORE", before);
        return UffdProtectRuns.states(setUp + test, Map.of("arch", "x86-64", "shmem", shmem));
    }

    @ParameterizedTest
    @ValueSource(strings = {"SHARED", "PRIVATE"})
    void whoWritesToAProtectedPageWaitsUntilTheProtectionGoes(String of) {
        kind = of;
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, P, WP);", WRITER_AND_MONITOR))
                .isEqualTo(TOLD);
    }

    @Test
    void aHugePageIsSplitToBeProtected() {
        shmem = "always";
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, H, WP);", WRITER_AND_MONITOR))
                .isEqualTo(TOLD);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "madvise(d, 2 * P, MADV_DONTNEED);",
                "madvise(d, 2 * H, MADV_DONTNEED);",
                "move_pages(d);",
                "mprotect(d, P, PROT_READ); mprotect(d, P, PROT_READ | PROT_WRITE);",
                "uffdio_writeprotect(u, d + P, P, NONE);",
                "madvise(d, H, MADV_COLLAPSE);",
            })
    void theProtectionStaysWhateverBecomesOfThePage(String what) {
        String before = "d[0] = 1; d[P] = 1; uffdio_writeprotect(u, d, 2 * P, WP); " + what;
        assertThat(states(before, WRITER_AND_MONITOR)).isEqualTo(TOLD);
    }

    @Test
    void thatPagesWereSharedWithAChildDoesNotMatter() {
        features = "UFFD_FEATURE_EVENT_FORK";
        String test =
                """
                P0(char *d, long u) {
                  long r0 = fork();
                  d[0] = 2;
                }
                P1(char *d, long u) {
                  long r0 = uffd_read(u) - (long)d;
                  long r1 = uffd_read(u) - (long)d;
                  int r2 = uffdio_writeprotect(u, d, P, NONE);
                }
                locations [1:r1; 1:r2; d[0]]
                """;
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, P, WP);", test))
                .isEqualTo("1:r1=3; 1:r2=0; d[0]=2;");
    }

    /// Nobody tells whether what will be in the file has been protected: markers say so.
    @Test
    void whatIsNotMappedYetIsProtectedToo() {
        assertThat(states("uffdio_writeprotect(u, d, P, WP);", WRITER_AND_MONITOR))
                .isEqualTo("1:r0=3; 1:r1=0; 1:r2=0; d[0]=2;");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "uffdio_unregister(u, d, 2 * H);",
                "madvise(d, 2 * H, MADV_DONTNEED); uffdio_unregister(u, d, 2 * H);",
                "madvise(d, 2 * H, MADV_DONTNEED); uffd_close(u);",
                "uffdio_writeprotect(u, d, 2 * H, NONE);",
                "madvise(d, 2 * H, MADV_DONTNEED); uffdio_writeprotect(u, d, 2 * H, NONE);",
            })
    void theProtectionEndsWithTheRegistration(String what) {
        String before = "d[0] = 1; uffdio_writeprotect(u, d, P, WP); " + what;
        assertThat(states(before, WRITER)).isEqualTo("d[0]=2;");
    }

    @Test
    void whatIsCopiedInCanBeProtectedAtOnce() {
        mode = "UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP";
        String before = "d[P] = 1; uffdio_copy(u, d, d + P, P, UFFDIO_COPY_MODE_WP);";
        assertThat(states(before.replace("d[P] = 1;", SOURCE), WRITER_AND_MONITOR)).isEqualTo(TOLD);
    }

    private static final String SOURCE =
            "char *s = mmap(P, RW, MAP_PRIVATE | MAP_ANONYMOUS); s[0] = 1;"
                    + " uffdio_copy(u, d + P, s, P, 0);";

    @Test
    void soCanWhatIsInTheFileAlready() {
        mode = "UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP";
        String before =
                """
                char *w = mmap(0, 2 * H, RW, MAP_SHARED, fd, 0);
                w[0] = 1;
                uffdio_continue(u, d, P, UFFDIO_CONTINUE_MODE_WP);
                """;
        assertThat(states(before, WRITER_AND_MONITOR)).isEqualTo(TOLD);
    }

    @Test
    void whereNobodyIsToldTheFirstWriteTakesTheProtectionAway() {
        features = "UFFD_FEATURE_WP_ASYNC";
        assertThat(states("d[0] = 1; uffdio_writeprotect(u, d, P, WP);", WRITER))
                .isEqualTo("d[0]=2;");
    }

    /// Writes by others who map the file are their own affair.
    @Test
    void onlyTheMappingIsProtected() {
        String before =
                """
                char *w = mmap(0, 2 * H, RW, MAP_SHARED, fd, 0);
                d[0] = 1;
                uffdio_writeprotect(u, d, P, WP);
                """;
        String test = "P0(char *w) { w[0] = 2; }\nlocations [d[0]]\n";
        assertThat(states(before, test)).isEqualTo("d[0]=2;");
    }

    /// Who writes to a protected page is killed; else the write would be there.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "madvise(d, 2 * H, MADV_DONTNEED)",
                "move_pages(d)",
                "madvise(d, H, MADV_COLLAPSE)",
                "mprotect(d, P, PROT_READ); mprotect(d, P, PROT_READ | PROT_WRITE)",
                "ftruncate(fd, 2 * P)",
                "uffdio_writeprotect(u, d, 2 * P, WP)",
            })
    void noWriteGetsThroughBeside(String what) {
        features = "UFFD_FEATURE_SIGBUS";
        String test =
                """
                P0(char *d, int fd, long u) { WHAT; }
                P1(char *d) { d[0] = 2; }
                locations [d[0]]
                """;
        assertThat(
                        states(
                                "d[0] = 1; uffdio_writeprotect(u, d, P, WP);",
                                test.replace("WHAT", what)))
                .isEqualTo("d[0]=1;");
    }
}
