// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.explore.Fork.Branch;
import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;

/// What several workers share: the states at which their ways part, and what is to be tried there.
///
/// A worker takes a *branch* and explores all that is behind it in memory of its own. Only what its
/// races ask for in states before the branch goes in here. When others have nothing to do, it gives
/// away the shallowest state at which something is left to try. For a checkpoint all give
/// everything away: then this is all that there is to know.
///
/// # Why nothing is lost, and nothing done twice
///
/// One worker alone goes through the branches of a state in order; what it finds behind one can add
/// branches after it, and never concerns those before it. Here a later branch may be explored at
/// the same time. What is asked for at a state from inside a branch is still compared with the
/// branches before that one as with sleepers, and with those after it as with what is in the wakeup
/// tree: the same decisions, whoever is faster. A branch whose executions are all explored covers
/// what leads into it, explored or not. A branch that follows a sequence covers only that; then
/// what is asked for goes into the state behind it, and the branch is done again only when that is.
final class Frontier extends Pool<Dpor> {
    private @Nullable Fork root;
    private boolean begun;
    private boolean everythingDone;
    private double everything;

    @Override
    synchronized void begin() {
        super.begin();
        root = null;
        begun = false;
        everythingDone = false;
        everything = 0;
    }

    @Override
    Worker worker(Program program, Limits limits, String fingerprint) {
        return new DporWorker(program, limits, fingerprint, this);
    }

    // ---- work

    @Override
    boolean takeNow(Dpor worker) {
        if (!begun) {
            begun = true;
            worker.enterEverything();
            return true;
        }
        Branch branch = untaken(worker.entered());
        if (branch == null) {
            return false;
        }
        branch.taken = true;
        worker.enter(branch);
        return true;
    }

    /// Near to where a worker was, if there is something.
    private @Nullable Branch untaken(@Nullable Branch near) {
        for (Branch at = near; at != null; at = at.fork.from) {
            Branch found = at.fork.untaken();
            if (found != null) {
                return found;
            }
        }
        return root == null ? null : root.untaken();
    }

    /// A worker has done nothing of what it took: `branch`, or everything.
    synchronized void giveBack(@Nullable Branch branch) {
        if (branch == null) {
            begun = false;
        } else {
            branch.taken = false;
        }
    }

    /// A worker has explored all behind what it took: `branch`, or everything.
    synchronized void finish(@Nullable Branch branch) {
        if (branch == null) {
            everythingDone = true;
        } else {
            Fork.finish(branch);
        }
    }

    @Override
    synchronized boolean done() {
        return root == null ? everythingDone : root.done();
    }

    /// A worker in `branch`, or with everything, has seen about this part of it.
    synchronized void report(@Nullable Branch branch, double fraction) {
        if (branch == null) {
            everything = fraction;
        } else {
            branch.seen = fraction;
        }
    }

    @Override
    synchronized double fraction() {
        return root == null ? everything : root.seen();
    }

    // ---- states

    @Override
    synchronized void save(DataOutputStream out) throws IOException {
        out.writeBoolean(done());
        out.writeBoolean(root != null);
        if (root != null) {
            ForkFormat.write(root, out);
        }
    }

    @Override
    synchronized void load(DataInputStream in) throws IOException {
        everythingDone = in.readBoolean();
        root = in.readBoolean() ? ForkFormat.read(in) : null;
        begun = everythingDone || root != null;
    }

    /// A worker gives a state away, which lies behind `from`.
    ///
    /// @param event with what the worker itself goes on; null where it gives itself up
    /// @param rest what else is to be tried there
    /// @return the branch that the worker is in
    synchronized @Nullable Branch add(
            @Nullable Branch from, Fork fork, @Nullable Footprint event, WakeupTree rest) {
        if (from == null) {
            root = fork;
        } else {
            from.next = fork;
        }
        Branch own = null;
        if (event != null) {
            own = fork.add(new WakeupTree.Node(event));
            own.taken = true;
        }
        fork.addAll(rest.first());
        rest.become(null);
        given();
        return own;
    }

    /// What sleeps in `branch` before its event.
    synchronized List<Footprint> asleepIn(Branch branch) {
        return branch.fork.asleepIn(branch);
    }

    /// A worker has made the event of `branch`, behind which there are sequences to follow: takes
    /// the first of them.
    synchronized Branch follow(Branch branch, Fork behind) {
        behind.addAll(branch.node.child);
        branch.next = behind;
        Branch first = behind.branches.getFirst();
        first.taken = true;
        notifyAll();
        return first;
    }

    /// Inserts `v`, which a race behind `own` asks for in the state before it. Returns whether no
    /// other execution that has the race need ask again.
    synchronized boolean insert(Branch own, Reversal v) {
        Fork fork = own.fork;
        for (Footprint sleeper : fork.asleepIn(own)) {
            if (v.isCoveredBy(sleeper)) {
                return v.lasting();
            }
        }
        boolean lasting = insert(fork, own.index + 1, v);
        if (anyIdle()) {
            notifyAll();
        }
        return lasting;
    }

    private static boolean insert(Fork fork, int firstBranch, Reversal v) {
        Fork at = fork;
        int i = firstBranch;
        while (i < at.branches.size()) {
            Branch branch = at.branches.get(i++);
            if (!v.advance(branch.event())) {
                continue;
            }
            if (branch.exploresEverything()) {
                return v.lasting();
            }
            if (branch.next == null) {
                return WakeupTree.insertBehind(branch.node, v);
            }
            at = branch.next;
            i = 0;
        }
        boolean lasting = v.reduce();
        at.addAll(v.branch());
        return lasting;
    }
}
