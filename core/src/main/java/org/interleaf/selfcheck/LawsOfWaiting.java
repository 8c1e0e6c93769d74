// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.experiment.Register;
import org.interleaf.machine.Cpu;
import org.interleaf.machine.Rcu;
import org.interleaf.machine.Word;
import org.interleaf.selfcheck.Law.Bench;

import java.util.List;

/// What interrupts and grace periods wait for.
final class LawsOfWaiting {
    /// A reader sees the second write only where it sees the first one too.
    private static final String[] GRACE = {"0 0", "1 0", "1 1"};

    private LawsOfWaiting() {}

    static List<Law> all() {
        return List.of(
                Law.of("interrupts off", LawsOfWaiting::interruptsOff, "0", "2"),
                Law.of("IPI that is waited for", LawsOfWaiting::ipiWait, "1"),
                Law.of("grace period", LawsOfWaiting::gracePeriod, GRACE),
                Law.of("grace period, nested", LawsOfWaiting::nestedSection, GRACE),
                Law.of("grace period, interrupts off", LawsOfWaiting::irqSection, GRACE),
                Law.of("call_rcu", LawsOfWaiting::callRcu, GRACE));
    }

    /// What a handler sees of a task that writes twice with interrupts off.
    private static void interruptsOff(Bench bench) {
        Word x = bench.on.word("x", 0);
        Register seen = bench.on.register("seen");
        Cpu target = bench.on.machine().cpu(0);
        bench.on.task(
                "interrupted",
                0,
                () -> {
                    target.irqSave();
                    x.writeOnce(1);
                    x.writeOnce(2);
                    target.irqRestore();
                });
        var ipi = bench.on.ipi();
        bench.on.task("sender", 1, () -> ipi.call(1, cpu -> seen.set(x.readOnce()), false));
        bench.observe(seen);
    }

    private static void ipiWait(Bench bench) {
        Word x = bench.on.word("x", 0);
        Register seen = bench.on.register("seen");
        var ipi = bench.on.ipi();
        bench.on.task(
                "sender",
                1,
                () -> {
                    ipi.call(1, cpu -> x.writeOnce(1), true);
                    seen.set(x.readOnce());
                });
        bench.observe(seen);
    }

    private static void gracePeriod(Bench bench) {
        Rcu rcu = bench.on.rcu();
        updated(bench, rcu::readLock, () -> {}, rcu::readUnlock);
    }

    /// The section ends with the outermost unlock.
    private static void nestedSection(Bench bench) {
        Rcu rcu = bench.on.rcu();
        updated(
                bench,
                () -> {
                    rcu.readLock();
                    rcu.readLock();
                },
                rcu::readUnlock,
                rcu::readUnlock);
    }

    private static void irqSection(Bench bench) {
        Cpu cpu = bench.on.machine().cpu(0);
        updated(bench, cpu::irqSave, () -> {}, cpu::irqRestore);
    }

    /// A reader whose section begins and ends so, and does `middle` between its reads.
    private static void updated(Bench bench, Runnable begin, Runnable middle, Runnable end) {
        Word x = bench.on.word("x", 0);
        Word y = bench.on.word("y", 0);
        reader(bench, begin, middle, end, x, y);
        Rcu rcu = bench.on.rcu();
        bench.on.task(
                "updater",
                1,
                () -> {
                    x.writeOnce(1);
                    rcu.synchronize();
                    y.writeOnce(1);
                });
    }

    private static void reader(
            Bench bench, Runnable begin, Runnable middle, Runnable end, Word x, Word y) {
        Register first = bench.on.register("first");
        Register second = bench.on.register("second");
        bench.on.task(
                "reader",
                0,
                () -> {
                    begin.run();
                    first.set(x.readOnce());
                    middle.run();
                    second.set(y.readOnce());
                    end.run();
                });
        bench.observe(first, second);
    }

    private static void callRcu(Bench bench) {
        Word x = bench.on.word("x", 0);
        Word y = bench.on.word("y", 0);
        Rcu rcu = bench.on.rcu();
        reader(bench, rcu::readLock, () -> {}, rcu::readUnlock, x, y);
        bench.on.task(
                "updater",
                1,
                () -> {
                    x.writeOnce(1);
                    rcu.call(() -> y.writeOnce(1));
                });
    }
}
