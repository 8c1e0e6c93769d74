// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds the lines `Result:` and `Splat:` in the comments of a test.
final class ExpectationReader {
    /// One such line: nothing before the word but the comment's own decoration.
    private static final Pattern LINE =
            Pattern.compile(
                    "(?m)^[ \\t]*(?:/[/*]+|\\(\\*+|\\*+)?[ \\t]*(Result|Splat):[ \\t]*(.*)$");

    private final Source source;
    private final List<Expectation.Splat> splats = new ArrayList<>();
    private Expectation.@Nullable Result result;
    private String words = "";

    ExpectationReader(Source source) {
        this.source = source;
    }

    Expectation read(List<Comment> comments) {
        for (Comment comment : comments) {
            Matcher line = LINE.matcher(source.text()).region(comment.start(), comment.end());
            while (line.find()) {
                readLine(line.group(1), line.start(2), withoutClosing(line.group(2)));
            }
        }
        return new Expectation(result, words, List.copyOf(splats));
    }

    private static String withoutClosing(String rest) {
        String trimmed = rest.strip();
        if (trimmed.endsWith("*)") || trimmed.endsWith("*/")) {
            trimmed = trimmed.substring(0, trimmed.length() - 2).strip();
        }
        return trimmed;
    }

    private void readLine(String key, int pos, String rest) {
        if (rest.isEmpty()) {
            throw source.error(
                    pos,
                    "nothing follows `" + key + ":`",
                    key.equals("Result")
                            ? "write Never, Sometimes, Always or DEADLOCK"
                            : "write the kind of the splat and where, as in"
                                    + " `Splat: WARNING try_grab_folio`");
        }
        if (key.equals("Splat")) {
            addSplat(pos, rest);
        } else if (words.isEmpty()) {
            words = rest;
            result = result(pos, rest);
        }
    }

    private void addSplat(int pos, String rest) {
        String[] parts = rest.split("\\s+", 2);
        splats.add(new Expectation.Splat(pos, parts[0], parts.length > 1 ? parts[1] : ""));
    }

    /// The result that is meant. Old tests say `Maybe`, `Flag …` and more: they declare nothing;
    /// but a known word misspelt would declare nothing too, and nobody would notice.
    private Expectation.@Nullable Result result(int pos, String rest) {
        String word = rest.split("[^A-Za-z]", 2)[0];
        for (Expectation.Result known : Expectation.Result.values()) {
            if (known.word().equalsIgnoreCase(word)) {
                return known;
            }
        }
        List<String> all = Arrays.stream(Expectation.Result.values()).map(r -> r.word()).toList();
        String near = Names.nearest(word, all);
        if (near != null) {
            throw source.error(
                    pos, "unknown result `" + word + "`", "did you mean `" + near + "`?");
        }
        return null;
    }
}
