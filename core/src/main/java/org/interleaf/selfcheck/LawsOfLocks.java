// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.experiment.Register;
import org.interleaf.machine.BitLock;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Order;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;
import org.interleaf.selfcheck.Law.Bench;
import org.interleaf.trace.Violation;

import java.util.List;

/// What locks, sequence counters and wait queues are for.
final class LawsOfLocks {
    private LawsOfLocks() {}

    static List<Law> all() {
        return List.of(
                Law.of("spinlock", LawsOfLocks::spinLock, "2"),
                Law.of("mutex", LawsOfLocks::mutex, "2"),
                Law.of("bit lock", LawsOfLocks::bitLock, "2 8"),
                Law.of("rwsem excludes", LawsOfLocks::rwSemExcludes, "0 0", "1 1"),
                Law.of("rwsem readers meet", LawsOfLocks::rwSemReadersMeet, "1"),
                Law.deadlocking(
                        "rwsem is fair",
                        LawsOfLocks::rwSemIsFair,
                        Violation.LOCK_RECURSION + " sem",
                        "0"),
                Law.of("rwsem downgrade", LawsOfLocks::downgrade, "1 1 1", "2 1 2"),
                Law.of("seqcount", LawsOfLocks::seqCount, "0 0", "1 1", "again"),
                Law.of("wait queue", LawsOfLocks::waitQueue, "1"),
                Law.failing("lost wake-up", LawsOfLocks::lostWakeUp, "DEADLOCK", "1"),
                Law.deadlocking(
                        "deadlock",
                        LawsOfLocks::deadlock,
                        Violation.LOCK_ORDER + " a -> b -> a",
                        "done"));
    }

    private static void increment(Word x) {
        x.writeOnce(x.readOnce() + 1);
    }

    private static void spinLock(Bench bench) {
        Word x = bench.on.word("x", 0);
        SpinLock lock = bench.on.spinLock("lock");
        for (String task : List.of("a", "b")) {
            bench.on.task(
                    task,
                    () -> {
                        lock.lock();
                        increment(x);
                        lock.unlock();
                    });
        }
        bench.observe(x);
    }

    private static void mutex(Bench bench) {
        Word x = bench.on.word("x", 0);
        Mutex lock = bench.on.mutex("lock");
        for (String task : List.of("a", "b")) {
            bench.on.task(
                    task,
                    () -> {
                        lock.lock();
                        increment(x);
                        lock.unlock();
                    });
        }
        bench.observe(x);
    }

    /// The lock is one bit; the others belong to whoever wants them.
    private static void bitLock(Bench bench) {
        Word x = bench.on.word("x", 0);
        Word flags = bench.on.word("flags", 0);
        BitLock lock = new BitLock(bench.on.machine(), flags, 4, "lock", false);
        for (String task : List.of("a", "b")) {
            bench.on.task(
                    task,
                    () -> {
                        lock.lock();
                        increment(x);
                        lock.unlock();
                    });
        }
        bench.on.task("flags", () -> flags.fetchOr(8, Order.FULL));
        bench.observe(x, flags);
    }

    private static void rwSemExcludes(Bench bench) {
        Word x = bench.on.word("x", 0);
        RwSem sem = bench.on.rwSem("sem");
        Register first = bench.on.register("first");
        Register second = bench.on.register("second");
        bench.on.task(
                "reader",
                () -> {
                    sem.downRead();
                    first.set(x.readOnce());
                    second.set(x.readOnce());
                    sem.upRead();
                });
        bench.on.task(
                "writer",
                () -> {
                    sem.downWrite();
                    x.writeOnce(1);
                    sem.upWrite();
                });
        bench.observe(first, second);
    }

    /// Each reader waits for the other one inside.
    private static void rwSemReadersMeet(Bench bench) {
        Word a = bench.on.word("a", 0);
        Word b = bench.on.word("b", 0);
        RwSem sem = bench.on.rwSem("sem");
        bench.on.task("a", () -> meet(sem, a, b));
        bench.on.task("b", () -> meet(sem, b, a));
        bench.observe(a);
    }

    private static void meet(RwSem sem, Word mine, Word others) {
        sem.downRead();
        mine.writeOnce(1);
        others.await(-1, 1);
        sem.upRead();
    }

    /// A writer that waits lets no reader in, not even one that is inside already.
    private static void rwSemIsFair(Bench bench) {
        RwSem sem = bench.on.rwSem("sem");
        Word x = bench.on.word("x", 0);
        bench.on.task(
                "reader",
                () -> {
                    sem.downRead();
                    sem.downRead();
                    sem.upRead();
                    sem.upRead();
                });
        bench.on.task(
                "writer",
                () -> {
                    sem.downWrite();
                    sem.upWrite();
                });
        bench.observe(x);
    }

    /// What the first writer wrote is still there when it reads.
    private static void downgrade(Bench bench) {
        Word x = bench.on.word("x", 0);
        RwSem sem = bench.on.rwSem("sem");
        Register seen = bench.on.register("seen");
        Register before = bench.on.register("before");
        bench.on.task(
                "downgrades",
                () -> {
                    sem.downWrite();
                    x.writeOnce(1);
                    sem.downgradeWrite();
                    seen.set(x.readOnce());
                    sem.upRead();
                });
        bench.on.task(
                "writes",
                () -> {
                    sem.downWrite();
                    before.set(x.readOnce() + 1);
                    x.writeOnce(2);
                    sem.upWrite();
                });
        bench.observe(before, seen, x);
    }

    private static void seqCount(Bench bench) {
        SeqCount seq = bench.on.seqCount("seq");
        Word a = bench.on.word("a", 0);
        Word b = bench.on.word("b", 0);
        Register first = bench.on.register("first");
        Register second = bench.on.register("second");
        Register again = bench.on.register("again");
        bench.on.task(
                "reader",
                () -> {
                    long start = seq.readBegin();
                    first.set(a.readOnce());
                    second.set(b.readOnce());
                    again.set(seq.readRetry(start));
                });
        bench.on.task(
                "writer",
                () -> {
                    seq.writeBegin();
                    a.writeOnce(1);
                    b.writeOnce(1);
                    seq.writeEnd();
                });
        bench.observe(() -> again.get() == 1 ? "again" : first.get() + " " + second.get());
    }

    private static void waitQueue(Bench bench) {
        Word condition = bench.on.word("condition", 0);
        WaitQueue queue = bench.on.waitQueue("queue");
        bench.on.task(
                "waiter",
                () -> {
                    queue.prepare();
                    if (condition.readOnce() == 0) {
                        queue.sleep();
                    }
                    queue.finish();
                });
        bench.on.task("waker", () -> wake(condition, queue));
        bench.observe(condition);
    }

    /// The condition is looked at too early.
    private static void lostWakeUp(Bench bench) {
        Word condition = bench.on.word("condition", 0);
        WaitQueue queue = bench.on.waitQueue("queue");
        bench.on.task(
                "waiter",
                () -> {
                    if (condition.readOnce() == 0) {
                        queue.prepare();
                        queue.sleep();
                        queue.finish();
                    }
                });
        bench.on.task("waker", () -> wake(condition, queue));
        bench.observe(condition);
    }

    private static void wake(Word condition, WaitQueue queue) {
        condition.writeOnce(1);
        queue.wakeAll();
    }

    private static void deadlock(Bench bench) {
        SpinLock a = bench.on.spinLock("a");
        SpinLock b = bench.on.spinLock("b");
        bench.on.task("ab", () -> both(a, b));
        bench.on.task("ba", () -> both(b, a));
        bench.observe("done");
    }

    private static void both(SpinLock first, SpinLock second) {
        first.lock();
        second.lock();
        second.unlock();
        first.unlock();
    }
}
