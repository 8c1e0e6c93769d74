// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Entries that NUMA hinting makes inaccessible, and the faults that undo it.
final class NumaHintingTest {
    /// A second P does nothing: a process of one thread is left alone.
    private static final String TWO = "\nP1() { int r9 = 0; }\n";

    private static Answer check(String arch, String thp, String program) {
        String anon = ", PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)";
        String text = "C t\n" + program.replaceAll("ANON\\((.*?)\\)", "mmap($1" + anon);
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(Map.of("arch", arch, "thp", thp)))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    /// Runs `body` beside a thread that does nothing; `condition` holds in the end.
    private static void expect(String arch, String thp, String init, String body, String cond) {
        String program = "{ " + init + " }\nP0() { " + body + " }" + TWO + "forall (" + cond + ")";
        Answer answer = check(arch, thp, program);
        assertThat(answer.negative()).as("%s: %s", arch, answer.states()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "x86-64,never",
        "x86-64,always",
        "arm64-4k,never",
        "arm64-4k,always",
        "s390,always",
        "riscv64-sv39,always",
        "powerpc-radix,never"
    })
    void theNextAccessUndoesTheHintAndSeesTheData(String arch, String thp) {
        expect(
                arch,
                thp,
                "char *a = ANON(PMD_SIZE); a[0] = 1;",
                "r0 = task_numa_work() > 0; r1 = a[0]; a[0] = 2; r2 = a[0];"
                        + " struct page *p = get_user_pages_fast(a, FOLL_WRITE); r3 = p != 0;"
                        + " put_page(p);",
                "0:r0 = 1 /\\ 0:r1 = 1 /\\ 0:r2 = 2 /\\ 0:r3 = 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void whatIsInaccessibleAlreadyIsNotChangedAgain(String thp) {
        expect(
                "arm64-4k",
                thp,
                "char *a = ANON(PMD_SIZE); a[0] = 1;",
                "r0 = task_numa_work() > 0; r1 = task_numa_work();",
                "0:r0 = 1 /\\ 0:r1 = 0");
    }

    @Test
    void allPagesOfALargeFolioAreAccessibleAgain() {
        expect(
                "x86-64",
                "always",
                "char *a = ANON(PMD_SIZE); a[0] = 1; split_huge_pmd(a);",
                "r0 = task_numa_work(); r1 = a[0]; r2 = task_numa_work();",
                "0:r0 = HPAGE_PMD_NR /\\ 0:r1 = 1 /\\ 0:r2 = HPAGE_PMD_NR");
    }

    @Test
    void aProcessOfOneThreadIsLeftAlone() {
        Answer answer =
                check(
                        "x86-64",
                        "always",
                        "{ char *a = ANON(PMD_SIZE); a[0] = 1; }\n"
                                + "P0() { r0 = task_numa_work(); }\nforall (0:r0 = 0)");
        assertThat(answer.negative()).isZero();
    }

    @Test
    void pinnedSharedAndInaccessiblePagesAreLeftAlone() {
        expect(
                "x86-64",
                "never",
                "char *a = ANON(PAGE_SIZE); a[0] = 1; char *b = ANON(PAGE_SIZE); b[0] = 1;"
                        + " char *c = ANON(PAGE_SIZE); int z = c[0];",
                "struct page *p = pin_user_pages_fast(a, FOLL_WRITE);"
                        + " mprotect(b, PAGE_SIZE, PROT_NONE); r0 = task_numa_work();"
                        + " unpin_user_page(p); r1 = task_numa_work(); int pid = fork();"
                        + " a[0] = 2; r2 = a[0];",
                "0:r0 = 0 /\\ 0:r1 = 1 /\\ 0:r2 = 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void gupLooksThroughAHintUnlessAskedToHonourIt(String thp) {
        expect(
                "arm64-4k",
                thp,
                "char *a = ANON(PMD_SIZE); a[0] = 1;",
                "r0 = task_numa_work() > 0; struct page *p = get_user_pages(a, 0);"
                        + " put_page(p); r1 = task_numa_work();"
                        + " struct page *q = get_user_pages(a, FOLL_HONOR_NUMA_FAULT);"
                        + " put_page(q); r2 = task_numa_work() > 0; r3 = p == q;",
                "0:r0 = 1 /\\ 0:r1 = 0 /\\ 0:r2 = 1 /\\ 0:r3 = 1");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,never", "arm64-4k,never", "arm64-4k,always"})
    void twoThreadsUndoOneHint(String arch, String thp) {
        String test =
                """
                { char *a = ANON(PMD_SIZE); a[0] = 1; }
                P0(char *a) { r0 = task_numa_work(); r1 = a[0]; }
                P1(char *a) { a[0] = 2; r1 = a[0]; }
                forall (1:r1 = 2)
                """;
        Answer answer = check(arch, thp, test);
        assertThat(answer.negative()).isZero();
    }

    /// A device is told of the hint, and undoes it like anybody else.
    @ParameterizedTest
    @CsvSource({"x86-64,never", "x86-64,always", "arm64-4k,never"})
    void aDeviceFaultsInWhatIsHinted(String arch, String thp) {
        String test =
                """
                {
                  char *a = ANON(PMD_SIZE);
                  a[0] = 1;
                  int fd = open("/dev/hmm_dmirror0", O_RDWR);
                  int r = dmirror_write(fd, a, 2);
                }
                P0(char *a) { long r0 = task_numa_work(); }
                P1(char *a, int fd) { int r0 = dmirror_write(fd, a, 3); }
                forall (1:r0 = 0 /\\ a[0] = 3)
                """;
        Answer answer = check(arch, thp, test);
        assertThat(answer.negative()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"arm-lpae", "x86-32", "powerpc-8xx"})
    void whereThereIsNoNumaBalancingItCannotBeCalled(String arch) {
        assertThatExceptionOfType(LitmusException.class)
                .isThrownBy(() -> expect(arch, "never", "", "r0 = task_numa_work();", "0:r0 = 0"))
                .withMessageContaining("t.litmus:3:13: ")
                .withMessageContaining(arch + " without NUMA balancing has no task_numa_work()");
    }
}
