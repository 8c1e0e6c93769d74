// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What people have written above tests and about races, as plain text.
final class Story {
    private static final Pattern COMMENT = Pattern.compile("\\(\\*(.*?)\\*\\)", Pattern.DOTALL);
    private static final Pattern DECLARATION =
            Pattern.compile("(Result|Splat|Control|Source|Expect|Expect-splat|Config|Test):.*");

    private Story() {}

    /// The first comment of a test without its declarations; empty where it has none.
    static String ofTest(String test) {
        Matcher comment = COMMENT.matcher(test);
        if (!comment.find()) {
            return "";
        }
        List<String> lines = new ArrayList<>();
        for (String line : comment.group(1).lines().toList()) {
            lines.add(line.strip().replaceFirst("^\\*\\s?", ""));
        }
        return paragraphs(lines);
    }

    /// What the first section of a Markdown file says, up to its first table or list.
    static String ofReadme(Path file) {
        List<String> lines = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith("|") || line.startsWith("- ") || line.startsWith("##")) {
                    break;
                }
                lines.add(line.startsWith("# ") ? "" : line.replace("`", ""));
            }
        } catch (IOException e) {
            return "";
        }
        return paragraphs(lines);
    }

    /// The title of a Markdown file; `otherwise` where it has none.
    static String title(Path file, String otherwise) {
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> line.startsWith("# "))
                    .map(line -> line.substring(2).replace("`", ""))
                    .findFirst()
                    .orElse(otherwise);
        } catch (IOException e) {
            return otherwise;
        }
    }

    /// Paragraphs as one line each, with an empty line between two; without those that declare.
    static String paragraphs(List<String> lines) {
        List<String> paragraphs = new ArrayList<>();
        StringBuilder paragraph = new StringBuilder();
        boolean declares = false;
        for (String line : lines) {
            declares |= DECLARATION.matcher(line).matches();
            paragraph.append(line.isBlank() ? "" : line.strip() + " ");
            if (line.isBlank()) {
                add(paragraphs, paragraph, declares);
                declares = false;
            }
        }
        add(paragraphs, paragraph, declares);
        return String.join("\n\n", paragraphs);
    }

    private static void add(List<String> paragraphs, StringBuilder paragraph, boolean declares) {
        if (!declares && !paragraph.isEmpty()) {
            paragraphs.add(paragraph.toString().strip());
        }
        paragraph.setLength(0);
    }
}
