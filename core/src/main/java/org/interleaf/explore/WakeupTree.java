// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.jspecify.annotations.Nullable;

/// A wakeup tree (Abdulla, Aronis, Jonsson, Sagonas: *Source Sets*, JACM 2017, §6): the sequences
/// of events still to be tried from one state, ordered, none of which makes another superfluous.
///
/// A node is the last event of the path to it; siblings are tried in order of insertion. What is in
/// the sequences is decided by {@link Reversal}.
final class WakeupTree {
    private @Nullable Node first;

    /// One event of a sequence.
    static final class Node {
        final Footprint event;
        @Nullable Node child;
        @Nullable Node sibling;

        Node(Footprint event) {
            this.event = event;
        }

        /// Adds `branch` as the last child.
        void append(@Nullable Node branch) {
            if (child == null) {
                child = branch;
            } else {
                child.appendSibling(branch);
            }
        }

        private void appendSibling(@Nullable Node branch) {
            Node last = this;
            while (last.sibling != null) {
                last = last.sibling;
            }
            last.sibling = branch;
        }
    }

    /// Makes this the tree of the sequences that begin with one of `node` and its siblings.
    void become(@Nullable Node node) {
        first = node;
    }

    /// The first of the branches; null where none is left.
    @Nullable Node first() {
        return first;
    }

    /// Takes the first branch out of the tree; null where none is left.
    @Nullable Node removeFirst() {
        Node node = first;
        if (node != null) {
            first = node.sibling;
        }
        return node;
    }

    /// The number of branches.
    int size() {
        int n = 0;
        for (Node node = first; node != null; node = node.sibling) {
            n++;
        }
        return n;
    }

    boolean isEmpty() {
        return first == null;
    }

    /// Whether exactly one branch is left.
    boolean hasOne() {
        return first != null && first.sibling == null;
    }

    /// Inserts the sequence `v`, unless a sequence of the tree already leads to it. Uses `v` up.
    ///
    /// Returns whether no other execution that has the race of `v` need insert anything for it.
    boolean insert(Reversal v) {
        for (Node node = first; node != null; node = node.sibling) {
            if (v.advance(node.event)) {
                return insertBehind(node, v);
            }
        }
        boolean lasting = v.reduce();
        Node branch = v.branch();
        if (first == null) {
            first = branch;
        } else {
            first.appendSibling(branch);
        }
        return lasting;
    }

    /// The same for what is left of `v` behind `start`. Where nothing is there, all is explored.
    static boolean insertBehind(Node start, Reversal v) {
        Node parent = start;
        Node child = start.child;
        if (child == null) {
            return v.lasting();
        }
        while (child != null) {
            if (!v.advance(child.event)) {
                child = child.sibling;
                continue;
            }
            if (child.child == null) {
                return v.lasting();
            }
            parent = child;
            child = child.child;
        }
        boolean lasting = v.reduce();
        parent.append(v.branch());
        return lasting;
    }
}
