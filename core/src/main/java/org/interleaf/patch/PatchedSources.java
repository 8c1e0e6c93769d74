// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// The model's sources while patches are applied to them, each line with its origin.
final class PatchedSources {
    private final PatchScope scope;
    private final SortedMap<String, List<SourceLine>> files = new TreeMap<>();
    private final Set<String> touched = new LinkedHashSet<>();

    PatchedSources(ModelSources sources) {
        scope = sources.scope();
        sources.files().forEach((path, text) -> files.put(path, lines(path, text)));
    }

    private static List<SourceLine> lines(String path, String text) {
        List<SourceLine> lines = new ArrayList<>();
        for (String line : text.lines().toList()) {
            lines.add(new SourceLine(line, path, lines.size() + 1, false));
        }
        return lines;
    }

    /// What part of the program the sources are.
    PatchScope scope() {
        return scope;
    }

    /// The files as they are now.
    SortedMap<String, List<SourceLine>> files() {
        return files;
    }

    /// The files that were added, changed or deleted.
    Set<String> touched() {
        return touched;
    }

    /// Makes the changes of a patch.
    ///
    /// @throws PatchException if one of them does not fit
    void apply(ModelPatch patch) {
        for (FileChange change : patch.changes()) {
            touched.add(change.path());
            switch (change.kind()) {
                case ADD -> add(patch.name(), change);
                case CHANGE -> change(patch.name(), change);
                case DELETE -> delete(patch.name(), change);
            }
        }
    }

    private void add(String patch, FileChange change) {
        if (files.containsKey(change.path())) {
            throw PatchException.at(
                    patch,
                    change.patchLine(),
                    "the file to be added is there already: " + change.path(),
                    "is the patch given twice?");
        }
        List<SourceLine> lines = new ArrayList<>();
        for (Hunk hunk : change.hunks()) {
            if (!hunk.before().isEmpty()) {
                throw PatchException.at(
                        patch,
                        hunk.patchLine(),
                        "a file that is added has no lines before",
                        "make the patch anew with git diff");
            }
            hunk.lines().forEach(line -> lines.add(added(patch, line)));
        }
        files.put(change.path(), lines);
    }

    private void change(String patch, FileChange change) {
        List<SourceLine> file = existing(patch, change);
        int drift = 0;
        int floor = 0;
        for (Hunk hunk : change.hunks()) {
            int before = hunk.before().size();
            int start = before == 0 ? hunk.oldStart() : hunk.oldStart() - 1;
            int at = new HunkPlacer(patch, change.path(), file, hunk).place(floor, start + drift);
            floor = at + replace(patch, file, hunk, at);
            drift = floor - (start + before);
        }
    }

    private void delete(String patch, FileChange change) {
        change(patch, change);
        List<SourceLine> left = existing(patch, change);
        if (!left.isEmpty()) {
            throw PatchException.at(
                    patch,
                    change.patchLine(),
                    "the file to be deleted has more lines than the patch removes, such as \""
                            + left.getFirst().text().strip()
                            + '"',
                    "the model is not the one that the patch was made for: make it anew");
        }
        files.remove(change.path());
    }

    private List<SourceLine> existing(String patch, FileChange change) {
        List<SourceLine> file = files.get(change.path());
        if (file == null) {
            throw PatchException.at(
                    patch,
                    change.patchLine(),
                    "the model has no file " + change.path(),
                    "a file that the patch adds comes after `--- " + ModelPath.NONE + "`");
        }
        return file;
    }

    /// Replaces the lines at `at` that the hunk speaks of; returns how many there are afterwards.
    /// Context lines stay the file's own: they may differ at the hunk's ends.
    private static int replace(String patch, List<SourceLine> file, Hunk hunk, int at) {
        List<SourceLine> after = new ArrayList<>();
        int old = at;
        for (Hunk.Line line : hunk.lines()) {
            switch (line.kind()) {
                case CONTEXT -> after.add(file.get(old++));
                case REMOVED -> old++;
                case ADDED -> after.add(added(patch, line));
            }
        }
        List<SourceLine> replaced = file.subList(at, old);
        replaced.clear();
        replaced.addAll(after);
        return after.size();
    }

    private static SourceLine added(String patch, Hunk.Line line) {
        return new SourceLine(line.text(), patch, line.patchLine(), true);
    }
}
