// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

import java.util.ArrayList;
import java.util.List;

/// Writes JSON that may stand in an HTML page: `<`, `>`, `&` and the line separators of Unicode are
/// escaped. What would be invisible in a text, or would turn its direction, is written out as
/// `<U+202E>`.
final class Json {
    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private final List<String> members = new ArrayList<>();

    /// Adds a member with any value.
    Json put(String name, Object value) {
        members.add(GSON.toJson(name) + ":" + GSON.toJson(value));
        return this;
    }

    /// Adds an array, with a line for each element.
    Json putLines(String name, List<?> elements) {
        List<String> lines = new ArrayList<>();
        elements.forEach(element -> lines.add("\n" + GSON.toJson(element)));
        members.add(GSON.toJson(name) + ":[" + String.join(",", lines) + "]");
        return this;
    }

    /// The object, with a line for each member, ending in a newline.
    @Override
    public String toString() {
        return "{" + String.join(",\n", members) + "}\n";
    }

    /// `text` with everything in it to be seen; line ends and tabs stay.
    static String visible(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints()
                .forEach(
                        c -> {
                            if (isVisible(c)) {
                                out.appendCodePoint(c);
                            } else {
                                out.append(String.format("<U+%04X>", c));
                            }
                        });
        return out.toString();
    }

    private static boolean isVisible(int c) {
        if (c == '\n' || c == '\t') {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    false;
            // Of these, joiners make up emoji; the rest turns directions or hides.
            case Character.FORMAT -> c == 0x200D;
            default -> true;
        };
    }
}
