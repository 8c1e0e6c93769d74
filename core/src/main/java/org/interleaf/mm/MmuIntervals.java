// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Interval notifiers in the order of their starts, as one version of the tree: it never changes,
/// and who changes the tree puts a new one in its place (include/linux/interval_tree.h).
final class MmuIntervals extends Shared {
    private final List<MmuIntervalNotifier> all;

    private MmuIntervals(Machine machine, List<MmuIntervalNotifier> all) {
        super(machine);
        this.all = all;
    }

    /// `old`, where null is an empty one, with `sub` more.
    static MmuIntervals plus(Machine machine, @Nullable MmuIntervals old, MmuIntervalNotifier sub) {
        List<MmuIntervalNotifier> list = new ArrayList<>(old == null ? List.of() : old.all);
        list.add(sub);
        list.sort(Comparator.comparingLong(MmuIntervalNotifier::start));
        return new MmuIntervals(machine, list);
    }

    /// The same without `sub`; null where nothing is left.
    @Nullable MmuIntervals minus(Machine machine, MmuIntervalNotifier sub) {
        List<MmuIntervalNotifier> list = new ArrayList<>(all);
        list.remove(sub);
        return list.isEmpty() ? null : new MmuIntervals(machine, list);
    }

    boolean contains(MmuIntervalNotifier sub) {
        return all.contains(sub);
    }

    List<MmuIntervalNotifier> all() {
        return all;
    }

    /// `interval_tree_iter_first()`, `interval_tree_iter_next()`: the first one behind `after`, or
    /// of all where that is null, with a byte from `start` to `last`.
    @Nullable MmuIntervalNotifier next(@Nullable MmuIntervalNotifier after, long start, long last) {
        for (int i = after == null ? 0 : all.indexOf(after) + 1; i < all.size(); i++) {
            MmuIntervalNotifier sub = all.get(i);
            if (sub.start() <= last && sub.last() >= start) {
                return sub;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return all.toString();
    }
}
