// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.explore.Fork.Branch;
import org.interleaf.machine.Machine;
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
final class Dpor implements Worker.Director, Branches {
    private final Machine machine;
    private final Frontier frontier;
    private final int maxSteps;
    private final EventLog log;
    private final Reversal reversal;
    private final @Nullable Twins twins;

    /// One element a state, that is, for each number of events made so far.
    private List<List<Footprint>> sleep = new ArrayList<>();

    private final List<WakeupTree> wakeup = new ArrayList<>();

    /// How many states of the execution at hand are in the frontier; those after them belong to
    /// this explorer alone.
    private int base;

    /// The ways that lead through the shared states, at their depths.
    private Branch[] path = new Branch[16];

    /// How many branches of each state are done.
    private int[] done = new int[256];

    private int position;
    private int replayUntil;
    private int lastTask;
    private WakeupTree.@Nullable Node following;
    private boolean superfluous;
    private boolean cut;

    /// @param limits the length at which an execution is cut, and what counts as the same
    /// @param frontier what is shared with other explorers of the same program
    Dpor(Machine machine, Limits limits, Frontier frontier) {
        this.machine = machine;
        this.frontier = frontier;
        this.maxSteps = limits.maxSteps();
        Starts starts = new Starts(machine, limits.symmetry());
        this.log = new EventLog(machine, limits.equivalence(), starts);
        this.reversal = new Reversal(log);
        this.twins = starts.any() ? new Twins(starts) : null;
    }

    // ---- what to explore

    /// Will explore everything.
    void enterEverything() {
        forgetFrom(0);
        base = 0;
        stateAt(0);
        sleep.getFirst().clear();
        done[0] = 0;
        wakeup.getFirst().become(null);
    }

    /// Will explore what is behind `branch`.
    void enter(Branch branch) {
        base = branch.fork.depth + 1;
        growPath(base);
        int common = Math.min(log.size(), branch.fork.depth);
        for (Branch at = branch; at != null; at = at.fork.from) {
            int depth = at.fork.depth;
            path[depth] = at;
            if (depth < common && log.task(depth) != at.event().task()) {
                common = depth;
            }
        }
        forgetFrom(common);
        while (wakeup.size() <= base) {
            stateAt(wakeup.size());
        }
    }

    private void growPath(int length) {
        if (length > path.length) {
            path = Arrays.copyOf(path, 2 * length);
        }
    }

    /// Forgets the last execution from event `state` on.
    private void forgetFrom(int state) {
        while (log.size() > state) {
            log.removeLast();
        }
        replayUntil = state;
    }

    /// The branch that is being explored; null where it is everything.
    @Nullable Branch entered() {
        return base == 0 ? null : path[base - 1];
    }

    /// Gives the shallowest state away that has something left to try for others. False where this
    /// explorer then has nothing left for itself.
    boolean giveSome() {
        int state = base;
        while (state < replayUntil && wakeup.get(state).isEmpty()) {
            state++;
        }
        if (state == replayUntil && wakeup.get(state).hasOne()) {
            return true;
        }
        giveStates(state);
        return state < replayUntil;
    }

    /// Gives everything away that is left.
    void shareAll() {
        giveStates(replayUntil);
    }

    private void giveStates(int last) {
        while (base <= last) {
            Branch from = entered();
            int state = base;
            Fork fork = new Fork(from, List.copyOf(sleep.get(state)), done[state]);
            Footprint event = state < log.size() ? log.footprint(state) : null;
            Branch own = frontier.add(from, fork, event, wakeup.get(state));
            if (own == null) {
                return;
            }
            base = state + 1;
            growPath(base);
            path[state] = own;
        }
    }

    // ---- during an execution

    /// Gets ready for the next execution.
    void begin() {
        position = 0;
        lastTask = -1;
        superfluous = false;
        cut = false;
        following = null;
    }

    @Override
    public @Nullable Task pick() {
        List<Task> tasks = machine.tasks();
        if (position < replayUntil) {
            return tasks.get(log.task(position));
        }
        if (position < base) {
            return feasible(tasks.get(path[position].event().task()));
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

    private boolean mayGo(Task task) {
        return task.ready() && !log.mustNotStart(task.id());
    }

    private boolean anyReady(List<Task> tasks) {
        for (Task task : tasks) {
            if (mayGo(task)) {
                return true;
            }
        }
        return false;
    }

    private Task feasible(Task task) {
        if (!mayGo(task)) {
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
            if (t < 0 || !mayGo(tasks.get(t))) {
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
            log.checkRepeated(position, task, before);
            position++;
            return;
        }
        log.append(task, before, wrote);
        position++;
        if (position <= base) {
            if (position == base) {
                arrive();
            }
            return;
        }
        stateAt(position);
        if (!sleep.get(position - 1).isEmpty()) {
            inheritSleep(sleep.get(position - 1), position);
        }
        wakeup.get(position).become(following == null ? null : following.child);
    }

    /// The event of the branch that was entered has been made: goes on along the sequences that are
    /// asked for behind it, which are shared too, and is alone where they end.
    private void arrive() {
        Branch branch = path[base - 1];
        stateAt(base);
        inheritSleep(frontier.asleepIn(branch), base);
        if (branch.exploresEverything()) {
            wakeup.get(base).become(null);
            return;
        }
        Fork behind = new Fork(branch, List.copyOf(sleep.get(base)), 0);
        Branch next = frontier.follow(branch, behind);
        growPath(base + 1);
        path[base++] = next;
        stateAt(base);
    }

    /// What slept before the last event and commutes with it sleeps on.
    private void inheritSleep(List<Footprint> asleep, int state) {
        Footprint event = log.footprint(state - 1);
        List<Footprint> now = sleep.get(state);
        for (Footprint sleeper : asleep) {
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

    @Override
    public double share() {
        return twins == null ? 1 : twins.share(log);
    }

    /// Makes sure that nobody could go on who had to wait for others like it.
    ///
    /// @throws IllegalStateException if tasks that were declared identical are not
    void checkSymmetry() {
        for (Task task : machine.tasks()) {
            if (!cut && task.ready() && log.mustNotStart(task.id())) {
                throw new IllegalStateException(
                        task
                                + " could begin where a task that it was declared identical with"
                                + " could not");
            }
        }
    }

    @Override
    public int steps() {
        return position;
    }

    @Override
    public int switches() {
        return log.switches();
    }

    @Override
    public int[] schedule() {
        return log.schedule();
    }

    /// Plans for every race of the execution that ended.
    void planRaces() {
        for (Task task : machine.tasks()) {
            if (!task.finished() && !task.ready() && !log.mustNotStart(task.id())) {
                log.addBlocked(task);
            }
        }
        RaceList races = log.races();
        for (int r = 0; r < races.size(); r++) {
            if (isOpen(r) && planRace(r)) {
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
    private boolean planRace(int race) {
        int first = log.races().first(race);
        int second = log.races().second(race);
        Footprint reversed =
                second < log.size()
                        ? log.reversedFootprint(race)
                        : log.pendingFootprint(machine.tasks().get(second - log.size()), race);
        reversal.begin(race, reversed, log.tookLateAim(second));
        if (first < base) {
            return frontier.insert(path[first], reversal);
        }
        for (Footprint sleeper : sleep.get(first)) {
            if (reversal.isCoveredBy(sleeper)) {
                return reversal.lasting();
            }
        }
        return wakeup.get(first).insert(reversal);
    }

    /// Returns to the deepest state from which something is left to try; false where nothing is
    /// behind what was entered.
    boolean backtrack() {
        while (log.size() > base) {
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

    // ---- how much of what was entered is done, once it has returned to a state

    @Override
    public int depth() {
        return log.size() + 1 - base;
    }

    @Override
    public int done(int state) {
        return done[base + state];
    }

    @Override
    public int known(int state) {
        int s = base + state;
        return done[s] + wakeup.get(s).size() + (s < log.size() ? 1 : 0);
    }
}
