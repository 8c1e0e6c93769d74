// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.outcome.HerdReport;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What docs/litmus.md says is so.
final class DocumentationTest {
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```(c?)\n(.*?)^```$");
    private static final Pattern NAME = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

    private static String page() throws IOException {
        return Files.readString(Path.of("../docs/litmus.md"));
    }

    private static List<String> blocks(String language) throws IOException {
        List<String> found = new ArrayList<>();
        Matcher block = BLOCK.matcher(page());
        while (block.find()) {
            if (block.group(1).equals(language)) {
                found.add(block.group(2));
            }
        }
        return found;
    }

    @Test
    void theFirstTestPrintsWhatThePageShows() throws IOException {
        Tests.Result result = Tests.explore(blocks("c").getFirst());
        String report =
                HerdReport.render(result.program().test(), result.program().outcomes(), true, 0.0);
        assertThat(report).isEqualTo(blocks("").getFirst());
    }

    @Test
    void theInitBlockOfThePageIsAccepted() throws IOException {
        String init = blocks("c").get(1);
        String test =
                "C t\n"
                        + init
                        + "P0() { }\nP1() { int r0; int r1; }\n"
                        + "locations [1:r0; 1:r1; p; q; a; z]\n";
        assertThat(Tests.explore(test).states())
                .containsExactly("1:r0=x; 1:r1=5; a={1,2}; [p]=x; [q]=x; [z]=3;");
    }

    @Test
    void theStatementsOfThePageCanBeParsed() throws IOException {
        assertThat(Tests.parse("C t\n" + blocks("c").get(2) + "P0() { }\n").init()).hasSize(5);
        String condition = blocks("c").get(3);
        assertThat(Tests.parse("C t\n{}\nP0() { }\n" + condition).locations()).hasSize(3);
    }

    /// Every name in the table of functions is one that the compiler knows.
    @Test
    void theFunctionsOfThePageExist() throws IOException {
        String page = page();
        String section =
                page.substring(
                        page.indexOf("## Functions of the memory model"),
                        page.indexOf("## System calls"));
        List<String> functions = new ArrayList<>();
        Matcher code = Pattern.compile("`([^`]+)`(o?)").matcher(section);
        while (code.find()) {
            String text = code.group(1);
            Matcher name = NAME.matcher(text);
            if (name.lookingAt() && !name.group().startsWith("_") && !name.group().endsWith("_")) {
                functions.add(name.group() + (code.group(2).isEmpty() ? "" : "_acquire"));
            }
        }
        functions.removeAll(List.of("o", "old", "int"));
        assertThat(functions).hasSizeGreaterThan(80);
        for (String function : functions) {
            assertThat(Tests.complaint(Tests.process(function + "();")))
                    .as(function)
                    .doesNotContain("unknown function");
        }
    }
}
