// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

/// Reading and changing the entries that map one huge page (arch/arm64/mm/hugetlbpage.c; where a
/// page takes one entry, asm-generic/hugetlb.h comes to the same).
///
/// # Contiguous entries
///
/// A page that takes several entries is one object to hugetlb, and its first entry stands for it.
/// The hardware may set accessed and dirty bits in any of them, so reading gathers those of all.
/// While the entries are valid the hardware may also treat them as one; none of them may be changed
/// before all have been cleared and the TLBs flushed (break before make).
///
/// All but {@link #get} run under the lock of the table.
final class HugePte {
    /// What a CPU sets, and what is gathered.
    private static final long USED = Entry.ACCESSED | Entry.DIRTY;

    private final Kernel kernel;

    HugePte(Kernel kernel) {
        this.kernel = kernel;
    }

    // ---- values

    /// mm/hugetlb.c: make_huge_pte(). The entry that maps `folio`, writable where the VMA is and
    /// `tryMkwrite`.
    static long make(Vma vma, Folio folio, boolean tryMkwrite) {
        long vmFlags = vma.flags();
        long entry = Entry.make(folio.pfn(), pageProt(vmFlags));
        if (tryMkwrite && (vmFlags & Vma.VM_WRITE) != 0) {
            entry = Entry.mkwrite(Entry.mkdirty(entry));
        }
        return archMakeHuge(Entry.mkyoung(entry), HugetlbVmas.hstate(vma));
    }

    /// include/linux/mm.h: vm_get_page_prot(), without writing: that is added entry by entry.
    static long pageProt(long vmFlags) {
        boolean accessible = (vmFlags & Vma.VM_ACCESS_FLAGS) != 0;
        return Entry.USER | (accessible ? Entry.PRESENT : Entry.PROTNONE);
    }

    /// arch/arm64/mm/hugetlbpage.c: arch_make_huge_pte().
    static long archMakeHuge(long entry, Hstate h) {
        long bits = h.level() > Geometry.PTE ? Entry.LEAF : 0;
        return entry | bits | (h.slots() > 1 ? Entry.CONT : 0);
    }

    /// asm-generic/hugetlb.h: huge_pte_modify(). The entry with the protection of a VMA with these
    /// flags: writable only where it is shared, since private pages may have to be copied first,
    /// and nobody wants to know of writes.
    static long modify(long entry, long vmFlags) {
        long shared = Vma.VM_SHARED | Vma.VM_WRITE;
        boolean writable = (vmFlags & shared) == shared && !Vma.wantsWritenotify(vmFlags);
        long write = writable ? Entry.WRITE : 0;
        long keep = entry & ~(Entry.PRESENT | Entry.PROTNONE | Entry.WRITE | Entry.USER);
        return keep | pageProt(vmFlags) | write;
    }

    // ---- the entries of a page

    /// Entry number `i` of the page that `ptep` stands for: its first entry, or where its entries
    /// are in several tables (powerpc 8xx) the PMD entry that leads to the first table.
    private Word slot(Hstate h, Word ptep, int i) {
        int tables = h.leaf().tables();
        if (tables == 1) {
            return i == 0 ? ptep : PageTable.plus(ptep, i);
        }
        int each = h.slots() / tables;
        long pmd = PageTable.plus(ptep, i / each).readPlain();
        return kernel.memMap().table(Entry.pfn(pmd)).entry(i % each);
    }

    /// arch/arm64/mm/hugetlbpage.c: huge_ptep_get(). The first entry, with the accessed and dirty
    /// bits of all.
    long get(Hstate h, Word ptep) {
        long entry = slot(h, ptep, 0).readOnce();
        if (!Entry.ptePresent(entry) || !Entry.cont(entry)) {
            return entry;
        }
        for (int i = 0; i < h.slots(); i++) {
            entry |= slot(h, ptep, i).readOnce() & USED;
        }
        return entry;
    }

    /// arch/arm64/mm/hugetlbpage.c: set_huge_pte_at(). Writes all entries; from valid to valid they
    /// are broken first.
    void set(MmStruct mm, Hstate h, long addr, Word ptep, long entry) {
        if (Entry.ptePresent(entry) && Entry.cont(entry)) {
            if ((slot(h, ptep, 0).readOnce() & Entry.PRESENT) != 0) {
                clearFlush(mm, h, addr, ptep);
            }
            setPtes(h, ptep, entry);
            return;
        }
        for (int i = 0; i < h.slots(); i++) {
            kernel.entries().setPte(slot(h, ptep, i), entry);
        }
    }

    /// arch/arm64/mm/mmu.c: __set_ptes_anysz(). Each entry maps its part of the page.
    private void setPtes(Hstate h, Word ptep, long entry) {
        long pfn = Entry.pfn(entry);
        long flags = Entry.flags(entry);
        for (int i = 0; i < h.slots(); i++) {
            long value = Entry.make(pfn + i * h.pagesPerSlot(), flags);
            kernel.entries().setPte(slot(h, ptep, i), value);
        }
    }

    /// arch/arm64/mm/hugetlbpage.c: huge_ptep_get_and_clear(), get_clear_contig(). Clears all
    /// entries; returns the first, with the bits of all.
    long getAndClear(Hstate h, Word ptep) {
        long entry = slot(h, ptep, 0).xchg(0, Order.FULL);
        boolean present = Entry.ptePresent(entry);
        for (int i = 1; i < h.slots(); i++) {
            long other = slot(h, ptep, i).xchg(0, Order.FULL);
            entry |= present ? other & USED : 0;
        }
        return entry;
    }

    /// arch/arm64/mm/hugetlbpage.c: huge_ptep_clear_flush(), clear_flush(). The same, and no TLB
    /// holds a translation of the page afterwards.
    long clearFlush(MmStruct mm, Hstate h, long addr, Word ptep) {
        long entry = getAndClear(h, ptep);
        if (Entry.ptePresent(entry) || h.slots() > 1) {
            kernel.tlbFlush().flushTlbRange(mm, addr, addr + h.size());
        }
        return entry;
    }

    /// arch/arm64/mm/hugetlbpage.c: huge_pte_clear(). Clears what is not present.
    void clear(Hstate h, Word ptep) {
        for (int i = 0; i < h.slots(); i++) {
            kernel.entries().clear(slot(h, ptep, i));
        }
    }

    /// arch/arm64/mm/hugetlbpage.c: huge_ptep_set_access_flags(). Makes the entries more
    /// permissive.
    void setAccessFlags(Vma vma, long addr, Word ptep, long entry, boolean write) {
        Hstate h = HugetlbVmas.hstate(vma);
        if (!Entry.cont(entry)) {
            kernel.pgtableGeneric().ptepSetAccessFlags(vma, addr, ptep, entry, write);
        } else if (contAccessFlagsChanged(h, ptep, entry)) {
            long old = clearFlush(vma.mm(), h, addr, ptep);
            kernel.warnOn(!Entry.ptePresent(old), "a contiguous entry is not present");
            setPtes(h, ptep, entry | old & USED);
        }
    }

    /// arch/arm64/mm/hugetlbpage.c: __cont_access_flags_changed().
    private boolean contAccessFlagsChanged(Hstate h, Word ptep, long entry) {
        if (Entry.write(entry) != Entry.write(slot(h, ptep, 0).readOnce())) {
            return true;
        }
        for (int i = 0; i < h.slots(); i++) {
            if (((slot(h, ptep, i).readOnce() ^ entry) & USED) != 0) {
                return true;
            }
        }
        return false;
    }

    /// arch/arm64/mm/hugetlbpage.c: huge_ptep_set_wrprotect().
    void setWrprotect(MmStruct mm, Hstate h, long addr, Word ptep) {
        long entry = slot(h, ptep, 0).readOnce();
        kernel.warnOn(!Entry.ptePresent(entry), "write protection of what is not present");
        if (Entry.cont(entry)) {
            entry = clearFlush(mm, h, addr, ptep);
            setPtes(h, ptep, Entry.wrprotect(entry));
        } else {
            ptep.fetchAnd(~Entry.WRITE, Order.RELAXED);
        }
    }
}
