// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.trace.Violation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;

/// What single calls do, told by the final states of tests with one process or two.
final class KernelOperationsTest {
    private static final String MAPPED =
            """
            C t
            {
              char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
              memset(a, 1, PMD_SIZE);
            }
            """;

    private static Answer run(String test, Map<String, String> config) {
        return new TestRunner(RunOptions.DEFAULT.withConfig(config))
                .check(Source.of("t.litmus", test));
    }

    private static List<String> states(String body, String condition) {
        Answer answer = run(MAPPED + body + "\nexists (" + condition + ")", Map.of());
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return answer.states();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "x86-64-5level", "arm64-4k"})
    void everyArchitectureStoresAndLoads(String arch) {
        String body = "P0(char *a) { a[PAGE_SIZE] = 7; char r0 = a[PAGE_SIZE]; char r1 = a[1]; }";
        Answer answer = run(MAPPED + body + "\nexists (0:r0=7 /\\ 0:r1=1)", Map.of("arch", arch));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.states()).containsExactly("0:r0=7; 0:r1=1;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"split", "split-pte", "mm"})
    void everyChoiceOfLocksCollapsesAndSplits(String ptl) {
        String body =
                "P0(char *a) { int r0 = collapse_huge_page(a); split_huge_pmd(a);"
                        + " a[PAGE_SIZE] = 7; char r1 = a[2 * PAGE_SIZE]; }";
        Answer answer =
                run(
                        MAPPED + body + "\nexists (0:r0=1 /\\ 0:r1=1 /\\ a[PAGE_SIZE]=7)",
                        Map.of("ptl", ptl));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.states()).containsExactly("0:r0=1; 0:r1=1; a[PAGE_SIZE]=7;");
    }

    @Test
    void fullTablesHave512Entries() {
        String test =
                """
                C t
                {
                  char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                  *a = 1;
                  a[511 * PAGE_SIZE] = 2;
                }
                P0(char *a) { int r0 = collapse_huge_page(a); char r1 = a[511 * PAGE_SIZE]; }
                exists (0:r0=1 /\\ 0:r1=2 /\\ pmd_trans_huge(a)=1)
                """;
        Answer answer = run(test, Map.of("geometry", "full"));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.states()).containsExactly("0:r0=1; 0:r1=2; pmd_trans_huge(a)=1;");
    }

    @Test
    void collapseKeepsContents() {
        assertThat(
                        states(
                                "P0(char *a) { a[PAGE_SIZE] = 7; int r0 = collapse_huge_page(a);"
                                        + " char r1 = a[PAGE_SIZE]; char r2 = a[0]; }",
                                "0:r0=1 /\\ 0:r1=7 /\\ 0:r2=1 /\\ pmd_trans_huge(a)=1"))
                .containsExactly("0:r0=1; 0:r1=7; 0:r2=1; pmd_trans_huge(a)=1;");
    }

    @Test
    void collapseGivesUpWhereAPageIsPinnedAndLeavesEverythingAsItWas() {
        assertThat(
                        states(
                                "P0(char *a) { struct page *p; int r0; char r1;"
                                        + " p = pin_user_pages_fast(a, FOLL_WRITE);"
                                        + " r0 = collapse_huge_page(a); kmap_write(p, 9);"
                                        + " r1 = a[0]; unpin_user_page(p); }",
                                "0:r0=1 \\/ 0:r1=9 /\\ pmd_trans_huge(a)=0"))
                .containsExactly("0:r0=0; 0:r1=9; pmd_trans_huge(a)=0;");
    }

    @Test
    void collapseFillsHolesWithZeroes() {
        String test =
                """
                C t
                {
                  char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                  a[0] = 5;
                }
                P0(char *a) {
                  char r0; int r1; char r2;
                  r0 = a[PAGE_SIZE];
                  r1 = collapse_huge_page(a);
                  r2 = a[PAGE_SIZE];
                  a[PAGE_SIZE] = 3;
                }
                exists (0:r0=0 /\\ 0:r1=1 /\\ 0:r2=0 /\\ a[0]=5 /\\ a[PAGE_SIZE]=3)
                """;
        Answer answer = run(test, Map.of());
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.states())
                .containsExactly("0:r0=0; 0:r1=1; 0:r2=0; a[0]=5; a[PAGE_SIZE]=3;");
    }

    @Test
    void madviseCollapseIsTheSameAfterAScan() {
        assertThat(
                        states(
                                "P0(char *a) { int r0 = madvise(a, PMD_SIZE, MADV_COLLAPSE); }",
                                "0:r0=0 /\\ pmd_trans_huge(a)=1"))
                .containsExactly("0:r0=0; pmd_trans_huge(a)=1;");
    }

    @Test
    void khugepagedWantsTheAdvice() {
        assertThat(
                        states(
                                "P0(char *a) { int r0; int r1; int r2;"
                                        + " r0 = khugepaged_scan(a);"
                                        + " r1 = madvise(a, PMD_SIZE, MADV_HUGEPAGE);"
                                        + " r2 = khugepaged_scan(a); }",
                                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=1"))
                .containsExactly("0:r0=0; 0:r1=0; 0:r2=1;");
    }

    @Test
    void aFaultMapsAHugePageWhereThatIsWanted() {
        String test =
                """
                C t
                {
                  char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                }
                P0(char *a) {
                  char r0; int r1; char r2;
                  r0 = a[PAGE_SIZE];
                  a[PAGE_SIZE] = 4;
                  r1 = munmap(a + PAGE_SIZE * 2, PAGE_SIZE);
                  r2 = a[PAGE_SIZE];
                }
                exists (0:r0=0 /\\ 0:r1=0 /\\ 0:r2=4 /\\ mapped_page(a + PAGE_SIZE * 2)=0
                  /\\ pmd_trans_huge(a)=0)
                """;
        Answer answer = run(test, Map.of("thp", "always"));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.positive()).isEqualTo(1);
        assertThat(answer.negative()).isZero();
    }

    /// Whatever is wanted: architectures without `HAVE_ARCH_TRANSPARENT_HUGEPAGE`.
    @ParameterizedTest
    @ValueSource(strings = {"powerpc-8xx", "powerpc-8xx-16k"})
    void whereNothingIsHugeNothingGetsHuge(String arch) {
        String test =
                """
                C t
                {
                  char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                }
                P0(char *a) {
                  int r0 = madvise(a, PMD_SIZE, MADV_HUGEPAGE);
                  a[0] = 1;
                  int r1 = collapse_huge_page(a);
                }
                exists (0:r0=-EINVAL /\\ 0:r1=0 /\\ pmd_trans_huge(a)=0)
                """;
        Answer answer = run(test, Map.of("thp", "always", "arch", arch));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.positive()).isEqualTo(1);
    }

    @Test
    void fastAndSlowGupFindTheSamePage() {
        assertThat(
                        states(
                                "P0(char *a) { struct page *p; struct page *q; int r0;"
                                        + " p = get_user_pages_fast(a + PAGE_SIZE, FOLL_WRITE);"
                                        + " q = get_user_pages(a + PAGE_SIZE, FOLL_WRITE);"
                                        + " r0 = p == q; put_page(p); put_page(q); }",
                                "0:r0=1"))
                .containsExactly("0:r0=1;");
    }

    @Test
    void gupFaultsInWhatIsMissingUnlessToldNotTo() {
        String test =
                """
                C t
                {
                  char *a = mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                }
                P0(char *a) {
                  struct page *p; struct page *q; int r0; int r1;
                  p = get_user_pages_fast_only(a, FOLL_WRITE);
                  r0 = p == NULL;
                  q = pin_user_pages_fast(a, FOLL_WRITE);
                  r1 = q != NULL;
                  kmap_write(q, 6);
                  unpin_user_page(q);
                }
                exists (0:r0=1 /\\ 0:r1=1 /\\ a[0]=6)
                """;
        Answer answer = run(test, Map.of());
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.states()).containsExactly("0:r0=1; 0:r1=1; a[0]=6;");
    }

    @Test
    void gupOfUnmappedMemoryReturnsNothing() {
        assertThat(
                        states(
                                "P0(char *a) { struct page *p; int r0; munmap(a, PMD_SIZE);"
                                        + " p = pin_user_pages_fast(a, 0); r0 = p == NULL; }",
                                "0:r0=1"))
                .containsExactly("0:r0=1;");
    }

    @Test
    void aPinOfTheZeroPageIsNotCountedAndAReadPinOfAWritablePageIsExclusive() {
        String test =
                """
                C t
                {
                  char *a = mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                }
                P0(char *a) {
                  char r0; struct page *p; char r1; char r2;
                  r0 = *a;
                  p = pin_user_pages_fast(a, 0);
                  *a = 3;
                  r1 = kmap_read(p);
                  unpin_user_page(p);
                  p = pin_user_pages_fast(a, 0);
                  r2 = kmap_read(p);
                  unpin_user_page(p);
                }
                exists (0:r0=0 /\\ 0:r1=0 /\\ 0:r2=3)
                """;
        Answer answer = run(test, Map.of());
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.states()).containsExactly("0:r0=0; 0:r1=0; 0:r2=3;");
    }

    @Test
    void touchingWhatIsNotMappedEndsTheThread() {
        assertThat(
                        states(
                                "P0(char *a) { int r0 = 1; munmap(a, PMD_SIZE); r0 = 2;"
                                        + " *a = 1; r0 = 3; }",
                                "0:r0=2"))
                .containsExactly("0:r0=2;");
    }

    @Test
    void aReferenceThatIsDroppedTwiceIsReported() {
        Answer answer =
                run(
                        MAPPED
                                + "P0(char *a) { struct page *p = get_user_pages_fast(a, 0);"
                                + " put_page(p); put_page(p); }\nexists (a[0]=1)",
                        Map.of());
        assertThat(answer.violations()).extracting(Violation::kind).isNotEmpty();
    }

    @Test
    void pagesAreAsLargeAsTheTestNeeds() {
        assertThat(
                        states(
                                "P0(char *a) { a[100] = 5; char r0 = a[100]; char r1 = a[99]; }",
                                "0:r0=5 /\\ 0:r1=0"))
                .containsExactly("0:r0=5; 0:r1=1;");
    }

    @Test
    void storesOfDifferentWidthsLeaveTheirNeighboursAlone() {
        String body =
                """
                P0(char *a) {
                  *(int *)(a + 4) = 0x01020304;
                  char r0 = a[3];
                  char r1 = a[4];
                  char r2 = a[7];
                  long r3 = *(long *)a;
                }
                """;
        assertThat(states(body, "0:r0=1 /\\ 0:r1=4 /\\ 0:r2=1 /\\ 0:r3=0x0102030401010101"))
                .containsExactly("0:r0=1; 0:r1=4; 0:r2=1; 0:r3=72623859722944769;");
    }
}
