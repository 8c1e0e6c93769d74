// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.LockGraph.Dependency;
import org.interleaf.machine.Lock;
import org.interleaf.machine.LockClass;
import org.interleaf.machine.LockMode;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Task;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.List;

/// The order of locks, after kernel/locking/lockdep.c: which class was taken inside which, and
/// whether that goes round in a circle. So what can end in a deadlock is found in an execution that
/// did not.
///
/// # What counts
///
/// - One execution, with its set-up and what the kernel's documentation demands ({@link
///   LockOrder}). Orders that contradict each other but occur in different executions only are no
///   finding, as no schedule would show both.
/// - An attempt that does not wait has nothing before it. What is taken inside of it counts.
/// - Reading counts as writing: a reader waits behind a writer who waits for another reader.
/// - Locks that the kernel's lockdep does not know are told apart one by one. What the set-up did
///   with them is over when the tasks begin. With them a circle counts only if no other lock keeps
///   its parts from coming together, as `i_rwsem` does where fs/hugetlbfs/inode.c takes the lock of
///   a folio before `i_mmap_rwsem` in one place and after it in another.
///
/// # Cost
///
/// A dependency that the execution has had costs a look at a table. Only where some two
/// dependencies of whatever executions contradict each other is there more to do.
final class Lockdep implements Monitor {
    private static final int MAX_GATES = Long.SIZE;

    private final Findings findings;
    private final boolean withHistory;
    private final LockGraph graph = new LockGraph();
    private @Nullable LockOrder order;

    /// Number of the execution; that of the set-up before the first.
    private int execution = LockGraph.ALWAYS;

    /// At the location of a lock that was held beside others: the number of its bit, plus one.
    private byte[] gateOf = new byte[0];

    private int gates;

    /// Classes of a single lock on which the demands have been entered.
    private boolean[] known = new boolean[0];

    /// @param withHistory whether to remember who took which lock where, which is slow
    Lockdep(Findings findings, boolean withHistory) {
        this.findings = findings;
        this.withHistory = withHistory;
    }

    /// Has `newOrder` count as if it had been seen.
    void expect(LockOrder newOrder) {
        order = newOrder;
        newOrder.demands(this::demand);
    }

    private void demand(LockClass first, LockClass second, String source) {
        if (graph.find(first, second, 0) == null) {
            Dependency demanded = graph.add(first, second, 0);
            demanded.stamp(LockGraph.ALWAYS);
            demanded.how = "Demanded by " + source;
        }
    }

    @Override
    public void started() {
        execution = execution == Integer.MAX_VALUE ? 0 : execution + 1;
    }

    @Override
    public void acquiring(Task task, Lock lock, LockClass as, LockMode mode) {
        for (int i = task.heldCount() - 1; i >= 0; i--) {
            if (task.heldAs(i) == as) {
                recursion(task, lock, i, as, mode);
                return;
            }
        }
        for (int i = task.heldCount() - 1; i >= 0; i--) {
            depends(task, i, as, mode);
            // What is further out depends on this one already.
            if (!task.heldMode(i).isTry()) {
                return;
            }
        }
    }

    /// `task` takes a lock of class `as` with its lock number `held` held.
    private void depends(Task task, int held, LockClass as, LockMode mode) {
        LockClass from = task.heldAs(held);
        boolean exact = from.exact() || as.exact();
        if (exact && execution == LockGraph.ALWAYS) {
            return;
        }
        long between = exact ? gates(task, held) : 0;
        Dependency dependency = graph.find(from, as, between);
        if (dependency == null) {
            dependency = learn(from, as, between);
        }
        if (!dependency.isIn(execution)) {
            dependency.stamp(execution);
            dependency.held = task.heldMode(held);
            dependency.taken = mode;
            if (withHistory) {
                dependency.how = "Taken by " + findings.here(task);
            }
            if (dependency.isSuspect()) {
                look(task, dependency);
            }
        }
    }

    private Dependency learn(LockClass from, LockClass to, long between) {
        demandsOn(from);
        demandsOn(to);
        Dependency demanded = graph.find(from, to, between);
        if (demanded != null) {
            return demanded;
        }
        Dependency learnt = graph.add(from, to, between);
        graph.suspect(learnt);
        return learnt;
    }

    private void demandsOn(LockClass lock) {
        if (!lock.exact() || order == null) {
            return;
        }
        if (lock.id() >= known.length) {
            known = Arrays.copyOf(known, 2 * lock.id() + 1);
        }
        if (!known[lock.id()]) {
            known[lock.id()] = true;
            order.demandsOn(lock, this::demand);
        }
    }

    /// The locks beside number `but` that nobody else can hold while `task` does.
    private long gates(Task task, int but) {
        long all = 0;
        for (int i = 0; i < task.heldCount(); i++) {
            boolean alone = !task.heldMode(i).isRead() && !task.heldAs(i).exact();
            if (i != but && alone && task.held(i).location() >= 0) {
                all |= gate(task.held(i).location());
            }
        }
        return all;
    }

    private long gate(int location) {
        if (location >= gateOf.length) {
            gateOf = Arrays.copyOf(gateOf, Math.max(2 * gateOf.length, location + 1));
        }
        if (gateOf[location] == 0 && gates < MAX_GATES) {
            gateOf[location] = (byte) ++gates;
        }
        return gateOf[location] == 0 ? 0 : 1L << gateOf[location] - 1;
    }

    // ---- findings

    private void recursion(Task task, Lock lock, int held, LockClass as, LockMode mode) {
        findings.reportAs(
                Violation.LOCK_RECURSION,
                as.name(),
                task,
                () -> LockReport.takes(task, lock, as, mode),
                () -> LockReport.recursion(task, held, as, mode));
    }

    private void look(Task task, Dependency closing) {
        List<Dependency> rest = graph.cycle(closing, execution);
        if (!rest.isEmpty()) {
            findings.reportAs(
                    Violation.LOCK_ORDER,
                    LockReport.circle(closing, rest),
                    task,
                    () -> LockReport.closes(task, closing),
                    () -> LockReport.chains(task, closing, rest));
        }
    }
}
