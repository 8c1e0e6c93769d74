// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashMap;
import java.util.Map;

/// PMD tables that processes share, as these processes see it. In the tests, `P` is what one such
/// table maps and `S` what one of its entries does, `FILE` opens a file of two `P`, `SHARE` has
/// parent and child map the first of them at `a` and use it, `AS_CHILD` and `AS_PARENT` say who
/// goes on.
final class HugetlbPmdShareTest {
    private static final String REGISTERS =
            "char *a; char *b; int fd; int pid; int pid3; long uffd; "
                    + "struct page *t; struct page *u; "
                    + "long r0; long r1; long r2; long r3; long r4; long r5; ";
    private static final String FILE =
            "fd = memfd_create(\"f\", MFD_HUGETLB); r0 = ftruncate(fd, 2 * PUD_SIZE); ";
    private static final String MAP =
            "a = mmap(PUD_SIZE, PUD_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0); ";
    private static final String SHARE =
            FILE + MAP + "pid = fork(); a[0] = 1; kthread_use_mm(pid); a[0] = 2; AS_PARENT ";

    private final Map<String, String> config = new HashMap<>(Map.of("hugetlb", "PMD:8"));

    private Answer check(String text) {
        String expanded =
                text.replaceAll("\\bSHARE\\b", SHARE)
                        .replaceAll("\\bFILE\\b", FILE)
                        .replaceAll("\\bMAP\\b", MAP)
                        .replaceAll("\\bAS_CHILD\\b", "kthread_use_mm(pid);")
                        .replaceAll("\\bAS_PARENT\\b", "kthread_unuse_mm(pid);")
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bS\\b", "PMD_SIZE")
                        .replaceAll("\\bP\\b", "PUD_SIZE");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", expanded));
        assertThat(answer.violations()).as(text).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    /// P0 runs `body`; then `condition` holds.
    private void always(String body, String condition) {
        Answer answer =
                check("C t\n{\n}\nP0() { " + REGISTERS + body + " }\nexists (" + condition + ")\n");
        assertThat(answer.positive()).as(body + " " + answer.states()).isPositive();
        assertThat(answer.negative()).as(body + " " + answer.states()).isZero();
    }

    // ---- who shares

    @ParameterizedTest
    @ValueSource(strings = {"arm64-4k", "arm64-16k", "x86-64", "x86-64-5level", "riscv64"})
    void twoProcessesHaveOneTable(String arch) {
        config.put("arch", arch);
        always("SHARE t = pud_page(a); AS_CHILD u = pud_page(a); r1 = t == u;", "0:r1=1");
    }

    @ParameterizedTest
    @CsvSource({"s390,split", "x86-32-pae,split", "arm64-4k,split-pte", "x86-64,mm"})
    void someArchitecturesAndConfigurationsDoNotShare(String arch, String locks) {
        config.put("arch", arch);
        config.put("ptl", locks);
        config.put("hugetlb", "PMD:4");
        always(
                "fd = memfd_create(\"f\", MFD_HUGETLB); r0 = ftruncate(fd, S);"
                        + " a = mmap(P, S, RW, MAP_SHARED | MAP_FIXED, fd, 0); pid = fork();"
                        + " a[0] = 1; t = pud_page(a); AS_CHILD a[0] = 2; u = pud_page(a);"
                        + " r1 = t == u; r2 = pagemap(a) & PM_MMAP_EXCLUSIVE;",
                "0:r1=0 /\\ 0:r2=0");
    }

    @Test
    void sharingIsSeenByPagemapAndSmaps() {
        always(
                FILE
                        + MAP
                        + "pid = fork(); a[0] = 1; r0 = (pagemap(a) & PM_MMAP_EXCLUSIVE) != 0;"
                        + " r1 = smaps(a, \"Private_Hugetlb\") == S; AS_CHILD a[0] = 2;"
                        + " r2 = (pagemap(a) & PM_MMAP_EXCLUSIVE) == 0;"
                        + " r3 = smaps(a, \"Shared_Hugetlb\") == S; AS_PARENT"
                        + " r4 = smaps(a, \"Shared_Hugetlb\") == S;"
                        + " exit_mmap(pid); r5 = (pagemap(a) & PM_MMAP_EXCLUSIVE) != 0;",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=1 /\\ 0:r4=1 /\\ 0:r5=1");
    }

    @Test
    void tablesCountForEverybodyWhoUsesThem() {
        // A PUD table and a PMD table, of 4 kB each.
        always(
                FILE
                        + MAP
                        + "pid = fork(); r0 = VmPTE(); a[0] = 1; r1 = VmPTE(); AS_CHILD"
                        + " r2 = VmPTE(); a[0] = 2; r3 = VmPTE(); r4 = munmap(a, P);"
                        + " r4 = VmPTE(); AS_PARENT r5 = VmPTE();",
                "0:r0=0 /\\ 0:r1=8 /\\ 0:r2=0 /\\ 0:r3=8 /\\ 0:r4=0 /\\ 0:r5=8");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // Less than a table maps.
                "b = mmap(3 * P, P - S, RW, MAP_SHARED | MAP_FIXED, fd, 0);",
                // All of it, but not where a table begins.
                "b = mmap(3 * P + S, P, RW, MAP_SHARED | MAP_FIXED, fd, 0);",
                // Another part of the file at that place in the table.
                "b = mmap(3 * P, P, RW, MAP_SHARED | MAP_FIXED, fd, S);",
                // Another protection.
                "b = mmap(3 * P, P, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);",
                // Private.
                "b = mmap(3 * P, P, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);",
                // Told of each fault.
                "b = mmap(3 * P, P, RW, MAP_SHARED | MAP_FIXED, fd, 0); uffd = userfaultfd(0);"
                        + " r0 = uffdio_register(uffd, b, P, UFFDIO_REGISTER_MODE_MINOR);"
                        + " r0 = uffdio_continue(uffd, b, S);"
            })
    void mappingsThatAreNotAlikeDoNotShare(String other) {
        always(
                FILE
                        + MAP
                        + "a[0] = 1; a[S] = 1; "
                        + other
                        + " r0 = b[0]; t = pud_page(a); u = pud_page(b); r1 = t == u;",
                "0:r1=0");
    }

    @Test
    void oneProcessSharesWithItselfToo() {
        always(
                FILE
                        + MAP
                        + "b = mmap(3 * P, P, RW, MAP_SHARED | MAP_FIXED, fd, 0); a[0] = 1; r0 ="
                        + " b[0]; t = pud_page(a); u = pud_page(b); r1 = t == u; r2 = VmPTE(); r3 ="
                        + " munmap(a, P); r4 = b[0]; r5 = VmPTE();",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=16 /\\ 0:r4=1 /\\ 0:r5=8");
    }

    @Test
    void aMappingThatIsLongerSharesWholeTables() {
        always(
                FILE
                        + "a = mmap(P, P + S, RW, MAP_SHARED | MAP_FIXED, fd, 0); pid = fork();"
                        + " a[0] = 1; a[P] = 1; t = pud_page(a); u = pud_page(a + P); AS_CHILD"
                        + " a[0] = 2; a[P] = 2; r1 = t == pud_page(a); r2 = u == pud_page(a + P);",
                "0:r1=1 /\\ 0:r2=0");
    }

    // ---- what unshares

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mprotect(a + S, S, PROT_READ)",
                "munmap(a + S, S)",
                "madvise(a + S, S, MADV_DONTNEED)",
                "mprotect(a, P, PROT_READ)",
                "uffdio_register(userfaultfd(0), a, P, UFFDIO_REGISTER_MODE_MINOR)",
                "uffdio_register(userfaultfd(0), a, S, UFFDIO_REGISTER_MODE_MISSING)"
            })
    void aChangeOfAPartLosesTheWholeTable(String call) {
        always(
                "SHARE AS_CHILD r0 = "
                        + call
                        + "; r1 = VmPTE(); r2 = pud_page(a) == NULL;"
                        + " AS_PARENT r3 = VmPTE(); r4 = a[0]; r5 = (pagemap(a) &"
                        + " PM_MMAP_EXCLUSIVE) != 0;",
                "0:r0=0 /\\ 0:r1=4 /\\ 0:r2=1 /\\ 0:r3=8 /\\ 0:r4=2 /\\ 0:r5=1");
    }

    @Test
    void theProtectionOfAPartIsOneProcessOnly() {
        always(
                "SHARE AS_CHILD r0 = mprotect(a, S, PROT_READ); r1 = madvise(a, S,"
                        + " MADV_POPULATE_WRITE); r2 = a[0]; a[S] = 7; AS_PARENT"
                        + " a[0] = 9; r3 = a[S]; AS_CHILD r4 = a[0];",
                "0:r0=0 /\\ 0:r1=-22 /\\ 0:r2=2 /\\ 0:r3=7 /\\ 0:r4=9");
    }

    @Test
    void aPartThatWasSplitOffNeverSharesAgain() {
        always(
                "SHARE AS_CHILD r0 = munmap(a, S); a[S] = 3; u = pud_page(a); AS_PARENT"
                        + " r1 = u == pud_page(a); r2 = a[S]; r3 = a[0];",
                "0:r1=0 /\\ 0:r2=3 /\\ 0:r3=2");
    }

    @Test
    void whatWasUnsharedIsSharedAgainByTheNextFault() {
        always(
                "SHARE AS_CHILD r0 = madvise(a, S, MADV_DONTNEED); r1 = VmPTE(); r2 = a[0];"
                        + " r3 = VmPTE(); u = pud_page(a); AS_PARENT r4 = u == pud_page(a);",
                "0:r1=4 /\\ 0:r2=2 /\\ 0:r3=8 /\\ 0:r4=1");
    }

    @Test
    void whatIsSharedIsNotMovedByMremap() {
        always(
                "SHARE AS_CHILD b = mremap(a, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, 3 * P);"
                        + " r1 = VmPTE(); r2 = b[0]; u = pud_page(b); AS_PARENT"
                        + " r3 = u == pud_page(a);",
                "0:r1=0 /\\ 0:r2=2 /\\ 0:r3=1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ftruncate(fd, 0)",
                "fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2 * P)"
            })
    void whatGoesFromTheFileGoesFromAllWhoShareIt(String call) {
        always(
                "SHARE r1 = free_hugepages(S); r0 = "
                        + call
                        + "; r2 = free_hugepages(S);"
                        + " r3 = smaps(a); AS_CHILD r4 = smaps(a);",
                "0:r0=0 /\\ 0:r1=7 /\\ 0:r2=8 /\\ 0:r3=0 /\\ 0:r4=0");
    }

    @Test
    void aPageThatMovesIsUnsharedByAllButOne() {
        always(
                "SHARE t = pud_page(a); r0 = move_pages(a); r1 = a[0]; AS_CHILD r2 = a[0];"
                        + " r3 = pud_page(a) == t; a[0] = 5; AS_PARENT r4 = a[0];"
                        + " r5 = pud_page(a) == t;",
                "0:r0=0 /\\ 0:r1=2 /\\ 0:r2=2 /\\ 0:r3=1 /\\ 0:r4=5 /\\ 0:r5=1");
    }

    // ---- three, and the end

    @Test
    void pagesCountOnceHoweverManyShareThem() {
        always(
                FILE
                        + MAP
                        + "pid = fork(); pid3 = fork(); a[0] = 1; r1 = page_count(mapped_page(a));"
                        + " AS_CHILD a[0] = 2; r2 = page_count(mapped_page(a));"
                        + " kthread_use_mm(pid3); a[0] = 3; r3 = page_count(mapped_page(a)) == r1;"
                        + " r4 = r1 == r2; r5 = page_count(pud_page(a));",
                "0:r3=1 /\\ 0:r4=1 /\\ 0:r5=1");
    }

    @Test
    void theTableStaysWithTheLastOfThree() {
        always(
                FILE
                        + MAP
                        + "pid = fork(); pid3 = fork(); a[0] = 1; AS_CHILD a[0] = 2;"
                        + " kthread_use_mm(pid3); a[0] = 3; t = pud_page(a);"
                        + " kthread_unuse_mm(pid3); exit_mmap(pid);"
                        + " r1 = (pagemap(a) & PM_MMAP_EXCLUSIVE) == 0; r2 = munmap(a, P);"
                        + " kthread_use_mm(pid3); r3 = pud_page(a) == t; r4 = a[0];"
                        + " r5 = (pagemap(a) & PM_MMAP_EXCLUSIVE) != 0;",
                "0:r1=1 /\\ 0:r3=1 /\\ 0:r4=3 /\\ 0:r5=1");
    }

    @Test
    void anAddressSpaceGoesWithItsLastUser() {
        always(
                "SHARE AS_CHILD r1 = exit_mmap(pid); r2 = a[0]; r3 = VmPTE(); AS_PARENT"
                        + " r4 = kthread_use_mm(pid); r5 = exit_mmap(pid);",
                "0:r1=0 /\\ 0:r2=2 /\\ 0:r3=8 /\\ 0:r4=-3 /\\ 0:r5=-3");
    }

    @Test
    void exitEndsAProcessAndWhoRunsAsIt() {
        always("SHARE r1 = 1; AS_CHILD exit(0); r1 = 2;", "0:r1=1");
    }

    // ---- all interleavings

    /// Two processes share a table, of which one has two threads; nothing is found.
    @ParameterizedTest
    @CsvSource({
        "madvise(a; S; MADV_POPULATE_READ), madvise(a; S; MADV_DONTNEED), munmap(a; P)",
        "pagemap(a), munmap(a + S; S), madvise(a; S; MADV_DONTNEED)",
        "pagemap(a), mprotect(a; P; PROT_READ), mprotect(a; P; PROT_READ)",
        "pagemap(a), mprotect(a; S; PROT_READ), madvise(a; S; MADV_DONTNEED)"
    })
    void threadsOfTwoProcessesAgainstEachOther(String first, String second, String third) {
        String test =
                """
                C t
                {
                  %s
                }
                P0(char *a) { long r0; r0 = %s; }
                P1(char *a, int fd) { long r0; r0 = %s; }
                P2(char *a, int *pid) { long r0; kthread_use_mm(*pid); r0 = %s; }
                exists (2:r0=0)
                """
                        .formatted(
                                "int fd; int r0; char *a; int pid; SHARE",
                                first.replace(';', ','),
                                second.replace(';', ','),
                                third.replace(';', ','));
        assertThat(check(test).positive()).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a[0] = 3;", "exit_mmap(pid);", "munmap(a, PUD_SIZE);"})
    void aFaultThatFindsATableAgainstWhatAnotherProcessDoesWithIt(String call) {
        String test =
                """
                C t
                {
                  int fd; int r0; char *a; FILE MAP int pid = fork();
                }
                P0(char *a, int pid) { %s }
                P1(char *a, int *pid) { kthread_use_mm(*pid); a[0] = 2; }
                exists (a[0]=0)
                """
                        .formatted(call);
        check(test);
    }
}
