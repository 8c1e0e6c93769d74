// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.experiment.Register;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Ipi;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Rcu;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;
import org.interleaf.selfcheck.Law.Bench;

import java.util.List;

/// What is a data race, and what synchronisation keeps from being one. In each program `one` has
/// something in a plain word that `two` looks at, or the other way round.
final class LawsOfRaces {
    private static final String RACE = "BUG: KCSAN: data-race one / two";

    private LawsOfRaces() {}

    static List<Law> all() {
        return List.of(
                Law.failing("plain write against marked read", LawsOfRaces::unordered, RACE, "1"),
                Law.failing("plain read against marked write", LawsOfRaces::plainRead, RACE, "1"),
                Law.failing("unlocked reader", LawsOfRaces::unlocked, RACE, "1"),
                Law.failing("published too early", LawsOfRaces::unreleased, RACE, "1 0", "1 1"),
                Law.failing("read too early", LawsOfRaces::unacquired, RACE, "1 0", "1 1"),
                Law.failing(
                        "freed too early", LawsOfRaces::noGracePeriod, RACE, "1 2", "1 3", "1 7"),
                Law.of("accesses under data_race()", LawsOfRaces::annotated, "1"),
                Law.of("accesses under a lock", LawsOfRaces::locked, "1"),
                Law.of("message by release and acquire", LawsOfRaces::released, "1 0", "1 1"),
                Law.of("message by barriers", LawsOfRaces::barriers, "1 0", "1 1"),
                Law.of("store buffering by full barriers", LawsOfRaces::buffered, "0", "1", "2"),
                Law.of("message by a wait queue", LawsOfRaces::woken, "1"),
                Law.of("message by an interrupt", LawsOfRaces::interrupted, "1"),
                Law.of("change after a grace period", LawsOfRaces::gracePeriod, "1 2", "1 7"),
                Law.of("section of a sequence count", LawsOfRaces::sequence, "1"));
    }

    private static Word plainWord(Bench bench) {
        bench.on.failsOnDataRaces();
        return bench.on.word("x", 0);
    }

    private static void unordered(Bench bench) {
        Word x = plainWord(bench);
        bench.on.task("one", () -> x.writePlain(1));
        bench.on.task("two", x::readOnce);
        bench.observe(x);
    }

    private static void plainRead(Bench bench) {
        Word x = plainWord(bench);
        bench.on.task("one", () -> x.writeOnce(1));
        bench.on.task("two", x::readPlain);
        bench.observe(x);
    }

    private static void annotated(Bench bench) {
        Word x = plainWord(bench);
        Machine machine = bench.on.machine();
        bench.on.task("one", () -> x.writePlain(1));
        bench.on.task("two", () -> machine.dataRace(x));
        bench.observe(x);
    }

    private static void locked(Bench bench) {
        Word x = plainWord(bench);
        SpinLock lock = bench.on.spinLock("lock");
        bench.on.task("one", () -> under(lock, () -> x.writePlain(1)));
        bench.on.task("two", () -> under(lock, x::readPlain));
        bench.observe(x);
    }

    private static void unlocked(Bench bench) {
        Word x = plainWord(bench);
        SpinLock lock = bench.on.spinLock("lock");
        bench.on.task("one", () -> under(lock, () -> x.writePlain(1)));
        bench.on.task("two", x::readPlain);
        bench.observe(x);
    }

    private static void under(SpinLock lock, Runnable section) {
        lock.lock();
        section.run();
        lock.unlock();
    }

    private static void released(Bench bench) {
        message(bench, Order.RELEASE, Order.ACQUIRE);
    }

    private static void unreleased(Bench bench) {
        message(bench, Order.ONCE, Order.ACQUIRE);
    }

    private static void unacquired(Bench bench) {
        message(bench, Order.RELEASE, Order.ONCE);
    }

    private static void message(Bench bench, Order write, Order read) {
        Word x = plainWord(bench);
        Word flag = bench.on.word("flag", 0);
        Register seen = bench.on.register("seen");
        bench.on.task(
                "one",
                () -> {
                    x.writePlain(1);
                    flag.write(1, write);
                });
        bench.on.task(
                "two",
                () -> {
                    if (flag.read(read) != 0) {
                        seen.set(x.readPlain());
                    }
                });
        bench.observe(x, seen);
    }

    private static void barriers(Bench bench) {
        Word x = plainWord(bench);
        Word flag = bench.on.word("flag", 0);
        Register seen = bench.on.register("seen");
        Machine machine = bench.on.machine();
        bench.on.task(
                "one",
                () -> {
                    x.writePlain(1);
                    machine.fence(Fence.WMB);
                    flag.writeOnce(1);
                });
        bench.on.task(
                "two",
                () -> {
                    if (flag.readOnce() != 0) {
                        machine.fence(Fence.RMB);
                        seen.set(x.readPlain());
                    }
                });
        bench.observe(x, seen);
    }

    /// Who finds the other's flag down has come first, and may touch the word.
    private static void buffered(Bench bench) {
        Word x = plainWord(bench);
        Word first = bench.on.word("first", 0);
        Word second = bench.on.word("second", 0);
        bench.on.task("one", () -> enterIfAlone(bench, first, second, () -> x.writePlain(1)));
        bench.on.task("two", () -> enterIfAlone(bench, second, first, () -> x.writePlain(2)));
        bench.observe(x);
    }

    private static void enterIfAlone(Bench bench, Word mine, Word other, Runnable section) {
        mine.writeOnce(1);
        bench.on.machine().fence(Fence.MB);
        if (other.readOnce() == 0) {
            section.run();
        }
    }

    private static void woken(Bench bench) {
        Word x = plainWord(bench);
        Word done = bench.on.word("done", 0);
        WaitQueue queue = bench.on.waitQueue("queue");
        Register seen = bench.on.register("seen");
        bench.on.task(
                "one",
                () -> {
                    x.writePlain(1);
                    done.storeRelease(1);
                    queue.wakeAll();
                });
        bench.on.task(
                "two",
                () -> {
                    queue.prepare();
                    if (done.readOnce() == 0) {
                        queue.sleep();
                    }
                    queue.finish();
                    seen.set(x.readPlain());
                });
        bench.observe(seen);
    }

    private static void interrupted(Bench bench) {
        Word x = plainWord(bench);
        Ipi ipi = bench.on.ipi();
        Register seen = bench.on.register("seen");
        bench.on.task(
                "one",
                () -> {
                    ipi.call(1L << 1, cpu -> x.writePlain(1), true);
                    seen.set(x.readPlain());
                });
        bench.on.task("two", () -> {});
        bench.observe(seen);
    }

    private static void gracePeriod(Bench bench) {
        replaced(bench, true);
    }

    private static void noGracePeriod(Bench bench) {
        replaced(bench, false);
    }

    /// `two` changes what `one` may still be reading.
    private static void replaced(Bench bench, boolean waits) {
        Word x = plainWord(bench);
        Word pointer = bench.on.word("pointer", 0);
        Rcu rcu = bench.on.rcu();
        Register seen = bench.on.register("seen");
        bench.on.task(
                "one",
                () -> {
                    seen.set(7);
                    rcu.readLock();
                    if (pointer.read(Order.DEPENDENCY) == 0) {
                        seen.set(x.readPlain() + 2);
                    }
                    rcu.readUnlock();
                });
        bench.on.task(
                "two",
                () -> {
                    pointer.writeOnce(1);
                    if (waits) {
                        rcu.synchronize();
                    }
                    x.writePlain(1);
                });
        bench.observe(x, seen);
    }

    private static void sequence(Bench bench) {
        Word x = plainWord(bench);
        SeqCount count = bench.on.seqCount("count");
        bench.on.task(
                "one",
                () -> {
                    count.writeBegin();
                    x.writePlain(1);
                    count.writeEnd();
                });
        bench.on.task(
                "two",
                () -> {
                    long start = count.readBegin();
                    x.readPlain();
                    count.readRetry(start);
                });
        bench.observe(x);
    }
}
