// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Op;
import org.interleaf.machine.Region;
import org.interleaf.machine.Scheduler;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/// Tells executions apart up to equivalence: two that differ only in the order of accesses that do
/// not conflict have the same number.
final class TraceHash implements Monitor {
    private static final int READ = 0;
    private static final int WRITE = 1;

    /// Accesses of a location that do not conflict with each other, and those of the block before.
    private record Block(int mode, List<long[]> before, List<long[]> clocks) {
        boolean takes(int other) {
            return mode == other && mode != WRITE;
        }
    }

    private final Machine machine;
    private final List<Block> blocks = new ArrayList<>();
    private long[][] clocks = new long[0][];
    private long hash;

    TraceHash(Machine machine) {
        this.machine = machine;
    }

    /// The number of the execution so far.
    long hash() {
        return hash;
    }

    @Override
    public void started() {
        int tasks = machine.tasks().size();
        clocks = new long[tasks][tasks];
        blocks.clear();
        hash = 0;
    }

    @Override
    public void stepped(Task task, long before) {
        long[] clock = clocks[task.id()].clone();
        clock[task.id()]++;
        int mode = mode(task.op(), task.op().writes(before, task.a(), task.b()));
        Word extra = task.extra();
        Region region = task.word().region();
        join(clock, task.word().id(), mode);
        if (region != null) {
            join(clock, region.life().id(), READ);
        }
        if (extra != null) {
            join(clock, extra.id(), task.extraWritten() ? WRITE : READ);
        }
        clocks[task.id()] = clock;
        remember(clock, task.word().id(), mode);
        if (region != null) {
            remember(clock, region.life().id(), READ);
        }
        if (extra != null) {
            remember(clock, extra.id(), task.extraWritten() ? WRITE : READ);
        }
        long event = Arrays.hashCode(clock) * 31L + task.id();
        event = event * 31 + task.word().id();
        hash += mix(event);
    }

    private void join(long[] clock, int location, int mode) {
        while (blocks.size() <= location) {
            blocks.add(new Block(READ, List.of(), new ArrayList<>()));
        }
        Block last = blocks.get(location);
        List<long[]> conflicting = last.takes(mode) ? last.before : last.clocks;
        conflicting.forEach(other -> max(clock, other));
    }

    private void remember(long[] clock, int location, int mode) {
        Block last = blocks.get(location);
        if (!last.takes(mode)) {
            last = new Block(mode, last.clocks, new ArrayList<>());
            blocks.set(location, last);
        }
        last.clocks.add(clock);
    }

    private static int mode(Op op, boolean wrote) {
        if (!wrote) {
            return READ;
        }
        if (op.isShared()) {
            return WRITE + 1;
        }
        return op.commutes() ? WRITE + 2 + op.ordinal() : WRITE;
    }

    private static void max(long[] clock, long[] other) {
        for (int i = 0; i < clock.length; i++) {
            clock[i] = Math.max(clock[i], other[i]);
        }
    }

    private static long mix(long x) {
        long y = (x ^ x >>> 30) * 0xbf58476d1ce4e5b9L;
        y = (y ^ y >>> 27) * 0x94d049bb133111ebL;
        return y ^ y >>> 31;
    }

    /// The numbers of `runs` executions with every choice made at random.
    static Set<Long> random(Machine machine, TraceHash hash, int runs, long seed) {
        Set<Long> seen = new HashSet<>();
        Random random = new Random(seed);
        for (int i = 0; i < runs; i++) {
            // Runs of one task of differing length, or executions would all look alike.
            machine.run(new RandomScheduler(machine, random, 1 + random.nextInt(30)));
            seen.add(hash.hash());
        }
        return seen;
    }

    private record RandomScheduler(Machine machine, Random random, int stay, int[] last)
            implements Scheduler {
        RandomScheduler(Machine machine, Random random, int stay) {
            this(machine, random, stay, new int[] {-1});
        }

        @Override
        public @Nullable Task pick() {
            if (last[0] >= 0 && random.nextInt(stay) != 0 && machine.tasks().get(last[0]).ready()) {
                return machine.tasks().get(last[0]);
            }
            List<Task> ready = machine.tasks().stream().filter(Task::ready).toList();
            if (ready.isEmpty()) {
                return null;
            }
            Task task = ready.get(random.nextInt(ready.size()));
            last[0] = task.id();
            return task;
        }

        @Override
        public void executed(Task task, long before, boolean wrote) {}
    }
}
