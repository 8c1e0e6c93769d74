// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The races of a waiting access with several commuting updates at once: a wait for a count of 1
/// that stands behind three increments could have come behind any one of them.
///
/// A set of updates belongs together if the access could go ahead without all of them, and not
/// without fewer. What the access sees in any other order is then reached from one of those.
final class Jointly {
    /// Updates of one block beyond which subsets cannot be told by a mask.
    private static final int UPDATES_MAX = 30;

    private final EventLog log;
    private final List<int[]> sets = new ArrayList<>();
    private final List<Integer> masks = new ArrayList<>();
    private int[] updates = new int[16];
    private int count;

    Jointly(EventLog log) {
        this.log = log;
    }

    /// Forgets the sets that were found.
    void clear() {
        if (!sets.isEmpty()) {
            sets.clear();
        }
    }

    /// Looks for sets of updates in one block.
    ///
    /// @param block the last access of the block
    /// @return whether nothing earlier need be looked at
    boolean find(int block) {
        long base = collect(block);
        boolean behindOwn = false;
        int free = 0;
        for (int i = 0; i < count; i++) {
            if (log.known(updates[i])) {
                base = log.resultOf(updates[i], base);
                behindOwn = true;
            } else {
                updates[free++] = updates[i];
            }
        }
        count = free;
        boolean found = couldEnable(base) && findSets(base);
        return found || behindOwn;
    }

    /// Takes down the updates of a block in order. Returns the value before them.
    private long collect(int block) {
        count = 0;
        int start = block;
        for (int x = block; x >= 0; x = log.previousInBlock(x)) {
            if (count == updates.length) {
                updates = Arrays.copyOf(updates, 2 * count);
            }
            updates[count++] = log.eventOf(x);
            start = x;
        }
        for (int i = 0, k = count - 1; i < k; i++, k--) {
            int swapped = updates[i];
            updates[i] = updates[k];
            updates[k] = swapped;
        }
        return log.valueBefore(start);
    }

    /// Where all updates do the same only their number counts, which is soon seen.
    private boolean couldEnable(long base) {
        long value = base;
        for (int i = 0; i < count; i++) {
            if (log.couldRun(value)) {
                return true;
            }
            if (log.resultOf(updates[i], 0) != log.resultOf(updates[0], 0)
                    || log.resultOf(updates[i], -1) != log.resultOf(updates[0], -1)) {
                return true;
            }
            value = log.resultOf(updates[i], value);
        }
        return false;
    }

    private boolean findSets(long base) {
        if (count > UPDATES_MAX) {
            throw new IllegalStateException("too many updates that a wait could have come before");
        }
        masks.clear();
        for (int mask = 1; mask < 1 << count; mask++) {
            if (!hasFound(mask) && isClosed(mask) && log.couldRun(without(mask, base))) {
                masks.add(mask);
                add(mask);
            }
        }
        return !masks.isEmpty();
    }

    private boolean hasFound(int mask) {
        for (int found : masks) {
            if ((mask & found) == found) {
                return true;
            }
        }
        return false;
    }

    /// Whether what the updates of `mask` happen before is in it as well.
    private boolean isClosed(int mask) {
        for (int i = 0; i < count; i++) {
            for (int k = i + 1; k < count; k++) {
                if ((mask >> i & 1) > (mask >> k & 1)
                        && log.happensBefore(updates[i], updates[k])) {
                    return false;
                }
            }
        }
        return true;
    }

    private long without(int mask, long base) {
        long value = base;
        for (int i = 0; i < count; i++) {
            value = (mask >> i & 1) != 0 ? value : log.resultOf(updates[i], value);
        }
        return value;
    }

    /// Adds the first updates of a set; the others go with them.
    private void add(int mask) {
        int[] set = new int[Integer.bitCount(mask)];
        int size = 0;
        for (int i = 0; i < count; i++) {
            if ((mask >> i & 1) != 0 && !follows(set, size, updates[i])) {
                set[size++] = updates[i];
            }
        }
        if (size == 1) {
            log.candidate(set[0]);
        } else {
            sets.add(Arrays.copyOf(set, size));
        }
    }

    private boolean follows(int[] set, int size, int update) {
        for (int i = 0; i < size; i++) {
            if (log.happensBefore(set[i], update)) {
                return true;
            }
        }
        return false;
    }

    /// Whether all of a set comes between `candidate` and the event that is being appended.
    boolean isBetween(int candidate) {
        for (int[] set : sets) {
            boolean all = true;
            for (int update : set) {
                all &= log.happensBefore(candidate, update);
            }
            if (all) {
                return true;
            }
        }
        return false;
    }

    /// Adds the races of the sets with the event `second`.
    ///
    /// @param candidates events that race with it alone
    void addRaces(RaceList races, int[] candidates, int candidateCount, int second) {
        for (int[] set : sets) {
            boolean immediate = true;
            for (int i = 0; i < candidateCount; i++) {
                immediate &= !log.followsAny(set, candidates[i]);
            }
            if (immediate) {
                races.add(set[0], Arrays.copyOfRange(set, 1, set.length), second);
            }
        }
    }
}
