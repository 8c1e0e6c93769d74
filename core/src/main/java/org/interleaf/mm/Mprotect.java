// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// Changing the protection of memory (mm/mprotect.c).
///
/// # Locking
///
/// The mmap lock is held for writing and each VMA is write-locked, so no fault is under way in it;
/// hardware and lockless walkers are. An entry is therefore taken out before it is changed: bits
/// that the hardware sets meanwhile would be lost otherwise. Walkers find none for that moment.
public final class Mprotect {
    private final Kernel kernel;
    private final Geometry geometry;
    private final Pgtable pgtable;
    private final MmuNotifier notifier;

    Mprotect(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
        this.notifier = kernel.mmuNotifier();
    }

    /// mm/mprotect.c: do_mprotect_pkey(). mprotect(2): 0 or a negative error number.
    public long mprotect(MmStruct mm, long start, long length, int prot) {
        long pageMask = geometry.pageSize() - 1;
        if ((start & pageMask) != 0) {
            return -Errno.EINVAL;
        }
        if (length == 0) {
            return 0;
        }
        long end = start + ((length + pageMask) & ~pageMask);
        if (Long.compareUnsigned(end, start) <= 0) {
            return -Errno.ENOMEM;
        }
        if ((prot & ~(Mman.PROT_READ | Mman.PROT_WRITE | Mman.PROT_EXEC)) != 0) {
            return -Errno.EINVAL;
        }
        kernel.mmapLock().writeLock(mm);
        long ret = protectVmas(mm, start, end, prot);
        kernel.mmapLock().writeUnlock(mm);
        return ret;
    }

    /// The part of do_mprotect_pkey() with the mmap lock held.
    private long protectVmas(MmStruct mm, long start, long end, int prot) {
        Vma vma = kernel.munmap().vmaFind(mm, start, end);
        if (vma == null || vma.start() > start) {
            return -Errno.ENOMEM;
        }
        MmuGather tlb = kernel.tlbGatherMmu(mm);
        long ret = 0;
        long at = start;
        while (ret == 0 && at < end) {
            if (vma == null || vma.start() > at) {
                ret = -Errno.ENOMEM;
                break;
            }
            long to = Math.min(vma.end(), end);
            ret = fixup(tlb, vma, at, to, prot);
            at = to;
            vma = at < end ? next(mm, at) : null;
        }
        tlb.finish();
        return ret;
    }

    private static @Nullable Vma next(MmStruct mm, long addr) {
        return Objects.requireNonNull(mm.vmas.read(Order.PLAIN)).find(addr);
    }

    /// mm/mprotect.c: mprotect_fixup(), and the checks before it. 0 or a negative error number.
    private long fixup(MmuGather tlb, Vma vma, long start, long end, int prot) {
        long old = vma.flags();
        long fresh = old & ~Vma.VM_ACCESS_FLAGS | prot & Vma.VM_ACCESS_FLAGS;
        boolean denied =
                (prot & Mman.PROT_READ) != 0 && (old & Vma.VM_MAYREAD) == 0
                        || (prot & Mman.PROT_WRITE) != 0 && (old & Vma.VM_MAYWRITE) == 0
                        || (prot & Mman.PROT_EXEC) != 0 && (old & Vma.VM_MAYEXEC) == 0;
        if (denied) {
            return -Errno.EACCES;
        }
        if (fresh == old) {
            return 0;
        }
        int err = kernel.vmaSplit().vmaModify(vma, start, end);
        if (err != 0) {
            return err;
        }
        kernel.vmaLock().vmaStartWrite(vma);
        vma.flags.writeOnce(fresh);
        changeProtection(tlb, vma, start, end);
        return 0;
    }

    /// mm/mprotect.c: change_protection(), change_protection_range(). Entries get what the VMA says
    /// by now.
    private void changeProtection(MmuGather tlb, Vma vma, long start, long end) {
        if (vma.isHugetlb()) {
            kernel.hugetlb().protect().changeProtection(vma, start, end);
            return;
        }
        long addr = start;
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.P4D, addr, end);
            changePudRange(tlb, vma, addr, next);
            addr = next;
        }
        tlb.endVma();
    }

    /// mm/mprotect.c: change_p4d_range(), change_pud_range(), for the part of one P4D. Others are
    /// told from the first PUD on that is not none.
    private void changePudRange(MmuGather tlb, Vma vma, long start, long end) {
        @Nullable MmuNotifierRange[] range = new MmuNotifierRange[1];
        long addr = start;
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.PUD, addr, end);
            Word pud = pgtable.find(Geometry.PUD, vma.mm(), addr);
            if (pud != null) {
                long from = addr;
                Runnable tell = () -> tell(range, vma, from, end);
                changePud(tlb, vma, pud, addr, next, tell);
            }
            addr = next;
        }
        if (range[0] != null) {
            notifier.invalidateRangeEnd(range[0]);
        }
    }

    /// Tells others of a change, unless they have been told already.
    private void tell(@Nullable MmuNotifierRange[] range, Vma vma, long start, long end) {
        if (range[0] == null) {
            range[0] = notifier.range(Event.PROTECTION_VMA, vma.mm(), start, end);
            notifier.invalidateRangeStart(range[0]);
        }
    }

    /// mm/mprotect.c: change_pud_range(), for one PUD. It is looked at again as long as others
    /// change it: splitting leaves none, but somebody may put in another leaf.
    ///
    /// @param tell called before anything is changed
    private void changePud(MmuGather tlb, Vma vma, Word pud, long start, long end, Runnable tell) {
        if (geometry.folded(Geometry.PMD)) {
            tell.run();
        }
        while (!geometry.folded(Geometry.PMD)) {
            long value = pud.readOnce();
            if (Entry.none(value)) {
                return;
            }
            tell.run();
            if (!Entry.leaf(value)) {
                break;
            }
            if (end - start != geometry.size(Geometry.PUD)) {
                kernel.hugePud().splitHugePudSlow(vma, pud, start);
            } else if (kernel.hugePud().changeHugePud(tlb, vma, pud, start)) {
                return;
            }
        }
        long addr = start;
        Word pmd = pgtable.offset(Geometry.PMD, pud, addr); // change_pmd_range()
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.PMD, addr, end);
            changePmd(tlb, vma, pgtable.sameTable(Geometry.PMD, pmd, addr), addr, next);
            addr = next;
        }
    }

    /// mm/mprotect.c: change_pmd_range(), for one PMD. It may change as long as it leads to no PTE
    /// table whose lock is held; then it is looked at again. Huge PMDs of files may be none after
    /// they have been split.
    private void changePmd(MmuGather tlb, Vma vma, Word pmd, long start, long end) {
        while (!Entry.none(pmd.readPlain())) {
            long value = kernel.pgtableGeneric().pmdpGetLockless(pmd);
            if (HugeMemory.pmdIsHuge(value)) {
                if (end - start != geometry.size(Geometry.PMD)) {
                    kernel.hugeMemory().splitHugePmd(vma, pmd, start);
                } else if (kernel.hugeFork().changeHugePmd(tlb, vma, pmd, start)) {
                    return;
                }
            }
            if (changePtes(tlb, vma, pmd, start, end)) {
                return;
            }
        }
    }

    /// mm/mprotect.c: change_pte_range(). False where there is no PTE table.
    private boolean changePtes(MmuGather tlb, Vma vma, Word pmd, long start, long end) {
        PteMapping pte = kernel.pgtableGeneric().pteOffsetMapLock(vma.mm(), pmd, start);
        if (pte == null) {
            return false;
        }
        kernel.tlbBatch().flushTlbBatchedPending(vma.mm());
        long addr = start;
        for (int i = 0; addr != end; i++) {
            long old = pte.pte(i).readOnce();
            if (!Entry.none(old) && !Entry.ptePresent(old)) {
                kernel.nonpresentPtes().changeSoftleafPte(pte.pte(i), old);
            } else if (!Entry.none(old)) {
                changePte(vma, pte.pte(i));
                tlb.removeTlbEntry(addr);
            }
            addr += geometry.pageSize();
        }
        pte.unmapUnlock();
        return true;
    }

    /// mm/mprotect.c: modify_prot_start_ptes(), prot_commit_flush_ptes(), for one entry.
    private void changePte(Vma vma, Word pte) {
        long old = pte.xchg(0, Order.FULL);
        long entry = HugePte.modify(old, vma.flags());
        if (canChangeWritable(vma, entry)) {
            entry = Entry.mkwrite(entry);
        }
        kernel.entries().setPte(pte, entry);
    }

    /// mm/mprotect.c: can_change_pte_writable(), can_change_pmd_writable(). Whether an entry of a
    /// writable private VMA may be made writable at once: the page is the process' own.
    boolean canChangeWritable(Vma vma, long entry) {
        if ((vma.flags() & Vma.VM_WRITE) == 0 || Entry.protnone(entry) || Entry.special(entry)) {
            return false;
        }
        Page page = kernel.memMap().page(Entry.pfn(entry));
        return kernel.memMap().pageFolio(page).isAnon() && page.anonExclusive();
    }
}
