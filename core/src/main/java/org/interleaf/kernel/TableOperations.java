// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.kernel;

import org.interleaf.litmus.vocabulary.CallSite;
import org.interleaf.litmus.vocabulary.Callable;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Word;
import org.interleaf.mm.Entry;
import org.interleaf.mm.Errno;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.PageVmaMappedWalk;
import org.interleaf.mm.ScanResult;
import org.interleaf.mm.Vma;

import java.util.Map;

/// Operations of the kernel on page tables, and looks at them for final conditions.
final class TableOperations {
    private final Kernel kernel;
    private final Processes processes;
    private final PagePointers pages;

    private TableOperations(Kernel kernel, Processes processes, PagePointers pages) {
        this.kernel = kernel;
        this.processes = processes;
        this.pages = pages;
    }

    static void addTo(
            Map<String, Callable> functions,
            Kernel kernel,
            Processes processes,
            PagePointers pages) {
        TableOperations ops = new TableOperations(kernel, processes, pages);
        functions.put("collapse_huge_page", Operation.of(1, Types.INT, ops::collapse));
        functions.put("khugepaged_scan", Operation.of(1, Types.INT, ops::scan));
        functions.put("page_mapped_in_vma", Operation.of(2, Types.LONG, ops::mappedInVma));
        functions.put("split_huge_pmd", Operation.of(1, Types.VOID, ops::split));
        functions.put("split_huge_pud", Operation.of(1, Types.VOID, ops::splitPud));
        functions.put(
                "task_numa_work",
                Operation.of(0, Types.LONG, ops::taskNumaWork).checkedBy(ops::checkNumaBalancing));
        functions.put("ptdump", Operation.of(0, Types.VOID, ops::ptdump));
        functions.put("mapped_page", Operation.look(1, PagePointers.STRUCT_PAGE, ops::mapped));
        functions.put("pud_page", Operation.look(1, PagePointers.STRUCT_PAGE, ops::pudPage));
        functions.put("pmd_trans_huge", Operation.look(1, Types.INT, ops::pmdTransHuge));
        functions.put("pud_trans_huge", Operation.look(1, Types.INT, ops::pudTransHuge));
        functions.put("pte_uffd", Operation.look(1, Types.INT, ops::pteUffd));
    }

    /// 1 where the range was collapsed, 0 where khugepaged gave up.
    private long collapse(CallSite site, long[] args) {
        return kernel.khugepaged().collapseHugePage(processes.mm(), args[0]) == ScanResult.SUCCEED
                ? 1
                : 0;
    }

    private long scan(CallSite site, long[] args) {
        long start = args[0] & -kernel.geometry().size(Geometry.PMD);
        return kernel.khugepaged().khugepagedScan(processes.mm(), start) == ScanResult.SUCCEED
                ? 1
                : 0;
    }

    /// `page_mapped_in_vma(page, address)`: where the mapping at the address maps the page; -EFAULT
    /// where it does not. Under the mmap lock in place of the rmap lock.
    private long mappedInVma(CallSite site, long[] args) {
        kernel.mmapLock().readLock(processes.mm());
        Vma vma = kernel.mmap().vmaLookup(processes.mm(), args[1]);
        long at = -Errno.EFAULT;
        if (vma != null) {
            at = PageVmaMappedWalk.pageMappedInVma(kernel, pages.page(site, args[0]), vma);
        }
        kernel.mmapLock().readUnlock(processes.mm());
        return at;
    }

    /// With the mmap lock held for reading, as its callers in the kernel hold at least.
    private long split(CallSite site, long[] args) {
        kernel.mmapLock().readLock(processes.mm());
        Vma vma = kernel.mmap().findVma(processes.mm(), args[0]);
        if (vma != null && args[0] >= vma.start()) {
            Word pmd = kernel.pgtable().mmFindPmd(processes.mm(), args[0]);
            if (pmd != null) {
                kernel.hugeMemory().splitHugePmd(vma, pmd, args[0]);
            }
        }
        kernel.mmapLock().readUnlock(processes.mm());
        return 0;
    }

    /// The same for a huge PUD.
    private long splitPud(CallSite site, long[] args) {
        kernel.mmapLock().readLock(processes.mm());
        Vma vma = kernel.mmap().findVma(processes.mm(), args[0]);
        if (vma != null && args[0] >= vma.start()) {
            Word pud = kernel.pgtable().find(Geometry.PUD, processes.mm(), args[0]);
            if (pud != null) {
                kernel.hugePud().splitHugePud(vma, pud, args[0]);
            }
        }
        kernel.mmapLock().readUnlock(processes.mm());
        return 0;
    }

    /// The number of pages whose next access faults.
    private long taskNumaWork(CallSite site, long[] args) {
        return kernel.taskNuma().taskNumaWork(processes.mm());
    }

    private void checkNumaBalancing(CallSite site) {
        if (!kernel.arch().numaBalancing()) {
            throw site.error(
                    kernel.arch().name() + " without NUMA balancing has no task_numa_work()",
                    "x86-64, arm64, powerpc-radix, s390 and riscv64 have it, with SMP");
        }
    }

    private long pudTransHuge(CallSite site, long[] args) {
        long pud = kernel.inspect().entry(processes.mm(), Geometry.PUD, args[0]);
        return kernel.hugePud().pudTransHuge(pud) ? 1 : 0;
    }

    /// Reads the process' tables for a dump, which goes nowhere.
    private long ptdump(CallSite site, long[] args) {
        kernel.ptdump().walkPgd(processes.mm());
        return 0;
    }

    /// The page that the process has at an address in the end; NULL where it has none.
    private long mapped(CallSite site, long[] args) {
        long pfn = kernel.inspect().mappedPfn(processes.mm(), args[0]);
        return pfn < 0 ? 0 : pages.pointer(kernel.memMap().page(pfn));
    }

    /// The page of the PMD table for an address; NULL where there is none.
    private long pudPage(CallSite site, long[] args) {
        long pud = kernel.inspect().entry(processes.mm(), Geometry.PUD, args[0]);
        return Entry.isTable(pud) ? pages.pointer(kernel.memMap().page(Entry.pfn(pud))) : 0;
    }

    private long pmdTransHuge(CallSite site, long[] args) {
        return Entry.leaf(kernel.inspect().entry(processes.mm(), Geometry.PMD, args[0])) ? 1 : 0;
    }

    /// Whether the page, mapped or not, is write-protected for a userfaultfd.
    private long pteUffd(CallSite site, long[] args) {
        long entry = kernel.inspect().leaf(processes.mm(), args[0]);
        return Entry.uffd(entry) || Entry.isUffdWpMarker(entry) ? 1 : 0;
    }
}
