// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Two threads of one process against each other on the model as it is: everything is explored, and
/// nothing found. A sanitizer that cries wolf, or a step of the model in the wrong order, shows
/// here.
final class MainlineTest {
    private static final String SET_UP =
            """
            C t
            {
              char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
              memset(a, 1, PMD_SIZE);
            }
            """;

    private static final List<String> CHANGES =
            List.of(
                    "collapse_huge_page(a);",
                    "munmap(a, PMD_SIZE);",
                    "munmap(a + PAGE_SIZE, PAGE_SIZE);",
                    "madvise(a, PMD_SIZE, MADV_DONTNEED);",
                    "collapse_huge_page(a); split_huge_pmd(a);");

    private static final List<String> USES =
            List.of(
                    "a[PAGE_SIZE] = 7;",
                    "struct page *p = pin_user_pages_fast(a, FOLL_WRITE);"
                            + " if (p) { kmap_write(p, 7); unpin_user_page(p); }",
                    "struct page *p = get_user_pages(a, FOLL_WRITE); if (p) put_page(p);",
                    "madvise(a, PAGE_SIZE, MADV_DONTNEED);");

    private static final List<Map<String, String>> CONFIGURATIONS =
            List.of(
                    Map.of("arch", "arm64-4k"),
                    Map.of("arch", "x86-64"),
                    Map.of("arch", "x86-64", "table-free", "after-flush"),
                    Map.of("arch", "x86-32"),
                    Map.of("arch", "arm64-64k-va42"),
                    Map.of("arch", "s390-5level", "thp", "always"),
                    Map.of("arch", "arm64-4k", "ptl", "mm", "thp", "always"));

    @TestFactory
    Stream<DynamicTest> findsNothing() {
        return CONFIGURATIONS.stream()
                .flatMap(
                        config ->
                                CHANGES.stream()
                                        .flatMap(
                                                change ->
                                                        USES.stream()
                                                                .map(
                                                                        use ->
                                                                                test(
                                                                                        config,
                                                                                        change,
                                                                                        use))));
    }

    /// Entries in two halves: three times the steps, so only what is worth it.
    @TestFactory
    Stream<DynamicTest> findsNothingInHalves() {
        Map<String, String> pae = Map.of("arch", "x86-32-pae");
        return Stream.of(CHANGES.get(0), CHANGES.get(1), CHANGES.get(4))
                .map(change -> test(pae, change, USES.get(1)));
    }

    private static DynamicTest test(Map<String, String> config, String change, String use) {
        return dynamicTest(config + " " + change + " | " + use, () -> check(config, change, use));
    }

    private static void check(Map<String, String> config, String change, String use) {
        String text =
                SET_UP
                        + "P0(char *a) { "
                        + change
                        + " }\nP1(char *a) { "
                        + use
                        + " }\nexists (true)";
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        assertThat(answer.exploration().superfluous()).isZero();
        // Who finds a VMA detached looks again, and may begin while others are about to end that.
        assertThat(answer.exploration().fruitless())
                .isLessThanOrEqualTo(answer.exploration().executions() / 100);
    }
}
