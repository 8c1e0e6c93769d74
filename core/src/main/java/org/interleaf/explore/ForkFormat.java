// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.explore.Fork.Branch;
import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Forks as bytes. The path to a branch, with what sleeps on the way, is all that another explorer
/// needs to explore it: locations and tasks have the same numbers on every machine.
final class ForkFormat {
    private ForkFormat() {}

    /// Writes `root` and what is behind it, states nearer to it first. No worker may be inside.
    static void write(Fork root, DataOutputStream out) throws IOException {
        Deque<Fork> left = new ArrayDeque<>();
        left.add(root);
        while (!left.isEmpty()) {
            Fork fork = left.remove();
            out.writeInt(fork.doneBefore);
            out.writeInt(fork.asleep.size());
            for (Footprint sleeper : fork.asleep) {
                write(sleeper, out);
            }
            out.writeInt(fork.branches.size());
            for (Branch branch : fork.branches) {
                writeTree(branch.node, out);
                out.writeBoolean(branch.done);
                out.writeBoolean(branch.next != null);
                if (branch.next != null) {
                    left.add(branch.next);
                }
            }
        }
    }

    static Fork read(DataInputStream in) throws IOException {
        List<Branch> done = new ArrayList<>();
        Deque<Branch> continued = new ArrayDeque<>();
        Fork root = readFork(null, done, continued, in);
        while (!continued.isEmpty()) {
            Branch from = continued.remove();
            from.next = readFork(from, done, continued, in);
        }
        // From behind: a branch is done with the last one behind it.
        for (Branch branch : done.reversed()) {
            if (!branch.done) {
                Fork.finish(branch);
            }
        }
        return root;
    }

    /// Reads one state.
    ///
    /// @param done where branches go that were done
    /// @param continued where those go behind which there is another state
    private static Fork readFork(
            @Nullable Branch from, List<Branch> done, Deque<Branch> continued, DataInputStream in)
            throws IOException {
        int doneBefore = in.readInt();
        List<Footprint> asleep = new ArrayList<>();
        for (int sleepers = in.readInt(); sleepers > 0; sleepers--) {
            asleep.add(readFootprint(in));
        }
        Fork fork = new Fork(from, asleep, doneBefore);
        for (int branches = in.readInt(); branches > 0; branches--) {
            Branch branch = fork.add(readTree(in));
            boolean wasDone = in.readBoolean();
            boolean goesOn = in.readBoolean();
            branch.taken = wasDone || goesOn;
            if (wasDone) {
                done.add(branch);
            }
            if (goesOn) {
                continued.add(branch);
            }
        }
        return fork;
    }

    /// Writes a node and what is behind it: each with the number of its children, before them.
    private static void writeTree(WakeupTree.Node top, DataOutputStream out) throws IOException {
        Deque<WakeupTree.Node> left = new ArrayDeque<>();
        left.push(top);
        while (!left.isEmpty()) {
            WakeupTree.Node node = left.pop();
            write(node.event, out);
            List<WakeupTree.Node> children = new ArrayList<>();
            for (WakeupTree.Node child = node.child; child != null; child = child.sibling) {
                children.add(child);
            }
            out.writeInt(children.size());
            children.reversed().forEach(left::push);
        }
    }

    private static WakeupTree.Node readTree(DataInputStream in) throws IOException {
        Deque<Parent> parents = new ArrayDeque<>();
        WakeupTree.Node top = readNode(parents, in);
        while (!parents.isEmpty()) {
            Parent parent = parents.pop();
            if (parent.left > 1) {
                parents.push(new Parent(parent.node, parent.left - 1));
            }
            parent.node.append(readNode(parents, in));
        }
        return top;
    }

    /// A node of which some children have still to be read.
    private record Parent(WakeupTree.Node node, int left) {}

    private static WakeupTree.Node readNode(Deque<Parent> parents, DataInputStream in)
            throws IOException {
        WakeupTree.Node node = new WakeupTree.Node(readFootprint(in));
        int children = in.readInt();
        if (children > 0) {
            parents.push(new Parent(node, children));
        }
        return node;
    }

    private static void write(Footprint footprint, DataOutputStream out) throws IOException {
        out.writeInt(footprint.task());
        out.writeInt(footprint.accesses().length);
        for (int access : footprint.accesses()) {
            out.writeInt(access);
        }
    }

    private static Footprint readFootprint(DataInputStream in) throws IOException {
        int task = in.readInt();
        int[] accesses = new int[in.readInt()];
        for (int i = 0; i < accesses.length; i++) {
            accesses[i] = in.readInt();
        }
        return new Footprint(task, accesses);
    }
}
