// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

/// Finds the end of a comment in each of the notations that a litmus test mixes.
final class Comments {
    private Comments() {}

    /// Whether `text` has a C comment (`/* */` or `//`) at `at`.
    static boolean startsC(String text, int at) {
        return text.startsWith("/*", at) || text.startsWith("//", at);
    }

    /// Whether `text` has an OCaml comment, as herd7 knows it, at `at`.
    static boolean startsOcaml(String text, int at) {
        return text.startsWith("(*", at);
    }

    /// The offset just after the C comment at `at`.
    static int endOfC(Source source, int at) {
        String text = source.text();
        if (text.startsWith("//", at)) {
            int end = text.indexOf('\n', at);
            return end < 0 ? text.length() : end;
        }
        int end = text.indexOf("*/", at + 2);
        if (end < 0) {
            throw source.error(at, "this comment has no end", "close it with `*/`");
        }
        return end + 2;
    }

    /// The offset just after the OCaml comment at `at`; such comments nest.
    static int endOfOcaml(Source source, int at) {
        String text = source.text();
        int depth = 1;
        for (int i = at + 2; i + 1 < text.length(); i++) {
            if (startsOcaml(text, i)) {
                depth++;
                i++;
            } else if (text.startsWith("*)", i)) {
                depth--;
                i++;
                if (depth == 0) {
                    return i + 1;
                }
            }
        }
        throw source.error(
                at,
                "this comment has no end",
                "close it with `*)`; for a pointer in the init block or the condition write `( *`");
    }
}
