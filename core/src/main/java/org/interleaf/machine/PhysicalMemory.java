// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.List;

/// The page frames of the machine and who may have them next.
///
/// Each CPU has lists of its own, one for each size of blocks; the set-up has a set as well. A
/// block that is freed goes to the list of the CPU that frees it and is the next one that this CPU
/// allocates: freed memory is reused at once, by somebody else.
public final class PhysicalMemory {
    private final Machine machine;
    private final Frame[] frames;

    /// For each order, for each CPU and last for the set-up; empty where there are no such blocks.
    private final FreeList[][] free;

    private final int[] blocks;

    /// The free blocks of one size at the beginning.
    ///
    /// @param order binary logarithm of the frames in a block
    /// @param perCpu blocks for each CPU
    /// @param atBoot blocks for the set-up
    public record Blocks(int order, int perCpu, int atBoot) {}

    /// @param words modelled words of contents in each frame
    /// @param singles single frames for each CPU
    /// @param bigOrder binary logarithm of the frames in a big block
    /// @param bigs big blocks for each CPU
    public PhysicalMemory(Machine machine, int words, int singles, int bigOrder, int bigs) {
        this(
                machine,
                words,
                List.of(new Blocks(0, singles, singles), new Blocks(bigOrder, bigs, bigs)));
    }

    /// @param words modelled words of contents in each frame
    /// @param blocks the free memory; sizes may be given several times
    public PhysicalMemory(Machine machine, int words, List<Blocks> blocks) {
        this.machine = machine;
        int orders = blocks.stream().mapToInt(Blocks::order).max().orElse(0) + 1;
        int[] perCpu = new int[orders];
        int[] atBoot = new int[orders];
        for (Blocks each : blocks) {
            perCpu[each.order] += each.perCpu;
            atBoot[each.order] += each.atBoot;
        }
        // Frame 0 is left out: a pfn of 0 in a table entry would look like nothing. Blocks are
        // aligned since the largest come first.
        int next = 1 << (orders - 1);
        int[] first = new int[orders];
        for (int order = orders - 1; order >= 0; order--) {
            first[order] = next;
            next += total(perCpu[order], atBoot[order]) << order;
        }
        frames = new Frame[next];
        for (int pfn = 0; pfn < frames.length; pfn++) {
            frames[pfn] = new Frame(machine, pfn, words);
        }
        free = new FreeList[orders][];
        this.blocks = new int[orders];
        for (int order = orders - 1; order >= 0; order--) {
            this.blocks[order] = total(perCpu[order], atBoot[order]);
            free[order] = lists(order, first[order], perCpu[order], atBoot[order]);
        }
    }

    private int total(int perCpu, int atBoot) {
        return machine.cpuCount() * perCpu + atBoot;
    }

    private FreeList[] lists(int order, int first, int perCpu, int atBoot) {
        int total = total(perCpu, atBoot);
        if (total == 0) {
            return new FreeList[0];
        }
        FreeList[] lists = new FreeList[machine.cpuCount() + 1];
        // All of memory may end up on one list.
        int capacity = order == 0 ? frames.length : total;
        for (int o = 0; o < lists.length; o++) {
            boolean boot = o == machine.cpuCount();
            Object owner = boot ? "boot" : machine.cpu(o);
            lists[o] = new FreeList(machine, owner, order, capacity);
            for (int i = (boot ? atBoot : perCpu) - 1; i >= 0; i--) {
                lists[o].push(first + ((long) o * perCpu + i << order));
            }
        }
        return lists;
    }

    public int frameCount() {
        return frames.length;
    }

    public Frame frame(long pfn) {
        return frames[(int) pfn];
    }

    /// Whether there are blocks of `2^order` frames at all, free or not.
    private boolean hasBlocks(int order) {
        return order < free.length && free[order].length > 0;
    }

    /// Number of blocks of `2^order` frames, free or not.
    public int blockCount(int order) {
        return order < blocks.length ? blocks[order] : 0;
    }

    /// Takes a block of `2^order` frames off the running CPU's list and brings them to life;
    /// returns the first frame's number, -1 where memory is out.
    public long allocate(int order) {
        long pfn = hasBlocks(order) ? list(order).pop() : -1;
        for (int i = 0; pfn >= 0 && i < 1 << order; i++) {
            frame(pfn + i).life().allocate();
        }
        return pfn;
    }

    /// Frees a block; it must be allocated as a whole.
    public void free(long pfn, int order) {
        for (int i = 0; i < 1 << order; i++) {
            frame(pfn + i).life().free();
        }
        list(order).push(pfn);
    }

    /// Takes frame `bad` out of a free block of `2^order` frames for good; the others become single
    /// free frames. False where the block is not on the running CPU's list.
    public boolean takeOff(long pfn, int order, long bad) {
        if (!hasBlocks(order) || !list(order).remove(pfn)) {
            return false;
        }
        for (int i = 0; i < 1 << order; i++) {
            if (pfn + i != bad) {
                list(0).push(pfn + i);
            }
        }
        return true;
    }

    private FreeList list(int order) {
        if (!hasBlocks(order)) {
            throw new IllegalArgumentException("no list of free blocks of order " + order);
        }
        return free[order][machine.running() ? machine.current().cpu() : machine.cpuCount()];
    }
}
