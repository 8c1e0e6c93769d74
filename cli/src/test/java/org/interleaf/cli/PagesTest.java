// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.interleaf.report.Subject;
import org.interleaf.report.TraceReport;
import org.interleaf.run.Answer;
import org.interleaf.run.RunOptions;
import org.interleaf.trace.Call;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Step;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// The pages in a real browser, which is not there on every machine: then these tests are skipped.
/// `mvn verify -Dscreenshots=write` makes the pictures of the documentation anew.
final class PagesTest {
    private static final Path RACE = Path.of("..", "races", "gup-fast-vs-collapse");
    private static final Path PICTURES = Path.of("..", "docs", "images");

    /// All facts that the page draws: thing, fact, text, and whether the thing is gone.
    private static final String FACTS =
            """
            return [...document.querySelectorAll('[data-fact]')].map(e =>
                [e.dataset.thing, e.dataset.fact, e.textContent, String(!!e.closest('.gone'))]);
            """;

    @TempDir private static Path folder;
    private static Browser browser;
    private static Film film;
    private static Path page;

    @BeforeAll
    static void openTheRaceOfGupFast() {
        browser = Browser.start();
        RunOptions options =
                RunOptions.DEFAULT.withPatches(
                        List.of(ModelPatch.read(RACE.resolve("before.patch"))));
        Engine.Runner runner = Engine.REAL.load(options);
        Path test = RACE.resolve("race.litmus");
        Source source = Source.read(test);
        Answer answer = runner.check(source);
        film = runner.film(source, answer.witness());
        page = folder.resolve("gup.html");
        Reports.write(page, test, runner, options, answer);
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void openPage() {
        browser.resize(1400, 900);
        browser.dark(false);
        browser.open(page, "");
    }

    // ---- going about

    @Test
    void keysAndButtonsStepThroughWhatMatters() {
        assertThat(browser.step()).isZero();
        assertThat(browser.text("position")).isEqualTo("start");
        browser.press(Keys.ARROW_RIGHT);
        long first = browser.step();
        browser.press("j");
        long second = browser.step();
        assertThat(second).isGreaterThan(first);
        browser.press("k");
        assertThat(browser.step()).isEqualTo(first);
        browser.press(Keys.ARROW_DOWN);
        browser.press(Keys.ARROW_LEFT);
        assertThat(browser.step()).isEqualTo(first);
        browser.press(Keys.END);
        long last = browser.step();
        browser.press(Keys.ARROW_RIGHT);
        assertThat(browser.step()).isEqualTo(last);
        browser.press(Keys.HOME);
        assertThat(browser.step()).isZero();
        browser.click("next");
        assertThat(browser.step()).isEqualTo(first);
        browser.click("last");
        assertThat(browser.step()).isEqualTo(last);
        browser.click("back");
        assertThat(browser.step()).isLessThan(last);
        browser.assertQuiet();
    }

    @Test
    void theSliderAndTheStepsThemselvesLeadThere() {
        browser.run(
                """
                const slider = document.getElementById('slider');
                slider.value = 4;
                slider.dispatchEvent(new Event('input'));
                """);
        assertThat(browser.run("return document.querySelectorAll('.row.now').length"))
                .isEqualTo(1L);
        long there = browser.step();
        browser.run("document.querySelectorAll('.row.step')[0].click()");
        assertThat(browser.step()).isPositive().isLessThan(there);
    }

    @Test
    void everyStepIsThereWhenAskedFor() {
        browser.press("f");
        assertThat(browser.run("return document.querySelectorAll('.row.step').length"))
                .isEqualTo((long) film.recording().steps().size());
        browser.press(Keys.ARROW_RIGHT);
        assertThat(browser.step()).isEqualTo(1);
        browser.press("f");
        assertThat(browser.run("return document.querySelectorAll('.row.step').length"))
                .isNotEqualTo((long) film.recording().steps().size());
    }

    @Test
    void theMarkedStepIsOneKeyAway() {
        browser.press("m");
        assertThat(browser.text("step")).contains("has seen 1 here").contains("try_get_folio");
        assertThat(browser.text("step")).contains("GupRefs.java:");
    }

    @Test
    void aStepCanBeLinkedTo() {
        browser.open(page, "#100");
        assertThat(browser.step()).isPositive().isLessThanOrEqualTo(100);
    }

    // ---- what is drawn

    @Test
    void theDrawnStateIsThatOfTheModel() {
        browser.press("f");
        Random random = new Random(7);
        int steps = film.recording().steps().size();
        for (int i = 0; i < 20; i++) {
            int step = random.nextInt(steps + 1);
            browser.run("location.hash = '#" + step + "'; dispatchEvent(new Event('hashchange'))");
            assertThat(browser.step()).isEqualTo(step);
            compare(film.pictures().get(step), step);
        }
    }

    private static void compare(Map<String, Thing> picture, int step) {
        Set<String> drawn = new LinkedHashSet<>();
        for (Object each : (List<?>) Objects.requireNonNull(browser.run(FACTS))) {
            List<?> row = (List<?>) each;
            String name = String.valueOf(row.get(0));
            String fact = String.valueOf(row.get(1));
            Thing thing = picture.get(name);
            if (thing == null) {
                assertThat(row.get(3)).as("%s at step %d is gone", name, step).isEqualTo("true");
                continue;
            }
            Fact expected = thing.facts().getOrDefault(fact, Fact.of("none"));
            assertThat(row.get(2))
                    .as("%s of %s at step %d", fact, name, step)
                    .isEqualTo(expected.text());
            drawn.add(name + " " + fact);
        }
        for (Thing thing : picture.values()) {
            thing.facts()
                    .forEach(
                            (fact, value) -> {
                                if (mustBeDrawn(thing, fact, value)) {
                                    assertThat(drawn).contains(thing.name() + " " + fact);
                                }
                            });
        }
    }

    private static boolean mustBeDrawn(Thing thing, String fact, Fact value) {
        return switch (thing.kind()) {
            case TABLE -> fact.startsWith("[") && !thing.facts().containsKey("deposited");
            case FOLIO, LOCK, TLB, CPU, SWAP -> !value.text().isEmpty();
            case TASK -> fact.equals("state") && !thing.name().contains("/");
            case PROCESS -> !fact.equals("pgd");
        };
    }

    @Test
    void theEntryThatAStepTouchesIsLit() {
        browser.press("f");
        for (Step step : film.recording().steps()) {
            if (step.location().matches("pte\\[\\d\\] of table \\d+")) {
                int number = step.number() + 1;
                browser.run(
                        "location.hash = '#"
                                + number
                                + "'; dispatchEvent(new Event('hashchange'))");
                String lit =
                        "return document.querySelector('.entry.lit span').dataset.thing + ' '"
                                + " + document.querySelector('.entry.lit span').dataset.fact";
                String name = step.location().replaceAll("pte(\\S+) of (.*)", "$2 $1");
                assertThat(browser.run(lit)).isEqualTo(name);
                return;
            }
        }
        throw new AssertionError("no step touches a PTE");
    }

    @Test
    void itFitsAPhone() {
        browser.resize(390, 844);
        browser.open(page, "#100");
        assertThat(browser.run("return document.documentElement.scrollWidth <= innerWidth"))
                .isEqualTo(true);
        browser.assertQuiet();
    }

    @Test
    void itIsDarkWhereTheReaderWantsItDark() {
        String background = "return getComputedStyle(document.body).backgroundColor";
        Object light = browser.run(background);
        browser.dark(true);
        assertThat(browser.run(background)).isNotEqualTo(light);
    }

    @Test
    void aThousandStepsStaySmooth() throws IOException {
        Path large = folder.resolve("large.html");
        Reports.write(large, TraceReport.render(subject("large"), large()));
        browser.open(large, "");
        double before = browser.cpuSeconds();
        browser.run("for (let i = 0; i < 50; i++) document.getElementById('next').click();");
        double each = (browser.cpuSeconds() - before) / 50;
        assertThat(browser.step()).isEqualTo(50);
        assertThat(each).as("seconds for a step").isLessThan(0.1);
    }

    /// A thousand steps over four tables of 512 entries and a hundred folios.
    private static Film large() {
        List<Step> steps = new ArrayList<>();
        List<Map<String, Thing>> pictures = new ArrayList<>();
        Map<String, Thing> now = new LinkedHashMap<>();
        Fact root = new Fact("table 0", "table 0");
        now.put("mm", new Thing(Kind.PROCESS, "mm", Map.of("pgd", root)));
        for (int t = 0; t < 4; t++) {
            Map<String, Fact> facts = new LinkedHashMap<>();
            facts.put("level", Fact.of(t == 3 ? "pte" : "pmd"));
            String below = "table " + (t + 1);
            facts.put("[0]", t == 3 ? Fact.of("page 0 rw") : new Fact(below, below));
            now.put("table " + t, new Thing(Kind.TABLE, "table " + t, facts));
        }
        for (int f = 0; f < 100; f++) {
            Map<String, Fact> facts = Map.of("_refcount", Fact.of("1"));
            now.put("folio " + f, new Thing(Kind.FOLIO, "folio " + f, facts));
        }
        pictures.add(now);
        for (int s = 0; s < 1000; s++) {
            String task = "P" + s % 2;
            String where = "pte[" + s % 512 + "] of table 3";
            String folio = "folio " + s % 100;
            Map<String, Thing> next = new LinkedHashMap<>(pictures.getLast());
            Thing table = Objects.requireNonNull(next.get("table 3"));
            Map<String, Fact> facts = new LinkedHashMap<>(table.facts());
            facts.put("[" + s % 512 + "]", new Fact("page " + s % 100, folio));
            next.put("table 3", new Thing(Kind.TABLE, "table 3", facts));
            pictures.add(next);
            steps.add(step(s, task, "f" + s % 3, where, "page " + s % 100));
        }
        return film(steps, pictures);
    }

    private static Step step(int number, String task, String function, String where, String to) {
        int cpu = task.endsWith("1") ? 1 : 0;
        List<String> trace = function.isEmpty() ? List.of() : List.of(function);
        return new Step(number, task, cpu, trace, "xchg", where, "none", to, true, true);
    }

    private static Film film(List<Step> steps, List<Map<String, Thing>> pictures) {
        List<String> tasks = steps.stream().map(Step::task).distinct().toList();
        Schedule schedule = new Schedule("beef", new int[] {0});
        Recording recording = new Recording(tasks, steps, List.of(), "", schedule);
        SortedMap<Integer, String> nothing = new TreeMap<>();
        return new Film(
                recording,
                pictures,
                steps.stream().map(step -> List.<Call>of()).toList(),
                Map.of("none", nothing));
    }

    private static Subject subject(String text) {
        return new Subject(text, text, true, text, text, text, text, text);
    }

    // ---- strangers

    private static final List<String> HOSTILE =
            List.of(
                    "<script>window.hacked = 1</script>",
                    "</script><script>window.hacked = 1</script>",
                    "<!--<script>window.hacked = 1</script>",
                    "\"><img src=x onerror='window.hacked = 1'>",
                    "'];window.hacked=1;//",
                    "${window.hacked = 1}`",
                    "javascript:window.hacked=1",
                    "\u202etxet\u2066\u2028\ud83d\udca3",
                    "__proto__");

    @Test
    void nothingThatAStrangerWritesIsRun() {
        for (String hostile : HOSTILE) {
            Path bad = folder.resolve("bad.html");
            Map<String, Thing> start = new LinkedHashMap<>();
            Map<String, Fact> facts = new LinkedHashMap<>();
            facts.put(hostile, new Fact(hostile, hostile));
            facts.put("level", Fact.of(hostile));
            facts.put("pgd", new Fact("table 1", "table 1"));
            for (Kind kind : Kind.values()) {
                start.put(kind + hostile, new Thing(kind, kind + hostile, facts));
            }
            start.put("table 1", new Thing(Kind.TABLE, "table 1", facts));
            start.put(hostile, new Thing(Kind.FOLIO, hostile, facts));
            List<Step> steps = List.of(step(0, hostile, hostile, hostile, hostile));
            Reports.write(
                    bad, TraceReport.render(subject(hostile), film(steps, List.of(start, start))));
            browser.open(bad, "");
            browser.press("f", "j");
            assertThat(browser.step()).as(hostile).isEqualTo(1);
            assertThat(browser.run("return typeof window.hacked")).isEqualTo("undefined");
            assertThat(browser.run("return document.querySelectorAll('img, a').length"))
                    .isEqualTo(0L);
            assertThat(browser.run("return document.scripts.length")).isEqualTo(2L);
            assertThat(browser.text("title")).isEqualTo(visible(hostile));
            browser.assertQuiet();
        }
    }

    private static String visible(String text) {
        return text.replace("\u202e", "<U+202E>")
                .replace("\u2066", "<U+2066>")
                .replace("\u2028", "<U+2028>");
    }

    @Test
    void aTestFileFromAStrangerIsShownAsText() throws IOException {
        Path test = folder.resolve("stranger.litmus");
        Files.writeString(
                test,
                """
                C stranger

                (* </script><script>window.hacked = 1</script> <!-- \u202e *)

                {}

                P0(int *x) { int r0; r0 = READ_ONCE(*x); } // <img src=x onerror=alert(1)>
                P1(int *x) { WRITE_ONCE(*x, 1); }

                exists (0:r0=1)
                """);
        Path out = folder.resolve("stranger.html");
        RunOptions options = RunOptions.DEFAULT;
        Engine.Runner runner = Engine.REAL.load(options);
        Answer answer = runner.check(Source.read(test));
        Reports.write(out, test, runner, options, answer);
        browser.open(out, "");
        browser.press(Keys.END);
        assertThat(browser.text("test")).contains("<img src=x onerror=alert(1)>");
        assertThat(browser.text("story")).contains("</script><script>window.hacked = 1</script>");
        assertThat(browser.text("others")).contains("x");
        assertThat(browser.run("return typeof window.hacked")).isEqualTo("undefined");
        browser.assertQuiet();
    }

    // ---- the corpus

    @Test
    void theCorpusLinksToEachExecution() throws IOException {
        Path pages = folder.resolve("pages");
        Race race = Race.read(RACE);
        CorpusPages corpus = new CorpusPages(pages);
        for (Race.Variant variant : race.variants()) {
            if (variant.patch() == null || variant.label().equals("before.patch")) {
                Engine.Runner runner = Engine.REAL.load(variant.options());
                Answer answer = runner.check(Source.read(variant.test()));
                Judgement judgement = Judgement.of(variant.expected(), answer, false);
                corpus.add(race, variant, runner, variant.options(), answer, judgement);
            }
        }
        corpus.finish("some variants");
        browser.open(pages.resolve("index.html"), "");
        assertThat(browser.run("return document.querySelectorAll('tbody tr').length"))
                .isEqualTo(8L);
        browser.run("document.querySelector('a').click()");
        assertThat(browser.text("title")).isEqualTo("gup-fast-vs-collapse with before.patch");
        browser.assertQuiet();
    }

    // ---- pictures

    @Test
    void picturesOfTheDocumentationAreMadeWhenAskedFor() throws IOException {
        boolean write = "write".equals(System.getProperty("screenshots"));
        Path to = write ? PICTURES : folder.resolve("images");
        browser.resize(1360, 860);
        browser.open(page, "");
        browser.press("m");
        browser.screenshot(to.resolve("gup-fast-vs-collapse.png"));
        browser.dark(true);
        browser.screenshot(to.resolve("gup-fast-vs-collapse-dark.png"));
        browser.dark(false);
        browser.resize(390, 844);
        browser.open(page, "");
        browser.press("m");
        browser.screenshot(to.resolve("gup-fast-vs-collapse-phone.png"));
        assertThat(to.resolve("gup-fast-vs-collapse.png")).isNotEmptyFile();
    }
}
