// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// What bears on the end of an execution, and what does not.
final class SliceTest {
    @Test
    void aStoreThatNobodyLooksAtAnyMoreIsLeftOut() {
        Traces traces =
                new Traces("P0", "P1")
                        .write("P0", "f", "WRITE_ONCE", "x", "0", "1")
                        .read("P1", "g", "READ_ONCE", "x", "1")
                        .read("P0", "f", "READ_ONCE", "flags", "0")
                        .write("P0", "f", "atomic_or", "flags", "0", "1")
                        .write("P1", "g", "atomic_or", "flags", "1", "3")
                        .read("P1", "g", "READ_ONCE", "y", "0")
                        .found("WARNING");
        assertThat(shown(traces)).containsExactly("x", "x", "y");
    }

    @Test
    void aLookAtWhatNobodyElseChangesIsLeftOut() {
        Traces traces =
                new Traces("P0", "P1")
                        .read("P0", "f", "READ_ONCE", "x", "0")
                        .read("P1", "g", "READ_ONCE", "x", "0")
                        .write("P0", "f", "WRITE_ONCE", "y", "0", "1")
                        .read("P1", "g", "READ_ONCE", "y", "1")
                        .found("BUG");
        assertThat(shown(traces)).containsExactly("y", "y");
    }

    @Test
    void whatMakesAValueStaleIsShown() {
        Traces traces =
                new Traces("P0", "P1")
                        .read("P1", "g", "READ_ONCE", "pmd[1] of table 1", "table 2")
                        .write("P0", "f", "xchg", "pmd[1] of table 1", "table 2", "none")
                        .read("P1", "g", "READ_ONCE", "z", "0")
                        .found("BUG");
        assertThat(shown(traces)).containsExactly("pmd[1] of table 1", "pmd[1] of table 1", "z");
    }

    @Test
    void aUseAfterFreeHasItsFreeing() {
        Traces traces =
                new Traces("P0", "P1")
                        .unshared()
                        .write("P0", "free", "xchg", "page 7.life", "allocated", "free")
                        .read("P1", "g", "READ_ONCE", "pte[1] of table 7", "none")
                        .found("BUG: KASAN: use-after-free", "access after page 7 was freed");
        assertThat(shown(traces)).containsExactly("page 7.life", "pte[1] of table 7");
    }

    @Test
    void whatTheFinalStateIsToldFromIsShown() {
        Traces traces =
                new Traces("P0", "P1")
                        .write("P0", "f", "WRITE_ONCE", "pte[1] of table 7", "none", "page 3")
                        .write("P1", "g", "WRITE_ONCE", "pte[1] of table 7", "page 3", "none")
                        .write("P0", "f", "WRITE_ONCE", "y", "0", "1")
                        .write("P1", "g", "WRITE_ONCE", "y", "1", "2")
                        .looked("pte[1] of table 7");
        assertThat(shown(traces)).containsExactly("pte[1] of table 7");
    }

    @Test
    void theStepThatClosesTheFirstCircleIsMarked() {
        Traces traces =
                new Traces("P0", "P1")
                        .read("P1", "pin", "READ_ONCE", "pmd", "table")
                        .write("P0", "collapse", "xchg", "pmd", "table", "none")
                        .read("P0", "collapse", "READ_ONCE", "_refcount", "1")
                        .write("P1", "pin", "atomic_add_unless", "_refcount", "1", "2")
                        .read("P0", "collapse", "READ_ONCE", "z", "0")
                        .found("BUG");
        assertThat(ColumnTrace.render(traces.recording(), TraceStyle.PLAIN))
                .containsOnlyOnce("relies on it")
                .containsPattern("_refcount\\): 1 -> 2\n +\\^\\^\\^ CPU 0 has seen 1 here");
    }

    @Test
    void callsOneAfterTheOtherBreakNothing() {
        Traces traces =
                new Traces("P0", "P1")
                        .read("P0", "f", "READ_ONCE", "x", "0")
                        .write("P1", "g", "WRITE_ONCE", "x", "0", "1")
                        .read("P1", "g", "READ_ONCE", "z", "0")
                        .found("BUG");
        assertThat(ColumnTrace.render(traces.recording(), TraceStyle.PLAIN))
                .doesNotContain("relies");
    }

    @Test
    void longRunsAreFolded() {
        Traces traces = new Traces("P0", "P1");
        for (int i = 0; i < 20; i++) {
            traces.read("P0", "f", "READ_ONCE", "x" + i, "0");
        }
        for (int i = 0; i < 20; i++) {
            traces.write("P1", "g", "xchg", "x" + i, "0", "1");
        }
        String text = ColumnTrace.render(traces.recording(), TraceStyle.PLAIN);
        assertThat(text).contains("[... 12 steps ...]");
        assertThat(text.lines().filter(line -> line.contains("READ_ONCE"))).hasSize(8);
        TraceStyle all = TraceStyle.PLAIN.withAllSteps(true);
        assertThat(ColumnTrace.render(traces.recording(), all)).doesNotContain("[...");
    }

    private static String[] shown(Traces traces) {
        return Shown.of(traces.recording(), false).steps().stream()
                .map(step -> step.location())
                .toArray(String[]::new);
    }
}
