// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.util.Arrays;

/// The races of the execution at hand, in the order of their second events. They are kept as long
/// as that event stays, and taken off the end with it.
final class RaceList {
    private int size;
    private int[] first = new int[64];
    private int[][] also = new int[64][];
    private int[] second = new int[64];
    private boolean[] settled = new boolean[64];

    int size() {
        return size;
    }

    /// Adds the race of `firstEvent`, together with the later events `moreFirst`, with
    /// `secondEvent`.
    void add(int firstEvent, int[] moreFirst, int secondEvent) {
        if (size == first.length) {
            first = Arrays.copyOf(first, 2 * size);
            also = Arrays.copyOf(also, 2 * size);
            second = Arrays.copyOf(second, 2 * size);
            settled = Arrays.copyOf(settled, 2 * size);
        }
        first[size] = firstEvent;
        also[size] = moreFirst;
        second[size] = secondEvent;
        settled[size++] = false;
    }

    /// Keeps the first `n` races.
    void truncate(int n) {
        size = n;
    }

    /// The number of the first race whose later event is `event` or one after it.
    int firstFrom(int event) {
        int r = size;
        while (r > 0 && second[r - 1] >= event) {
            r--;
        }
        return r;
    }

    /// The earlier event of race `r`.
    int first(int r) {
        return first[r];
    }

    /// Further events that race together with the earlier one, none of them before another: where a
    /// wait can come before commuting updates only if it comes before all of these.
    int[] also(int r) {
        return also[r];
    }

    /// The later event of race `r`; the number of events plus a task's id for the access that the
    /// task was blocked at when the execution ended.
    int second(int r) {
        return second[r];
    }

    /// Whether race `r` needs no look any more, however executions go on after it.
    boolean settled(int r) {
        return settled[r];
    }

    void settle(int r) {
        settled[r] = true;
    }
}
