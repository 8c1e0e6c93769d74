// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.syntax;

import org.jspecify.annotations.Nullable;

import java.util.Collection;

/// Finds what somebody who misspelt a name most likely meant.
public final class Names {
    /// Longer words than this are not compared: nobody misspells them, but a fuzzer writes them.
    private static final int LONGEST = 80;

    private Names() {}

    /// The name nearest to `word`, or null where none is near.
    ///
    /// Of several equally near the first is taken, so the order of `names` should be a fixed one.
    public static @Nullable String nearest(String word, Collection<String> names) {
        int limit = Math.max(1, Math.min(4, word.length() / 3));
        String best = null;
        int bestDistance = limit + 1;
        for (String name : names) {
            int distance = distance(word, name, bestDistance);
            if (distance < bestDistance) {
                best = name;
                bestDistance = distance;
            }
        }
        return best;
    }

    /// A hint that names the nearest of `names`, or where there is none, `otherwise`.
    public static String hint(String word, Collection<String> names, String otherwise) {
        String nearest = nearest(word, names);
        return nearest == null ? otherwise : "did you mean `" + nearest + "`?";
    }

    /// How many letters must be added, removed, replaced or swapped, or `bound` where it is no
    /// less.
    private static int distance(String a, String b, int bound) {
        if (Math.abs(a.length() - b.length()) >= bound || a.length() > LONGEST) {
            return bound;
        }
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] free = beforeLast;
            beforeLast = last;
            last = row;
            row = free;
            fillRow(a, b, i, beforeLast, last, row);
        }
        return Math.min(row[b.length()], bound);
    }

    private static void fillRow(
            String a, String b, int i, int[] beforeLast, int[] last, int[] row) {
        row[0] = i;
        for (int j = 1; j <= b.length(); j++) {
            char c = Character.toLowerCase(a.charAt(i - 1));
            char d = Character.toLowerCase(b.charAt(j - 1));
            int replace = last[j - 1] + (c == d ? 0 : 1);
            row[j] = Math.min(replace, 1 + Math.min(last[j], row[j - 1]));
            boolean swapped =
                    i > 1
                            && j > 1
                            && a.charAt(i - 1) == b.charAt(j - 2)
                            && a.charAt(i - 2) == b.charAt(j - 1);
            if (swapped) {
                row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
            }
        }
    }
}
