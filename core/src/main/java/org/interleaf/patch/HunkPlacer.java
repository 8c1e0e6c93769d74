// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.patch;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Finds the place of a hunk in a file that may have changed since the patch was made.
///
/// Where all lines are found at the expected place, that is it. Otherwise the hunk may have moved,
/// and up to {@link #FUZZ_MAX} context lines at each end may have changed (not those beside the
/// change), but only one place may fit: a race that is put back into the wrong one of two similar
/// loops would go unnoticed.
final class HunkPlacer {
    private static final int FUZZ_MAX = 2;

    private final String patch;
    private final String path;
    private final List<SourceLine> file;
    private final Hunk hunk;
    private final List<Hunk.Line> before;

    HunkPlacer(String patch, String path, List<SourceLine> file, Hunk hunk) {
        this.patch = patch;
        this.path = path;
        this.file = file;
        this.hunk = hunk;
        this.before = hunk.before();
    }

    /// The index of the hunk's first line in the file.
    ///
    /// @param floor the first index that earlier hunks leave free
    /// @param expected the index where the hunk would be if the file were as it was
    /// @throws PatchException if the hunk fits nowhere, or in several places
    int place(int floor, int expected) {
        if (before.isEmpty()) {
            throw PatchException.at(
                    patch,
                    hunk.patchLine(),
                    "hunk " + hunk.number() + " has no context: its place in " + path + " is open",
                    "make the patch with three lines of context, as git diff does by itself");
        }
        if (expected >= floor && matches(expected, 0, 0)) {
            return expected;
        }
        for (int fuzz = 0; fuzz <= FUZZ_MAX; fuzz++) {
            int head = Math.clamp(hunk.leadingContext() - 1, 0, fuzz);
            int tail = Math.clamp(hunk.trailingContext() - 1, 0, fuzz);
            List<Integer> places = placesFrom(floor, head, tail);
            if (places.size() > 1) {
                throw ambiguous(places);
            }
            if (!places.isEmpty() && hasSubstance(head, tail)) {
                return places.getFirst();
            }
        }
        throw misfit(floor, expected);
    }

    private boolean matches(int at, int head, int tail) {
        if (at < 0 || at + before.size() > file.size()) {
            return false;
        }
        for (int i = head; i < before.size() - tail; i++) {
            if (!sameLine(at, i)) {
                return false;
            }
        }
        return true;
    }

    private boolean sameLine(int at, int i) {
        int index = at + i;
        return index >= 0
                && index < file.size()
                && file.get(index).text().equals(before.get(i).text());
    }

    /// Whether the lines that are compared say more than `}`.
    private boolean hasSubstance(int head, int tail) {
        return before.subList(head, before.size() - tail).stream()
                .anyMatch(line -> line.text().chars().anyMatch(Character::isLetterOrDigit));
    }

    private List<Integer> placesFrom(int floor, int head, int tail) {
        List<Integer> places = new ArrayList<>();
        for (int at = floor; at + before.size() <= file.size(); at++) {
            if (matches(at, head, tail)) {
                places.add(at);
            }
        }
        return places;
    }

    private PatchException ambiguous(List<Integer> places) {
        return PatchException.at(
                patch,
                hunk.patchLine(),
                "hunk %d fits at lines %d and %d of %s"
                        .formatted(hunk.number(), places.get(0) + 1, places.get(1) + 1, path),
                "make the patch anew against these sources, or with more context: git diff -U10");
    }

    private PatchException misfit(int floor, int expected) {
        int at = nearestMiss(floor, expected);
        int i = 0;
        while (i < before.size() - 1 && sameLine(at, i)) {
            i++;
        }
        String found =
                at + i < file.size() ? quote(file.get(at + i).text()) : "the end of the file";
        return PatchException.at(
                patch,
                before.get(i).patchLine(),
                "hunk %d does not apply to %s: expected %s at line %d, found %s"
                        .formatted(
                                hunk.number(),
                                path,
                                quote(before.get(i).text()),
                                at + i + 1,
                                found),
                hint(at, i));
    }

    /// The place where most lines match, of equal ones the nearest to the expected place.
    private int nearestMiss(int floor, int expected) {
        int best = Math.clamp(expected, 0, file.size());
        int bestScore = score(best);
        for (int at = floor; at + before.size() <= file.size(); at++) {
            int score = score(at);
            boolean nearer = Math.abs(at - expected) < Math.abs(best - expected);
            if (score > bestScore || (score == bestScore && nearer)) {
                best = at;
                bestScore = score;
            }
        }
        return best;
    }

    private int score(int at) {
        int score = 0;
        for (int i = 0; i < before.size(); i++) {
            score += sameLine(at, i) ? 1 : 0;
        }
        return score;
    }

    private String hint(int at, int i) {
        if (alreadyApplied()) {
            return "these lines are in the file already: is the patch given twice?";
        }
        if (at + i < file.size()
                && squeeze(file.get(at + i).text()).equals(squeeze(before.get(i).text()))) {
            return "they differ in white space only: was the patch copied from a mail or a screen?";
        }
        return "the model is not the one that the patch was made for: make it anew";
    }

    private boolean alreadyApplied() {
        List<String> after = hunk.after().stream().map(Hunk.Line::text).toList();
        List<String> texts = file.stream().map(SourceLine::text).toList();
        return after.size() > before.size() && Collections.indexOfSubList(texts, after) >= 0;
    }

    private static String squeeze(String text) {
        return text.replaceAll("\\s+", "");
    }

    private static String quote(String text) {
        return '"' + text.strip() + '"';
    }
}
