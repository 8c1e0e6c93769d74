// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Puts the events of an execution in an equivalent order with the fewest changes of task.
///
/// A task that goes may as well go as far as the order among dependent events lets it: whatever
/// came after still can. So the search is breadth first over what has been done after each such
/// run, and the first to have done everything has the fewest runs. If there are too many to keep,
/// those that have done most are kept, and the result is only good.
final class FewestSwitches {
    private static final int KEPT_MAX = 2_000;

    private final EventLog log;
    private final int[][] eventsOf;
    private final int total;

    /// After some runs: how many events of each task are done.
    private record Cut(int[] done, int sum, int lastTask, @Nullable Cut before) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Cut cut && Arrays.equals(done, cut.done);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(done);
        }
    }

    private FewestSwitches(EventLog log, int tasks, boolean[] needed) {
        this.log = log;
        List<List<Integer>> events = new ArrayList<>();
        for (int t = 0; t < tasks; t++) {
            events.add(new ArrayList<>());
        }
        int count = 0;
        for (int e = 0; e < needed.length; e++) {
            if (needed[e]) {
                events.get(log.task(e)).add(e);
                count++;
            }
        }
        total = count;
        eventsOf =
                events.stream()
                        .map(list -> list.stream().mapToInt(e -> e).toArray())
                        .toArray(int[][]::new);
    }

    /// The tasks in the new order.
    ///
    /// @param needed which events are to be in it; with each those that happen before it
    static int[] order(EventLog log, int tasks, boolean[] needed) {
        return new FewestSwitches(log, tasks, needed).search();
    }

    private int[] search() {
        List<Cut> cuts = List.of(new Cut(new int[eventsOf.length], 0, -1, null));
        while (cuts.getFirst().sum < total) {
            Set<Cut> seen = new HashSet<>();
            List<Cut> next = new ArrayList<>();
            for (Cut cut : cuts) {
                for (int t = 0; t < eventsOf.length; t++) {
                    Cut after = t == cut.lastTask ? cut : run(cut, t);
                    if (after.sum > cut.sum && seen.add(after)) {
                        next.add(after);
                    }
                }
            }
            // A stable sort, so the result depends on nothing but the execution.
            next.sort((a, b) -> Integer.compare(b.sum, a.sum));
            cuts = next.size() > KEPT_MAX ? next.subList(0, KEPT_MAX) : next;
        }
        return schedule(cuts.getFirst());
    }

    /// Lets task `t` go as far as it can; the same cut where that is nowhere.
    private Cut run(Cut cut, int t) {
        int n = cut.done[t];
        while (n < eventsOf[t].length && canGo(cut, t, eventsOf[t][n])) {
            n++;
        }
        if (n == cut.done[t]) {
            return cut;
        }
        int[] done = cut.done.clone();
        done[t] = n;
        return new Cut(done, cut.sum + n - cut.done[t], t, cut);
    }

    /// Whether everything of other tasks that happens before `event` is done.
    private boolean canGo(Cut cut, int t, int event) {
        for (int u = 0; u < eventsOf.length; u++) {
            if (u != t
                    && cut.done[u] < eventsOf[u].length
                    && log.happensBefore(eventsOf[u][cut.done[u]], event)) {
                return false;
            }
        }
        return true;
    }

    private int[] schedule(Cut last) {
        int[] tasks = new int[total];
        int end = total;
        for (Cut cut = last; cut.before != null; cut = cut.before) {
            Arrays.fill(tasks, cut.before.sum, end, cut.lastTask);
            end = cut.before.sum;
        }
        return tasks;
    }
}
