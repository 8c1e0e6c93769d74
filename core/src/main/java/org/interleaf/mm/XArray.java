// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// `struct xarray` (include/linux/xarray.h, lib/xarray.c): what a file has at which index, counted
/// in pages. The tree is one node that is there from the beginning; no memory is needed for it.
///
/// # Locking
///
/// Entries change under `xa_lock`, which is also the lock of what is counted beside them, and are
/// read under RCU or that lock. An entry for several indexes is in the slot of the first of them;
/// the others lead there. Slots are stored to one after the other, the first one first: who reads
/// without the lock sees some of them changed and others not yet.
final class XArray {
    /// Nothing is there.
    static final long NONE = 0;

    /// `XA_RETRY_ENTRY`: nothing is there, and who has no lock must look again.
    static final long RETRY = 2;

    private static final int KIND_BITS = 3;
    private static final long KIND = (1 << KIND_BITS) - 1;
    private static final long FOLIO = 1;
    private static final long SIBLING = 4;

    private final SpinLock lock;
    private final Word[] slots;

    /// @param slots how many indexes there can be
    XArray(Machine machine, Object owner, SpinLock lock, int slots) {
        this.lock = lock;
        this.slots = new Word[slots];
        for (int i = 0; i < slots; i++) {
            this.slots[i] = machine.word(null, owner, "i_pages", i, NONE).format(XArray::show);
        }
    }

    /// How many words an array of so many indexes is made of.
    int size() {
        return slots.length;
    }

    /// `xa_lock`.
    SpinLock lock() {
        return lock;
    }

    // ---- entries

    /// The entry for a folio.
    static long entry(Folio folio) {
        return folio.pfn() << KIND_BITS | FOLIO;
    }

    /// Whether an entry is a folio.
    static boolean isFolio(long entry) {
        return (entry & KIND) == FOLIO;
    }

    /// The first frame of the folio that an entry is.
    static long pfn(long entry) {
        return entry >>> KIND_BITS;
    }

    /// `xa_is_sibling()`: the entry is in another slot.
    static boolean isSibling(long entry) {
        return (entry & KIND) == SIBLING;
    }

    private static int siblingOf(long entry) {
        return (int) (entry >>> KIND_BITS);
    }

    private static String show(long entry) {
        if (entry == NONE) {
            return "none";
        }
        if (entry == RETRY) {
            return "retry";
        }
        return isSibling(entry) ? "as at " + siblingOf(entry) : "folio " + pfn(entry);
    }

    // ---- looking

    /// lib/xarray.c: xas_load(), and xas_reload() of include/linux/xarray.h. What is at `index`.
    long load(long index) {
        if (index >= slots.length) {
            return NONE;
        }
        long entry = read(index);
        return isSibling(entry) ? read(siblingOf(entry)) : entry;
    }

    private long read(long index) {
        return slots[(int) index].read(Order.DEPENDENCY);
    }

    /// A place in the array: `struct xa_state`.
    static final class Cursor {
        /// Where it is, or where the next look begins.
        long index;

        /// What the last look has found there.
        long entry;

        /// The slot of what was found; -1 where the next look is to begin from the top.
        private int offset = -1;

        Cursor(long index) {
            this.index = index;
        }

        /// include/linux/xarray.h: xas_reset(). The next look begins from the top, at the same
        /// index.
        void reset() {
            offset = -1;
        }
    }

    /// lib/xarray.c: xas_find(), and xas_next_entry() of include/linux/xarray.h. The next entry
    /// that is not none, up to index `max`; false where there is none. What is found may be {@link
    /// #RETRY}.
    boolean find(Cursor at, long max) {
        long last = Math.min(max, slots.length - 1);
        if (at.offset < 0) {
            if (at.index > last) {
                return false;
            }
            at.offset = (int) at.index;
            at.entry = read(at.index);
            while (isSibling(at.entry)) {
                at.offset = siblingOf(at.entry);
                at.entry = read(at.offset);
            }
            if (at.entry != NONE) {
                return true;
            }
            at.offset = (int) at.index;
        } else {
            at.offset = Math.max(at.offset, (int) at.index);
        }
        while (++at.offset <= last) {
            at.index = at.offset;
            at.entry = read(at.offset);
            if (at.entry != NONE && !isSibling(at.entry)) {
                return true;
            }
        }
        at.index = at.offset;
        return false;
    }

    /// lib/xarray.c: xas_find_conflict(). Whether anything is in the way of a folio of `2^order`
    /// pages at `index`. `xa_lock` is held.
    boolean conflict(long index, int order) {
        for (int i = 0; i < 1 << order; i++) {
            if (read(index + i) != NONE) {
                return true;
            }
        }
        return false;
    }

    // ---- changing

    /// lib/xarray.c: xas_store(). What is at `index` and the `2^order - 1` indexes after it becomes
    /// `entry`. `xa_lock` is held.
    void store(long index, int order, long entry) {
        int first = (int) index & -(1 << order);
        slots[first].write(entry, Order.RELEASE);
        for (int i = 1; i < 1 << order; i++) {
            long value = entry == NONE ? NONE : (long) first << KIND_BITS | SIBLING;
            slots[first + i].write(value, Order.RELEASE);
        }
    }

    /// The frame of the page at `index`; -1 where there is none. Looked at from outside.
    long peekPfn(long index) {
        if (index >= slots.length) {
            return -1;
        }
        long entry = slots[(int) index].peek();
        long first = isSibling(entry) ? siblingOf(entry) : index;
        long folio = slots[(int) first].peek();
        return isFolio(folio) ? pfn(folio) + index - first : -1;
    }

    /// Tells `visitor` of each folio, by its first index; looked at from outside.
    void peek(Inode.CacheVisitor visitor) {
        for (int i = 0; i < slots.length; i++) {
            long entry = slots[i].peek();
            if (isFolio(entry)) {
                visitor.visit(i, pfn(entry));
            }
        }
    }
}
