// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import org.interleaf.trace.Call;
import org.interleaf.trace.Film;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

final class TraceReportTest {
    private static final Pattern DATA =
            Pattern.compile(
                    "<script type=\"application/json\" id=\"data\">\n(.*?)</script>",
                    Pattern.DOTALL);

    private static Subject subject(String title) {
        return new Subject(title, "Sometimes", true, "found", "story", "C test", "", "replay");
    }

    private static Thing table(String entry, String about) {
        Map<String, Fact> facts = new LinkedHashMap<>();
        facts.put("level", Fact.of("pmd"));
        if (!entry.isEmpty()) {
            facts.put("[1]", new Fact(entry, about));
        }
        return new Thing(Kind.TABLE, "table 4", facts);
    }

    private static Map<String, Thing> picture(Thing... things) {
        Map<String, Thing> picture = new LinkedHashMap<>();
        for (Thing thing : things) {
            picture.put(thing.name(), thing);
        }
        return picture;
    }

    private static Film film() {
        Recording recording =
                new Traces("P0", "P1", "irq/0")
                        .read("P1", "gup_fast", "READ_ONCE", "pmd[1] of table 4", "table 5")
                        .write("P0", "collapse", "xchg", "pmd[1] of table 4", "table 5", "none")
                        .read("P1", "gup_fast", "READ_ONCE", "x", "0")
                        .found("WARNING")
                        .recording();
        Thing before = table("table 5", "table 5");
        Thing low = new Thing(Kind.TABLE, "table 5", Map.of("level", Fact.of("pte")));
        Thing after = table("", "");
        TreeMap<Integer, String> lines = new TreeMap<>(Map.of(7, "pmd.readOnce();"));
        Call call = new Call("gup_fast", "GupFast.java", 7);
        return new Film(
                recording,
                List.of(
                        picture(before, low),
                        picture(before, low),
                        picture(after, low),
                        picture(after)),
                List.of(List.of(call), List.of(), List.of(call)),
                Map.of("GupFast.java", lines));
    }

    @Test
    void theDataAreWhatChangesFromStepToStep() throws IOException {
        Golden.check("report/film.json", TraceReport.json(subject("gup"), film()));
    }

    @Test
    void thePageLoadsNothingAndRunsItsOwnScriptOnly() {
        String page = TraceReport.render(subject("gup"), film());
        assertThat(page)
                .contains("default-src 'none'; script-src 'sha256-")
                .doesNotContain("unsafe-")
                .doesNotContain("http:")
                .doesNotContain("https:")
                .doesNotContain("innerHTML")
                .doesNotContainPattern("\\bon\\w+=");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<script>alert(1)</script>",
                "</script><script>alert(1)</script>",
                "<!--<script>",
                "]]>\"'`${alert(1)}\\",
                "\u2028\u2029\u202e\u2066 \ud83d\ude00 \u200b\ufeff",
            })
    void nothingInTheDataCanEndTheirElementOrHide(String hostile) {
        String page = TraceReport.render(subject(hostile), film());
        Matcher data = DATA.matcher(page);
        assertThat(data.find()).isTrue();
        assertThat(data.group(1)).doesNotContain("<").doesNotContain("\u2028", "\u202e");
        JsonObject json = JsonParser.parseString(data.group(1)).getAsJsonObject();
        assertThat(json.get("title").getAsString()).isEqualTo(Json.visible(hostile));
        assertThat(page.split("<script", -1)).hasSize(3);
    }

    @Test
    void whatHidesOrTurnsTextIsWrittenOut() {
        assertThat(Json.visible("a\u202eb\u0007c\ud83d\ude00\n\td\u200be"))
                .isEqualTo("a<U+202E>b<U+0007>c\ud83d\ude00\n\td<U+200B>e");
    }

    @Test
    void theCorpusIsAPageToo() throws IOException {
        CorpusReport.Variant variant =
                new CorpusReport.Variant(
                        "before.patch",
                        "-",
                        "Sometimes",
                        "as declared",
                        true,
                        "53",
                        "0.02",
                        "gup--before.patch.html");
        CorpusReport.Race race =
                new CorpusReport.Race("gup", "</script><b>", "a story", List.of(variant));
        String page = CorpusReport.render("1 variant", List.of(race));
        Matcher data = DATA.matcher(page);
        assertThat(data.find()).isTrue();
        Golden.check("report/corpus.json", data.group(1));
    }

    @Test
    void theGraphHasAColumnForEachTaskAndTheArrowsBetween() throws IOException {
        Golden.check("report/graph.dot", DotGraph.render(film().recording(), false));
    }

    @Test
    void namesInTheGraphAreQuoted() {
        Recording recording =
                new Traces("P0\"]; x [label=\"", "P1")
                        .write("P0\"]; x [label=\"", "", "WRITE_ONCE", "a\\\"b\n\u202e", "0", "1")
                        .read("P1", "", "READ_ONCE", "a\\\"b\n\u202e", "1")
                        .recording();
        assertThat(DotGraph.render(recording, false))
                .contains("cluster P0\\\"]; x [label=\\\"")
                .contains("WRITE_ONCE(a\\\\\\\"b");
    }
}
