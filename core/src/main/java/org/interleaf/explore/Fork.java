// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// A state that several workers know: what is asleep there, and the ways that lead on from it, in
/// the order in which one worker alone would try them. Guarded by its {@link Frontier}.
///
/// Forks can hang behind each other as deep as an execution is long: nothing here recurses.
final class Fork {
    /// What leads here; null for the first state of all.
    final @Nullable Branch from;

    /// Number of events before this state.
    final int depth;

    /// What slept when the first branch was taken.
    final List<Footprint> asleep;

    final List<Branch> branches = new ArrayList<>();

    /// How many branches were done before the first of these: what they began with sleeps.
    final int doneBefore;

    /// How many branches are not done.
    private int open;

    /// One way on. It is the unit of work that a worker takes.
    static final class Branch {
        final Fork fork;
        final int index;

        /// Its first event, and the sequences that are asked for behind it. Where there are none,
        /// everything behind it is explored, so that nothing need be asked for there.
        final WakeupTree.Node node;

        boolean taken;
        boolean done;

        /// About which part of what is behind it has been seen.
        double seen;

        /// The state behind it, once several workers know that.
        @Nullable Fork next;

        Branch(Fork fork, WakeupTree.Node node) {
            this.fork = fork;
            this.index = fork.branches.size();
            this.node = node;
        }

        Footprint event() {
            return node.event;
        }

        boolean exploresEverything() {
            return node.child == null;
        }
    }

    Fork(@Nullable Branch from, List<Footprint> asleep, int doneBefore) {
        this.from = from;
        this.doneBefore = doneBefore;
        this.depth = from == null ? 0 : from.fork.depth + 1;
        this.asleep = asleep;
    }

    Branch add(WakeupTree.Node node) {
        Branch branch = new Branch(this, node);
        branches.add(branch);
        if (open++ == 0) {
            reopen(from);
        }
        return branch;
    }

    /// A branch that was done is asked for more, by a worker in a branch before it.
    private static void reopen(@Nullable Branch branch) {
        Branch at = branch;
        while (at != null && at.done) {
            at.done = false;
            at = at.fork.open++ == 0 ? at.fork.from : null;
        }
    }

    /// Adds `node` and its siblings.
    void addAll(WakeupTree.@Nullable Node first) {
        for (WakeupTree.Node node = first; node != null; node = node.sibling) {
            add(node);
        }
    }

    /// All behind `branch` has been explored.
    static void finish(Branch branch) {
        Branch at = branch;
        while (at != null) {
            at.done = true;
            if (at.exploresEverything()) {
                at.next = null;
            }
            at = --at.fork.open == 0 ? at.fork.from : null;
        }
    }

    boolean done() {
        return open == 0;
    }

    /// A branch that nobody has taken, here or behind this state; null where there is none.
    @Nullable Branch untaken() {
        Deque<Fork> left = new ArrayDeque<>();
        left.push(this);
        while (!left.isEmpty()) {
            for (Branch branch : left.pop().branches) {
                if (!branch.taken) {
                    return branch;
                }
                if (branch.next != null && !branch.done) {
                    left.push(branch.next);
                }
            }
        }
        return null;
    }

    /// About which part of what is behind this state has been seen: each branch is taken to be as
    /// large as another, see {@link Branches}.
    double seen() {
        double sum = 0;
        Deque<Share> left = new ArrayDeque<>();
        left.push(new Share(this, 1));
        while (!left.isEmpty()) {
            Share share = left.pop();
            Fork fork = share.fork;
            double each = share.part / (fork.doneBefore + fork.branches.size());
            sum += each * fork.doneBefore;
            for (Branch branch : fork.branches) {
                if (branch.done || branch.next == null) {
                    sum += branch.done ? each : each * branch.seen;
                } else {
                    left.push(new Share(branch.next, each));
                }
            }
        }
        return sum;
    }

    /// A state, and which part of everything is behind it.
    private record Share(Fork fork, double part) {}

    /// What sleeps in `branch` before its event.
    List<Footprint> asleepIn(Branch branch) {
        List<Footprint> all = new ArrayList<>(asleep);
        for (Branch earlier : branches.subList(0, branch.index)) {
            all.add(earlier.event());
        }
        return all;
    }
}
