// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A wakeup tree (Abdulla, Aronis, Jonsson, Sagonas: *Source Sets*, JACM 2017, §6): the sequences of
/// events still to be tried from one state, ordered, none of which makes another superfluous.
///
/// A node is the last event of the path to it; siblings are tried in order of insertion.
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

    boolean isEmpty() {
        return first == null;
    }

    /// Inserts the sequence `v`, unless a sequence of the tree already leads to it. Destroys `v`.
    void insert(List<Footprint> v) {
        Node parent = null;
        Node child = first;
        while (child != null) {
            if (isWeakInitial(child.event, v)) {
                removeFirstOf(v, child.event.task());
                if (child.child == null) {
                    return;
                }
                parent = child;
                child = child.child;
            } else {
                child = child.sibling;
            }
        }
        append(parent, v);
    }

    private void append(@Nullable Node parent, List<Footprint> v) {
        Node chain = null;
        for (int i = v.size() - 1; i >= 0; i--) {
            Node node = new Node(v.get(i));
            node.child = chain;
            chain = node;
        }
        if (parent == null && first == null) {
            first = chain;
            return;
        }
        Node last = parent == null ? first : parent.child;
        while (last != null && last.sibling != null) {
            last = last.sibling;
        }
        if (last != null) {
            last.sibling = chain;
        }
    }

    /// Whether `event` could come first in `v`: it is an event of `v` that nothing before it conflicts
    /// with, or it commutes with all of `v`.
    static boolean isWeakInitial(Footprint event, List<Footprint> v) {
        for (int i = 0; i < v.size(); i++) {
            Footprint other = v.get(i);
            if (other.task() == event.task()) {
                return true;
            }
            if (other.conflictsWith(event)) {
                return false;
            }
        }
        return true;
    }

    private static void removeFirstOf(List<Footprint> v, int task) {
        for (int i = 0; i < v.size(); i++) {
            if (v.get(i).task() == task) {
                v.remove(i);
                return;
            }
        }
    }
}
