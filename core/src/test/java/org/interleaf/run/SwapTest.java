// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashMap;
import java.util.Map;

/// What one thread sees of pages that are reclaimed and come back. In the tests `P` is the size of
/// a page and `H` of a huge one, `OUT` pages one out, `IN_SWAP` tells what pagemap says of it, and
/// `a` is private memory of `2 * H`.
final class SwapTest {
    private static final String REGISTERS =
            "char *b; int pid; struct page *p; long u; long r0; long r1; long r2; long r3; ";

    private final Map<String, String> config = new HashMap<>(Map.of("swap", "4", "thp", "never"));

    private Answer run(String body, String condition) {
        String text =
                ("C t\n{\n char *a = mmap(2 * H, RW, MAP_PRIVATE | MAP_ANONYMOUS);\n}\nP0() { "
                                + REGISTERS
                                + body
                                + " }\nexists ("
                                + condition
                                + ")\n")
                        .replaceAll("\\bOUT\\(", "madvise(P, MADV_PAGEOUT, ")
                        .replaceAll("madvise\\(P, MADV_PAGEOUT, (\\w+)\\)", "madvise($1, P, PO)")
                        .replaceAll("IN_SWAP\\((\\w+)\\)", "((pagemap($1) & PM_SWAP) != 0)")
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bPO\\b", "MADV_PAGEOUT")
                        .replaceAll("\\bP\\b", "PAGE_SIZE")
                        .replaceAll("\\bH\\b", "PMD_SIZE");
        RunOptions options = RunOptions.DEFAULT.withConfig(config);
        return new TestRunner(options).check(Source.of("t.litmus", text));
    }

    /// P0 runs `body`, which has `b`, `pid`, `p`, `u` and `r0` to `r3`; then `condition` holds.
    private void always(String body, String condition) {
        Answer answer = run(body, condition);
        assertThat(answer.violations()).as(body).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        assertThat(answer.positive()).as(body + " " + answer.states()).isPositive();
        assertThat(answer.negative()).as(body + " " + answer.states()).isZero();
    }

    // ---- a part of a large folio

    /// The folio is split, and only what was asked for goes.
    @ParameterizedTest
    @ValueSource(strings = {"", "split_huge_pmd(a);"})
    void aPartOfAHugePageIsPagedOut(String before) {
        config.put("thp", "always");
        always(
                "memset(a, 5, H); "
                        + before
                        + " OUT(a); r0 = IN_SWAP(a); r1 = smaps(a, \"Swap\") / P;"
                        + " r2 = a[0] + a[P]; r3 = pmd_trans_huge(a);",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=10 /\\ 0:r3=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "split_huge_pmd(a);"})
    void aPartOfAHugePageIsFreed(String before) {
        config.put("thp", "always");
        always(
                "memset(a, 5, H); "
                        + before
                        + " r0 = madvise(a, P, MADV_FREE); r1 = smaps(a, \"LazyFree\") / P;"
                        + " OUT(a); r2 = a[0] + a[P]; r3 = smaps(a, \"Swap\");",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=5 /\\ 0:r3=0");
    }

    @Test
    void aPartThatSomebodyElseHasAReferenceToStays() {
        config.put("thp", "always");
        always(
                "memset(a, 5, H); p = pin_user_pages_fast(a, 0); OUT(a); r0 = IN_SWAP(a);"
                        + " r1 = smaps(a, \"Swap\"); r2 = a[0]; unpin_user_page(p);",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=5");
    }

    // ---- out and in

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x86-64",
                "x86-32-pae",
                "arm64-4k",
                "arm64-64k",
                "powerpc-8xx",
                "s390",
                "riscv64"
            })
    void aPageComesBackAsItWas(String arch) {
        config.put("arch", arch);
        always(
                "a[0] = 5; r0 = OUT(a); r1 = IN_SWAP(a); r2 = a[0]; r3 = IN_SWAP(a); a[0] = 6;",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=5 /\\ 0:r3=0 /\\ a[0]=6");
    }

    @Test
    void whatIsOnlyOnTheDeviceShowsInFinalStates() {
        always("a[0] = 5; OUT(a);", "a[0]=5");
    }

    @Test
    void zeroesAreNotWritten() {
        always("a[0] = 0; OUT(a); r0 = IN_SWAP(a); r1 = a[0];", "0:r0=1 /\\ 0:r1=0");
    }

    @Test
    void aPageGoesOutAgainAndAgain() {
        always("a[0] = 5; OUT(a); a[0] = 6; OUT(a); a[0] = a[0] + 1; OUT(a);", "a[0]=7");
    }

    @Test
    void aSlotIsUsedAgain() {
        config.put("swap", "1");
        always(
                "a[0] = 5; b = a + P; b[0] = 6; OUT(a); r0 = a[0]; OUT(b); r1 = IN_SWAP(b);"
                        + " r2 = b[0];",
                "0:r0=5 /\\ 0:r1=1 /\\ 0:r2=6");
    }

    @Test
    void whereSlotsRunOutPagesStay() {
        config.put("swap", "1");
        always(
                "a[0] = 5; a[P] = 6; r0 = madvise(a, 2 * P, PO); r1 = IN_SWAP(a); b = a + P;"
                        + " r2 = IN_SWAP(b); r3 = a[0] * 10 + a[P];",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=56");
    }

    @Test
    void withoutSwapPagesStay() {
        config.put("swap", "0");
        always("a[0] = 5; r0 = OUT(a); r1 = IN_SWAP(a);", "0:r0=0 /\\ 0:r1=0 /\\ a[0]=5");
    }

    @Test
    void aPinnedPageStays() {
        always(
                "a[0] = 5; p = pin_user_pages_fast(a, FOLL_WRITE); OUT(a); r0 = IN_SWAP(a);"
                        + " unpin_user_page(p); OUT(a); r1 = IN_SWAP(a);",
                "0:r0=0 /\\ 0:r1=1");
    }

    @Test
    void whoHasAReferenceKeepsThePageInTheSwapCache() {
        always(
                "a[0] = 5; p = get_user_pages_fast(a, FOLL_WRITE); OUT(a); r0 = IN_SWAP(a);"
                        + " kmap_write(p, 6); r1 = a[0]; put_page(p);",
                "0:r0=1 /\\ 0:r1=6");
    }

    @Test
    void coldPagesStay() {
        always(
                "a[0] = 5; r0 = madvise(a, P, MADV_COLD); r1 = IN_SWAP(a);",
                "0:r0=0 /\\ 0:r1=0 /\\ a[0]=5");
    }

    @Test
    void aHugePageGoesOutAsAWhole() {
        config.put("thp", "always");
        config.put("swap", "8");
        always(
                "a[0] = 5; a[H - P] = 6; r0 = madvise(a, H, PO); r1 = pmd_trans_huge(a);"
                        + " r2 = IN_SWAP(a); r3 = a[0] * 10 + a[H - P];",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=1 /\\ 0:r3=56");
    }

    // ---- what others do with such entries

    @Test
    void theFilesOfProcTellOfIt() {
        always(
                "a[0] = 5; a[P] = 6; OUT(a); r0 = smaps(a, \"Swap\") / P; r1 = smaps(a, \"Rss\") /"
                    + " P; r2 = smaps(a, \"SwapPss\") / P; b = a + H; mincore(a, 2 * P, b); r3 ="
                    + " b[0] * 10 + b[1];",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=1");
    }

    @Test
    void unmappingFreesTheSlot() {
        always("a[0] = 5; a[P] = 6; madvise(a, 2 * P, PO); r0 = munmap(a, 2 * H);", "0:r0=0");
    }

    @Test
    void whatIsNotNeededIsZero() {
        always("a[0] = 5; OUT(a); madvise(a, P, MADV_DONTNEED); r0 = a[0];", "0:r0=0");
    }

    @Test
    void mprotectLeavesItInSwap() {
        always(
                "a[0] = 5; OUT(a); r0 = mprotect(a, P, PROT_READ); r1 = IN_SWAP(a); r2 = a[0];"
                        + " mprotect(a, P, RW); a[0] = 6;",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=5 /\\ a[0]=6");
    }

    @Test
    void mremapMovesIt() {
        always(
                "b = mmap(2 * H, RW, MAP_PRIVATE | MAP_ANONYMOUS); a[0] = 5; OUT(a);"
                        + " mremap(a, P, P, MREMAP_MAYMOVE | MREMAP_FIXED, b); r0 = IN_SWAP(b);"
                        + " r1 = b[0]; b[0] = 6; OUT(b); r2 = b[0];",
                "0:r0=1 /\\ 0:r1=5 /\\ 0:r2=6");
    }

    @Test
    void aChildHasItAsWell() {
        always(
                "a[0] = 5; OUT(a); pid = fork(); a[0] = 6; kthread_use_mm(pid); r0 = IN_SWAP(a);"
                        + " r1 = a[0]; a[0] = 7; r2 = a[0]; kthread_unuse_mm(pid); r3 = a[0];",
                "0:r0=1 /\\ 0:r1=5 /\\ 0:r2=7 /\\ 0:r3=6");
    }

    @Test
    void whatIsSharedWithAChildGoesOutOfBoth() {
        always(
                "a[0] = 5; pid = fork(); p = get_user_pages_fast(a, 0); r0 = folio_mapcount(p);"
                        + " put_page(p); OUT(a); r1 = IN_SWAP(a);",
                "0:r0=2 /\\ 0:r1=0 /\\ a[0]=5"); // MADV_PAGEOUT leaves what others map
    }

    @Test
    void gupReadsItIn() {
        always(
                "a[0] = 5; OUT(a); p = pin_user_pages_fast(a, FOLL_WRITE); r0 = kmap_read(p);"
                        + " kmap_write(p, 6); unpin_user_page(p); r1 = a[0];",
                "0:r0=5 /\\ 0:r1=6");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-4k"})
    void collapseReadsItIn(String arch) {
        config.put("arch", arch);
        config.put("thp", "madvise");
        always(
                "a[0] = 5; b = a + P; b[0] = 6; OUT(b); r0 = madvise(a, H, MADV_COLLAPSE);"
                        + " r1 = pmd_trans_huge(a); r2 = a[0] * 10 + b[0];",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=56");
    }

    // ---- MADV_FREE

    @Test
    void whatIsDeclaredFreeIsDropped() {
        always(
                "a[0] = 5; r0 = madvise(a, P, MADV_FREE); OUT(a); r1 = IN_SWAP(a); r2 = a[0];",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=0");
    }

    @Test
    void whatIsWrittenToAfterwardsIsNot() {
        always("a[0] = 5; madvise(a, P, MADV_FREE); a[0] = 6; OUT(a); r0 = a[0];", "0:r0=6");
    }

    @Test
    void whatSomebodyHasAReferenceToIsNotDropped() {
        always(
                "a[0] = 5; madvise(a, P, MADV_FREE); p = get_user_pages_fast(a, 0); OUT(a);"
                        + " r0 = a[0]; put_page(p);",
                "0:r0=5");
    }

    @Test
    void whatIsInSwapIsDroppedAtOnce() {
        always("a[0] = 5; OUT(a); madvise(a, P, MADV_FREE); r0 = a[0];", "0:r0=0");
    }

    // ---- UFFDIO_MOVE

    private static final String UFFD =
            "b = mmap(2 * H, RW, MAP_PRIVATE | MAP_ANONYMOUS); u = userfaultfd(0);"
                    + " uffdio_register(u, b, 2 * H, UFFDIO_REGISTER_MODE_MISSING); ";

    @Test
    void aPageInSwapMoves() {
        always(
                UFFD
                        + "a[0] = 5; OUT(a); r0 = uffdio_move(u, b, a, P, 0); r1 = IN_SWAP(b); r2 ="
                        + " b[0];",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=5");
    }

    @Test
    void aPageInTheSwapCacheMovesWithItsFolio() {
        always(
                UFFD
                        + "a[0] = 5; p = get_user_pages_fast(a, 0); OUT(a); put_page(p);"
                        + " r0 = uffdio_move(u, b, a, P, 0); r1 = IN_SWAP(b); r2 = b[0]; b[0] = 6;",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=5");
    }

    @Test
    void aPageInSwapThatAChildHasDoesNotMove() {
        always(
                UFFD + "a[0] = 5; OUT(a); pid = fork(); r0 = uffdio_move(u, b, a, P, 0);",
                "0:r0=-16"); // -EBUSY
    }
}
