// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.Objects;

/// Finding the entries that map a huge page of hugetlb (mm/rmap.c, mm/page_vma_mapped.c).
///
/// # Locking
///
/// The folio is locked, so its mapping stays. The VMAs of anonymous pages are found under the lock
/// of their anon_vma, which the walk takes for reading; those of a file's under `i_mmap_rwsem`,
/// which the caller holds for writing.
final class HugetlbRmap {
    private final Kernel kernel;

    HugetlbRmap(Kernel kernel) {
        this.kernel = kernel;
    }

    /// `rmap_one` of a `struct rmap_walk_control`.
    @FunctionalInterface
    interface RmapOne {
        /// What to do about a VMA that may map the folio at `addr`; false ends the walk.
        boolean visit(Vma vma, long addr);
    }

    /// mm/rmap.c: rmap_walk(), rmap_walk_locked(), as try_to_migrate() and try_to_unmap() call
    /// them: until the folio is not mapped any more.
    void walkWhileMapped(Folio folio, RmapOne one) {
        RmapOne until = (vma, addr) -> one.visit(vma, addr) && mapped(folio);
        if (folio.isAnon()) {
            AnonVma anonVma = kernel.anonVmas().folioLockAnonVmaRead(folio);
            if (anonVma != null) {
                walkAnon(anonVma, folio, until);
            }
        } else {
            visitFile(folio, until);
        }
    }

    /// mm/rmap.c: rmap_walk(), rmap_walk_locked(), as remove_migration_ptes() calls them: all VMAs,
    /// for a folio that nothing may map at this moment.
    void walkAll(Folio folio, RmapOne one) {
        if (folio.isAnon()) { // rmap_walk_anon_lock()
            AnonVma anonVma = (AnonVma) Objects.requireNonNull(mapping(folio.mapping.readOnce()));
            if (!anonVma.rwsem().downReadTrylock()) {
                anonVma.rwsem().downRead();
            }
            walkAnon(anonVma, folio, one);
        } else {
            visitFile(folio, one);
        }
    }

    private boolean mapped(Folio folio) {
        return kernel.rmap().folioMapcount(folio) > 0;
    }

    private @Nullable Object mapping(long word) {
        return kernel.machine().heap().resolve(word >> 1);
    }

    /// mm/rmap.c: rmap_walk_anon(), from where the lock is held.
    private void walkAnon(AnonVma anonVma, Folio folio, RmapOne one) {
        visitAnon(anonVma, folio, one);
        anonVma.rwsem().upRead();
    }

    /// mm/interval_tree.c: anon_rmap_tree_foreach(). The lock is held in some mode.
    void visitAnon(AnonVma anonVma, Folio folio, RmapOne one) {
        VmaList list = anonVma.vmas.read(Order.PLAIN);
        if (list != null) {
            walkVmas(list.vmas(), folio.index.readPlain(), one);
        }
    }

    /// mm/rmap.c: rmap_walk_file(), __rmap_walk_file(). `i_mmap_rwsem` is held in some mode.
    void visitFile(Folio folio, RmapOne one) {
        Inode inode = (Inode) mapping(folio.mapping.readPlain());
        if (inode != null) {
            long pgoff = folio.index.readPlain();
            walkVmas(kernel.mappingRmap().vmas(inode, pgoff, pgoff), pgoff, one);
        }
    }

    private void walkVmas(List<Vma> vmas, long pgoff, RmapOne one) {
        int pageShift = kernel.geometry().pageShift();
        for (Vma vma : vmas) {
            long offset = (pgoff - vma.pgoff()) << pageShift;
            long addr = vma.start() + offset;
            if (offset >= 0 && addr < vma.end() && !one.visit(vma, addr)) {
                return;
            }
        }
    }

    /// mm/rmap.c: folio_mapping(). The file that the folio is in the page cache of; null where it
    /// is in none.
    @Nullable Inode folioMapping(Folio folio) {
        long mapping = folio.mapping.readPlain();
        return Folio.isAnonMapping(mapping) ? null : (Inode) mapping(mapping);
    }

    /// mm/hugetlb.c: hugetlb_folio_mapping_lock_write(). The file of a locked folio, with its
    /// `i_mmap_rwsem` held for writing, which comes before the folio lock and so can only be tried;
    /// null where that was in vain.
    @Nullable Inode mappingLockWrite(Folio folio) {
        Inode inode = folioMapping(folio);
        return inode != null && inode.mmapRwsem().downWriteTrylock() ? inode : null;
    }

    /// mm/page_vma_mapped.c: page_vma_mapped_walk(), for hugetlb. The entry for `addr` with its
    /// lock held, if it maps the folio; null where it does not.
    @Nullable Word mappedEntry(Folio folio, Vma vma, long addr) {
        PageVmaMappedWalk pvmw = PageVmaMappedWalk.ofFolio(kernel, folio, vma, addr, 0);
        return pvmw.walk() ? pvmw.pte() : null;
    }

    /// The lock of an entry that was found by this.
    SpinLock lockOf(Vma vma, Word ptep) {
        return kernel.ptLocks().hugePteLockptr(HugetlbVmas.hstate(vma).size(), vma.mm(), ptep);
    }
}
