// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.trace.Film;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Step;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What is filmed is what the steps did.
final class FilmTest {
    private static final Path RACES = Path.of("..", "races");
    private static final Pattern ENTRY = Pattern.compile("\\w+(\\[\\d+\\]) of (table \\d+)");
    private static Film gup;

    @BeforeAll
    static void filmTheRaceOfGupFast() {
        gup = film("gup-fast-vs-collapse/race.litmus", "gup-fast-vs-collapse/before.patch");
    }

    private static Film film(String test, String patch) {
        ModelPatch change = ModelPatch.read(RACES.resolve(patch));
        RunOptions options = RunOptions.DEFAULT.withPatches(List.of(change));
        TestRunner runner = new TestRunner(options);
        Source source = Source.read(RACES.resolve(test));
        Schedule witness = Objects.requireNonNull(runner.check(source).witness());
        return runner.film(source, witness);
    }

    @ParameterizedTest
    @CsvSource({
        "gup-fast-vs-collapse/race.litmus, gup-fast-vs-collapse/before.patch",
        "gup-fast-vs-collapse/reuse.litmus, gup-fast-vs-collapse/no-ipi-reuse.patch",
        "hugetlb-pt-locking/race.litmus, hugetlb-pt-locking/before.patch",
        "uffd-hugetlb-stable/race.litmus, uffd-hugetlb-stable/before.patch",
    })
    void entriesCountsAndContentsAreThoseThatTheStepsLeave(String test, String patch) {
        Film film = film(test, patch);
        assertThat(film.pictures()).hasSize(film.recording().steps().size() + 1);
        int compared = 0;
        for (Step step : film.recording().steps()) {
            Fact fact = fact(step.location(), film.pictures().get(step.number() + 1));
            if (fact != null) {
                assertThat(fact.text()).as(step.toString()).isEqualTo(step.after());
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(10);
    }

    /// What `picture` says of the location; null where it does not show it.
    private static @Nullable Fact fact(String location, Map<String, Thing> picture) {
        Matcher entry = ENTRY.matcher(location);
        if (entry.matches()) {
            Thing table = picture.get(entry.group(2));
            return table == null
                    ? null
                    : table.facts().getOrDefault(entry.group(1), Fact.of("none"));
        }
        for (Thing folio : picture.values()) {
            Fact contents = folio.facts().get(location);
            if (folio.kind() == Kind.FOLIO && contents != null) {
                return contents;
            }
            if (location.equals(folio.name() + "._refcount")) {
                return folio.facts().get("_refcount");
            }
        }
        return null;
    }

    @Test
    void betweenTwoPicturesOneTaskHasGone() {
        List<Step> steps = gup.recording().steps();
        for (Step step : steps) {
            Map<String, Thing> before = gup.pictures().get(step.number());
            Map<String, Thing> after = gup.pictures().get(step.number() + 1);
            if (!step.wrote()) {
                assertThat(after.values().stream().filter(t -> t.kind() == Kind.TABLE).toList())
                        .isEqualTo(
                                before.values().stream()
                                        .filter(t -> t.kind() == Kind.TABLE)
                                        .toList());
            }
        }
    }

    @Test
    void locksHaveTheirOwnersAndWaiters() {
        boolean held = false;
        for (Map<String, Thing> picture : gup.pictures()) {
            Thing lock = picture.get("mm.mmap_lock");
            Thing task = Objects.requireNonNull(picture.get("P0"));
            boolean holds = text(task, "holds").contains("mm.mmap_lock");
            assertThat(holds).isEqualTo(lock != null && text(lock, "held by").equals("P0"));
            held |= holds;
            if (holds) {
                assertThat(text(Objects.requireNonNull(lock), "state"))
                        .containsAnyOf("write-locked", "reader");
            }
        }
        assertThat(held).isTrue();
    }

    /// GUP-fast has interrupts off from its first look at the tables to its last.
    @Test
    void interruptsAreOffWhereTheTaskHasThemOff() {
        for (Step step : gup.recording().steps()) {
            Map<String, Thing> picture = gup.pictures().get(step.number());
            boolean walks = step.callTrace().contains("gup_fast_pgd_range");
            if (walks) {
                assertThat(text(Objects.requireNonNull(picture.get("CPU 1")), "interrupts"))
                        .isEqualTo("off");
            }
        }
    }

    @Test
    void everyStepOfTheKernelHasASourceLine() {
        for (Step step : gup.recording().steps()) {
            var stack = gup.stacks().get(step.number());
            assertThat(stack.stream().map(call -> call.function()).distinct())
                    .containsAll(step.callTrace());
            for (var call : stack) {
                assertThat(gup.sources().get(call.file())).containsKey(call.line());
            }
        }
    }

    @Test
    void theTableThatCollapseUnhooksIsSeenWithoutAnEntryThatLeadsToIt() {
        Step unhooking =
                gup.recording().steps().stream()
                        .filter(step -> step.callTrace().contains("pmdp_collapse_flush"))
                        .filter(step -> step.operation().equals("xchg"))
                        .findFirst()
                        .orElseThrow();
        String table = unhooking.before();
        assertThat(leadTo(table, gup.pictures().get(unhooking.number()))).isTrue();
        Map<String, Thing> after = gup.pictures().get(unhooking.number() + 1);
        assertThat(after).containsKey(table);
        assertThat(leadTo(table, after)).isFalse();
    }

    private static boolean leadTo(String table, Map<String, Thing> picture) {
        return picture.values().stream()
                .flatMap(thing -> thing.facts().values().stream())
                .anyMatch(fact -> fact.about().equals(table));
    }

    @Test
    void aPlainTestHasTasksAndNoKernel() {
        Source source =
                Source.of(
                        "MP.litmus",
                        """
                        C MP
                        {}
                        P0(int *x, int *y) { WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 1); }
                        P1(int *x, int *y) { int r0; r0 = READ_ONCE(*y); }
                        exists (1:r0=9)
                        """);
        Film film = new TestRunner(RunOptions.DEFAULT).film(source, null);
        assertThat(film.recording().steps()).hasSize(3);
        assertThat(film.pictures().getLast()).containsOnlyKeys("CPU 0", "CPU 1", "P0", "P1");
        Thing task = Objects.requireNonNull(film.pictures().getLast().get("P0"));
        assertThat(text(task, "state")).isEqualTo("ended");
    }

    private static String text(Thing thing, String fact) {
        return Objects.requireNonNull(thing.facts().get(fact)).text();
    }
}
