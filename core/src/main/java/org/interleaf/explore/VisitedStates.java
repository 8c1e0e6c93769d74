// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

/// Remembers at which cost states have been reached, states being known by hashes of 128 bits. When
/// the memory is used up, new states are no longer remembered.
final class VisitedStates {
    private static final int STATES_MAX = 1 << 21;

    private long[] one = new long[1 << 10];
    private long[] two = new long[1 << 10];
    private int[] cost = new int[1 << 10];
    private int size;

    /// Forgets everything.
    void clear() {
        one = new long[1 << 10];
        two = new long[1 << 10];
        cost = new int[1 << 10];
        size = 0;
    }

    /// A state is reached at `newCost`. False if it has been reached before at that or less.
    boolean enter(long hashOne, long hashTwo, int newCost) {
        long first = hashOne == 0 ? 1 : hashOne;
        int i = slot(first, hashTwo);
        if (one[i] != 0) {
            if (cost[i] <= newCost) {
                return false;
            }
            cost[i] = newCost;
            return true;
        }
        if (size < STATES_MAX) {
            put(i, first, hashTwo, newCost);
        }
        return true;
    }

    private void put(int i, long hashOne, long hashTwo, int newCost) {
        one[i] = hashOne;
        two[i] = hashTwo;
        cost[i] = newCost;
        if (2 * ++size > one.length) {
            grow();
        }
    }

    private int slot(long hashOne, long hashTwo) {
        int i = (int) hashOne & one.length - 1;
        while (one[i] != 0 && (one[i] != hashOne || two[i] != hashTwo)) {
            i = i + 1 & one.length - 1;
        }
        return i;
    }

    private void grow() {
        long[] oldOne = one;
        long[] oldTwo = two;
        int[] oldCost = cost;
        one = new long[2 * oldOne.length];
        two = new long[2 * oldOne.length];
        cost = new int[2 * oldOne.length];
        for (int i = 0; i < oldOne.length; i++) {
            if (oldOne[i] != 0) {
                int to = slot(oldOne[i], oldTwo[i]);
                one[to] = oldOne[i];
                two[to] = oldTwo[i];
                cost[to] = oldCost[i];
            }
        }
    }
}
