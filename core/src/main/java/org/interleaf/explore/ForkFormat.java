// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.explore.Fork.Branch;
import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Forks as bytes. The path to a branch, with what sleeps on the way, is all that another explorer
/// needs to explore it: locations and tasks have the same numbers on every machine.
final class ForkFormat {
    private ForkFormat() {}

    /// Writes `fork` and what is behind it. No worker may be inside.
    static void write(Fork fork, DataOutputStream out) throws IOException {
        out.writeInt(fork.doneBefore);
        out.writeInt(fork.asleep.size());
        for (Footprint sleeper : fork.asleep) {
            write(sleeper, out);
        }
        out.writeInt(fork.branches.size());
        for (Branch branch : fork.branches) {
            writeNode(branch.node, out);
            out.writeBoolean(branch.done);
            out.writeBoolean(branch.next != null);
            if (branch.next != null) {
                write(branch.next, out);
            }
        }
    }

    static Fork read(DataInputStream in) throws IOException {
        return read(null, in);
    }

    private static Fork read(@Nullable Branch from, DataInputStream in) throws IOException {
        int doneBefore = in.readInt();
        int sleepers = in.readInt();
        List<Footprint> asleep = new ArrayList<>();
        for (int i = 0; i < sleepers; i++) {
            asleep.add(readFootprint(in));
        }
        Fork fork = new Fork(from, asleep, doneBefore);
        int count = in.readInt();
        for (int i = 0; i < count; i++) {
            Branch branch = fork.add(readNode(in));
            boolean done = in.readBoolean();
            if (in.readBoolean()) {
                branch.next = read(branch, in);
            }
            branch.taken = done || branch.next != null;
            if (done && !branch.done) {
                Fork.finish(branch);
            }
        }
        return fork;
    }

    private static void writeNode(WakeupTree.Node node, DataOutputStream out) throws IOException {
        write(node.event, out);
        int children = 0;
        for (WakeupTree.Node child = node.child; child != null; child = child.sibling) {
            children++;
        }
        out.writeInt(children);
        for (WakeupTree.Node child = node.child; child != null; child = child.sibling) {
            writeNode(child, out);
        }
    }

    private static WakeupTree.Node readNode(DataInputStream in) throws IOException {
        WakeupTree.Node node = new WakeupTree.Node(readFootprint(in));
        int children = in.readInt();
        WakeupTree.Node last = null;
        for (int i = 0; i < children; i++) {
            WakeupTree.Node child = readNode(in);
            if (last == null) {
                node.child = child;
            } else {
                last.sibling = child;
            }
            last = child;
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
