// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Alike;
import org.interleaf.machine.Task;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Says how many traces one stands for, where tasks that are alike begin in order.
///
/// The n tasks of a group can be exchanged in n! ways, which lead from a trace to all those like
/// it. As many of these ways lead to one that is explored as there are orders in which the tasks
/// can begin in this trace, times the number of ways to exchange those that never begin. The first
/// number divided by the second is the share of each trace that is explored: the shares of all
/// together are the number of traces that there are.
final class Twins {
    private final Starts starts;

    /// The number of orders by what they depend on: for each task, those whose beginning comes
    /// before its own. There are few of these.
    private final Map<List<Long>, Long> known = new HashMap<>();

    private int[] task = new int[0];
    private long[] before = new long[0];
    private long[] group = new long[0];

    Twins(Starts starts) {
        this.starts = starts;
    }

    /// How many traces the execution in `log` stands for, as its share.
    double share(EventLog log) {
        double share = 1;
        int size = 0;
        for (Alike alike : starts.groups()) {
            size += alike.tasks().size();
        }
        task = new int[size];
        before = new long[size];
        group = new long[size];
        int count = 0;
        for (int g = 0; g < starts.groups().size(); g++) {
            Alike alike = starts.groups().get(g);
            int begun = 0;
            for (Task each : alike.tasks()) {
                if (log.hasStarted(each.id())) {
                    task[count] = each.id();
                    group[count++] = g;
                    share *= alike.tasks().size() - begun++;
                }
            }
        }
        return share / orders(log, count);
    }

    private long orders(EventLog log, int count) {
        Long[] key = new Long[2 * count];
        for (int i = 0; i < count; i++) {
            long behind = log.startsBehind(task[i]);
            before[i] = 0;
            for (int k = 0; k < count; k++) {
                before[i] |= k == i ? 0 : (behind >> task[k] & 1) << k;
            }
            key[2 * i] = group[i];
            key[2 * i + 1] = before[i];
        }
        return known.computeIfAbsent(Arrays.asList(key), x -> count(count, 0, 0, new HashMap<>()));
    }

    private record Place(long begun, long asleep) {}

    /// Counts the orders in which those who have not begun can begin, where it makes no difference
    /// which comes first of two that belong to different groups and do not depend on each other.
    ///
    /// @param asleep who would come first where it need not, in an order counted elsewhere
    private long count(int all, long begun, long asleep, Map<Place, Long> counted) {
        if (begun == (1L << all) - 1) {
            return 1;
        }
        Place place = new Place(begun, asleep);
        Long found = counted.get(place);
        if (found != null) {
            return found;
        }
        long orders = 0;
        long tried = asleep;
        for (int i = 0; i < all; i++) {
            boolean ready = (begun >> i & 1) == 0 && (before[i] & ~begun) == 0;
            if (ready && (tried >> i & 1) == 0) {
                orders += count(all, begun | 1L << i, independentOf(i, tried), counted);
                tried |= 1L << i;
            }
        }
        counted.put(place, orders);
        return orders;
    }

    private long independentOf(int i, long some) {
        long independent = 0;
        for (long rest = some; rest != 0; rest &= rest - 1) {
            int k = Long.numberOfTrailingZeros(rest);
            independent |= group[k] != group[i] ? 1L << k : 0;
        }
        return independent;
    }
}
