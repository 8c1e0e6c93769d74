// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Rounds;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// mm/pgtable-generic.c: mapping PTE tables, and changing entries together with the TLBs.
///
/// # Locking
///
/// A PTE table can be detached at any moment by whoever holds the PMD lock (and, except for the
/// collapse of anonymous memory, the PTE lock). The mapping functions therefore read the PMD once,
/// enter an RCU section in which the table's memory stays, and those that lock look again whether
/// the PMD still leads there:
///
/// | CPU 0 pte_offset_map_lock        | CPU 1 retract_page_tables       |
/// |----------------------------------|---------------------------------|
/// | pmd = *pmdp: table T             |                                 |
/// |                                  | lock T; *pmdp = none; unlock T  |
/// | lock T                           |                                 |
/// | *pmdp != pmd: unlock, start over |                                 |
public final class PgtableGeneric {
    private final Machine machine;
    private final Geometry geometry;
    private final boolean highpte;
    private final MemMap memMap;
    private final PtLocks ptLocks;
    private final EntryAccess entries;
    private final TlbFlush tlbFlush;

    PgtableGeneric(
            Machine machine,
            Arch arch,
            MemMap memMap,
            PtLocks ptLocks,
            EntryAccess entries,
            TlbFlush tlbFlush) {
        this.machine = machine;
        this.geometry = arch.geometry();
        this.highpte = arch.highpte();
        this.memMap = memMap;
        this.ptLocks = ptLocks;
        this.entries = entries;
        this.tlbFlush = tlbFlush;
    }

    /// mm/pgtable-generic.c: ___pte_offset_map(). Maps the PTE table that `pmd` points to at this
    /// moment. Null, and no RCU section, where there is none.
    public @Nullable PteMapping pteOffsetMap(Word pmd, long addr) {
        return map(pmd, addr, null, false);
    }

    /// mm/pgtable-generic.c: pte_offset_map_rw_nolock() and pte_offset_map_ro_nolock(). As {@link
    /// #pteOffsetMap}, and tells the table's lock without taking it. Who then takes the lock and
    /// writes must first compare the PMD with {@link PteMapping#pmdValue}, or know from a none-zero
    /// entry that the table is still in place.
    public @Nullable PteMapping pteOffsetMapNolock(MmStruct mm, Word pmd, long addr) {
        return map(pmd, addr, mm, false);
    }

    /// mm/pgtable-generic.c: pte_offset_map_lock(). Maps the PTE table that `pmd` points to and
    /// takes its lock, with the table then known to be in place. Null where there is no table (any
    /// more). The caller is in an RCU section and holds the lock until {@link
    /// PteMapping#unmapUnlock}.
    public @Nullable PteMapping pteOffsetMapLock(MmStruct mm, Word pmd, long addr) {
        Rounds retries = null;
        while (true) {
            PteMapping pte = map(pmd, addr, mm, true);
            if (pte == null || pmd.readOnce() == pte.pmdValue()) {
                return pte;
            }
            pte.unmapUnlock();
            retries = machine.retry(retries, "pte_offset_map_lock");
        }
    }

    private @Nullable PteMapping map(Word pmd, long addr, @Nullable MmStruct lockOf, boolean lock) {
        machine.rcu().readLock();
        long value = pmdpGetLocklessIrqsOff(pmd);
        if (!Entry.isTable(value)) {
            machine.rcu().readUnlock();
            return null;
        }
        PteMapping pte = mapValue(value, addr, lockOf);
        if (lock) {
            pte.ptl().lock();
        }
        return pte;
    }

    private PteMapping mapValue(long pmdValue, long addr, @Nullable MmStruct lockOf) {
        SpinLock ptl = lockOf == null ? null : ptLocks.pteLockptr(lockOf, pmdValue);
        PageTable table = memMap.table(Entry.pfn(pmdValue));
        int index = geometry.index(Geometry.PTE, addr);
        return new PteMapping(machine, highpte, table, pmdValue, index, ptl);
    }

    /// mm/pgtable-generic.c: ___pte_offset_map() on a PMD value that the caller read or keeps, not
    /// on the live entry. Null, and no RCU section, where the value is no table.
    public @Nullable PteMapping pteOffsetMapValue(long pmdValue, long addr) {
        if (!Entry.isTable(pmdValue)) {
            return null;
        }
        machine.rcu().readLock();
        return mapValue(pmdValue, addr, null);
    }

    /// mm/pgtable-generic.c: pte_offset_map_lock() on a local copy of a PMD, as collapse uses it
    /// for the table that it has just detached: nobody else can change that copy.
    public @Nullable PteMapping pteOffsetMapLockValue(MmStruct mm, long pmdValue, long addr) {
        if (!Entry.isTable(pmdValue)) {
            return null;
        }
        machine.rcu().readLock();
        PteMapping pte = mapValue(pmdValue, addr, mm);
        pte.ptl().lock();
        return pte;
    }

    /// include/linux/pgtable.h: pmdp_get_lockless().
    public long pmdpGetLockless(Word pmd) {
        return entries.getLockless(pmd);
    }

    /// mm/pgtable-generic.c: pmdp_get_lockless_start() and pmdp_get_lockless_end() around it:
    /// interrupts that are off keep the halves of an entry together.
    private long pmdpGetLocklessIrqsOff(Word pmd) {
        if (!entries.halves()) {
            return pmdpGetLockless(pmd);
        }
        machine.cpu().irqSave();
        long value = pmdpGetLockless(pmd);
        machine.cpu().irqRestore();
        return value;
    }

    /// mm/pgtable-generic.c: pmdp_collapse_flush(). Unhooks the PTE table below `pmd` and flushes
    /// the TLBs of the range; returns the entry that was there.
    public long pmdpCollapseFlush(Vma vma, long addr, Word pmd) {
        long value = pmd.xchg(0, Order.FULL);
        tlbFlush.flushTlbRange(vma.mm(), addr, addr + geometry.size(Geometry.PMD));
        return value;
    }

    /// mm/pgtable-generic.c: pmdp_huge_clear_flush().
    public long pmdpHugeClearFlush(Vma vma, long addr, Word pmd) {
        long value = pmd.xchg(0, Order.FULL);
        tlbFlush.flushTlbRange(vma.mm(), addr, addr + geometry.size(Geometry.PMD));
        return value;
    }

    /// mm/pgtable-generic.c: pmdp_invalidate(). The hardware stops using the huge entry, while
    /// every reader still sees that it is huge; returns the entry that was there. The hardware may
    /// set accessed and dirty bits until the exchange, which picks them up.
    public long pmdpInvalidate(Vma vma, long addr, Word pmd) {
        long value = pmd.readOnce();
        long old = entries.pmdpEstablish(pmd, Entry.mkinvalid(value));
        tlbFlush.flushTlbRange(vma.mm(), addr, addr + geometry.size(Geometry.PMD));
        return old;
    }

    /// mm/pgtable-generic.c: pmdp_invalidate_ad(). As {@link #pmdpInvalidate}, for who changes the
    /// protection: the accessed and dirty bits are caught for good, but on x86 translations may
    /// still be used until the caller flushes.
    public long pmdpInvalidateAd(Vma vma, long addr, Word pmd) {
        if (entries.invalidateAdFlushes()) {
            return pmdpInvalidate(vma, addr, pmd);
        }
        return entries.pmdpEstablish(pmd, Entry.mkinvalid(pmd.readPlain()));
    }

    /// mm/pgtable-generic.c: pudp_huge_clear_flush().
    public long pudpHugeClearFlush(Vma vma, long addr, Word pud) {
        long value = pud.xchg(0, Order.FULL);
        tlbFlush.flushTlbRange(vma.mm(), addr, addr + geometry.size(Geometry.PUD));
        return value;
    }

    /// arch/x86/mm/pgtable.c: pudp_invalidate(). As {@link #pmdpInvalidate}.
    public long pudpInvalidate(Vma vma, long addr, Word pud) {
        long value = pud.readPlain();
        long old = pud.xchg(Entry.mkinvalid(value), Order.FULL);
        tlbFlush.flushTlbRange(vma.mm(), addr, addr + geometry.size(Geometry.PUD));
        return old;
    }

    /// mm/pgtable-generic.c: ptep_clear_flush().
    public long ptepClearFlush(Vma vma, long addr, Word pte) {
        long value = pte.xchg(0, Order.FULL);
        if (entries.pteAccessible(vma.mm(), value)) {
            tlbFlush.flushTlbRange(vma.mm(), addr, addr + geometry.pageSize());
        }
        return value;
    }

    /// mm/pgtable-generic.c: ptep_set_access_flags(). Makes the entry more permissive, under the
    /// PTE lock; `entry` contains every bit that the hardware may set meanwhile. Only a write does:
    /// a read finds the accessed bit set by the hardware. Whether the entry was another one before.
    /// Other CPUs may fault on older translations, this one must not.
    public boolean ptepSetAccessFlags(Vma vma, long addr, Word pte, long entry, boolean write) {
        boolean changed = pte.readOnce() != entry;
        if (changed && write) {
            entries.setPte(pte, entry);
            tlbFlush.flushTlbFixSpuriousFault(vma.mm(), addr);
        }
        return changed;
    }

    /// mm/pgtable-generic.c: pte_free_defer(). Frees the PTE table that the unhooked entry `value`
    /// led to when all have left it who walk it without its lock.
    void pteFreeDefer(Pgtable pgtable, long value) {
        PageTable table = memMap.table(Entry.pfn(value));
        machine.rcu().call(() -> pgtable.freePage(table)); // pte_free_now()
    }

    /// mm/pgtable-generic.c: pgtable_trans_huge_deposit(). The PMD lock is held.
    public void pgtableTransHugeDeposit(MmStruct mm, Word pmd, PageTable table) {
        ptLocks.pmdHugePte(mm, pmd).add(table.pfn());
        table.setUnhooked(false);
    }

    /// mm/pgtable-generic.c: pgtable_trans_huge_withdraw(). The PMD lock is held.
    public PageTable pgtableTransHugeWithdraw(MmStruct mm, Word pmd) {
        return memMap.table(ptLocks.pmdHugePte(mm, pmd).removeFirst());
    }
}
