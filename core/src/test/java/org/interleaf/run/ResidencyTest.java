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

/// What smaps, numa_maps, pagemap and mincore tell, as a process on a real kernel sees it. In the
/// programs `ANON` maps that many bytes.
final class ResidencyTest {
    private static Answer check(String arch, String program) {
        String anon = ", PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)";
        String text =
                "C t\nconfig thp=always pages=40\n"
                        + program.replaceAll("ANON\\((.*?)\\)", "mmap($1" + anon);
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(Map.of("arch", arch)))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    /// Runs `body` alone; `condition` holds in the end.
    private static void expect(String arch, String init, String body, String condition) {
        Answer answer =
                check(arch, "{ " + init + " }\nP0() { " + body + " }\nforall (" + condition + ")");
        assertThat(answer.states()).hasSize(1);
        assertThat(answer.negative()).as("%s: %s", arch, answer.states()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-4k", "x86-32", "x86-32-pae", "s390", "riscv64-sv39"})
    void smapsTellsWhatIsThereAndWhose(String arch) {
        expect(
                arch,
                "char *a = ANON(PMD_SIZE - PAGE_SIZE); a[0] = 1;",
                "r0 = smaps(a, \"Rss\"); r1 = smaps(a, \"Private_Dirty\"); int pid = fork();"
                        + " r2 = smaps(a, \"Shared_Dirty\"); r3 = smaps(a, \"Pss\");"
                        + " r4 = smaps(a - PAGE_SIZE);",
                "0:r0 = PAGE_SIZE /\\ 0:r1 = PAGE_SIZE /\\ 0:r2 = PAGE_SIZE"
                        + " /\\ 0:r3 = PAGE_SIZE / 2 /\\ 0:r4 = -14");
    }

    @Test
    void hugePagesCountAsAWhole() {
        expect(
                "x86-64",
                "char *a = ANON(PMD_SIZE); a[0] = 1;",
                "r0 = smaps(a, \"AnonHugePages\"); r1 = smaps(a, \"Rss\");"
                        + " r2 = numa_maps(a, \"anon\"); split_huge_pmd(a);"
                        + " r3 = smaps(a, \"AnonHugePages\"); r4 = smaps(a, \"Rss\");",
                "0:r0 = PMD_SIZE /\\ 0:r1 = PMD_SIZE /\\ 0:r2 = HPAGE_PMD_NR /\\ 0:r3 = 0"
                        + " /\\ 0:r4 = PMD_SIZE");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    smaps(a, "Rs")       | did you mean `Rss`?
                    smaps(a, "Size")     | `smaps` has no `Size`
                    smaps(a, 1)          | takes a name in quotes
                    numa_maps(a, "anno") | did you mean `anon`?
                    numa_maps(a, a)      | known are N0, anon, dirty, active, mapmax
                    """)
    void namesThatAreNotThereAreAMistakeOfTheTest(String call, String complaint) {
        String program = "{ char *a = ANON(PAGE_SIZE); }\nP0(char *a) { long r0 = " + call + "; }";
        assertThatExceptionOfType(LitmusException.class)
                .isThrownBy(() -> check("x86-64", program + "\nexists (0:r0 = 1)"))
                .withMessageContaining("t.litmus:4:25: ")
                .withMessageContaining(complaint);
    }

    @Test
    void zeroPagesAreNobodys() {
        expect(
                "arm64-4k",
                "char *a = ANON(PMD_SIZE - PAGE_SIZE);",
                "r0 = a[0]; r1 = smaps(a); r2 = pagemap(a) < 0;",
                "0:r0 = 0 /\\ 0:r1 = 0 /\\ 0:r2 = 1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-64k", "x86-32-pae", "powerpc-radix"})
    void pagemapTellsFrames(String arch) {
        expect(
                arch,
                "char *a = ANON(PMD_SIZE - PAGE_SIZE); a[PAGE_SIZE] = 1;",
                "r0 = pagemap(a); r1 = pagemap_nth(a, 1);"
                        + " struct page *p = get_user_pages(a + PAGE_SIZE, 0);"
                        + " r2 = page_to_pfn(p) == (r1 & PM_PFRAME_MASK); put_page(p);"
                        + " r3 = (r1 & ~PM_PFRAME_MASK) == (PM_PRESENT | PM_MMAP_EXCLUSIVE);"
                        + " int pid = fork();"
                        + " r4 = (pagemap_nth(a, 1) & ~PM_PFRAME_MASK) == PM_PRESENT;",
                "0:r0 = 0 /\\ 0:r2 = 1 /\\ 0:r3 = 1 /\\ 0:r4 = 1");
    }

    @Test
    void mincoreFillsAVector() {
        expect(
                "arm64-4k",
                "char *a = ANON(PMD_SIZE - PAGE_SIZE); char *v = ANON(PAGE_SIZE); a[PAGE_SIZE] = 1;"
                        + " v[0] = 9;",
                "r0 = mincore(a, 2 * PAGE_SIZE, v); r1 = mincore(a + 1, PAGE_SIZE, v);"
                        + " r2 = mincore(a - PAGE_SIZE, PAGE_SIZE, v);"
                        + " r3 = mincore(a, PAGE_SIZE, a - PAGE_SIZE);",
                "0:r0 = 0 /\\ v[0] = 0 /\\ v[1] = 1 /\\ 0:r1 = -22 /\\ 0:r2 = -12"
                        + " /\\ 0:r3 = -14");
    }

    @Test
    void rmapFindsPagesBehindPtesAndPmds() {
        expect(
                "x86-64",
                "char *a = ANON(PMD_SIZE); a[0] = 1;",
                "struct page *p = get_user_pages(a + PAGE_SIZE, 0);"
                        + " r0 = page_mapped_in_vma(p, a) == (long)(a + PAGE_SIZE);"
                        + " split_huge_pmd(a);"
                        + " r1 = page_mapped_in_vma(p, a) == (long)(a + PAGE_SIZE);"
                        + " r2 = madvise(a, PMD_SIZE, MADV_DONTNEED);"
                        + " r3 = page_mapped_in_vma(p, a); put_page(p);",
                "0:r0 = 1 /\\ 0:r1 = 1 /\\ 0:r2 = 0 /\\ 0:r3 = -14");
    }

    /// The PTE table goes away under the reader, who finds the huge page instead: nothing is
    /// missed.
    @Test
    void collapseHidesNothingFromSmaps() {
        Answer answer =
                check(
                        "arm64-4k",
                        "{ char *a = ANON(PMD_SIZE); int r = madvise(a, PMD_SIZE,"
                                + " MADV_NOHUGEPAGE); memset(a, 1, PMD_SIZE);"
                                + " r = madvise(a, PMD_SIZE, MADV_HUGEPAGE); }\n"
                                + "P0() { r0 = smaps(a) == PMD_SIZE; }\n"
                                + "P1() { r0 = madvise(a, PMD_SIZE, MADV_COLLAPSE); }\n"
                                + "forall (0:r0 = 1)");
        assertThat(answer.negative()).isZero();
    }
}
