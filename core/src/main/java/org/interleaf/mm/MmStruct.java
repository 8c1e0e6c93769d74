// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// `struct mm_struct` (include/linux/mm_types.h): the address space of a process.
public final class MmStruct extends Shared {
    private final String name;
    private final PageTable pgd;

    private final RwSem mmapLock;
    private final SpinLock pageTableLock;
    private final SeqCount writeProtectSeq;
    private final DepositList deposited;

    /// `mm_lock_seq`: odd while the mmap lock is held for writing; VMAs write-locked in that time
    /// carry the same value.
    final Word mmLockSeq;

    /// `mm_mt`, the tree of VMAs. Written under the mmap lock held for writing, read under RCU.
    final Ref<VmaTree> vmas;

    /// `flags`, of which bit {@link #HAS_PINNED} is modelled.
    final Word flags;

    /// Number of gathers under way that may not have flushed yet.
    final Word tlbFlushPending;

    /// `tlb_flush_batched`: how often reclaim has put off a flush, and at which of these everything
    /// was flushed; see {@link TlbBatch}.
    final Word tlbFlushBatched;

    /// `pgtables_bytes`, in tables: those between the top and the one below it, which is not
    /// counted either.
    final Word pgtables;

    /// `mm_cpumask()`: the CPUs that may hold translations of this address space.
    final Word cpumask;

    /// `mm_users`: threads, and others who use the address space. The last one takes it down.
    final Word users;

    /// `mm_count`: those who need this object; together, its users are one of these.
    private final Word count;

    /// `notifier_subscriptions`: null until somebody subscribes for the first time. Written with
    /// {@link MmAllLocks all locks} held.
    final Ref<MmuNotifierSubscriptions> notifierSubscriptions;

    static final long HAS_PINNED = 1;

    MmStruct(Machine machine, String name, PageTable pgd, int depositCapacity) {
        super(machine);
        this.name = name;
        this.pgd = pgd;
        mmapLock = new RwSem(machine, null, this, "mmap_lock", "&mm->mmap_lock");
        pageTableLock =
                new SpinLock(machine, null, this, "page_table_lock", "&mm->page_table_lock");
        writeProtectSeq = new SeqCount(machine, this, "write_protect_seq");
        deposited = new DepositList(machine, null, this, depositCapacity);
        mmLockSeq = machine.word(null, this, "mm_lock_seq", -1, 0);
        vmas = new Ref<>(machine, VmaTree.class, this, "mm_mt", -1);
        flags = machine.word(null, this, "flags", -1, 0);
        tlbFlushPending = machine.word(null, this, "tlb_flush_pending", -1, 0);
        tlbFlushBatched = machine.word(null, this, "tlb_flush_batched", -1, 0);
        pgtables = machine.word(null, this, "pgtables", -1, 0);
        cpumask = machine.word(null, this, "cpumask", -1, 0);
        users = machine.word(null, this, "mm_users", -1, 1);
        count = machine.word(null, this, "mm_count", -1, 1);
        notifierSubscriptions =
                new Ref<>(
                        machine,
                        MmuNotifierSubscriptions.class,
                        this,
                        "notifier_subscriptions",
                        -1);
    }

    /// include/linux/sched/mm.h: mmgrab().
    void grab() {
        count.add(1, Order.RELAXED);
    }

    /// include/linux/sched/mm.h: mmdrop(), but for what the last one does; whether this was it.
    boolean dropLast() {
        return count.fetchAdd(-1, Order.FULL) == 1;
    }

    /// Whether somebody has ever subscribed to changes; looked at from outside.
    public boolean peekHasNotifiers() {
        return notifierSubscriptions.word().peek() != 0;
    }

    public String name() {
        return name;
    }

    /// The top-level table; it lives as long as the process.
    public PageTable pgd() {
        return pgd;
    }

    /// `mmap_lock`, without the sequence count that write-locking it also moves: see {@link
    /// MmapLock}.
    public RwSem mmapLock() {
        return mmapLock;
    }

    public SpinLock pageTableLock() {
        return pageTableLock;
    }

    public SeqCount writeProtectSeq() {
        return writeProtectSeq;
    }

    /// `pgtables_bytes`, in tables, looked at from outside.
    public long peekPgtables() {
        return pgtables.peek();
    }

    DepositList deposited() {
        return deposited;
    }

    @Override
    public String toString() {
        return name;
    }
}
