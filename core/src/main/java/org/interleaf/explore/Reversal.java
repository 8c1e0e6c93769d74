// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// The sequence of events that a race asks for: in the state before its first event come all events
/// that this one does not happen before, and then its second event.
///
/// Whether the sequence is superfluous is asked of all of it. What goes into a wakeup tree is only
/// what must be there to wake all that could make it superfluous later, and to have the second
/// event: whatever else is in the sequence follows of itself, in all orders. So executions that
/// differ elsewhere ask for the same, and trees stay small.
final class Reversal {
    /// See {@link #placeOf}.
    private static final int ANYWHERE = -1;

    /// See {@link #placeOf}.
    private static final int NOWHERE = -2;

    private final EventLog log;
    private int size;
    private int second;
    private boolean late;
    private int conflicting;
    private boolean lasting;
    private int[] event = new int[64];
    private Footprint[] footprint = new Footprint[64];
    private boolean[] taken = new boolean[64];
    private boolean[] needed = new boolean[64];

    Reversal(EventLog log) {
        this.log = log;
    }

    /// Becomes the sequence for race number `race`.
    ///
    /// @param reversed the footprint that the second event has before the first
    /// @param late whether the second event takes its aim late, and so may touch other things here
    ///   than where it was seen: then events after it there may have to be before it here
    void begin(int race, Footprint reversed, boolean late) {
        size = 0;
        lasting = true;
        int firstEvent = log.races().first(race);
        int secondEvent = log.races().second(race);
        second = secondEvent;
        this.late = late;
        for (int e = firstEvent + 1; e < log.size(); e++) {
            if (!log.happensBefore(firstEvent, e) && !log.followsAny(log.races().also(race), e)) {
                add(e, log.footprint(e));
            }
        }
        add(secondEvent, reversed);
        needed[size - 1] = true;
    }

    private void add(int e, Footprint itsFootprint) {
        if (size == event.length) {
            event = Arrays.copyOf(event, 2 * size);
            footprint = Arrays.copyOf(footprint, 2 * size);
            taken = Arrays.copyOf(taken, 2 * size);
            needed = Arrays.copyOf(needed, 2 * size);
        }
        event[size] = e;
        footprint[size] = itsFootprint;
        taken[size] = false;
        needed[size++] = false;
    }

    /// Where in the sequence `other` is, if it could come first: its index, or {@link #ANYWHERE} if
    /// it is not there and commutes with everything. {@link #NOWHERE} if something comes before it.
    private int placeOf(Footprint other) {
        for (int i = 0; i < size; i++) {
            if (taken[i]) {
                continue;
            }
            if (footprint[i].task() == other.task()) {
                return i;
            }
            if (footprint[i].conflictsWith(other)) {
                conflicting = i;
                return NOWHERE;
            }
        }
        return ANYWHERE;
    }

    /// Keeps what came before the event that {@link #placeOf} was asked for last.
    private void keepConflicting() {
        needed[conflicting] = true;
    }

    /// Whether `sleeper`, all executions behind which have been seen or will be, could come first:
    /// then the sequence is superfluous. Otherwise what wakes it is kept.
    boolean isCoveredBy(Footprint sleeper) {
        int place = placeOf(sleeper);
        if (place == NOWHERE) {
            keepConflicting();
            return false;
        }
        lasting = lasts(place);
        return true;
    }

    /// Takes `event`, which begins sequences of a wakeup tree, out of this sequence if it could
    /// come first. False where it could not; then what wakes it is kept.
    boolean advance(Footprint event) {
        int place = placeOf(event);
        if (place == NOWHERE) {
            keepConflicting();
            return false;
        }
        lasting &= lasts(place);
        if (place != ANYWHERE) {
            taken[place] = true;
        }
        return true;
    }

    /// Whether what was decided of this sequence so far holds in all executions that have its race.
    boolean lasting() {
        return lasting;
    }

    /// Whether what is at `place` is there in all executions that have this race.
    private boolean lasts(int place) {
        return place >= 0 && (event[place] < second || (event[place] == second && !late));
    }

    /// Drops what need not be in a wakeup tree, once all that could come first has been asked for.
    /// Returns whether that and what is left is the same in all executions that have this race.
    boolean reduce() {
        for (int i = size - 1; i >= 0; i--) {
            if (!taken[i]) {
                needed[i] |= isBeforeSomethingNeeded(i);
                taken[i] = !needed[i];
                lasting &= taken[i] || lasts(i);
            }
        }
        return lasting;
    }

    private boolean isBeforeSomethingNeeded(int i) {
        for (int k = i + 1; k < size; k++) {
            if (!taken[k] && needed[k] && isBefore(i, k)) {
                return true;
            }
        }
        return false;
    }

    private boolean isBefore(int i, int k) {
        if (k < size - 1) {
            return log.happensBefore(event[i], event[k]);
        }
        return footprint[i].task() == footprint[k].task()
                || footprint[i].conflictsWith(footprint[k])
                || (second < log.size() && log.happensBefore(event[i], second));
    }

    /// What is left, as a branch of a wakeup tree.
    WakeupTree.@Nullable Node branch() {
        WakeupTree.Node chain = null;
        for (int i = size - 1; i >= 0; i--) {
            if (!taken[i]) {
                WakeupTree.Node node = new WakeupTree.Node(footprint[i]);
                node.child = chain;
                chain = node;
            }
        }
        return chain;
    }
}
