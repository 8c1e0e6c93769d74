// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// The memory management units of all CPUs: user accesses go through the CPU's TLB, which a
/// hardware walker fills from the page tables.
///
/// # Steps
///
/// A hit is one step: the TLB is looked up and the memory touched at once. This is what makes
/// flushes sound: an interrupt comes between two instructions, and a broadcast invalidation
/// completes only after the accesses that used the old translation. A miss is one step for each
/// level, then the access as a hit. In the step that reads the leaf the walker also sets its
/// accessed and dirty bits, if they are not, and fills the TLB: hardware reads, then compares and
/// exchanges, and looks again where the entry changed in between, which is no different from having
/// come later. A walk that a flush overtakes starts over.
///
/// The walker keeps no paging-structure caches, and sets no accessed bits above the leaf.
public final class Mmu {
    private final Machine machine;
    private final PageTableFormat format;
    private final boolean faultDropsTranslation;
    private final Tlb[] tlbs;

    /// @param faultDropsTranslation whether a CPU forgets a translation that did not permit an
    ///   access (x86), or faults on it until somebody flushes it (arm64)
    public Mmu(Machine machine, PageTableFormat format, boolean faultDropsTranslation) {
        this.machine = machine;
        this.format = format;
        this.faultDropsTranslation = faultDropsTranslation;
        tlbs = new Tlb[machine.cpuCount()];
        for (int c = 0; c < tlbs.length; c++) {
            tlbs[c] = new Tlb(machine, machine.cpu(c));
        }
    }

    /// The TLB of a CPU.
    public Tlb tlb(int cpu) {
        return tlbs[cpu];
    }

    /// An access by user code of the running task, to be made by {@link Access#run}.
    ///
    /// @param space number of the address space, by which the TLBs tell them apart
    /// @param root frame of its top table
    /// @param address address of the 64-bit word to access
    /// @param write whether the access needs permission to write
    public Access access(
            long space,
            long root,
            long address,
            boolean write,
            Op op,
            Order order,
            long a,
            long b) {
        return new Access(space, root, address, write, op, order, a, b);
    }

    /// One user access, as often as it has to be tried.
    public final class Access {
        private final long space;
        private final long root;
        private final long address;
        private final boolean write;
        private final Op op;
        private final Order order;
        private final long a;
        private final long b;

        private Step step = Step.LEVEL;
        private boolean walking;
        private long flushesAtStart;
        private int level;
        private @Nullable Word entry;
        private int found;
        private long value;

        private Access(
                long space,
                long root,
                long address,
                boolean write,
                Op op,
                Order order,
                long a,
                long b) {
            this.space = space;
            this.root = root;
            this.address = address;
            this.write = write;
            this.op = op;
            this.order = order;
            this.a = a;
            this.b = b;
        }

        /// What the word held before; meaningful once the access has been made.
        public long value() {
            return value;
        }

        /// Tries to make the access; false where it faults.
        public boolean run() {
            walking = false;
            while (true) {
                long before = machine.access(this::take);
                switch (step) {
                    case HIT -> {
                        value = before;
                        return true;
                    }
                    case DENIED -> {
                        if (faultDropsTranslation) {
                            tlb(machine.current()).remove(found);
                        }
                        return false;
                    }
                    case LEVEL -> {
                        if (!advance(before)) {
                            return false;
                        }
                    }
                }
            }
        }

        private Tlb tlb(Task task) {
            return tlbs[task.cpu()];
        }

        private void take(Task task) {
            Tlb tlb = tlb(task);
            if (!walking || tlb.flushes() != flushesAtStart) {
                walking = false;
                if (takeFromTlb(task, tlb)) {
                    return;
                }
                flushesAtStart = tlb.flushes();
                level = format.topLevel();
                entry = format.entry(root, level, address);
            }
            takeLevel(task, tlb);
        }

        private boolean takeFromTlb(Task task, Tlb tlb) {
            found = tlb.find(space, address);
            if (found < 0 || (write && tlb.writable(found) && !tlb.dirty(found))) {
                return false;
            }
            if (write && !tlb.writable(found)) {
                step = Step.DENIED;
                Op drop = faultDropsTranslation ? Op.ADD : Op.LOAD;
                task.aim(tlb.word(), drop, Order.PLAIN, 0, 0, null, false);
            } else {
                step = Step.HIT;
                Word memory = format.memory(tlb.pfn(found), address - tlb.start(found));
                task.aim(memory, op, order, a, b, tlb.word(), false);
            }
            return true;
        }

        private void takeLevel(Task task, Tlb tlb) {
            step = Step.LEVEL;
            Word word = Objects.requireNonNull(entry);
            boolean fills = usable(word.value);
            long missing = fills ? format.accessBits(write) & ~word.value : 0;
            Op walk = missing == 0 ? Op.LOAD : Op.OR;
            task.aim(word, walk, Order.ONCE, missing, 0, tlb.word(), fills);
        }

        /// Whether the entry is a leaf that permits the access.
        private boolean usable(long entryValue) {
            return format.present(entryValue)
                    && format.leaf(level, entryValue)
                    && (!write || format.writable(entryValue));
        }

        /// Goes on from the entry just read; false where the access faults.
        private boolean advance(long entryValue) {
            if (!format.present(entryValue)) {
                return false;
            }
            if (!format.leaf(level, entryValue)) {
                walking = true;
                level = format.nextLevel(level);
                entry = format.entry(format.pfn(entryValue), level, address);
                return true;
            }
            walking = false;
            if (!usable(entryValue)) {
                return false;
            }
            long size = format.size(level);
            tlb(machine.current())
                    .fill(
                            space,
                            address & -size,
                            size,
                            format.pfn(entryValue),
                            format.writable(entryValue),
                            write || format.dirty(entryValue));
            return true;
        }
    }

    private enum Step {
        /// The memory is touched through the TLB.
        HIT,
        /// The TLB does not permit the access.
        DENIED,
        /// The walker reads an entry.
        LEVEL
    }
}
