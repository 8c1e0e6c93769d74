// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// The free blocks of one size on one CPU, as a stack: what was freed last is allocated first, as
/// in the kernel's per-CPU page lists. Tasks of other CPUs never touch it.
final class FreeList {
    private final Word count;
    private final Word[] blocks;

    FreeList(Machine machine, Object owner, int order, int capacity) {
        this.count = machine.word(null, owner, "free_order" + order, -1, 0);
        this.blocks = new Word[capacity];
        for (int i = 0; i < capacity; i++) {
            blocks[i] = machine.word(null, owner, "free_block", i, 0);
        }
    }

    /// Takes the block freed last; -1 where there is none.
    long pop() {
        long n = count.addUnless(-1, 0, Order.PLAIN);
        return n == 0 ? -1 : blocks[(int) n - 1].peek();
    }

    /// Takes a certain block; false where it is not in the list.
    boolean remove(long pfn) {
        long n = count.readPlain();
        for (int i = 0; i < n; i++) {
            if (blocks[i].peek() == pfn) {
                blocks[i].poke(blocks[(int) n - 1].peek());
                count.writePlain(n - 1);
                return true;
            }
        }
        return false;
    }

    void push(long pfn) {
        long n = count.fetchAdd(1, Order.PLAIN);
        if (n == blocks.length) {
            throw new AssertionError("[interleaf internal] more frames were freed than exist");
        }
        blocks[(int) n].poke(pfn);
    }
}
