// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.experiment.Register;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mmu;
import org.interleaf.machine.Op;
import org.interleaf.machine.Order;
import org.interleaf.machine.PhysicalMemory;
import org.interleaf.machine.Region;
import org.interleaf.machine.Word;
import org.interleaf.selfcheck.Law.Bench;

import java.util.List;

/// What TLBs keep and forget, which memory is there, and who gets which.
final class LawsOfMemory {
    private static final int FAULT = -1;

    private LawsOfMemory() {}

    static List<Law> all() {
        return List.of(
                Law.of("TLB flush", LawsOfMemory::flush, "0 0", "0 -1", "-1 -1"),
                Law.of("TLB keeps what is not flushed", LawsOfMemory::stale, "0 0"),
                Law.of("dirty bit", LawsOfMemory::dirty, "0 1", "1 0"),
                Law.failing(
                        "use after free",
                        LawsOfMemory::useAfterFree,
                        "BUG: KASAN: use-after-free",
                        "1"),
                Law.failing(
                        "double free", LawsOfMemory::doubleFree, "BUG: KASAN: double-free", "done"),
                Law.of("names of made words", LawsOfMemory::made, "same"),
                Law.of("allocation order", LawsOfMemory::allocation, "true true true"));
    }

    /// Memory of three words and page tables for them.
    private static final class Pages {
        final Word[] memory;
        final TinyTables tables;
        final Mmu mmu;

        Pages(Bench bench) {
            memory =
                    new Word[] {
                        bench.on.word("page0", 0), bench.on.word("page1", 0),
                        bench.on.word("page2", 0), bench.on.word("page3", 0)
                    };
            tables = new TinyTables(bench.on.machine(), 1, memory);
            mmu = new Mmu(bench.on.machine(), tables, false);
        }

        long load() {
            return user(false, Op.LOAD, 0);
        }

        private long user(boolean write, Op op, long a) {
            Mmu.Access access = mmu.access(0, 0, 0, write, op, Order.ONCE, a, 0);
            return access.run() ? access.value() : FAULT;
        }

        void flush() {
            mmu.tlb(0).flush(0, 0, 8);
        }
    }

    /// A page is unmapped and flushed, and then used for something else, which its old owner must
    /// not see.
    private static void flush(Bench bench) {
        Pages pages = new Pages(bench);
        Register first = bench.on.register("first");
        Register second = bench.on.register("second");
        bench.on.task(
                "user",
                0,
                () -> {
                    first.set(pages.load());
                    second.set(pages.load());
                });
        bench.on.task(
                "unmaps",
                1,
                () -> {
                    pages.tables.entries[0].writeOnce(0);
                    pages.flush();
                    pages.memory[0].writeOnce(7);
                });
        bench.observe(first, second);
    }

    /// Nobody flushes.
    private static void stale(Bench bench) {
        Pages pages = new Pages(bench);
        Word turn = bench.on.word("turn", 0);
        Register first = bench.on.register("first");
        Register second = bench.on.register("second");
        bench.on.task(
                "user",
                0,
                () -> {
                    first.set(pages.load());
                    turn.writeOnce(1);
                    turn.await(-1, 2);
                    second.set(pages.load());
                });
        bench.on.task(
                "unmaps",
                1,
                () -> {
                    turn.await(-1, 1);
                    pages.tables.entries[0].writeOnce(0);
                    turn.writeOnce(2);
                });
        bench.observe(first, second);
    }

    /// Whoever takes the entry away sees whether the page was written to; no write is lost.
    private static void dirty(Bench bench) {
        Pages pages = new Pages(bench);
        Register faulted = bench.on.register("faulted");
        Register dirty = bench.on.register("dirty");
        bench.on.task("user", 0, () -> faulted.set(pages.user(true, Op.STORE, 5) == FAULT));
        bench.on.task(
                "unmaps",
                1,
                () -> dirty.set(pages.tables.dirty(pages.tables.entries[0].xchg(0, Order.FULL))));
        bench.observe(faulted, dirty);
    }

    private static void useAfterFree(Bench bench) {
        Region region = bench.on.region("object");
        Word x = bench.on.word(region, "x", 0);
        bench.on.task("user", () -> x.writeOnce(1));
        bench.on.task("frees", region::free);
        bench.observe(x);
    }

    private static void doubleFree(Bench bench) {
        Region region = bench.on.region("object");
        bench.on.task("a", region::free);
        bench.on.task("b", region::free);
        bench.observe("done");
    }

    /// What a task makes is the same location in every execution, whatever others have made before.
    private static void made(Bench bench) {
        Machine machine = bench.on.machine();
        Register[] ids = {bench.on.register("a"), bench.on.register("b")};
        Word before = bench.on.word("before", 0);
        for (Register id : ids) {
            bench.on.task(
                    id.toString(),
                    () -> {
                        before.fetchAdd(1, Order.FULL);
                        Word made = machine.word("made", 0);
                        made.writeOnce(1);
                        id.set(made.id());
                    });
        }
        long[] first = new long[ids.length];
        bench.observe(() -> sameAs(first, ids) ? "same" : "other");
    }

    private static boolean sameAs(long[] first, Register[] ids) {
        boolean same = true;
        for (int i = 0; i < ids.length; i++) {
            first[i] = first[i] == 0 ? ids[i].get() : first[i];
            same &= first[i] == ids[i].get();
        }
        return same;
    }

    /// Each CPU has its own frames, whatever the others do, and gets back the one it freed last.
    private static void allocation(Bench bench) {
        PhysicalMemory memory = new PhysicalMemory(bench.on.machine(), 1, 2, 1, 1);
        Register a = bench.on.register("a");
        Register again = bench.on.register("again");
        Register b = bench.on.register("b");
        bench.on.task(
                "a",
                0,
                () -> {
                    a.set(memory.allocate(0));
                    memory.free(a.get(), 0);
                    again.set(memory.allocate(0));
                });
        bench.on.task("b", 1, () -> b.set(memory.allocate(0)));
        long first = memory.frameCount() - 6L;
        bench.observe(
                () ->
                        (a.get() == first)
                                + " "
                                + (again.get() == first)
                                + " "
                                + (b.get() == first + 2));
    }
}
