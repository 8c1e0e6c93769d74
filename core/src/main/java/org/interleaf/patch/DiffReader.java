// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// Reads a unified diff, as `git diff` and `diff -u` write it, with text before it.
///
/// A reader of our own because every complaint must name the line of the patch, and because nothing
/// may be skipped: the usual libraries forget line numbers and pass over a hunk that was cut short.
final class DiffReader {
    private static final String MADE_WITH =
            "make the patch with `git diff > my.patch` at the top of Interleaf's source tree";
    private static final Pattern NOT_A_DIFF_OF_TEXT =
            Pattern.compile("(Binary files |GIT binary patch|rename from |copy from ).*");

    private final PatchScope scope;
    private final String patch;
    private final List<String> lines;
    private int at;

    /// Reads the patch called `patch`, line by line; `lines` have no line ends.
    DiffReader(PatchScope scope, String patch, List<String> lines) {
        this.scope = scope;
        this.patch = patch;
        this.lines = lines;
    }

    /// Number of lines before the diff begins; all of them where there is none.
    int headerLength() {
        for (int i = 0; i < lines.size(); i++) {
            if (startsFile(i) || lines.get(i).startsWith("diff --git ")) {
                return i;
            }
            if (lines.get(i).startsWith("@@ -")) {
                throw error(i, "a hunk of no file: no `--- ` and `+++ ` lines above", MADE_WITH);
            }
        }
        return lines.size();
    }

    /// The changes, in order, after `headerLength` lines of text.
    List<FileChange> read(int headerLength) {
        if (headerLength == lines.size()) {
            throw PatchException.ofFile(
                    patch, "no diff in it: no line begins with `--- a/`", MADE_WITH);
        }
        List<FileChange> changes = new ArrayList<>();
        at = headerLength;
        while (at < lines.size()) {
            if (startsFile(at)) {
                changes.add(file());
            } else {
                rejectStray(at);
                at++;
            }
        }
        if (changes.isEmpty()) {
            throw error(headerLength, "a diff without a change", MADE_WITH);
        }
        return changes;
    }

    private boolean startsFile(int i) {
        return i + 1 < lines.size()
                && lines.get(i).startsWith("--- ")
                && lines.get(i + 1).startsWith("+++ ");
    }

    private void rejectStray(int i) {
        String line = lines.get(i);
        if (line.startsWith("@@ -")) {
            throw error(i, "a hunk of no file: no `--- ` and `+++ ` lines above", MADE_WITH);
        }
        if (NOT_A_DIFF_OF_TEXT.matcher(line).matches()) {
            throw error(
                    i,
                    "renamed, copied and binary files are not supported",
                    "make the patch with `git diff --no-renames`");
        }
    }

    private FileChange file() {
        int start = at;
        String before = ModelPath.of(scope, patch, start + 1, lines.get(start).substring(4));
        String after = ModelPath.of(scope, patch, start + 2, lines.get(start + 1).substring(4));
        boolean added = before.equals(ModelPath.NONE);
        boolean deleted = after.equals(ModelPath.NONE);
        if (added ? deleted : !deleted && !before.equals(after)) {
            throw error(
                    start,
                    "the file has two names: " + before + " and " + after,
                    "make the patch with `git diff --no-renames`");
        }
        at += 2;
        List<Hunk> hunks = hunks();
        FileChange.Kind kind =
                added
                        ? FileChange.Kind.ADD
                        : deleted ? FileChange.Kind.DELETE : FileChange.Kind.CHANGE;
        return new FileChange(kind, added ? after : before, start + 1, hunks);
    }

    private List<Hunk> hunks() {
        List<Hunk> hunks = new ArrayList<>();
        while (at < lines.size() && lines.get(at).startsWith("@@")) {
            hunks.add(new HunkReader(patch, lines, at, hunks.size() + 1).read());
            at = HunkReader.end(lines, at, hunks.getLast());
        }
        if (hunks.isEmpty()) {
            throw error(at - 1, "no hunk follows", "a hunk begins with `@@ -1,6 +1,7 @@`");
        }
        return hunks;
    }

    private PatchException error(int index, String problem, String hint) {
        return PatchException.at(patch, index + 1, problem, hint);
    }
}
