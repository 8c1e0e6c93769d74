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
    }

    /// Makes this the tree of the sequences that begin with one of `node` and its siblings.
    void become(@Nullable Node node) {
        first = node;
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

    /// Inserts the sequence `v`, unless a sequence of the tree already leads to it. Uses `v` up.
    ///
    /// Returns whether no other execution that has the race of `v` need insert anything for it.
    boolean insert(Reversal v) {
        Node parent = null;
        Node child = first;
        boolean settled = true;
        while (child != null) {
            int place = v.placeOf(child.event);
            if (place == Reversal.NOWHERE) {
                v.keepConflicting();
                child = child.sibling;
                continue;
            }
            settled &= v.lasts(place);
            if (place != Reversal.ANYWHERE) {
                v.take(place);
            }
            if (child.child == null) {
                return settled;
            }
            parent = child;
            child = child.child;
        }
        settled &= v.reduce();
        append(parent, v.branch());
        return settled;
    }

    private void append(@Nullable Node parent, @Nullable Node branch) {
        if (parent == null && first == null) {
            first = branch;
            return;
        }
        Node last = parent == null ? first : parent.child;
        while (last != null && last.sibling != null) {
            last = last.sibling;
        }
        if (last != null) {
            last.sibling = branch;
        }
    }
}
