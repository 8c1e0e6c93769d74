// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.trace.Violation;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;

final class SplatTest {
    private static final List<String> TRACE =
            List.of("try_grab_folio", "gup_fast_pte_range", "pin_user_pages_fast");

    private static Violation violation(String kind, String text, String... details) {
        return new Violation(
                kind, "try_grab_folio", "mm/gup.c", text, "P1", 1, TRACE, List.of(details));
    }

    @Test
    void aWarningIsCutHere() throws IOException {
        Violation warning = violation("WARNING", "the count of page 7 is zero");
        Golden.check("report/warning.txt", Splat.render(warning, Ansi.OFF));
    }

    @Test
    void aBugIsCutHereToo() throws IOException {
        Golden.check("report/bug.txt", Splat.render(violation("BUG", ""), Ansi.OFF));
    }

    @Test
    void useAfterFreeTellsWhoFreedIt() throws IOException {
        Violation kasan =
                violation(
                        "BUG: KASAN: use-after-free",
                        "access to pte[1] of table 5 after table 5 was freed",
                        "Allocated by the set-up",
                        "Freed by P0 on CPU 0: pte_free <- collapse_huge_page");
        Golden.check("report/kasan.txt", Splat.render(kasan, Ansi.OFF));
    }

    @Test
    void othersHaveATitleAndATrace() throws IOException {
        Violation sleeping =
                violation(
                        "BUG: sleeping function called from invalid context",
                        "down_read with interrupts off");
        Golden.check("report/sleeping.txt", Splat.render(sleeping, Ansi.OFF));
    }

    @Test
    void aDeadlockListsWhoWaits() throws IOException {
        Violation deadlock =
                new Violation(
                        "DEADLOCK",
                        "",
                        "",
                        "no task can go on",
                        "P0",
                        0,
                        List.of(),
                        List.of("P0 waits for a, held by P1", "P1 waits for b, held by P0"));
        Golden.check("report/deadlock.txt", Splat.render(deadlock, Ansi.OFF));
    }

    @Test
    void theTitleIsRedOnATerminal() {
        assertThat(Splat.render(violation("WARNING", ""), Ansi.ON))
                .contains(
                        "\u001b[1;31mWARNING: CPU: 1 PID: P1 at mm/gup.c try_grab_folio\u001b[0m");
    }
}
