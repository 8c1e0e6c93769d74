// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Collapsing files in memory, and taking their page tables away. `FILE` makes the file `fd` of the
/// size of a PMD and maps it shared at `a`.
final class FileCollapseTest {
    private static Answer check(String arch, String shmem, String test) {
        String file =
                "int fd = memfd_create(\"f\", 0); ftruncate(fd, PMD_SIZE); char *a = mmap(0,"
                        + " PMD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);";
        Map<String, String> config = Map.of("arch", arch, "shmem", shmem);
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", "C t\n" + test.replace("FILE;", file)));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    private static void expect(String arch, String shmem, String body, String condition) {
        String test = "{ FILE; }\nP0(char *a, int fd) { " + body + " }\nforall (" + condition + ")";
        Answer answer = check(arch, shmem, test);
        assertThat(answer.negative()).as("%s: %s", arch, answer.states()).isZero();
    }

    private static String states(String shmem, String test) {
        return String.join(" ", check("arm64-4k", shmem, test).states());
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-4k", "arm64-64k", "s390", "riscv64"})
    void pagesAndHolesBecomeAHugePageForEverybody(String arch) {
        expect(
                arch,
                "never",
                "char *b = mmap(0, PMD_SIZE, PROT_READ, MAP_PRIVATE, fd, 0); a[0] = 1;"
                        + " a[PAGE_SIZE] = 2; r0 = b[0];"
                        + " r1 = madvise(a, PMD_SIZE, MADV_COLLAPSE); r2 = pmd_trans_huge(a);"
                        + " r3 = a[PAGE_SIZE] + a[2 * PAGE_SIZE]; r4 = b[PAGE_SIZE];"
                        + " r5 = pmd_trans_huge(b); a[PAGE_SIZE] = 3; r6 = b[PAGE_SIZE];",
                "0:r0=1 /\\ 0:r1=0 /\\ 0:r2=1 /\\ 0:r3=2 /\\ 0:r4=2 /\\ 0:r5=1 /\\ 0:r6=3");
    }

    @Test
    void privateCopiesKeepTheirPageTable() {
        expect(
                "x86-64",
                "never",
                "char *b = mmap(0, PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);"
                        + " a[0] = 1; b[PAGE_SIZE] = 5;"
                        + " r0 = madvise(a, PMD_SIZE, MADV_COLLAPSE); r1 = b[PAGE_SIZE]; r2 = b[0];"
                        + " r3 = pmd_trans_huge(b); r4 = madvise(b, PMD_SIZE, MADV_COLLAPSE);",
                "0:r0=0 /\\ 0:r1=5 /\\ 0:r2=1 /\\ 0:r3=0 /\\ 0:r4=-EINVAL");
    }

    @Test
    void whatIsMappedByPtesIsMappedByAPmd() {
        expect(
                "x86-64",
                "always",
                "char *c = mmap(0, PMD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0); c[0] = 1;"
                        + " madvise(a, PMD_SIZE, MADV_NOHUGEPAGE); r0 = a[0];"
                        + " r1 = pmd_trans_huge(a); r2 = madvise(a, PMD_SIZE, MADV_COLLAPSE);"
                        + " madvise(a, PMD_SIZE, MADV_HUGEPAGE);"
                        + " r3 = madvise(a, PMD_SIZE, MADV_COLLAPSE); r4 = pmd_trans_huge(a);"
                        + " r5 = madvise(a, PMD_SIZE, MADV_COLLAPSE);",
                "0:r0=1 /\\ 0:r1=0 /\\ 0:r2=-EINVAL /\\ 0:r3=0 /\\ 0:r4=1 /\\ 0:r5=0");
    }

    @Test
    void khugepagedMapsNothing() {
        expect(
                "x86-64",
                "advise",
                "a[0] = 1; r0 = khugepaged_scan(a); madvise(a, PMD_SIZE, MADV_HUGEPAGE);"
                        + " r1 = khugepaged_scan(a); r2 = pmd_trans_huge(a); r3 = a[0];"
                        + " r4 = pmd_trans_huge(a);",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=1 /\\ 0:r4=1");
    }

    @Test
    void emptyFilesAndPinnedPagesAreLeftAlone() {
        expect(
                "x86-64",
                "never",
                "r0 = madvise(a, PMD_SIZE, MADV_COLLAPSE); a[0] = 1;"
                        + " struct page *p = pin_user_pages_fast(a, FOLL_WRITE);"
                        + " r1 = madvise(a, PMD_SIZE, MADV_COLLAPSE); unpin_user_page(p);"
                        + " r2 = madvise(a, PMD_SIZE, MADV_COLLAPSE); r3 = a[0];",
                "0:r0=-EINVAL /\\ 0:r1=-EAGAIN /\\ 0:r2=0 /\\ 0:r3=1");
    }

    /// The page table goes with the marker in it, as in the kernel.
    @Test
    void poisonOfAUserfaultfdDoesNotSurviveACollapse() {
        expect(
                "x86-64",
                "never",
                "a[0] = 1; madvise(a, PAGE_SIZE, MADV_DONTNEED); long u = userfaultfd(0);"
                        + " r0 = uffdio_register(u, a, PMD_SIZE, UFFDIO_REGISTER_MODE_MINOR);"
                        + " r1 = uffdio_poison(u, a, PAGE_SIZE); uffd_close(u);"
                        + " char *b = mmap(0, PMD_SIZE, PROT_READ, MAP_SHARED, fd, 0);"
                        + " r2 = madvise(b, PMD_SIZE, MADV_COLLAPSE); r3 = a[0];",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=0 /\\ 0:r3=1");
    }

    // ---- in every order

    private static final String HUGE_BY_PTES =
            """
            {
              FILE;
              char *c = mmap(0, PMD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
              c[0] = 1;
              munmap(c, PMD_SIZE);
              madvise(a, PMD_SIZE, MADV_NOHUGEPAGE);
              char r1 = a[0];
              madvise(a, PMD_SIZE, MADV_HUGEPAGE);
            }
            """;

    @Test
    void storesOfAnotherThreadAreNotLost() {
        String test =
                HUGE_BY_PTES
                        + """
                        P0(char *a) { r0 = madvise(a, PMD_SIZE, MADV_COLLAPSE); }
                        P1(char *a) { a[PAGE_SIZE] = 2; }
                        locations [0:r0; a[PAGE_SIZE]] exists (a[PAGE_SIZE]!=2)
                        """;
        assertThat(states("always", test)).isEqualTo("0:r0=0; a[PAGE_SIZE]=2;");
    }

    @Test
    void aFaultFindsTheOldTableOrTheHugePage() {
        String test =
                HUGE_BY_PTES
                        + """
                        P0(char *a) { r0 = madvise(a, PMD_SIZE, MADV_COLLAPSE); }
                        P1(char *a) { madvise(a, PAGE_SIZE, MADV_DONTNEED); r0 = a[0]; }
                        locations [0:r0; 1:r0] exists (1:r0!=1)
                        """;
        assertThat(states("always", test)).isEqualTo("0:r0=0; 1:r0=1;");
    }

    // ---- the detector of stores that are lost

    @Test
    void whatGoesIntoATableThatHasBeenTakenAwayIsFound() {
        Path race = Path.of("../races/uffd-move");
        ModelPatch patch = ModelPatch.read(race.resolve("posted.patch"));
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withPatches(List.of(patch)))
                        .check(Source.read(race.resolve("race.litmus")));
        assertThat(answer.violations())
                .anyMatch(each -> each.kind().equals("BUG: store into a detached page table"));
    }

    @Test
    void movesAreForAnonymousMemoryOnly() {
        expect(
                "x86-64",
                "never",
                "char *s = mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);"
                    + " char *b = mmap(0, PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);"
                    + " s[0] = 1; long u = userfaultfd(0); r0 = uffdio_register(u, a, PMD_SIZE,"
                    + " UFFDIO_REGISTER_MODE_MISSING); r1 = uffdio_register(u, b, PMD_SIZE,"
                    + " UFFDIO_REGISTER_MODE_MISSING); r2 = uffdio_move(u, a, s, PAGE_SIZE, 0); r3"
                    + " = uffdio_move(u, b, s, PAGE_SIZE, 0);",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=-EINVAL /\\ 0:r3=-EINVAL");
    }
}
