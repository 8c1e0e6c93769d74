// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/// Has the later access of a race overtake the earlier one, if that is for this execution to ask
/// for: plans the executions that begin as this one did before the earlier access, go on with a
/// *block*, the accesses that the later one needs before it and then itself, the block's *head*,
/// and then go as they like.
///
/// # Who asks
///
/// All else between the two is dropped, and comes again as it likes. Many executions may lead to
/// the same block; the one to ask for it is that in which nothing of what is dropped was put there
/// on purpose: all of it is {@link Subtree#FREE}.
///
/// # Blocks that could be combined
///
/// Where two accesses that commute could both overtake the same access d, all executions in which
/// both do belong to the head that is *ranked* before the other. So after a block d is next, which
/// ends the time in which another head could come; and in its place no head may come that is ranked
/// before one of those there and does not depend on them. What changes d itself is ranked first: d
/// after it may be another access, whose coming ends nothing.
final class Overtaking {
    private static final int NONE = -1;
    private static final int[] NOTHING = {};

    /// How the later access of a race came about, and so what it could have come before.
    enum Manner {
        /// It is the same wherever it is, but for whether it writes.
        PLAIN,

        /// It waited, so what it needs here is not what it needs where nothing blocks it.
        WAITING,

        /// It waits for good.
        BLOCKED,

        /// It takes its aim late, so it may touch other things elsewhere.
        LATE
    }

    private final EventLog log;
    private final List<Task> tasks;
    private final Consumer<Subtree> planned;

    // One element an event.
    private int[] kind = new int[256];
    private int[] heads = new int[256];

    /// Of each task, the last event that the head needs.
    private final int[] needed;

    /// What is dropped: these, and all that they happen before.
    private int[] dropped = new int[16];

    private int droppedCount;

    /// What the head conflicts with itself, and needs for nothing else.
    private int[] direct = new int[16];

    private int directCount;

    private final List<int[]> seen = new ArrayList<>();

    // The race at hand.
    private Manner manner = Manner.PLAIN;
    private int first;
    private int second;
    private int task;
    private int end;
    private int last;
    private int newFrom;
    private int overtaken;

    /// @param tasks the tasks of the machine
    /// @param planned told of the subtrees that are asked for
    Overtaking(EventLog log, List<Task> tasks, Consumer<Subtree> planned) {
        this.log = log;
        this.tasks = tasks;
        this.planned = planned;
        this.needed = new int[tasks.size()];
    }

    /// Has event `e` be of a kind, after a number of heads that hold others back.
    void mark(int e, int itsKind, int itsHeads) {
        if (e >= kind.length) {
            kind = Arrays.copyOf(kind, 2 * e);
            heads = Arrays.copyOf(heads, 2 * e);
        }
        kind[e] = itsKind;
        heads[e] = itsHeads;
    }

    /// Plans for a race, unless its first access is where it is for good.
    ///
    /// @param later the later access: its event, or the number of events plus its task's id where
    ///   it is blocked for good
    /// @param newEvents the number of the first event that the execution did not begin with
    /// @param waitedFor the write that the later access would have to come before to wait no longer
    void plan(Manner itsManner, int earlier, int later, int newEvents, int waitedFor) {
        if (kind[earlier] != Subtree.FREE) {
            return;
        }
        manner = itsManner;
        first = earlier;
        second = later;
        newFrom = newEvents;
        overtaken = waitedFor;
        task = later < log.size() ? log.task(later) : later - log.size();
        end = itsManner == Manner.PLAIN || itsManner == Manner.WAITING ? later : log.size();
        dropped[0] = earlier;
        droppedCount = 1;
        if (itsManner == Manner.PLAIN) {
            planPlain();
        } else {
            seen.clear();
            planAll();
        }
    }

    private void planPlain() {
        if (log.waits(second) || heads[first] > 0) {
            Footprint head = log.footprintWithout(second, first, others());
            findNeeded(head);
            if (isForThisExecution() && isForThisBlock(head)) {
                ask(head);
            }
        } else if (isForThisExecutionAtOnce()) {
            Arrays.fill(needed, NONE);
            log.joinClock(second, needed);
            ask(log.footprintWithout(second, first, others()));
        }
    }

    /// The same as {@link #isForThisExecution} where what the later access needs is all that
    /// happens before it, but for the earlier one and what that happens before: nothing that the
    /// earlier one happens before comes between the two.
    private boolean isForThisExecutionAtOnce() {
        for (int e = second - 1; e > first; e--) {
            if (kind[e] != Subtree.FREE
                    && (!log.happensBefore(e, second) || log.happensBefore(first, e))) {
                return false;
            }
        }
        return true;
    }

    /// Plans with more and more dropped of what the later access could do without, but cannot come
    /// before in any execution that has the earlier one.
    private void planAll() {
        Footprint head = head();
        findNeeded(head);
        if (!isNew()) {
            return;
        }
        if (isPossible() && isForThisExecution() && isForThisBlock(head)) {
            ask(head);
        }
        for (int e : Arrays.copyOf(direct, directCount)) {
            if (e > first && (manner != Manner.LATE || !log.happensBefore(e, second))) {
                drop(e);
                planAll();
                droppedCount--;
            }
        }
    }

    /// The later access as it is without what is dropped.
    private Footprint head() {
        return switch (manner) {
            case BLOCKED -> log.pendingFootprint(tasks.get(task), first, others());
            case LATE -> log.lateFootprint(second, first, others());
            default -> log.footprintWithout(second, first, others());
        };
    }

    /// What is dropped beside the earlier access.
    private int[] others() {
        return droppedCount == 1 ? NOTHING : Arrays.copyOfRange(dropped, 1, droppedCount);
    }

    private void drop(int e) {
        if (droppedCount == dropped.length) {
            dropped = Arrays.copyOf(dropped, 2 * droppedCount);
        }
        dropped[droppedCount++] = e;
    }

    private boolean isDropped(int e) {
        for (int i = 0; i < droppedCount; i++) {
            if (log.happensBefore(dropped[i], e)) {
                return true;
            }
        }
        return false;
    }

    private boolean isNeeded(int e) {
        return needed[log.task(e)] >= e;
    }

    /// Finds what `head` needs of the events from the earlier access on, or from the first of the
    /// heads that precede it on.
    private void findNeeded(Footprint head) {
        Arrays.fill(needed, NONE);
        directCount = 0;
        last = second;
        int from = firstHead();
        for (int e = end - 1; e >= from; e--) {
            if (isDropped(e)) {
                continue;
            }
            boolean own = log.task(e) == task;
            if (own || log.conflicts(e, head)) {
                if (!own && !isNeeded(e)) {
                    addDirect(e);
                }
                log.joinClock(e, needed);
            }
            if (e > last && isNeeded(e)) {
                last = e;
            }
        }
    }

    private void addDirect(int e) {
        if (directCount == direct.length) {
            direct = Arrays.copyOf(direct, 2 * directCount);
        }
        direct[directCount++] = e;
    }

    private boolean isNew() {
        for (int[] other : seen) {
            if (Arrays.equals(other, needed)) {
                return false;
            }
        }
        seen.add(needed.clone());
        return true;
    }

    private boolean isPossible() {
        return manner == Manner.LATE
                || log.enabledWithout(second, tasks.get(task), first, others());
    }

    /// Whether this is the execution to ask for the block: the first one that has all of it, and
    /// nothing but it that need not be there.
    private boolean isForThisExecution() {
        int to = Math.min(last, end - 1);
        for (int e = first + 1; e <= to; e++) {
            if (kind[e] != Subtree.FREE && e != second && !isKept(e)) {
                return false;
            }
        }
        return manner != Manner.LATE || (last >= newFrom && isWhereItIs());
    }

    /// Whether the later access needs nothing where it is but what it needs in the block, and the
    /// earlier one.
    private boolean isWhereItIs() {
        for (int e = first + 1; e < second; e++) {
            if (log.happensBefore(e, second) && !isNeeded(e)) {
                return false;
            }
        }
        return true;
    }

    private boolean isKept(int e) {
        return isNeeded(e) && !isDropped(e);
    }

    // ---- heads that hold others back

    private int firstHead() {
        int e = first;
        for (int left = heads[first]; left > 0; left -= kind[e] == Subtree.HEAD ? 1 : 0) {
            e--;
        }
        return e;
    }

    /// Whether what has `head` come here does not belong to the block of a head ranked before one
    /// of those that are here.
    private boolean isForThisBlock(Footprint head) {
        boolean aimsAnew = log.effect(head, first) == 0;
        int left = heads[first];
        for (int e = first - 1; left > 0; e--) {
            if (kind[e] != Subtree.HEAD) {
                continue;
            }
            left--;
            if (!isNeeded(e)) {
                if (aimsAnew || rank(head) < rank(log.footprint(e))) {
                    return false;
                }
            } else if (!aimsAnew) {
                return true;
            }
        }
        return true;
    }

    private int rank(Footprint head) {
        return log.effect(head, first) * tasks.size() + head.task();
    }

    // ---- the subtree

    private void ask(Footprint head) {
        int length = first + 1;
        for (int e = first + 1; e < end; e++) {
            length += isKept(e) ? 1 : 0;
        }
        int[] steps = new int[length];
        for (int e = 0; e < first; e++) {
            steps[e] = Subtree.step(log.task(e), kind[e], heads[e]);
        }
        int i = first;
        for (int e = first + 1; e < end; e++) {
            if (isKept(e)) {
                steps[i++] = Subtree.step(log.task(e), Subtree.FIXED, 0);
            }
        }
        steps[i] = Subtree.step(task, Subtree.HEAD, 0);
        boolean alone = log.effect(head, first) == 0 || log.excludesOthers(head, first);
        planned.accept(
                new Subtree(
                        steps,
                        alone ? NONE : log.task(first),
                        alone ? 0 : heads[first] + 1,
                        overtaken < first ? overtaken : NONE));
    }
}
