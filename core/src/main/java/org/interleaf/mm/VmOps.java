// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// `struct vm_operations_struct` (include/linux/mm.h): what a file does for the VMAs that map it.
/// Nobody has `page_mkwrite` or `pfn_mkwrite`, so writes to read-only entries of shared memory are
/// seen to by core-mm alone.
interface VmOps {
    /// `->fault`: makes the page of the fault available, or maps it; a result of {@link VmFault}.
    /// The fault's lock is held.
    int fault(VmFault vmf);

    /// Whether there is a `->map_pages`, so that faults need not hold the mmap lock.
    default boolean hasMapPages() {
        return false;
    }

    /// `->map_pages`: maps what is in memory of pages `first` to `last` of the file; `NOPAGE` where
    /// the page of the fault is among it, 0 otherwise. In an RCU section.
    default int mapPages(VmFault vmf, long first, long last) {
        return 0;
    }

    /// Whether there is a `->huge_fault`.
    default boolean hasHugeFault() {
        return false;
    }

    /// `->huge_fault`: maps all that an entry of `level` would, around the address; `FALLBACK`
    /// where that cannot be. The fault's lock is held.
    default int hugeFault(VmFault vmf, int level) {
        return VmFault.FALLBACK;
    }

    /// `->may_split`: whether a VMA can be cut at `addr`: 0 or a negative error number.
    default int maySplit(Vma vma, long addr) {
        return 0;
    }
}
