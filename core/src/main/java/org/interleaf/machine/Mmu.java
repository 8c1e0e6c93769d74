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

        /// Where the walk stands; null where none has begun.
        private @Nullable Walk walk;

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
            Tlb tlb = tlbs[machine.current().cpu()];
            walk = null;
            while (true) {
                Attempt attempt = new Attempt(tlb, walk);
                long before = machine.access(attempt);
                switch (attempt.step) {
                    case HIT -> {
                        value = before;
                        return true;
                    }
                    case DENIED -> {
                        if (faultDropsTranslation) {
                            tlb.drop(Objects.requireNonNull(attempt.found));
                        }
                        return false;
                    }
                    case LEVEL -> {
                        if (!advance(tlb, Objects.requireNonNull(attempt.next), before)) {
                            return false;
                        }
                    }
                }
            }
        }

        /// Goes on from the entry just read; false where the access faults.
        private boolean advance(Tlb tlb, Walk at, long entry) {
            if (!format.present(entry)) {
                return false;
            }
            if (!format.leaf(at.level, entry)) {
                walk = below(at, entry);
                return true;
            }
            if (!permits(entry)) {
                return false;
            }
            tlb.fill(translation(at.level, entry));
            walk = null;
            return true;
        }

        private Walk below(Walk walk, long entry) {
            int level = format.nextLevel(walk.level);
            Word next = format.entry(format.pfn(entry), level, address);
            return new Walk(level, next, walk.flushes);
        }

        private boolean permits(long leaf) {
            return !write || format.writable(leaf);
        }

        private Translations.Entry translation(int level, long leaf) {
            long size = format.size(level);
            return new Translations.Entry(
                    space,
                    address & -size,
                    size,
                    format.pfn(leaf),
                    format.writable(leaf),
                    write || format.dirty(leaf));
        }

        /// One step of it.
        private final class Attempt implements Aim {
            private final Tlb tlb;
            private final @Nullable Walk walk;

            // What it came to when it was last asked.
            private Step step = Step.LEVEL;
            private Translations.@Nullable Entry found;
            private @Nullable Walk next;

            /// @param walk where the walk stands; null where none has begun
            Attempt(Tlb tlb, @Nullable Walk walk) {
                this.tlb = tlb;
                this.walk = walk;
            }

            @Override
            public Target at(View view) {
                Translations cached = tlb.at(view.value(tlb.word()));
                if (walk != null && walk.flushes == cached.flushes()) {
                    return level(walk, view);
                }
                found = cached.find(space, address);
                if (found == null || (write && found.writable() && !found.dirty())) {
                    int top = format.topLevel();
                    Word entry = format.entry(root, top, address);
                    return level(new Walk(top, entry, cached.flushes()), view);
                }
                return write && !found.writable() ? denied() : hit(found);
            }

            private Target hit(Translations.Entry through) {
                step = Step.HIT;
                Word memory = format.memory(through.pfn(), address - through.start());
                return new Target(memory, op, order, a, b, tlb.word(), false);
            }

            private Target denied() {
                step = Step.DENIED;
                return faultDropsTranslation
                        ? new Target(tlb.word(), Op.ADD, Order.PLAIN, 1, 0, null, false)
                        : new Target(tlb.word(), Op.LOAD, Order.PLAIN, 0, 0, null, false);
            }

            private Target level(Walk at, View view) {
                step = Step.LEVEL;
                next = at;
                Word word = at.entry;
                long entry = view.value(word);
                boolean fills =
                        format.present(entry) && format.leaf(at.level, entry) && permits(entry);
                long missing = fills ? format.accessBits(write) & ~entry : 0;
                Op walkOp = missing == 0 ? Op.LOAD : Op.OR;
                return new Target(word, walkOp, Order.ONCE, missing, 0, tlb.word(), fills);
            }
        }
    }

    /// Where a walk stands: before reading `entry`, of a table of `level`.
    ///
    /// @param flushes the number of flushes when it began; one more, and it starts over
    private record Walk(int level, Word entry, long flushes) {}

    private enum Step {
        /// The memory is touched through the TLB.
        HIT,
        /// The TLB does not permit the access.
        DENIED,
        /// The walker reads an entry.
        LEVEL
    }
}
