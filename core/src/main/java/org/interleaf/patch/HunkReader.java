// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads one hunk. Its header says how many lines there are; a hunk that has more or fewer was cut
/// or edited, and what it should have been is anybody's guess: it is refused.
final class HunkReader {
    private static final Pattern HEADER =
            Pattern.compile("@@ -(\\d{1,9})(?:,(\\d{1,9}))? \\+(\\d{1,9})(?:,(\\d{1,9}))? @@.*");

    private final String patch;
    private final List<String> lines;
    private final int start;
    private final int number;

    private int oldLeft;
    private int newLeft;

    HunkReader(String patch, List<String> lines, int start, int number) {
        this.patch = patch;
        this.lines = lines;
        this.start = start;
        this.number = number;
    }

    Hunk read() {
        Matcher header = HEADER.matcher(lines.get(start));
        if (!header.matches()) {
            throw error(
                    "cannot read the header of hunk " + number,
                    "it should look like `@@ -120,6 +120,9 @@`");
        }
        int oldStart = Integer.parseInt(header.group(1));
        oldLeft = count(header.group(2));
        newLeft = count(header.group(4));
        List<Hunk.Line> body = new ArrayList<>();
        int at = start + 1;
        while (oldLeft > 0 || newLeft > 0) {
            if (at == lines.size() || !isBody(lines.get(at))) {
                throw miscounted(header);
            }
            if (!lines.get(at).startsWith("\\")) {
                body.add(line(at, header));
            }
            at++;
        }
        if (goesOn(at)) {
            throw miscounted(header);
        }
        Hunk hunk = new Hunk(number, start + 1, oldStart, List.copyOf(body));
        if (hunk.lines().stream().allMatch(line -> line.kind() == Hunk.Kind.CONTEXT)) {
            throw error("hunk " + number + " changes nothing", "remove it");
        }
        return hunk;
    }

    /// The index after a hunk that was read from index `start`.
    static int end(List<String> lines, int start, Hunk hunk) {
        int at = hunk.lines().isEmpty() ? start + 1 : hunk.lines().getLast().patchLine();
        while (at < lines.size() && lines.get(at).startsWith("\\")) {
            at++;
        }
        return at;
    }

    private static int count(String text) {
        return text == null ? 1 : Integer.parseInt(text);
    }

    private Hunk.Line line(int at, Matcher header) {
        String text = lines.get(at);
        Hunk.Kind kind = kind(text);
        if (kind != Hunk.Kind.ADDED) {
            oldLeft--;
        }
        if (kind != Hunk.Kind.REMOVED) {
            newLeft--;
        }
        if (oldLeft < 0 || newLeft < 0) {
            throw miscounted(header);
        }
        return new Hunk.Line(kind, text.isEmpty() ? "" : text.substring(1), at + 1);
    }

    private static Hunk.Kind kind(String text) {
        return switch (text.isEmpty() ? ' ' : text.charAt(0)) {
            case '+' -> Hunk.Kind.ADDED;
            case '-' -> Hunk.Kind.REMOVED;
            default -> Hunk.Kind.CONTEXT;
        };
    }

    /// Whether a line can belong to a hunk. An empty one is a context line whose only blank was
    /// lost, as editors and mail programs do.
    private static boolean isBody(String text) {
        return text.isEmpty() || " +-\\".indexOf(text.charAt(0)) >= 0;
    }

    /// Whether the hunk seems to go on at `at`, where it should have ended. A file's `---` line and
    /// a mail's signature look like removed lines.
    private boolean goesOn(int at) {
        return at < lines.size() && !lines.get(at).startsWith("\\") && isMore(at);
    }

    private boolean isMore(int at) {
        String text = lines.get(at);
        boolean startsFile =
                text.startsWith("--- ")
                        && at + 1 < lines.size()
                        && lines.get(at + 1).startsWith("+++ ");
        boolean signature = text.strip().equals("--");
        return !text.isBlank() && isBody(text) && !startsFile && !signature;
    }

    private PatchException miscounted(Matcher header) {
        int before = 0;
        int after = 0;
        int at = start + 1;
        while (at < lines.size() && (isMore(at) || lines.get(at).isBlank())) {
            if (lines.get(at).isBlank() && !anyMore(at)) {
                break;
            }
            if (!lines.get(at).startsWith("\\")) {
                before += kind(lines.get(at)) == Hunk.Kind.ADDED ? 0 : 1;
                after += kind(lines.get(at)) == Hunk.Kind.REMOVED ? 0 : 1;
            }
            at++;
        }
        String counted =
                "@@ -%s,%d +%s,%d @@".formatted(header.group(1), before, header.group(3), after);
        return error(
                "hunk " + number + " has not as many lines as its header says",
                "if none got lost, the header should be `" + counted + "`");
    }

    /// Whether lines of the hunk follow the blank lines at `at`.
    private boolean anyMore(int at) {
        int next = at;
        while (next < lines.size() && lines.get(next).isBlank()) {
            next++;
        }
        return next < lines.size() && isMore(next);
    }

    private PatchException error(String problem, String hint) {
        return PatchException.at(patch, start + 1, problem, hint);
    }
}
