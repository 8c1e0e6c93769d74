// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// `struct swap_cluster_info` (mm/swap.h): as many slots of a swap device in a row as a huge page
/// needs, with their swap table. Everything changes under the lock; the table is also read without
/// it.
public final class SwapCluster extends Shared {
    static final long FLAG_NONE = 0;
    static final long FLAG_FREE = 1;
    static final long FLAG_NONFULL = 2;
    static final long FLAG_FRAG = 3;

    /// The last of those from which slots can be allocated.
    static final long FLAG_USABLE = FLAG_FRAG;

    static final long FLAG_FULL = 4;
    private static final String[] FLAG_NAMES = {"none", "free", "nonfull", "frag", "full"};

    private final int index;
    private final SpinLock lock;

    /// Slots in use, bad ones too.
    final Word count;

    /// On which list the cluster is.
    final Word flags;

    /// Slots in use are parts of runs of `2^order`.
    final Word order;

    /// Whether the table is allocated: it is, but while the cluster is free.
    final Word table;

    private final Word[] entries;

    SwapCluster(Machine machine, int index, int slots) {
        super(machine);
        this.index = index;
        lock = new SpinLock(machine, null, this, "lock", "&cluster_info[i].lock");
        count = machine.word(null, this, "count", -1, 0);
        flags = machine.word(null, this, "flags", -1, FLAG_NONE);
        flags.format(value -> FLAG_NAMES[(int) value]);
        order = machine.word(null, this, "order", -1, 0);
        table = machine.word(null, this, "table", -1, 0);
        entries = new Word[slots];
        for (int i = 0; i < slots; i++) {
            entries[i] = machine.word(null, this, "table", i, SwapTable.NULL);
            entries[i].format(SwapTable::show);
        }
    }

    /// Which cluster of the device it is.
    int index() {
        return index;
    }

    /// `lock`.
    public SpinLock lock() {
        return lock;
    }

    /// mm/swap_table.h: __swap_table_set(). The lock is held.
    void set(Kernel kernel, int off, long entry) {
        kernel.assertHeld(lock);
        entries[off].writeOnce(entry);
    }

    /// For the set-up: a slot that is not for use.
    void setBad(int off) {
        entries[off].writeOnce(SwapTable.BAD);
    }

    /// mm/swap_table.h: __swap_table_get(). The table is kept by the lock, or by an entry that is
    /// in use.
    long get(int off) {
        return entries[off].readOnce();
    }

    /// mm/swap_table.h: swap_table_get(). Without the lock; {@link SwapTable#NULL} where there is
    /// no table. What RCU would keep meanwhile, its memory, stays anyway.
    long getLockless(int off) {
        boolean there = table.read(Order.DEPENDENCY) != 0;
        return there ? entries[off].readOnce() : SwapTable.NULL;
    }

    /// mm/swapfile.c: cluster_is_empty().
    boolean isEmpty() {
        return count.readPlain() == 0;
    }

    /// mm/swapfile.c: cluster_is_usable().
    boolean isUsable(int wanted) {
        return flags.readPlain() <= FLAG_USABLE
                && table.readPlain() != 0
                && (wanted == 0 || isEmpty() || order.readPlain() == wanted);
    }

    /// The swap table's entry, looked at from outside.
    public long peek(int off) {
        return entries[off].peek();
    }

    /// The number of slots.
    public int size() {
        return entries.length;
    }

    @Override
    public String toString() {
        return "swap cluster " + index;
    }
}
