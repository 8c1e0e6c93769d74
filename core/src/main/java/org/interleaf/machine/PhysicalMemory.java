// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// The page frames of the machine and who may have them next.
///
/// Each CPU has lists of its own, one for single frames and one for blocks of `2^bigOrder` frames;
/// the set-up has a set as well. A frame that is freed goes to the list of the CPU that frees it
/// and is the next one that this CPU allocates: freed memory is reused at once, by somebody else.
public final class PhysicalMemory {
    private final Machine machine;
    private final Frame[] frames;
    private final int bigOrder;

    /// For each CPU, and last for the set-up: the list of single frames and that of big blocks.
    private final FreeList[][] free;

    /// @param words modelled words of contents in each frame
    /// @param singles single frames for each CPU
    /// @param bigOrder binary logarithm of the frames in a big block
    /// @param bigs big blocks for each CPU
    public PhysicalMemory(Machine machine, int words, int singles, int bigOrder, int bigs) {
        this.machine = machine;
        this.bigOrder = bigOrder;
        int owners = machine.cpuCount() + 1;
        int block = 1 << bigOrder;
        int bigFrames = owners * bigs * block;
        // Frame 0 is left out: a pfn of 0 in a table entry would look like nothing.
        int firstSingle = block + bigFrames;
        frames = new Frame[firstSingle + owners * singles];
        for (int pfn = 0; pfn < frames.length; pfn++) {
            frames[pfn] = new Frame(machine, pfn, words);
        }
        free = new FreeList[owners][2];
        for (int o = 0; o < owners; o++) {
            Object owner = o < machine.cpuCount() ? machine.cpu(o) : "boot";
            free[o][0] = new FreeList(machine, owner, 0, frames.length);
            free[o][1] = new FreeList(machine, owner, bigOrder, owners * bigs);
            for (int i = singles - 1; i >= 0; i--) {
                free[o][0].push(firstSingle + (long) o * singles + i);
            }
            for (int i = bigs - 1; i >= 0; i--) {
                free[o][1].push(block + ((long) o * bigs + i) * block);
            }
        }
    }

    public int frameCount() {
        return frames.length;
    }

    public Frame frame(long pfn) {
        return frames[(int) pfn];
    }

    /// Takes a block of `2^order` frames off the running CPU's list and brings them to life;
    /// returns the first frame's number, -1 where memory is out. `order` is 0 or the big order.
    public long allocate(int order) {
        long pfn = list(order).pop();
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

    private FreeList list(int order) {
        if (order != 0 && order != bigOrder) {
            throw new IllegalArgumentException("no list of free blocks of order " + order);
        }
        int owner = machine.running() ? machine.current().cpu() : machine.cpuCount();
        return free[owner][order == 0 ? 0 : 1];
    }
}
