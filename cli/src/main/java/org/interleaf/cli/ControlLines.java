// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.litmus.syntax.Source;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads the lines `Control: key=value ...` in the comments of a test of the corpus: further
/// configurations in which what the test declares must hold.
final class ControlLines {
    private static final Pattern LINE =
            Pattern.compile("(?m)^[ \\t]*(?:/[/*]+|\\(\\*+|\\*+)?[ \\t]*Control:(.*)$");
    private static final Pattern SETTING = Pattern.compile("\\S+");

    private ControlLines() {}

    /// The configurations, in order.
    ///
    /// @throws org.interleaf.litmus.syntax.LitmusException if a line is not of that form
    static List<Map<String, String>> of(Source source) {
        List<Map<String, String>> controls = new ArrayList<>();
        Matcher line = LINE.matcher(source.text());
        while (line.find()) {
            controls.add(settings(source, line.start(1), line.group(1)));
        }
        return controls;
    }

    private static Map<String, String> settings(Source source, int offset, String text) {
        Map<String, String> settings = new LinkedHashMap<>();
        Matcher word = SETTING.matcher(text.replaceFirst("\\*[)/]\\s*$", ""));
        while (word.find()) {
            String[] pair = word.group().split("=", 2);
            if (pair.length < 2 || pair[0].isEmpty() || pair[1].isEmpty()) {
                throw mistake(source, offset + word.start(), "`" + word.group() + "`");
            }
            settings.put(pair[0], pair[1]);
        }
        if (settings.isEmpty()) {
            throw mistake(source, offset, "an empty line");
        }
        return settings;
    }

    private static RuntimeException mistake(Source source, int offset, String found) {
        return source.error(
                offset,
                "`Control:` is followed by settings, not by " + found,
                "write for example `Control: arch=x86-64 tlb=ipi`");
    }
}
