// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.LockClasses;
import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.interleaf.mm.MmuNotifierRange.Event;
import org.jspecify.annotations.Nullable;

/// Copying page tables for fork (copy_page_range() of mm/memory.c). Of anonymous memory parent and
/// child map the same pages read-only, except for pages that may be pinned, of which the child gets
/// copies at once. Memory without `struct page`s is copied as it is.
///
/// # Locking
///
/// The parent's VMA is write-locked, so its tables stay; entries change under the locks of both
/// tables, the child's first.
final class CopyPageRange {
    private final Kernel kernel;
    private final Geometry geometry;
    private final Pgtable pgtable;

    CopyPageRange(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
        this.pgtable = kernel.pgtable();
    }

    /// mm/memory.c: copy_page_range(). Copies what the parent's `src` maps to its copy `dst`,
    /// unless faults will find it as well. False where memory is out.
    boolean copy(Vma dst, Vma src) {
        if (!vmaNeedsCopy(dst, src)) {
            return true;
        }
        if (src.isHugetlb()) {
            return kernel.hugetlb().fork().copyHugetlbPageRange(dst, src);
        }
        MmStruct mm = src.mm();
        boolean copied = true;
        long addr = src.start();
        long end = src.end();
        MmuNotifierRange range = kernel.mmuNotifier().range(Event.PROTECTION_PAGE, mm, addr, end);
        boolean cow = Vma.isCowMapping(src.flags());
        if (cow) {
            kernel.mmuNotifier().invalidateRangeStart(range);
            kernel.vmaLock().assertWriteLocked(src);
            mm.writeProtectSeq().writeBegin();
        }
        while (copied && addr != end) {
            long next = geometry.addrEnd(Geometry.PGD, addr, end);
            Word pgd = pgtable.pgdOffset(mm, addr);
            if (!pgtable.noneOrClearBad(Geometry.PGD, pgd)) {
                copied = copyP4d(dst, src, pgd, addr, next);
            }
            addr = next;
        }
        if (cow) {
            mm.writeProtectSeq().writeEnd();
            kernel.mmuNotifier().invalidateRangeEnd(range);
        }
        return copied;
    }

    /// mm/memory.c: vma_needs_copy(). Whether there is what faults could not find again.
    private static boolean vmaNeedsCopy(Vma dst, Vma src) {
        // VM_COPY_ON_FORK
        return (dst.flags() & (Vma.VM_PFNMAP | Vma.VM_UFFD_WP)) != 0
                || src.anonVma.read(Order.PLAIN) != null;
    }

    /// mm/memory.c: copy_p4d_range(), copy_pud_range() down to the PMDs.
    private boolean copyP4d(Vma dst, Vma src, Word pgd, long start, long end) {
        Word p4d = pgtable.offset(Geometry.P4D, pgd, start);
        for (long addr = start; addr != end; ) {
            long next = geometry.addrEnd(Geometry.P4D, addr, end);
            p4d = pgtable.sameTable(Geometry.P4D, p4d, addr);
            if (!pgtable.noneOrClearBad(Geometry.P4D, p4d) && !copyPud(dst, src, p4d, addr, next)) {
                return false;
            }
            addr = next;
        }
        return true;
    }

    /// mm/memory.c: copy_pud_range().
    private boolean copyPud(Vma dst, Vma src, Word p4d, long start, long end) {
        Word pud = pgtable.offset(Geometry.PUD, p4d, start);
        for (long addr = start; addr != end; ) {
            long next = geometry.addrEnd(Geometry.PUD, addr, end);
            pud = pgtable.sameTable(Geometry.PUD, pud, addr);
            int huge = copyIfHugePud(dst, src, pud, addr);
            if (huge == -Errno.ENOMEM) {
                return false;
            }
            if (huge != 0
                    && !pgtable.pudNoneOrClearBad(pud)
                    && !copyPmd(dst, src, pud, addr, next)) {
                return false;
            }
            addr = next;
        }
        return true;
    }

    /// The part of copy_pud_range() for a huge PUD. 0 where it has been copied, -EAGAIN where there
    /// is none, -ENOMEM.
    private int copyIfHugePud(Vma dst, Vma src, Word srcPud, long addr) {
        if (!kernel.hugePud().pudTransHuge(srcPud)) {
            return -Errno.EAGAIN;
        }
        Word dstPud = pgtable.alloc(Geometry.PUD, dst.mm(), addr);
        return dstPud == null
                ? -Errno.ENOMEM
                : kernel.hugePud().copyHugePud(dst, src, dstPud, srcPud);
    }

    /// mm/memory.c: copy_pmd_range().
    private boolean copyPmd(Vma dst, Vma src, Word pud, long start, long end) {
        Word srcPmd = pgtable.offset(Geometry.PMD, pud, start);
        for (long addr = start; addr != end; ) {
            long next = geometry.addrEnd(Geometry.PMD, addr, end);
            srcPmd = pgtable.sameTable(Geometry.PMD, srcPmd, addr);
            Word dstPmd = pgtable.alloc(Geometry.PMD, dst.mm(), addr);
            if (dstPmd == null || !copyOnePmd(dst, src, dstPmd, srcPmd, addr, next)) {
                return false;
            }
            addr = next;
        }
        return true;
    }

    private boolean copyOnePmd(Vma dst, Vma src, Word dstPmd, Word srcPmd, long addr, long next) {
        if (HugeMemory.pmdIsHuge(srcPmd.readPlain())) {
            int ret = kernel.hugeFork().copyHugePmd(dst, src, dstPmd, srcPmd, addr);
            if (ret != -Errno.EAGAIN) {
                return ret == 0;
            }
        }
        return pgtable.noneOrClearBad(Geometry.PMD, srcPmd)
                || copyPtes(dst, src, dstPmd, srcPmd, addr, next);
    }

    /// mm/memory.c: copy_pte_range(). Pages that must be copied are allocated without the locks.
    private boolean copyPtes(Vma dst, Vma src, Word dstPmd, Word srcPmd, long start, long end) {
        long addr = start;
        Folio prealloc = null;
        while (addr != end) {
            if (!pgtable.pteAlloc(dst.mm(), dstPmd)) { // pte_alloc_map_lock()
                return put(prealloc);
            }
            PteMapping to = kernel.pgtableGeneric().pteOffsetMapLock(dst.mm(), dstPmd, addr);
            if (to == null) {
                return put(prealloc);
            }
            PteMapping from = kernel.pgtableGeneric().pteOffsetMapNolock(src.mm(), srcPmd, addr);
            if (from == null) {
                to.unmapUnlock();
                put(prealloc);
                return true;
            }
            boolean nested = lockNested(from.ptl(), to.ptl());
            int i = 0;
            boolean copying = true;
            while (copying && addr != end) {
                Outcome outcome = copyPte(dst, src, to.pte(i), from.pte(i), addr, prealloc);
                copying = outcome != Outcome.NEEDS_PAGE;
                if (outcome == Outcome.USED_PAGE) {
                    prealloc = null;
                }
                if (copying) {
                    addr += geometry.pageSize();
                    i++;
                }
            }
            if (nested) {
                from.ptl().unlock();
            }
            from.unmap();
            to.unmapUnlock();
            if (addr != end) {
                prealloc = kernel.anonFault().folioPrealloc(false);
                if (prealloc == null) {
                    return false;
                }
            }
        }
        put(prealloc);
        return true;
    }

    /// Drops a page that was not needed; false.
    private boolean put(@Nullable Folio folio) {
        if (folio != null) {
            kernel.swap().folioPut(folio);
        }
        return false;
    }

    private enum Outcome {
        DONE,
        /// The preallocated page is mapped now.
        USED_PAGE,
        /// A page must be allocated first.
        NEEDS_PAGE
    }

    /// mm/memory.c: copy_present_ptes(), for one entry, which may be none. Both locks are held.
    private Outcome copyPte(
            Vma dst, Vma src, Word to, Word from, long addr, @Nullable Folio prealloc) {
        long pte = from.readOnce();
        if (Entry.none(pte)) {
            return Outcome.DONE;
        }
        if (!Entry.ptePresent(pte)) {
            kernel.nonpresentPtes().copyNonpresentPte(dst, to, from);
            return Outcome.DONE;
        }
        if (!Entry.special(pte)) {
            Page page = kernel.memMap().page(Entry.pfn(pte));
            Folio folio = kernel.memMap().pageFolio(page);
            folio.get();
            if (!folio.isAnon()) {
                kernel.rmap().folioDupFileRmapPte(folio, page);
            } else if (!kernel.rmap().folioTryDupAnonRmapPte(folio, page, src)) {
                kernel.swap().folioPut(folio);
                return copyPresentPage(dst, to, from, page, addr, prealloc);
            }
        }
        long copy = dst.userfaultfdWp() ? pte : Entry.clearUffd(pte);
        if (Vma.isCowMapping(src.flags()) && Entry.write(pte)) { // __copy_present_ptes()
            from.fetchAnd(~Entry.WRITE, Order.RELAXED);
            copy = Entry.wrprotect(copy);
        }
        if ((src.flags() & Vma.VM_SHARED) != 0) {
            copy = Entry.mkclean(copy);
        }
        kernel.entries().setPte(to, Entry.mkold(copy));
        return Outcome.DONE;
    }

    /// mm/memory.c: copy_present_page(). The child gets a page of its own.
    private Outcome copyPresentPage(
            Vma dst, Word to, Word from, Page page, long addr, @Nullable Folio fresh) {
        if (fresh == null) {
            return Outcome.NEEDS_PAGE;
        }
        kernel.highmem().copyPage(fresh.pfn(), page.pfn());
        fresh.markUptodate();
        kernel.rmap().folioAddNewAnonRmap(fresh, dst, addr);
        kernel.swap().folioAddLru(fresh);
        long pte = Entry.mkdirty(Entry.make(fresh.pfn(), AnonFault.PAGE_PROT));
        boolean write = (dst.flags() & Vma.VM_WRITE) != 0;
        pte = write ? Entry.mkwrite(pte) : pte;
        if (dst.userfaultfdWp() && Entry.uffd(from.readOnce())) {
            pte = Entry.mkuffd(pte);
        }
        kernel.entries().setPte(to, pte);
        return Outcome.USED_PAGE;
    }

    /// `spin_lock_nested()` where the lock is another than the one that is held.
    static boolean lockNested(SpinLock lock, SpinLock held) {
        if (lock == held) {
            return false;
        }
        lock.lockNested(LockClasses.SINGLE_DEPTH_NESTING);
        return true;
    }
}
