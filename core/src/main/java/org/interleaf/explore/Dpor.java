// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Scheduling by optimal dynamic partial-order reduction (Abdulla, Aronis, Jonsson, Sagonas:
/// *Source Sets: A Foundation for Optimal Dynamic Partial Order Reduction*, JACM 2017, algorithm
/// 2): one complete execution for each Mazurkiewicz trace, and none that turns out to be
/// superfluous halfway.
///
/// # How
///
/// The first execution goes as it likes. After each, every *race*, a pair of conflicting events
/// with nothing between them, asks for an execution in which the second comes first. That sequence
/// goes into the *wakeup tree* of the state before the first event, unless a *sleeping* event there
/// (one whose executions have all been seen) or a sequence already in the tree leads to an
/// equivalent one. Then the deepest state with something in its tree is returned to.
///
/// The sequence that a race asks for holds all events that the first one does not happen before,
/// also those after the second. So a race among events of the common prefix of two executions asks
/// for something else in each, unless the later one has no new event of that kind.
final class Dpor implements Scheduler, Branches {
    private final Machine machine;
    private final int maxSteps;
    private final EventLog log;
    private final Reversal reversal;

    /// One element a state, that is, for each number of events made so far.
    private List<List<Footprint>> sleep = new ArrayList<>();

    private final List<WakeupTree> wakeup = new ArrayList<>();

    /// How many branches of each state are done.
    private int[] done = new int[256];

    private int position;
    private int replayUntil;
    private int lastTask;
    private WakeupTree.@Nullable Node following;
    private boolean superfluous;
    private boolean cut;

    /// @param maxSteps the length at which an execution is cut
    Dpor(Machine machine, int maxSteps) {
        this.machine = machine;
        this.maxSteps = maxSteps;
        this.log = new EventLog(machine.tasks().size(), machine.wordCount() + 64);
        this.reversal = new Reversal(log);
    }

    /// Gets ready for a new exploration.
    void forgetEverything() {
        while (log.size() > 0) {
            log.removeLast();
        }
        replayUntil = 0;
        stateAt(0);
        sleep.getFirst().clear();
        done[0] = 0;
        wakeup.getFirst().become(null);
    }

    /// Gets ready for the next execution.
    void begin() {
        position = 0;
        lastTask = -1;
        superfluous = false;
        cut = false;
        following = null;
        stateAt(0);
    }

    // ---- during an execution

    @Override
    public @Nullable Task pick() {
        List<Task> tasks = machine.tasks();
        if (position < replayUntil) {
            return tasks.get(log.task(position));
        }
        if (position >= maxSteps) {
            cut = anyReady(tasks);
            return null;
        }
        following = wakeup.get(position).removeFirst();
        if (following != null) {
            return feasible(tasks.get(following.event.task()));
        }
        return pickFreely(tasks);
    }

    private static boolean anyReady(List<Task> tasks) {
        for (Task task : tasks) {
            if (task.ready()) {
                return true;
            }
        }
        return false;
    }

    private Task feasible(Task task) {
        if (!task.ready()) {
            throw new AssertionError(
                    "[interleaf internal] a wakeup sequence leads to a blocked access of " + task);
        }
        return task;
    }

    /// Prefers the task that went last, so that executions have few switches.
    private @Nullable Task pickFreely(List<Task> tasks) {
        boolean anyAsleep = false;
        Task found = null;
        for (int i = -1; i < tasks.size() && found == null; i++) {
            int t = i < 0 ? lastTask : i;
            if (t < 0 || !tasks.get(t).ready()) {
                continue;
            }
            if (asleep(t)) {
                anyAsleep = true;
            } else {
                found = tasks.get(t);
            }
        }
        superfluous = found == null && anyAsleep;
        return found;
    }

    private boolean asleep(int task) {
        List<Footprint> sleeping = sleep.get(position);
        for (int i = 0; i < sleeping.size(); i++) {
            if (sleeping.get(i).task() == task) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void executed(Task task, long before, boolean wrote) {
        lastTask = task.id();
        if (position < replayUntil) {
            if (!log.matches(position, task, before)) {
                throw new AssertionError(
                        "[interleaf internal] execution differs from the one it repeats, at step "
                                + position
                                + " of "
                                + task);
            }
            position++;
            return;
        }
        log.append(task, before, wrote);
        position++;
        stateAt(position);
        if (!sleep.get(position - 1).isEmpty()) {
            inheritSleep(position);
        }
        wakeup.get(position).become(following == null ? null : following.child);
    }

    /// What slept before the last event and commutes with it sleeps on.
    private void inheritSleep(int state) {
        Footprint event = log.footprint(state - 1);
        List<Footprint> now = sleep.get(state);
        for (Footprint sleeper : sleep.get(state - 1)) {
            if (sleeper.task() != event.task() && !sleeper.conflictsWith(event)) {
                now.add(sleeper);
            }
        }
    }

    private void stateAt(int state) {
        if (state == wakeup.size()) {
            wakeup.add(new WakeupTree());
            sleep.add(new ArrayList<>());
            if (state == done.length) {
                done = Arrays.copyOf(done, 2 * state);
            }
            done[state] = 0;
        } else if (state > replayUntil) {
            sleep.get(state).clear();
            done[state] = 0;
        }
    }

    // ---- after an execution

    /// Whether the execution stopped because whatever could follow has been seen elsewhere.
    boolean superfluous() {
        return superfluous;
    }

    /// Whether the execution was cut at the bound on its length.
    boolean cut() {
        return cut;
    }

    int steps() {
        return position;
    }

    /// How often another task than before made the next access.
    int switches() {
        int switches = 0;
        for (int e = 1; e < log.size(); e++) {
            switches += log.task(e) == log.task(e - 1) ? 0 : 1;
        }
        return switches;
    }

    /// The tasks of the execution's accesses, in order.
    int[] schedule() {
        int[] tasks = new int[log.size()];
        Arrays.setAll(tasks, log::task);
        return tasks;
    }

    /// Plans for every race of the execution that ended.
    void planRaces() {
        for (Task task : machine.tasks()) {
            if (!task.finished() && !task.ready()) {
                log.addBlocked(task);
            }
        }
        RaceList races = log.races();
        for (int r = 0; r < races.size(); r++) {
            if (isOpen(r) && planRace(races.first(r), races.second(r))) {
                races.settle(r);
            }
        }
    }

    /// Whether race `r` can ask for something that it has not asked for in an earlier execution.
    private boolean isOpen(int r) {
        RaceList races = log.races();
        if (races.second(r) >= replayUntil) {
            return true;
        }
        // What a late aim comes to there can also change with events that are gone.
        return !races.settled(r)
                && (log.tookLateAim(races.second(r)) || hasNewEventBeside(races.first(r)));
    }

    /// Whether an event of this execution's own can come without `first`.
    private boolean hasNewEventBeside(int first) {
        for (int e = replayUntil; e < log.size(); e++) {
            if (!log.happensBefore(first, e)) {
                return true;
            }
        }
        return false;
    }

    /// Plans for one race. Returns whether nothing is left to plan for it in other executions that
    /// have it.
    private boolean planRace(int first, int second) {
        Footprint reversed =
                second < log.size()
                        ? log.footprintWithout(first, second)
                        : EventLog.pendingFootprint(machine.tasks().get(second - log.size()));
        reversal.begin(first, second, reversed, log.tookLateAim(second));
        for (Footprint sleeper : sleep.get(first)) {
            int place = reversal.placeOf(sleeper);
            if (place != Reversal.NOWHERE) {
                return reversal.lasts(place);
            }
            reversal.keepConflicting();
        }
        return wakeup.get(first).insert(reversal);
    }

    /// Returns to the deepest state from which something is left to try; false where nothing is.
    boolean backtrack() {
        while (log.size() > 0) {
            int state = log.size() - 1;
            boolean more = !wakeup.get(state).isEmpty();
            if (more) {
                sleep.get(state).add(log.footprint(state));
                done[state]++;
            }
            log.removeLast();
            if (more) {
                replayUntil = state;
                return true;
            }
        }
        return false;
    }

    // ---- how far it is, once it has returned to a state

    @Override
    public int depth() {
        return log.size() + 1;
    }

    @Override
    public int done(int state) {
        return done[state];
    }

    @Override
    public int known(int state) {
        return done[state] + wakeup.get(state).size() + (state < log.size() ? 1 : 0);
    }
}
