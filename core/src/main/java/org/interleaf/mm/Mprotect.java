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
/// mprotect(2) holds the mmap lock for writing and each VMA is write-locked, so no fault is under
/// way in it; hardware and lockless walkers are. NUMA hinting holds the mmap lock for reading only:
/// faults and zaps are under way, too, and entries above PTE level may change at any moment.
///
/// A PTE is taken out before it is changed: bits that the hardware sets meanwhile would be lost
/// otherwise. Walkers without the lock find none for that moment. A huge entry is never none:
///
/// | CPU 0 task_numa_work     | CPU 1 MADV_DONTNEED             |
/// |--------------------------|---------------------------------|
/// | takes the PMD out        |                                 |
/// |                          | none, so nothing is to be done  |
/// | puts it in again         |                                 |
public final class Mprotect {
    /// Make entries writable at once where a write fault would do no more than that.
    static final int MM_CP_TRY_CHANGE_WRITABLE = 1;

    /// NUMA hinting: the next access is to fault.
    static final int MM_CP_PROT_NUMA = 1 << 1;

    /// Write-protect for a userfaultfd, or undo that.
    static final int MM_CP_UFFD_WP = 1 << 2;

    static final int MM_CP_UFFD_WP_RESOLVE = 1 << 3;

    private final Kernel kernel;
    private final Geometry geometry;
    private final Pgtable pgtable;
    private final MmuNotifier notifier;
    private final MprotectPtes ptes;

    Mprotect(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
        this.notifier = kernel.mmuNotifier();
        this.ptes = new MprotectPtes(kernel);
    }

    /// What is changed in which VMA.
    ///
    /// @param newprot the protection that entries get, where nothing speaks against it
    /// @param cpFlags `MM_CP_…`
    record Change(MmuGather tlb, Vma vma, long newprot, int cpFlags) {
        boolean has(int flag) {
            return (cpFlags & flag) != 0;
        }

        /// `entry` with the mark of a userfaultfd as is asked for.
        long markUffd(long entry) {
            return has(MM_CP_UFFD_WP)
                    ? Entry.mkuffd(entry)
                    : has(MM_CP_UFFD_WP_RESOLVE) ? Entry.clearUffd(entry) : entry;
        }

        /// The same for an entry that is not present.
        long markSoftleafUffd(long entry) {
            return has(MM_CP_UFFD_WP)
                    ? Entry.swpMkuffd(entry)
                    : has(MM_CP_UFFD_WP_RESOLVE) ? Entry.clearUffd(entry) : entry;
        }

        /// mm/mprotect.c: pgtable_populate_needed(). Whether there must be tables for markers.
        boolean populateNeeded() {
            return has(MM_CP_UFFD_WP) && vma.userfaultfdWpUseMarkers();
        }

        /// mm/mprotect.c: pgtable_split_needed(). Huge pages of files cannot be marked.
        boolean splitNeeded() {
            return has(MM_CP_UFFD_WP) && !vma.isAnonymous();
        }
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
        VmaMerge.Change change = VmaMerge.Change.ofFlags(vma, start, end, fresh);
        VmaSplit.Modified modified = kernel.vmaSplit().vmaModify(change);
        Vma part = modified.vma();
        if (part == null) {
            return modified.error();
        }
        kernel.vmaLock().vmaStartWrite(part);
        part.flags.writeOnce(fresh);
        int cpFlags = wantsManualWriteUpgrade(part) ? MM_CP_TRY_CHANGE_WRITABLE : 0;
        changeProtection(tlb, part, start, end, cpFlags);
        return 0;
    }

    /// include/linux/mm.h: vma_wants_manual_pte_write_upgrade(). Whether entries of the VMA are not
    /// writable from the beginning although it is.
    static boolean wantsManualWriteUpgrade(Vma vma) {
        long flags = vma.flags();
        return (flags & Vma.VM_SHARED) != 0
                ? Vma.wantsWritenotify(flags)
                : (flags & Vma.VM_WRITE) != 0;
    }

    /// mm/mprotect.c: change_protection(). Entries get what the VMA says by now, or with
    /// `MM_CP_PROT_NUMA` nobody may access. The mmap lock is held, for writing except for NUMA
    /// hinting. Returns the number of pages whose entries were changed, or a negative error number.
    long changeProtection(MmuGather tlb, Vma vma, long start, long end, int cpFlags) {
        boolean numa = (cpFlags & MM_CP_PROT_NUMA) != 0;
        long newprot = numa ? Entry.PAGE_NONE : Vma.pageProt(vma.flags());
        Change change = new Change(tlb, vma, newprot, cpFlags);
        return vma.isHugetlb()
                ? kernel.hugetlb().protect().changeProtection(change, start, end)
                : changeProtectionRange(change, start, end);
    }

    /// mm/mprotect.c: change_protection_range().
    private long changeProtectionRange(Change change, long start, long end) {
        long pages = 0;
        long addr = start;
        do {
            long next = geometry.addrEnd(Geometry.PGD, addr, end);
            Word pgd = pgtable.pgdOffset(change.vma().mm(), addr);
            if (!prepare(change, Geometry.P4D, pgd, addr)) {
                pages = -Errno.ENOMEM;
                break;
            }
            if (!pgtable.noneOrClearBad(Geometry.PGD, pgd)) {
                pages += changeP4dRange(change, pgd, addr, next);
            }
            addr = next;
        } while (addr != end);
        change.tlb().endVma();
        return pages;
    }

    /// mm/mprotect.c: change_p4d_range().
    private long changeP4dRange(Change change, Word pgd, long start, long end) {
        long pages = 0;
        long addr = start;
        Word p4d = pgtable.offset(Geometry.P4D, pgd, addr);
        do {
            long next = geometry.addrEnd(Geometry.P4D, addr, end);
            if (!prepare(change, Geometry.PUD, p4d, addr)) {
                return -Errno.ENOMEM;
            }
            if (!pgtable.noneOrClearBad(Geometry.P4D, p4d)) {
                pages += changePudRange(change, p4d, addr, next);
            }
            addr = next;
            p4d = pgtable.sameTable(Geometry.P4D, p4d, addr);
        } while (addr != end);
        return pages;
    }

    /// mm/mprotect.c: change_pud_range(). Others are told from the first PUD on that is not none. A
    /// PUD is looked at again as long as others change it: splitting leaves none, but somebody may
    /// put in another leaf.
    private long changePudRange(Change change, Word p4d, long start, long end) {
        MmuNotifierRange range = null;
        long pages = 0;
        long addr = start;
        Word pudp = pgtable.offset(Geometry.PUD, p4d, addr);
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.PUD, addr, end);
            if (!prepare(change, Geometry.PMD, pudp, addr)) {
                pages = -Errno.ENOMEM;
                break;
            }
            long pud = pudp.readOnce(); // pudp_get()
            boolean table = geometry.folded(Geometry.PMD);
            if (table || !Entry.none(pud)) {
                if (range == null) {
                    range = notifier.range(Event.PROTECTION_VMA, change.vma().mm(), addr, end);
                    notifier.invalidateRangeStart(range);
                }
                if (table || !Entry.leaf(pud)) {
                    pages += changePmdRange(change, pudp, addr, next);
                } else {
                    long changed = changeHugePud(change, pudp, addr, next);
                    if (changed == 0) {
                        continue;
                    }
                    pages += changed > 1 ? changed : 0;
                }
            }
            addr = next;
            pudp = pgtable.sameTable(Geometry.PUD, pudp, addr);
        }
        if (range != null) {
            notifier.invalidateRangeEnd(range);
        }
        return pages;
    }

    /// mm/mprotect.c: change_prepare(). Where markers may be needed there must be tables for them.
    /// False where memory is out.
    private boolean prepare(Change change, int level, Word upper, long addr) {
        return !change.populateNeeded()
                || pgtable.allocBelow(level, change.vma().mm(), upper, addr) != null;
    }

    /// mm/mprotect.c: change_pmd_prepare(). The same for the PTE table.
    private boolean preparePmd(Change change, Word pmd) {
        return !change.populateNeeded() || pgtable.pteAlloc(change.vma().mm(), pmd);
    }

    /// The part of change_pud_range() for a PUD that was a leaf. 0 where it is to be looked at
    /// again, else what change_huge_pud() returns.
    private long changeHugePud(Change change, Word pudp, long addr, long next) {
        if (next - addr != geometry.size(Geometry.PUD)) {
            kernel.hugePud().splitHugePudSlow(change.vma(), pudp, addr);
            return 0;
        }
        return kernel.hugePud().changeHugePud(change, pudp, addr);
    }

    /// mm/mprotect.c: change_pmd_range().
    private long changePmdRange(Change change, Word pud, long start, long end) {
        long pages = 0;
        long addr = start;
        Word pmd = pgtable.offset(Geometry.PMD, pud, addr);
        while (addr != end) {
            long next = geometry.addrEnd(Geometry.PMD, addr, end);
            long changed = changePmd(change, pmd, addr, next);
            if (changed < 0) {
                return changed;
            }
            pages += changed;
            addr = next;
            pmd = pgtable.sameTable(Geometry.PMD, pmd, addr);
        }
        return pages;
    }

    /// One PMD of change_pmd_range(). It may change as long as it leads to no PTE table whose lock
    /// is held; then it is looked at again. Huge PMDs of files may be none after they have been
    /// split. -ENOMEM where memory is out.
    private long changePmd(Change change, Word pmd, long start, long end) {
        while (true) {
            if (!preparePmd(change, pmd)) {
                return -Errno.ENOMEM;
            }
            if (Entry.none(pmd.readPlain())) {
                return 0;
            }
            long value = kernel.pgtableGeneric().pmdpGetLockless(pmd);
            if (HugeMemory.pmdIsHuge(value)) {
                if (end - start != geometry.size(Geometry.PMD) || change.splitNeeded()) {
                    kernel.hugeMemory().splitHugePmd(change.vma(), pmd, start);
                    if (!preparePmd(change, pmd)) {
                        return -Errno.ENOMEM;
                    }
                } else {
                    int changed = kernel.hugeFork().changeHugePmd(change, pmd, start);
                    if (changed != 0) {
                        return changed > 1 ? changed : 0;
                    }
                }
            }
            long pages = ptes.changePteRange(change, pmd, start, end);
            if (pages >= 0) {
                return pages;
            }
        }
    }

    /// mm/mprotect.c: can_change_pte_writable(); mm/huge_memory.c: can_change_pmd_writable().
    /// Whether an entry of a writable VMA may be made writable at once. The lock of its table is
    /// held.
    boolean canChangeWritable(Vma vma, long entry) {
        if (!maybeChangeWritable(vma, entry)) {
            return false;
        }
        if ((vma.flags() & Vma.VM_SHARED) != 0) {
            return Entry.dirty(entry);
        }
        Page page = kernel.memMap().vmNormalPage(entry);
        return page != null && kernel.memMap().pageFolio(page).isAnon() && page.anonExclusive();
    }

    /// mm/mprotect.c: maybe_change_pte_writable().
    boolean maybeChangeWritable(Vma vma, long entry) {
        boolean never = (vma.flags() & Vma.VM_WRITE) == 0;
        return !kernel.warnOn(never, "an entry of a read-only VMA is to be writable")
                && !Entry.protnone(entry)
                && !vma.userfaultfdEntryWp(entry);
    }
}
