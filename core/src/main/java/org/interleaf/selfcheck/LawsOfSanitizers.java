// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.machine.Mutex;
import org.interleaf.machine.Rcu;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.selfcheck.Law.Bench;
import org.interleaf.trace.Violation;

import java.util.List;

/// What a task must not do by itself, and who says so.
final class LawsOfSanitizers {
    private static final String SLEEPS = "BUG: sleeping function called from invalid context";

    private LawsOfSanitizers() {}

    static List<Law> all() {
        return List.of(
                Law.failing("sleep with a spinlock held", LawsOfSanitizers::sleep, SLEEPS, "done"),
                Law.failing(
                        "sleep in a read section", LawsOfSanitizers::sleepInRcu, SLEEPS, "done"),
                Law.failing(
                        "lock left behind",
                        LawsOfSanitizers::leftBehind,
                        "WARNING: lock held when returning to user space",
                        "done"),
                Law.failing(
                        "interrupts left off",
                        LawsOfSanitizers::irqsLeftOff,
                        "WARNING: interrupts off when returning to user space",
                        "done"),
                Law.failing(
                        "unlock without lock",
                        LawsOfSanitizers::unlock,
                        "WARNING: bad unlock balance",
                        "done"),
                Law.failing(
                        "locks in both orders",
                        LawsOfSanitizers::bothOrders,
                        Violation.LOCK_ORDER + " a -> b -> a",
                        "done"),
                Law.of("an attempt in the other order", LawsOfSanitizers::attempt, "done"),
                Law.failing(
                        "lock inside its like",
                        LawsOfSanitizers::recursion,
                        Violation.LOCK_RECURSION + " a",
                        "done"),
                Law.failing("null pointer", LawsOfSanitizers::crash, "Exception in follows", "1"));
    }

    private static void sleep(Bench bench) {
        SpinLock spin = bench.on.spinLock("spin");
        Mutex mutex = bench.on.mutex("mutex");
        bench.on.task(
                "task",
                () -> {
                    spin.lock();
                    mutex.lock();
                    mutex.unlock();
                    spin.unlock();
                });
        bench.observe("done");
    }

    private static void sleepInRcu(Bench bench) {
        Rcu rcu = bench.on.rcu();
        Mutex mutex = bench.on.mutex("mutex");
        bench.on.task(
                "task",
                () -> {
                    rcu.readLock();
                    mutex.lock();
                    mutex.unlock();
                    rcu.readUnlock();
                });
        bench.observe("done");
    }

    private static void leftBehind(Bench bench) {
        SpinLock spin = bench.on.spinLock("spin");
        bench.on.task("task", spin::lock);
        bench.observe("done");
    }

    private static void irqsLeftOff(Bench bench) {
        bench.on.task("task", () -> bench.on.machine().cpu().irqSave());
        bench.observe("done");
    }

    private static void unlock(Bench bench) {
        SpinLock spin = bench.on.spinLock("spin");
        bench.on.task("task", spin::unlock);
        bench.observe("done");
    }

    /// By one task, which does not wait for itself; with something held in between that it had
    /// without waiting.
    private static void bothOrders(Bench bench) {
        SpinLock a = bench.on.spinLock("a");
        SpinLock b = bench.on.spinLock("b");
        SpinLock between = bench.on.spinLock("between");
        bench.on.task(
                "task",
                () -> {
                    a.lock();
                    between.trylock();
                    b.lock();
                    b.unlock();
                    between.unlock();
                    a.unlock();
                    b.lock();
                    a.lock();
                    a.unlock();
                    b.unlock();
                });
        bench.observe("done");
    }

    private static void attempt(Bench bench) {
        SpinLock a = bench.on.spinLock("a");
        SpinLock b = bench.on.spinLock("b");
        bench.on.task(
                "task",
                () -> {
                    a.lock();
                    b.trylock();
                    b.unlock();
                    a.unlock();
                    b.lock();
                    a.lock();
                    a.unlock();
                    b.unlock();
                });
        bench.observe("done");
    }

    /// Two locks of one class: nothing says which comes first.
    private static void recursion(Bench bench) {
        SpinLock one = bench.on.spinLock("a");
        SpinLock other = bench.on.spinLock("a");
        bench.on.task(
                "task",
                () -> {
                    one.lock();
                    other.lock();
                    other.unlock();
                    one.unlock();
                });
        bench.observe("done");
    }

    private static void crash(Bench bench) {
        Word pointer = bench.on.word("pointer", 0);
        bench.on.task(
                "follows",
                () -> {
                    if (pointer.readOnce() == 0) {
                        throw new NullPointerException("pointer");
                    }
                });
        bench.on.task("sets", () -> pointer.writeOnce(1));
        bench.observe(pointer);
    }
}
