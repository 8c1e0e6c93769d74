// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Looks for the simplest execution that shows a given failure: with the fewest changes of task,
/// and among those with the fewest accesses.
///
/// 1. What does not happen before the failure is left out, unless the ending is part of it, and the
///    rest is put into the best equivalent order ({@link FewestSwitches}).
/// 2. Runs of a task are joined to its run before or after, or dropped, one by one, as long as that
///    makes it simpler (Jalbert, Sen: *A Trace Simplification Technique for Effective Debugging of
///    Concurrent Programs*, FSE 2010). That leads to executions of other traces.
/// 3. All executions with few preemptions are tried, within a budget ({@link PreemptionBounded}).
///
/// Each candidate is executed and counts only if it shows the failure. The budget is in accesses
/// and not in time, so the result is always the same.
public final class Minimiser {
    /// A few tenths of a second.
    public static final long USUAL_BUDGET = 1_000_000;

    private final Program program;
    private final Machine machine;
    private final Failure failure;
    private final Guided guided;
    private final long budget;
    private long spent;
    private int[] best;

    private Minimiser(Program program, Schedule found, Failure failure, long budget) {
        this.program = program;
        this.machine = program.machine();
        this.failure = failure;
        this.budget = budget;
        this.guided = new Guided(machine, Limits.NONE.maxSteps());
        this.best = tasks(found);
    }

    /// The simplest execution found that shows `failure`; `found` itself if none is simpler.
    ///
    /// @param found shows the failure
    /// @param budget how many accesses all executions that are tried may have together
    public static Schedule minimise(Program program, Schedule found, Failure failure, long budget) {
        Minimiser minimiser = new Minimiser(program, found, failure, budget);
        minimiser.reorder();
        minimiser.joinRuns();
        minimiser.searchFewPreemptions();
        return new Schedule(found.fingerprint(), minimiser.best);
    }

    private static int[] tasks(Schedule schedule) {
        int[] tasks = new int[schedule.length()];
        Arrays.setAll(tasks, schedule::task);
        return tasks;
    }

    // ---- what is simpler

    private static int switches(int[] tasks) {
        int switches = 0;
        for (int i = 1; i < tasks.length; i++) {
            switches += tasks[i] == tasks[i - 1] ? 0 : 1;
        }
        return switches;
    }

    private static boolean simpler(int[] one, int[] other) {
        int order = Integer.compare(switches(one), switches(other));
        return order < 0 || order == 0 && one.length < other.length;
    }

    // ---- trying

    /// Runs a candidate; what it came to if it shows the failure, without what is not needed and in
    /// the best equivalent order, else null.
    private int @Nullable [] attempt(int[] candidate, int end) {
        int needed = execute(candidate, end);
        if (needed == Failure.NOT_SHOWN) {
            return null;
        }
        int[] straight = Arrays.copyOf(guided.went(), needed);
        int[] ordered = inBestOrder(needed, true);
        boolean endingNeeded = needed == straight.length;
        int[] whole = endingNeeded ? inBestOrder(needed, false) : straight;
        if (shows(ordered)) {
            return ordered;
        }
        return endingNeeded && shows(whole) ? whole : straight;
    }

    /// The first `needed` accesses of the execution made last in the best equivalent order.
    ///
    /// @param withoutTheRest whether to leave out what does not happen before the last of them
    private int[] inBestOrder(int needed, boolean withoutTheRest) {
        EventLog log = guided.log();
        boolean[] kept = new boolean[needed];
        for (int e = 0; e < needed; e++) {
            kept[e] = !withoutTheRest || e == needed - 1 || log.happensBefore(e, needed - 1);
        }
        return FewestSwitches.order(log, machine.tasks().size(), kept);
    }

    /// Whether an execution that goes exactly like this shows the failure.
    private boolean shows(int[] tasks) {
        return execute(tasks, tasks.length) == tasks.length && Arrays.equals(guided.went(), tasks);
    }

    private int execute(int[] candidate, int end) {
        guided.follow(candidate, end);
        machine.run(guided);
        int steps = guided.log().size();
        spent += steps;
        program.finished(new Tried(Ending.Kind.of(machine), steps));
        return failure.shownWithin(steps);
    }

    /// Keeps `candidate` if it is the simplest so far. Returns whether it is.
    private boolean keep(int @Nullable [] candidate) {
        if (candidate == null || !simpler(candidate, best)) {
            return false;
        }
        best = candidate;
        return true;
    }

    // ---- the three ways

    private void reorder() {
        keep(attempt(best, best.length));
    }

    private void joinRuns() {
        boolean better = true;
        while (better && spent < budget) {
            better = false;
            for (int[] candidate : joined(best)) {
                if (spent >= budget || keep(attempt(candidate, Integer.MAX_VALUE))) {
                    better = true;
                    break;
                }
            }
        }
    }

    /// The schedules with one run joined to the run before or after of the same task, or dropped.
    private static List<int[]> joined(int[] tasks) {
        List<Integer> starts = new ArrayList<>();
        for (int i = 0; i < tasks.length; i++) {
            if (i == 0 || tasks[i] != tasks[i - 1]) {
                starts.add(i);
            }
        }
        starts.add(tasks.length);
        List<int[]> all = new ArrayList<>();
        for (int run = 0; run + 1 < starts.size(); run++) {
            int from = starts.get(run);
            int to = starts.get(run + 1);
            int before = run - 1;
            while (before >= 0 && tasks[starts.get(before)] != tasks[from]) {
                before--;
            }
            if (before >= 0) {
                all.add(moved(tasks, from, to, starts.get(before + 1)));
            }
            int after = to;
            while (after < tasks.length && tasks[after] != tasks[from]) {
                after++;
            }
            if (after < tasks.length) {
                all.add(moved(tasks, from, to, after));
            }
            all.add(moved(tasks, from, to, -1));
        }
        return all;
    }

    /// `tasks` with what is in `[from, to)` moved to before `target`, or left out if that is -1.
    private static int[] moved(int[] tasks, int from, int to, int target) {
        int n = to - from;
        int[] result = new int[target < 0 ? tasks.length - n : tasks.length];
        int at = 0;
        for (int i = 0; i <= tasks.length; i++) {
            if (i == target) {
                Arrays.fill(result, at, at + n, tasks[from]);
                at += n;
            }
            if (i < tasks.length && (i < from || i >= to)) {
                result[at++] = tasks[i];
            }
        }
        return result;
    }

    /// An execution with fewer changes of task has fewer preemptions than the best has changes.
    private void searchFewPreemptions() {
        int bound = switches(best) - 1;
        if (bound < 0 || spent >= budget) {
            return;
        }
        List<int[]> found = new ArrayList<>();
        Program watched =
                new Program() {
                    @Override
                    public Machine machine() {
                        return machine;
                    }

                    @Override
                    public void finished(Ending ending) {
                        program.finished(ending);
                        if (failure.shownWithin(ending.steps()) != Failure.NOT_SHOWN) {
                            found.add(tasks(ending.schedule()));
                        }
                    }
                };
        long already = spent;
        Limits limits =
                Limits.NONE
                        .withProgress(e -> spent = already + e.steps())
                        .withStop(() -> spent >= budget || !found.isEmpty());
        new PreemptionBounded(bound).explore(watched, limits, "");
        for (int[] candidate : found) {
            keep(attempt(candidate, candidate.length));
        }
    }

    private record Tried(Kind kind, int steps) implements Ending {
        @Override
        public int switches() {
            throw new AssertionError("[interleaf internal] nobody asks this of a candidate");
        }

        @Override
        public Schedule schedule() {
            throw new AssertionError("[interleaf internal] nobody asks this of a candidate");
        }
    }
}
