// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.trace.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.List;

final class ColumnTraceTest {
    private static final String GUP = "gup_fast_pte_range gup_fast_pmd_range pin_user_pages_fast";
    private static final String GRAB = "try_grab_folio_fast " + GUP;
    private static final String FLUSH = "pmdp_collapse_flush collapse_huge_page";

    private static final String ISOLATE = "__collapse_huge_page_isolate collapse_huge_page";

    private static Traces gupAgainstCollapse() {
        return new Traces("P0", "P1", "irq/0", "irq/1", "rcuc/0", "rcuc/1")
                .unshared()
                .write("P0", "collapse_huge_page", "lock", "mmap_lock of mm 1", "free", "held")
                .read("P0", "collapse_huge_page", "READ_ONCE", "pmd[0] of table 4", "table 5")
                .read("P1", GUP, "READ_ONCE", "pmd[0] of table 4", "table 5")
                .read("P1", GUP, "READ_ONCE", "pte[1] of table 5", "page 7")
                .write("P0", FLUSH, "xchg", "pmd[0] of table 4", "table 5", "none")
                .read("P0", ISOLATE, "READ_ONCE", "refcount of page 7", "1")
                .write("P1", GRAB, "atomic_add_unless", "refcount of page 7", "1", "2")
                .read("P1", GUP, "READ_ONCE", "pte[1] of table 5", "page 7")
                .write(
                        "P0",
                        "collapse_huge_page",
                        "WRITE_ONCE",
                        "pte[1] of table 5",
                        "page 7",
                        "none")
                .write("P0", "collapse_huge_page", "unlock", "ptl of table 4", "held", "free")
                .finalState("1:p=page 7; a[4096]=1;");
    }

    @Test
    void twoColumnsShowWhoCameFirst() throws IOException {
        String text = ColumnTrace.render(gupAgainstCollapse().recording(), TraceStyle.PLAIN);
        Golden.check("report/two-columns.txt", text);
    }

    @Test
    void allStepsAreShownWhenAskedFor() throws IOException {
        TraceStyle style = TraceStyle.PLAIN.withAllSteps(true);
        String text = ColumnTrace.render(gupAgainstCollapse().recording(), style);
        Golden.check("report/all-steps.txt", text);
    }

    @Test
    void daemonsHaveAColumnWhereTheyMatter() throws IOException {
        Recording recording =
                gupAgainstCollapse()
                        .write("irq/1", "", "take", "pending of CPU 1", "flush", "none")
                        .read("irq/1", "flush_tlb_func", "read", "generation of mm 1", "4")
                        .write(
                                "P0",
                                "on_each_cpu_cond_mask " + FLUSH,
                                "wait",
                                "acknowledged by CPU 1, which has interrupts off",
                                "0",
                                "1")
                        .recording();
        Golden.check("report/three-columns.txt", ColumnTrace.render(recording, TraceStyle.PLAIN));
    }

    @Test
    void plainTestsHaveNoFunctions() throws IOException {
        Recording recording =
                new Traces("P0", "P1")
                        .write("P0", "", "WRITE_ONCE", "x", "0", "1")
                        .read("P1", "", "smp_load_acquire", "x", "1")
                        .read("P1", "", "cmpxchg", "y", "0")
                        .read("P0", "", "spin_trylock", "s", "held")
                        .finalState("1:r0=1; y=0;")
                        .recording();
        Golden.check("report/plain-test.txt", ColumnTrace.render(recording, TraceStyle.PLAIN));
    }

    @Test
    void aTaskThatCallsSeveralFunctionsNamesThem() {
        Traces traces = new Traces("P0", "P1");
        for (String call : new String[] {"mmap", "madvise", "munmap", "fork"}) {
            traces.read("P0", call, "read", "x", "0");
        }
        assertThat(ColumnTrace.render(traces.recording(), TraceStyle.PLAIN))
                .startsWith("CPU 0  P0: mmap(), madvise(), munmap(), ...  P1\nmmap()\n  read(x)");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6})
    void linesFitHoweverManyColumnsThereAre(int columns) throws IOException {
        String[] tasks = new String[columns];
        for (int i = 0; i < columns; i++) {
            tasks[i] = "P" + i;
        }
        Traces traces = new Traces(tasks);
        for (String task : tasks) {
            traces.write(task, GRAB, "atomic_add_unless", "refcount of page 7", "1", "2")
                    .write(
                            task,
                            GUP,
                            "cmpxchg",
                            "anon_vma_of_a_very_long_name[12].rb_root.rb_leftmost",
                            "0123456789012345678901234567890123456789",
                            "none");
        }
        String text = ColumnTrace.render(traces.recording(), TraceStyle.PLAIN);
        assertThat(text.lines().toList()).allMatch(line -> line.length() <= 100);
        assertThat(text.replaceAll("\\s+", "")).contains("anon_vma_of_a_very_long_name[12].rb_ro");
        Golden.check("report/columns-" + columns + ".txt", text);
    }

    @Test
    void theTextIsAscii() {
        Recording recording =
                new Traces("P0")
                        .write("P0", "", "WRITE_ONCE", "gr\u00f6\u00dfe", "\u2192", "\u001b[31m")
                        .finalState("x=\u00e4\n;")
                        .recording();
        assertThat(ColumnTrace.render(recording, TraceStyle.PLAIN))
                .isEqualTo(
                        """
                        CPU 0  P0
                        WRITE_ONCE(gr??e): ? -> ?[31m

                        Final state: x=??;
                        """);
    }

    @Test
    void colourIsPutOnWhenAskedForAndChangesNothingElse() throws IOException {
        Recording recording = gupAgainstCollapse().recording();
        String plain = ColumnTrace.render(recording, TraceStyle.PLAIN);
        String colour = ColumnTrace.render(recording, TraceStyle.PLAIN.withAnsi(Ansi.ON));
        assertThat(plain).doesNotContain("\u001b");
        assertThat(colour).contains("\u001b[36mpmdp_collapse_flush()\u001b[0m");
        assertThat(colour.replaceAll("\u001b\\[[0-9;]*m", "")).isEqualTo(plain);
    }

    @Test
    void aTraceWithoutSharedStepsSaysSo() {
        Recording recording =
                new Traces("P0", "P1").unshared().read("P0", "", "read", "x", "0").recording();
        assertThat(ColumnTrace.render(recording, TraceStyle.PLAIN))
                .isEqualTo("CPU 0  P0  P1\n(no two tasks touch the same thing)\n");
    }

    @Test
    void whatNobodyCouldNoticeIsLeftOut() {
        Traces traces =
                new Traces("P0", "P1")
                        .write("P0", "", "lock", "l", "0", "1")
                        .read("P0", "", "READ_ONCE", "x", "0")
                        .write("P0", "", "atomic_add", "x", "0", "1")
                        .read("P0", "", "READ_ONCE", "x", "1")
                        .write("P0", "", "atomic_add", "x", "1", "2")
                        .write("P0", "", "unlock", "l", "1", "0")
                        .read("P1", "", "READ_ONCE", "x", "2")
                        .read("P0", "", "READ_ONCE", "x", "2")
                        .read("P1", "", "READ_ONCE", "x", "2")
                        .write("P0", "", "xchg", "y", "0", "1")
                        .write("P1", "", "lock", "l", "0", "1")
                        .read("P0", "", "READ_ONCE", "y", "1");
        assertThat(lines(traces, TraceStyle.PLAIN))
                .containsExactly(
                        "READ_ONCE(x) -> 0",
                        "atomic_add(x): 0 -> 1",
                        "atomic_add(x): 1 -> 2",
                        "READ_ONCE(x) -> 2",
                        "READ_ONCE(x) -> 2",
                        "READ_ONCE(x) -> 2",
                        "xchg(y): 0 -> 1",
                        "lock(l)");
        assertThat(lines(traces, TraceStyle.PLAIN.withAllSteps(true))).hasSize(12);
    }

    @Test
    void theStepInWhichSomethingWasFoundIsMarked() {
        Traces traces =
                new Traces("P0", "P1")
                        .write("P0", "", "lock", "l", "0", "1")
                        .write("P0", "", "unlock", "l", "1", "0")
                        .found("WARNING")
                        .read("P1", "", "READ_ONCE", "x", "0");
        assertThat(lines(traces, TraceStyle.PLAIN))
                .containsExactly("unlock(l)", "^^^ WARNING", "READ_ONCE(x) -> 0");
    }

    private static List<String> lines(Traces traces, TraceStyle style) {
        return ColumnTrace.render(traces.recording(), style)
                .lines()
                .skip(1)
                .map(String::strip)
                .toList();
    }
}
