// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Cpu;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/// What synchronisation orders in the execution at hand, by vector clocks. An access by itself
/// orders nothing, so this is less than the explorer's dependence: two conflicting accesses that it
/// does not order could have come at the same time.
///
/// # What is an order
///
/// - A release, an unlock, or any marked write after a write barrier hands on what its task knows,
///   through the word. An acquire, a lock, or the end of a wait takes that over at once. Atomic
///   operations hand on what they found as well.
/// - A marked read that is neither takes it over at the next read barrier, and before that hands it
///   on at the next release. It orders only what cannot come earlier: writes, which are taken to
///   depend on it, and accesses through pointers. Nobody looks whether a dependency is there.
/// - A full barrier, or a fully ordered atomic operation, also takes over what was known before
///   barriers of tasks whose accesses were overtaken on the way: the two sides of store buffering.
///   What comes before it is known to whoever learns of it, by marked accesses of any kind.
///
/// Interrupts, grace periods and wake-ups need no rules of their own: the machine makes them of
/// such accesses.
///
/// # Clocks
///
/// A clock has two numbers for each task, how many of its reads and of its writes are known: write
/// barriers speak of writes only, read barriers of reads.
final class HappensBefore {
    private final int tasks;
    private final int[] time;

    /// Up to which of its own accesses the reads of a task come before its next one.
    private final int[] readsDone;

    /// What comes before the next access of a task, whatever that is.
    private final int[][] known;

    /// What a task has seen handed on and comes before what depends on it.
    private final int[][] seen;

    /// What a full barrier of a task would add to that.
    private final int[][] overtaken;

    /// What a marked write of a task hands on, and what a marked read shows to who overwrites.
    private final int[][] writesAfter;

    private final int[][] readsAfter;

    /// What came before a full barrier, of this task or of one that it has learned of.
    private final int[][] strong;

    private Handed[] handed = new Handed[256];
    private int epoch;

    /// What goes through a word.
    private static final class Handed {
        final int[] byWrites;
        final int[] byReads;

        /// By readers who gave a lock back that they shared: other readers learn nothing of them.
        final int[] byShared;

        final int[] strong;
        int epoch;

        Handed(int size) {
            byWrites = new int[size];
            byReads = new int[size];
            byShared = new int[size];
            strong = new int[size];
        }
    }

    HappensBefore(Machine machine) {
        tasks = machine.tasks().size();
        time = new int[tasks];
        readsDone = new int[tasks];
        known = new int[tasks][2 * tasks];
        seen = new int[tasks][2 * tasks];
        overtaken = new int[tasks][2 * tasks];
        writesAfter = new int[tasks][2 * tasks];
        readsAfter = new int[tasks][2 * tasks];
        strong = new int[tasks][2 * tasks];
    }

    /// A new execution begins.
    void clear() {
        epoch++;
        Arrays.fill(time, 0);
        Arrays.fill(readsDone, 0);
        for (int t = 0; t < tasks; t++) {
            Arrays.fill(known[t], 0);
            Arrays.fill(seen[t], 0);
            Arrays.fill(overtaken[t], 0);
            Arrays.fill(writesAfter[t], 0);
            Arrays.fill(readsAfter[t], 0);
            Arrays.fill(strong[t], 0);
        }
    }

    /// How many accesses `task` has made.
    int time(int task) {
        return time[task];
    }

    /// Whether access number `when` of task `other`, a write or a read, comes before the next
    /// access of `task`.
    ///
    /// @param dependent whether that one cannot come before what the task has read
    boolean ordered(int task, boolean dependent, int other, boolean write, int when) {
        int at = write ? tasks + other : other;
        return known[task][at] >= when || dependent && seen[task][at] >= when;
    }

    /// Whether access number `when` of a task, a marked read, comes before its next plain read of
    /// the same word: the compiler may exchange the two.
    boolean readBefore(int task, int when) {
        return readsDone[task] >= when;
    }

    /// An access has been made, as `task` describes it.
    void accessed(Task task, boolean wrote) {
        int t = task.id();
        now(t);
        Order order = order(task, wrote);
        if (order == Order.FULL) {
            fullBarrier(t);
        }
        take(t, task, order, wrote);
        if (order == Order.FULL) {
            fullBarrier(t);
        }
        hand(t, task, order, wrote);
    }

    private void now(int t) {
        time[t]++;
        known[t][t] = time[t];
        known[t][tasks + t] = time[t];
    }

    /// How the access orders others. An operation that failed is a mere load.
    private static Order order(Task task, boolean wrote) {
        if (task.word().owner() instanceof Region || task.word().owner() instanceof Cpu) {
            return Order.FULL;
        }
        boolean failed = !wrote && task.op() != Op.LOAD && !task.op().waits();
        return failed ? Order.ONCE : task.order();
    }

    private void take(int t, Task task, Order order, boolean wrote) {
        boolean acquires = readsValue(task.op()) && acquires(order);
        readsDone[t] = acquires ? time[t] : readsDone[t];
        Handed there = find(task.word());
        if (there == null) {
            return;
        }
        if (readsValue(task.op())) {
            int[] learned = acquires ? known[t] : seen[t];
            join(learned, there.byWrites);
            if (!task.op().isShared()) {
                join(learned, there.byShared);
            }
            join(strong[t], there.strong);
        }
        if (wrote) {
            join(overtaken[t], there.byWrites);
            join(overtaken[t], there.byReads);
        }
    }

    private static boolean acquires(Order order) {
        return switch (order) {
            case ACQUIRE, DEPENDENCY, LOCK, FULL -> true;
            case PLAIN, ONCE, RELEASE, RELAXED, UNLOCK -> false;
        };
    }

    private static boolean readsValue(Op op) {
        return op != Op.STORE && op != Op.STORE_BITS;
    }

    private void hand(int t, Task task, Order order, boolean wrote) {
        boolean releases = order == Order.RELEASE || order == Order.UNLOCK || order == Order.FULL;
        int[] clock = releases ? known[t] : wrote ? writesAfter[t] : readsAfter[t];
        Handed there = find(task.word());
        if (there == null) {
            if (isEmpty(clock) && isEmpty(strong[t]) && !(releases && wrote)) {
                return;
            }
            there = make(task.word());
        }
        if (!wrote) {
            join(there.byReads, clock);
            return;
        }
        if (task.op() == Op.UNLOCK_SHARED) {
            join(there.byShared, clock);
            join(there.byShared, seen[t]);
            return;
        }
        if (task.op() == Op.STORE) {
            Arrays.fill(there.byWrites, 0);
            Arrays.fill(there.strong, 0);
        }
        join(there.byWrites, clock);
        join(there.byWrites, strong[t]);
        join(there.strong, strong[t]);
        if (releases) {
            join(there.byWrites, seen[t]);
        }
    }

    /// `task` has passed a barrier.
    void fenced(Task task, Fence fence) {
        int t = task.id();
        switch (fence) {
            case WMB -> {
                int reads = writesAfter[t][t];
                join(writesAfter[t], known[t]);
                writesAfter[t][t] = reads;
            }
            case RMB -> {
                readsDone[t] = time[t];
                join(known[t], seen[t]);
                int writes = readsAfter[t][tasks + t];
                join(readsAfter[t], known[t]);
                readsAfter[t][tasks + t] = writes;
            }
            case BARRIER -> {}
            case MB,
                    MB_BEFORE_ATOMIC,
                    MB_AFTER_ATOMIC,
                    MB_AFTER_SPINLOCK,
                    MB_AFTER_UNLOCK_LOCK,
                    MB_AFTER_SRCU_READ_UNLOCK ->
                    fullBarrier(t);
        }
    }

    private void fullBarrier(int t) {
        readsDone[t] = time[t];
        join(known[t], seen[t]);
        join(known[t], overtaken[t]);
        join(writesAfter[t], known[t]);
        join(readsAfter[t], known[t]);
        join(strong[t], known[t]);
    }

    private @Nullable Handed find(Word word) {
        int id = word.id();
        Handed there = id < handed.length ? handed[id] : null;
        return there == null || there.epoch != epoch ? null : there;
    }

    private Handed make(Word word) {
        int id = word.id();
        if (id >= handed.length) {
            handed = Arrays.copyOf(handed, Math.max(2 * handed.length, id + 1));
        }
        Handed there = handed[id];
        if (there == null) {
            there = new Handed(2 * tasks);
            handed[id] = there;
        }
        there.epoch = epoch;
        Arrays.fill(there.byWrites, 0);
        Arrays.fill(there.byReads, 0);
        Arrays.fill(there.byShared, 0);
        Arrays.fill(there.strong, 0);
        return there;
    }

    private static boolean isEmpty(int[] clock) {
        for (int each : clock) {
            if (each != 0) {
                return false;
            }
        }
        return true;
    }

    private static void join(int[] into, int[] other) {
        for (int i = 0; i < into.length; i++) {
            into[i] = Math.max(into[i], other[i]);
        }
    }
}
