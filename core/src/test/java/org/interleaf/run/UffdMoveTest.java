// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Userfaultfd in anonymous memory: what the requests answer, and that nothing is lost whatever
/// runs beside them. In the tests, `P` is the size of a page and `H` of a huge one; `d` is
/// registered for missing pages with `u`, `s` is not; both are `2 * H` long, private and writable.
final class UffdMoveTest {
    private static final String SET_UP =
            """
            {
              char *s = mmap(2 * H, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              char *d = mmap(2 * H, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              long u = userfaultfd(FLAGS);
              uffdio_register(u, d, 2 * H, UFFDIO_REGISTER_MODE_MISSING);
              BEFORE
            }
            """;

    private String arch = "arm64-4k";
    private String thp = "never";
    private String flags = "0";

    private Answer check(String before, String test) {
        Answer answer = run(before, test);
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    private Answer run(String before, String test) {
        String text =
                ("C t\n" + SET_UP.replace("FLAGS", flags).replace("BEFORE", before) + test)
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bHOLES\\b", "UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES")
                        .replaceAll("\\bP\\b", "PAGE_SIZE")
                        .replaceAll("\\bH\\b", "PMD_SIZE");
        RunOptions options = RunOptions.DEFAULT.withConfig(Map.of("arch", arch, "thp", thp));
        Answer answer = new TestRunner(options).check(Source.of("t.litmus", text));
        assertThat(answer.violations()).as(test).isEmpty();
        return answer;
    }

    /// The final states of all executions.
    private String states(String before, String test) {
        return String.join(" ", check(before, test).states());
    }

    /// P0 alone runs `body`, whose last value `r0` is in the end.
    private String answer(String before, String body) {
        return states(before, "P0(char *s, char *d, long u) { " + body + " }\nlocations [0:r0]\n");
    }

    // ---- single requests

    @Test
    void aPageMovesAndLeavesAHole() {
        assertThat(
                        answer(
                                "s[0] = 7;",
                                "int r1 = uffdio_move(u, d, s, P, 0); int r0 = r1 * 100 + d[0] * 10"
                                        + " + s[0];"))
                .isEqualTo("0:r0=70;");
    }

    @Test
    void severalPagesMoveTogether() {
        assertThat(
                        answer(
                                "s[0] = 1; s[P] = 2; s[2 * P] = 3;",
                                "int r1 = uffdio_move(u, d + P, s, 3 * P, 0);"
                                        + " int r0 = d[P] * 100 + d[2 * P] * 10 + d[3 * P];"))
                .isEqualTo("0:r0=123;");
    }

    @Test
    void pagesMoveAcrossTables() {
        assertThat(
                        answer(
                                "s[H - P] = 1; s[H] = 2;",
                                "int r1 = uffdio_move(u, d, s + H - P, 2 * P, 0);"
                                        + " int r0 = d[0] * 10 + d[P];"))
                .isEqualTo("0:r0=12;");
    }

    @Test
    void theZeroPageMoves() {
        assertThat(
                        answer(
                                "char c = s[0];",
                                "int r1 = uffdio_move(u, d, s, P, 0);"
                                        + " int r0 = r1 * 10 + (mapped_page(d) != NULL)"
                                        + " + (mapped_page(s) == NULL) * 2;"))
                .isEqualTo("0:r0=3;");
    }

    @ParameterizedTest
    @CsvSource({
        // from, to, length, mode, answer
        "s+2*P, d,     P,     0,   -ENOENT",
        "s+2*P, d,     P,     2,   0",
        "s+P,   d,     P,     0,   0",
        "s+P,   d,     2*P,   0,   -EAGAIN",
        "s+P,   d,     2*P,   2,   0",
        "s+P,   d+H,   P,     0,   -EEXIST",
        "s+1,   d,     P,     0,   -EINVAL",
        "s+P,   d+1,   P,     0,   -EINVAL",
        "s+P,   d,     1,     0,   -EINVAL",
        "s+P,   d,     0,     0,   -EINVAL",
        "s+P,   d,     P,     4,   -EINVAL",
        "s+P,   s,     P,     0,   -EINVAL",
        "s,     d,     3*H,   2,   -EINVAL",
        "d+H,   d,     P,     0,   0",
        "d+H,   d+H,   P,     0,   -EEXIST",
    })
    void whatMoveAnswers(String from, String to, String length, int mode, String answer) {
        String move = "uffdio_move(u, " + to + ", " + from + ", " + length + ", " + mode + ")";
        assertThat(
                        answer(
                                "s[P] = 7; uffdio_copy(u, d + H, s, P);",
                                "int r0 = " + move + " - (" + answer + ");"))
                .as(move)
                .isEqualTo("0:r0=0;");
    }

    @ParameterizedTest
    @CsvSource({
        "'mprotect(s, 2 * H, PROT_READ);',     -EINVAL",
        "'mprotect(d, 2 * H, PROT_READ);',     -EINVAL",
        "'munmap(s, 2 * H);',                  -ENOENT",
        "'munmap(d, 2 * H);',                  -ENOENT",
        "'uffdio_unregister(u, d, 2 * H);',    -EINVAL",
        "'uffd_close(u);',                     -EBADF",
        "'fork();',                            -EBUSY",
        "'pin_user_pages(s, 0);',              -EBUSY",
        "'uffdio_unregister(u, d, H);',        -EINVAL",
        "'uffdio_unregister(u, d + H, H);',    0",
    })
    void whatMakesMoveRefuse(String before, String answer) {
        assertThat(
                        answer(
                                "s[0] = 7;" + before,
                                "int r0 = uffdio_move(u, d, s, P, 0) - (" + answer + ");"))
                .as(before)
                .isEqualTo("0:r0=0;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"arm64-4k", "x86-64", "x86-32-pae"})
    void aHugePageMovesAsAWhole(String architecture) {
        arch = architecture;
        thp = "always";
        assertThat(
                        answer(
                                "s[0] = 7;",
                                "int r1 = uffdio_move(u, d, s, H, 0);"
                                        + " int r0 = r1 * 100 + d[0] * 10 + pmd_trans_huge(d) * 2 +"
                                        + " pmd_trans_huge(s);"))
                .isEqualTo("0:r0=72;");
    }

    @Test
    void theHugeZeroPageMoves() {
        thp = "always";
        assertThat(
                        answer(
                                "char c = s[0];",
                                "int r1 = uffdio_move(u, d, s, H, 0);"
                                        + " int r0 = r1 * 10 + pmd_trans_huge(d);"))
                .isEqualTo("0:r0=1;");
    }

    @Test
    void nothingMovesOverAHugePage() {
        thp = "always";
        assertThat(
                        answer(
                                "s[0] = 7; uffdio_unregister(u, d, 2 * H); d[0] = 1;"
                                        + " uffdio_register(u, d, 2 * H, 1);",
                                "int r0 = uffdio_move(u, d, s, H, 0) - (-EEXIST);"))
                .isEqualTo("0:r0=0;");
    }

    @Test
    void theZeroPageIsFilledIn() {
        assertThat(
                        answer(
                                "s[0] = 7;",
                                "int r1 = uffdio_zeropage(u, d, P);"
                                        + " int r2 = uffdio_zeropage(u, d, P) == -EEXIST;"
                                        + " int r3 = uffdio_copy(u, d, s, P) == -EEXIST;"
                                        + " int r0 = r1 * 100 + r2 * 10 + r3 + d[0];"))
                .isEqualTo("0:r0=11;");
    }

    @Test
    void copyFaultsItsSourceIn() {
        assertThat(answer("", "int r1 = uffdio_copy(u, d, s, P); int r0 = r1 * 10 + d[0];"))
                .isEqualTo("0:r0=0;");
        assertThat(answer("munmap(s, 2 * H);", "int r0 = uffdio_copy(u, d, s, P) + EFAULT;"))
                .isEqualTo("0:r0=0;");
    }

    @ParameterizedTest
    @CsvSource({
        "'uffdio_register(u, s, 2 * H, 1)',           0",
        "'uffdio_register(u, s, P, 1)',               0",
        "'uffdio_register(u, s, P, 4)',               -EINVAL",
        "'uffdio_register(u, s, P, 8)',               -EINVAL",
        "'uffdio_register(u, s, 0, 1)',               -EINVAL",
        "'uffdio_register(userfaultfd(0), d, P, 1)',  -EBUSY",
        "'uffdio_unregister(userfaultfd(0), d, P)',   -EINVAL",
        "'uffdio_unregister(u, s, P)',                0",
        "'uffdio_zeropage(u, s, P)',                  -ENOENT",
        "'uffdio_copy(u, d, s, 2 * H + P)',           -ENOENT",
        "'uffdio_continue(u, d, P)',                  -EINVAL",
        "'uffdio_copy(u, d, s, P, 8)',                -EINVAL",
    })
    void whatOtherRequestsAnswer(String request, String answer) {
        assertThat(answer("s[0] = 1;", "int r0 = " + request + " - (" + answer + ");"))
                .as(request)
                .isEqualTo("0:r0=0;");
    }

    // ---- a faulting thread and a monitor

    @ParameterizedTest
    @CsvSource({"'char r0 = d[0]',7", "'d[1] = 5; char r0 = d[0]',7"})
    void aMissingPageIsMovedIn(String access, int expected) {
        String test =
                """
                P0(char *d) { ACCESS; }
                P1(char *s, char *d, long u) {
                  long r0 = uffd_read(u) & -P;
                  int r1 = uffdio_move(u, r0, s, P, 0);
                }
                locations [0:r0; 1:r1]
                """;
        assertThat(states("s[0] = 7;", test.replace("ACCESS", access)))
                .isEqualTo("0:r0=" + expected + "; 1:r1=0;");
    }

    @Test
    void aFaultThatWaitsGoesOnWhenTheMappingIsNoLongerRegistered() {
        String test =
                """
                P0(char *d) { char r0 = d[0]; }
                P1(char *d, long u) { uffd_read(u); int r0 = uffdio_unregister(u, d, 2 * H); }
                locations [0:r0; 1:r0]
                """;
        assertThat(states("", test)).isEqualTo("0:r0=0; 1:r0=0;");
    }

    /// Until it is closed the fault is made again and again, which is tried a few times only.
    @Test
    void aFaultThatWaitsGoesOnWhenTheDescriptorIsClosed() {
        String test =
                """
                P0(char *d) { char r0 = d[0]; }
                P1(long u) { uffd_read(u); uffd_close(u); }
                locations [0:r0]
                """;
        assertThat(states("", test)).isEqualTo("0:r0=0;");
    }

    @Test
    void twoMonitorsFillOnePage() {
        String test =
                """
                P0(char *s, char *d, long u) { int r0 = uffdio_copy(u, d, s, P); }
                P1(char *s, char *d, long u) { int r0 = uffdio_move(u, d, s + P, P, 0); }
                locations [0:r0; 1:r0]
                """;
        assertThat(states("s[0] = 7; s[P] = 8;", test))
                .isEqualTo("0:r0=-17; 1:r0=0; 0:r0=0; 1:r0=-17;");
    }

    // ---- against others

    /// What MOVE may find while something happens to the destination or the source.
    @ParameterizedTest
    @CsvSource({
        "'madvise(d, H, MADV_DONTNEED)',              '-22 0'",
        "'madvise(s, H, MADV_DONTNEED)',              '-22 -2 0'",
        "'munmap(d, 2 * H)',                          '-2 0'",
        "'munmap(s, 2 * H)',                          '-2 0'",
        "'mprotect(s, P, PROT_READ)',                 '-22 0'",
        "'s[0] = 3',                                  '0'",
        "'fork()',                                    '-16 0'",
        "'uffdio_move(u, d + P, s, P, 0)',            '-2 0'",
        "'uffdio_move(u, d, s + P, P, 0)',            '-17 0'",
        "'pin_user_pages_fast(s, FOLL_WRITE)',        '-16 0'",
        "'get_user_pages_fast(s, FOLL_WRITE)',        '0'",
        "'collapse_huge_page(d)',                     '0'",
    })
    void moveAgainst(String other, String answers) {
        String test =
                """
                P0(char *s, char *d, long u) { int r0 = uffdio_move(u, d, s, P, 0); }
                P1(char *s, char *d, long u) { OTHER; }
                locations [0:r0]
                """;
        String before = "s[0] = 7; s[P] = 8; uffdio_zeropage(u, d + 2 * P, P);";
        String found = states(before, test.replace("OTHER", other));
        assertThat(found.replaceAll("0:r0=(-?\\d+);", "$1").split(" "))
                .as(other)
                .containsOnly(answers.split(" "))
                .contains("0");
    }

    @Test
    void oppositeMovesDoNotDeadlock() {
        String test =
                """
                P0(char *s, char *d, long u) { int r0 = uffdio_move(u, d, d + H, P, 0); }
                P1(char *s, char *d, long u) { int r0 = uffdio_move(u, d + H + P, d + P, P, 0); }
                locations [0:r0; 1:r0]
                """;
        assertThat(states("uffdio_zeropage(u, d + H, P); uffdio_zeropage(u, d + P, P);", test))
                .isEqualTo("0:r0=0; 1:r0=0;");
    }

    @ParameterizedTest
    @CsvSource({
        "'madvise(s, H, MADV_DONTNEED)'",
        "'pin_user_pages_fast(s, 0)'",
        "'munmap(s, 2 * H)'",
    })
    void aHugePageAgainst(String other) {
        thp = "always";
        String test =
                """
                P0(char *s, char *d, long u) { int r0 = uffdio_move(u, d, s, H, 0); }
                P1(char *s) { OTHER; }
                exists (0:r0 = 0)
                """;
        Answer answer = check("s[0] = 7;", test.replace("OTHER", other));
        assertThat(answer.positive()).as(other).isPositive();
    }
}
