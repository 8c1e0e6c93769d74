// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.trace.Violation;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What mainline shows under the data-race sanitizer is what docs/data-races.md says.
/// `-Dgolden=accept` rewrites the table there.
final class KcsanMainlineTest {
    private static final Path PAGE = Path.of("../docs/data-races.md");
    private static final String HEAD =
            """
            | threads | functions | location | accesses |
            |---|---|---|---|
            """;
    private static final Pattern TABLE = Pattern.compile(Pattern.quote(HEAD) + "(?:\\|.*\\n)*");
    private static final Pattern SIDE =
            Pattern.compile("((?:read-)?(?:read|write)(?: \\(marked\\))?) to .* by .*");

    /// Two threads, by what they do. All tables above those that they need are there.
    private static final Map<String, String> PROGRAMS = programs();

    private static Map<String, String> programs() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put(
                "first faults on two pages",
                program(
                        "char *z = mmap(S, RW, ANON); z[0] = 1; char *a = mmap(S, RW, ANON);",
                        "a[0] = 1;",
                        "a[PAGE_SIZE] = 2;"));
        all.put(
                "first faults on a huge page",
                program(
                        "char *z = mmap(S, RW, ANON); z[0] = 1; char *a = mmap(S, RW, ANON);"
                                + " int r = madvise(a, S, MADV_HUGEPAGE);",
                        "char r0 = a[0];",
                        "char r0 = a[0];"));
        all.put(
                "fault and `MADV_DONTNEED` on a huge page",
                program(
                        "char *a = mmap(S, RW, ANON); int r = madvise(a, S, MADV_HUGEPAGE);"
                                + " a[0] = 1;",
                        "a[0] = 2;",
                        "int r0 = madvise(a, S, MADV_DONTNEED);"));
        all.put(
                "fault and `MADV_DONTNEED` of a part of it",
                program(
                        "char *a = mmap(S, RW, ANON); int r = madvise(a, S, MADV_HUGEPAGE);"
                                + " a[0] = 1;",
                        "a[0] = 2;",
                        "int r0 = madvise(a, PAGE_SIZE, MADV_DONTNEED);"));
        all.put(
                "GUP-fast and `MADV_DONTNEED`",
                program(
                        "char *a = mmap(S, RW, ANON); a[0] = 1;",
                        "struct page *p = pin_user_pages_fast(a, FOLL_WRITE);",
                        "int r0 = madvise(a, PAGE_SIZE, MADV_DONTNEED);"));
        all.put(
                "fault and collapse",
                program(
                        "char *a = mmap(S, RW, ANON); a[0] = 1;",
                        "a[PAGE_SIZE] = 1;",
                        "int r0 = collapse_huge_page(a);"));
        return all;
    }

    private static String program(String setUp, String one, String other) {
        String text =
                "C t\n{ %s }\nP0(char *a) { %s }\nP1(char *a) { %s }\nforall (true)\n"
                        .formatted(setUp, one, other);
        return text.replaceAll("\\bANON\\b", "MAP_PRIVATE | MAP_ANONYMOUS")
                .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                .replaceAll("\\bS\\b", "PMD_SIZE");
    }

    @Test
    void thePageHasTheRacesOfMainline() throws IOException {
        String page = Files.readString(PAGE);
        Matcher table = TABLE.matcher(page);
        assertThat(table.find()).isTrue();
        String now = table.replaceFirst(Matcher.quoteReplacement(table()));
        if ("accept".equals(System.getProperty("golden"))) {
            Files.writeString(PAGE, now);
        }
        assertThat(Files.readString(PAGE)).isEqualTo(now);
    }

    private static String table() {
        StringBuilder table = new StringBuilder(HEAD);
        TestRunner runner = new TestRunner(RunOptions.DEFAULT.withConfig(Map.of("kcsan", "yes")));
        PROGRAMS.forEach((what, text) -> rows(runner, what, text).forEach(table::append));
        return table.toString();
    }

    private static List<String> rows(TestRunner runner, String what, String text) {
        Answer answer = runner.check(Source.of("t.litmus", text));
        assertThat(answer.exploration().complete()).isTrue();
        List<String> rows = new ArrayList<>();
        for (Violation race : answer.violations()) {
            assertThat(race.kind()).isEqualTo(Violation.DATA_RACE);
            rows.add(row(what, code(race.where()), code(place(race.text())), sides(race)));
        }
        return rows.isEmpty()
                ? List.of(row(what, "none", "", ""))
                : rows.stream().sorted().toList();
    }

    private static String row(String... cells) {
        return "| " + String.join(" | ", cells).replaceAll(" +", " ") + " |\n";
    }

    /// The kind of location, without its number.
    private static String place(String word) {
        return word.replaceAll("\\[\\d+] of table \\d+", "").replaceAll(" [0-9a-fx-]+\\.", ".");
    }

    private static String code(String text) {
        return "`" + text + "`";
    }

    /// The two accesses as the report calls them, in one order.
    private static String sides(Violation race) {
        return String.join(
                ", ",
                race.details().stream()
                        .map(SIDE::matcher)
                        .filter(Matcher::matches)
                        .map(side -> side.group(1))
                        .sorted()
                        .toList());
    }
}
