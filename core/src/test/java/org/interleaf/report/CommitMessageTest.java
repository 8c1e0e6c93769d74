// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;

final class CommitMessageTest {
    private static Traces gupAgainstCollapse() {
        String walk = "gup_fast_pte_range gup_fast_pmd_range gup_fast pin_user_pages_fast";
        return new Traces("P0", "P1")
                .read(
                        "P1",
                        "pmdp_get_lockless gup_fast pin_user_pages_fast",
                        "READ_ONCE",
                        "pmd[1] of table 91",
                        "table 92")
                .read("P1", walk, "READ_ONCE", "pte[1] of table 92", "page 94 rw dirty young")
                .write(
                        "P0",
                        "pmdp_collapse_flush collapse_huge_page",
                        "xchg",
                        "pmd[1] of table 91",
                        "table 92",
                        "none")
                .read(
                        "P0",
                        "__collapse_huge_page_isolate collapse_huge_page",
                        "READ_ONCE",
                        "folio 94._refcount",
                        "1")
                .write(
                        "P1",
                        "try_get_folio " + walk,
                        "atomic_add_unless",
                        "folio 94._refcount",
                        "1",
                        "2")
                .read("P1", walk, "READ_ONCE", "pte[1] of table 92", "page 94 rw dirty young")
                .write(
                        "P0",
                        "__collapse_huge_page_copy_succeeded collapse_huge_page",
                        "WRITE_ONCE",
                        "pte[1] of table 92",
                        "page 94 rw dirty young",
                        "none");
    }

    @Test
    void itIsDrawnAsInACommitMessage() throws IOException {
        String text = CommitMessage.render(gupAgainstCollapse().recording());
        Golden.check("report/commit-message.txt", text);
    }

    @Test
    void columnsAreSetWithTabsAndNothingElseIsWide() {
        String text = CommitMessage.render(gupAgainstCollapse().recording());
        assertThat(text.lines()).allMatch(line -> line.startsWith("\t"));
        assertThat(text).startsWith("\tCPU0\t").contains("\tCPU1\n\t----\t").doesNotContain("94");
    }

    @Test
    void severalPagesGetLetters() {
        Traces traces =
                new Traces("P0", "P1")
                        .write(
                                "P0",
                                "f",
                                "WRITE_ONCE",
                                "pte[1] of table 7",
                                "page 3 rw",
                                "page 4 rw")
                        .write("P1", "g", "xchg", "pte[1] of table 7", "page 4 rw", "none");
        assertThat(CommitMessage.render(traces.recording()))
                .contains("*pte: page A -> page B")
                .contains("*pte: page B -> none");
    }

    @Test
    void whatIsFoundStandsWhereItIsFound() {
        Traces traces =
                new Traces("P0", "P1")
                        .write("P0", "f", "xchg", "x", "1", "0")
                        .read("P1", "g", "READ_ONCE", "x", "0")
                        .found("WARNING");
        assertThat(CommitMessage.render(traces.recording()))
                .contains("g() <-- x == 0\n\t\t\t\t  *** WARNING");
    }
}
