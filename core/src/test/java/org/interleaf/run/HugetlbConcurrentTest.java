// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Two threads against each other on huge pages, or a thread and the child of its process: every
/// order, and nothing to find. `S` is the size of the huge pages.
final class HugetlbConcurrentTest {
    /// @return the final states, of which there is at least one
    private static String explore(String arch, String size, int pages, String test) {
        String name = size.replace("cont-", "CONT_");
        String flags = "MAP_ANONYMOUS | MAP_HUGETLB | (" + name + "_SHIFT << MAP_HUGE_SHIFT)";
        String text =
                ("C t\n" + test)
                        .replaceAll("\\bPRIVATE\\b", "MAP_PRIVATE | " + flags)
                        .replaceAll("\\bSHARED\\b", "MAP_SHARED | " + flags)
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bS\\b", name + "_SIZE");
        Answer answer =
                new TestRunner(
                                RunOptions.DEFAULT.withConfig(
                                        Map.of("arch", arch, "hugetlb", size + ":" + pages)))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return String.join(" ", answer.states());
    }

    @ParameterizedTest
    @CsvSource({
        "x86-64,PMD",
        "x86-64,PUD",
        "arm64-4k,cont-PTE",
        "arm64-4k,PMD",
        "arm64-4k,cont-PMD",
        "arm64-4k,PUD",
        "arm64-64k,cont-PTE",
        "riscv64,cont-PTE",
        "x86-32,PMD"
    })
    void unmappingAgainstPopulating(String arch, String size) {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE | MAP_NORESERVE); a[0] = 1; }
                P0(char *a) { int r0 = madvise(a, S, MADV_DONTNEED); }
                P1(char *a) { int r0 = madvise(a, S, MADV_POPULATE_READ); }
                exists (0:r0=0)\
                """;
        assertThat(explore(arch, size, 2, test)).isEqualTo("0:r0=0;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "arm64-4k,cont-PTE"})
    void twoFaultsOnTheLastPageOfThePool(String arch, String size) {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE | MAP_NORESERVE); }
                P0(char *a) { a[0] = 1; }
                P1(char *a) { a[PAGE_SIZE] = 2; }
                exists (a[0]=1 /\\ a[PAGE_SIZE]=2)\
                """;
        assertThat(explore(arch, size, 1, test)).isEqualTo("a[0]=1; a[PAGE_SIZE]=2;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "arm64-4k,cont-PTE"})
    void unmappingSharedMemoryAgainstAFaultOfTheChild(String arch, String size) {
        String test =
                """
                { char *a = mmap(S, RW, SHARED); a[0] = 1; int pid = fork(); }
                P0(char *a) { int r0 = munmap(a, S); }
                P1(char *a, int pid) { kthread_use_mm(pid); char r0 = a[0]; }
                exists (1:r0=1)\
                """;
        assertThat(explore(arch, size, 1, test)).isEqualTo("1:r0=1;");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void takingPagesOutOfAFileAgainstFaulting(boolean truncate) {
        String test =
                """
                { int fd = memfd_create("x", MFD_HUGETLB);
                    char *a = mmap(0, S, RW, MAP_SHARED, fd, 0); a[0] = 1; }
                P0(int fd) { int r0 = CALL; }
                P1(char *a) { int r0 = madvise(a, S, MADV_POPULATE_WRITE); }
                exists (0:r0=0 /\\ 1:r0=0)\
                """;
        String hole = "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE";
        String call = truncate ? "ftruncate(fd, 0)" : "fallocate(fd, " + hole + ", 0, S)";
        String states = explore("x86-64", "PMD", 2, test.replace("CALL", call));
        String beyondTheEnd = truncate ? "0:r0=0; 1:r0=-14; " : "";
        assertThat(states).isEqualTo(beyondTheEnd + "0:r0=0; 1:r0=0;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "arm64-4k,cont-PTE", "arm64-4k,PUD"})
    void forkAgainstPinning(String arch, String size) {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE); a[0] = 1; }
                P0() { int pid = fork(); }
                P1(char *a) { struct page *p; char r0; p = pin_user_pages_fast(a, FOLL_WRITE);
                    kmap_write(p, 5); r0 = a[0]; unpin_user_page(p); }
                exists (1:r0=5)\
                """;
        assertThat(explore(arch, size, 2, test)).isEqualTo("1:r0=5;");
    }

    @ParameterizedTest
    @CsvSource({"arm64-4k,cont-PTE,2", "arm64-4k,cont-PMD,2", "x86-64,PMD,2"})
    void parentAgainstChildCopyingOnWrite(String arch, String size, int pages) {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE); a[0] = 1; int pid = fork(); }
                P0(char *a) { char r0; a[0] = 2; r0 = a[0]; }
                P1(char *a, int pid) { char r0; kthread_use_mm(pid); a[PAGE_SIZE] = 3; r0 = a[0]; }
                exists (0:r0=2 /\\ 1:r0=1)\
                """;
        assertThat(explore(arch, size, pages, test)).isEqualTo("0:r0=2; 1:r0=1;");
    }

    @ParameterizedTest
    @CsvSource({"arm64-4k,cont-PTE", "x86-64,PMD"})
    void anOwnerAgainstItsChildWithOnePage(String arch, String size) {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE); a[0] = 1; int pid = fork(); }
                P0(char *a) { char r0; a[0] = 2; r0 = a[0]; }
                P1(char *a, int pid) { kthread_use_mm(pid);
                    int r0 = madvise(a, S, MADV_POPULATE_READ); }
                exists (0:r0=2)\
                """;
        assertThat(explore(arch, size, 1, test)).isEqualTo("0:r0=2;");
    }

    @ParameterizedTest
    @CsvSource({"arm64-4k,cont-PMD", "arm64-4k,cont-PTE", "x86-64,PUD"})
    void protectingAndMovingAgainstGupFast(String arch, String size) {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE); a[0] = 1; }
                P0(char *a) { mprotect(a, S, PROT_READ);
                    mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, a + S); }
                P1(char *a) { struct page *p; p = get_user_pages_fast_only(a, 0);
                    int r0 = p == 0; if (p) put_page(p); }
                exists (1:r0=0)\
                """;
        assertThat(explore(arch, size, 1, test)).contains("1:r0=0;", "1:r0=1;");
    }

    @ParameterizedTest
    @CsvSource({
        "arm64-4k,cont-PTE,char r0; a[0] = 2; r0 = a[0];,1:r0=2;",
        "arm64-4k,cont-PMD,char r0; mprotect(a | S | PROT_READ); r0 = a[0];,1:r0=1;",
        "x86-64,PMD,int r0 = munmap(a | S);,1:r0=0;",
        "x86-64,PUD,char r0; a[0] = 3; r0 = a[0];,1:r0=3;",
        "arm64-4k,cont-PTE,int r0 = smaps(a) == S;,1:r0=1;"
    })
    void migrationAgainstUsers(String arch, String size, String body, String end) {
        String test =
                "{ char *a = mmap(S, RW, PRIVATE); a[0] = 1; }\n"
                        + "P0(char *a) { move_pages(a); }\n"
                        + ("P1(char *a) { " + body.replace(" |", ",") + " }\n")
                        + ("exists (" + end.replace(";", "") + ")");
        assertThat(explore(arch, size, 2, test)).isEqualTo(end);
    }

    @Test
    void migrationAgainstPinning() {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE); a[0] = 1; }
                P0(char *a) { int r0 = move_pages(a); }
                P1(char *a) { struct page *p; char r0; p = pin_user_pages_fast(a, FOLL_WRITE);
                    a[0] = 3; r0 = kmap_read(p); unpin_user_page(p); }
                exists (1:r0=3)\
                """;
        // Only who pins knows: a pinned page stays, and one that has moved is pinned where it is.
        assertThat(explore("arm64-4k", "cont-PTE", 2, test)).isEqualTo("1:r0=3;");
    }

    @ParameterizedTest
    @CsvSource({
        "x86-64,PMD,madvise(a | S | MADV_POPULATE_READ),0:r0=0; 1:r0=-133; 0:r0=0; 1:r0=0;",
        "arm64-4k,cont-PTE,madvise(a | S | MADV_DONTNEED),0:r0=-16; 1:r0=0; 0:r0=0; 1:r0=0;",
        "arm64-4k,cont-PMD,fork() > 0,0:r0=0; 1:r0=1;",
        "x86-64,PUD,mprotect(a | S | PROT_READ),0:r0=0; 1:r0=0;"
    })
    void memoryFailureAgainstUsers(String arch, String size, String call, String end) {
        String test =
                "{ char *a = mmap(S, RW, PRIVATE); char x = a[0]; }\n"
                        + "P0(char *a) { int r0 = madvise(a, S, MADV_HWPOISON); }\n"
                        + ("P1(char *a) { int r0 = " + call.replace(" |", ",") + "; }\n")
                        + "locations [0:r0; 1:r0]";
        assertThat(explore(arch, size, 2, test)).isEqualTo(end);
    }

    @Test
    void memoryFailureAgainstAWriterKillsWhoLosesData() {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE); char x = a[0]; }
                P0(char *a) { int r0; r0 = 1; r0 = madvise(a, S, MADV_HWPOISON); }
                P1(char *a) { char r0; r0 = 0; a[0] = 3; r0 = a[0]; }
                locations [0:r0; 1:r0]\
                """;
        // 1 in the first: it was killed before it had the answer; 0 in the second: by touching it.
        assertThat(explore("x86-64", "PMD", 2, test))
                .isEqualTo("0:r0=0; 1:r0=0; 0:r0=1; 1:r0=0; 0:r0=1; 1:r0=3;");
    }

    /// Who is too late finds poison; who is not may have the page when it is to be dissolved. On
    /// arm64 he may also have had it for a moment, since flushing TLBs waits for no walker there.
    @ParameterizedTest
    @CsvSource({
        "x86-64,0:r0=-16; 1:r0=1; 0:r0=0; 1:r0=0; 0:r0=0; 1:r0=1;",
        "arm64-4k,0:r0=-16; 1:r0=0; 0:r0=-16; 1:r0=1; 0:r0=0; 1:r0=0; 0:r0=0; 1:r0=1;"
    })
    void memoryFailureAgainstGup(String arch, String end) {
        String test =
                """
                { char *a = mmap(S, RW, PRIVATE); char x = a[0]; }
                P0(char *a) { int r0 = madvise(a, S, MADV_HWPOISON); }
                P1(char *a) { struct page *p; p = get_user_pages_fast(a, 0);
                    int r0 = p != 0; if (p) put_page(p); }
                locations [0:r0; 1:r0]\
                """;
        assertThat(explore(arch, "PMD", 2, test)).isEqualTo(end);
    }

    @Test
    void migrationOfAFilesPageAgainstTruncation() {
        String test =
                """
                { int fd = memfd_create("x", MFD_HUGETLB);
                    char *a = mmap(0, S, RW, MAP_SHARED, fd, 0); a[0] = 1; }
                P0(char *a) { move_pages(a); }
                P1(int fd) { int r0 = ftruncate(fd, 0); }
                exists (1:r0=0)\
                """;
        assertThat(explore("x86-64", "PMD", 2, test)).isEqualTo("1:r0=0;");
    }
}
