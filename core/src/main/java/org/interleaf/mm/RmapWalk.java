// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Order;
import org.interleaf.machine.RwSem;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/// Finding the VMAs that map a folio (the walks of mm/rmap.c).
///
/// # Locking
///
/// The folio is locked, so its mapping and index stay: MOVE changes them under that lock. The VMAs
/// of anonymous folios are found under the lock of their anon_vma, those of a file's under
/// `i_mmap_rwsem`. VMAs come in the order of their offsets, those of one offset in the order in
/// which they were linked: who moves entries to a VMA that comes later is not missed.
final class RmapWalk {
    private final Kernel kernel;

    RmapWalk(Kernel kernel) {
        this.kernel = kernel;
    }

    /// mm/rmap.c: rmap_walk(). Visits the VMAs that map the folio, which is locked; takes the rmap
    /// lock for reading.
    void rmapWalk(Folio folio, RmapWalkControl rwc) {
        if (folio.isAnon()) {
            rmapWalkAnon(folio, rwc, false);
        } else {
            rmapWalkFile(folio, rwc, false);
        }
    }

    /// mm/rmap.c: rmap_walk_locked(). The same for those who hold the rmap lock in some mode.
    void rmapWalkLocked(Folio folio, RmapWalkControl rwc) {
        if (folio.isAnon()) {
            rmapWalkAnon(folio, rwc, true);
        } else {
            rmapWalkFile(folio, rwc, true);
        }
    }

    /// mm/rmap.c: folio_not_mapped().
    boolean folioNotMapped(Folio folio) {
        return !kernel.rmap().folioMapped(folio);
    }

    /// mm/rmap.c: folio_anon_vma(). That of a folio that is anonymous.
    @Nullable AnonVma folioAnonVma(Folio folio) {
        long mapping = folio.mapping.readPlain();
        return Folio.isAnonMapping(mapping) ? (AnonVma) resolve(mapping) : null;
    }

    private @Nullable Object resolve(long mapping) {
        return kernel.machine().heap().resolve(mapping >> 1);
    }

    /// mm/rmap.c: rmap_walk_anon().
    private void rmapWalkAnon(Folio folio, RmapWalkControl rwc, boolean locked) {
        kernel.anonVmas().assertLocked(folio);
        AnonVma anonVma = locked ? folioAnonVma(folio) : rmapWalkAnonLock(folio, rwc);
        if (anonVma == null) {
            return;
        }
        long first = folio.index.readPlain();
        int nr = folio.nrPages();
        VmaList tree = anonVma.vmas.read(Order.PLAIN);
        if (tree != null) {
            visit(folio, inRange(tree.vmas(), first, nr), first, nr, rwc);
        }
        if (!locked) {
            anonVma.rwsem().upRead();
        }
    }

    /// mm/rmap.c: rmap_walk_anon_lock(). Those who have a reference to the anon_vma need not know
    /// that the folio is mapped.
    private @Nullable AnonVma rmapWalkAnonLock(Folio folio, RmapWalkControl rwc) {
        RmapWalkControl.AnonLock own = rwc.anonLock();
        if (own != null) {
            return own.lock(folio, rwc);
        }
        AnonVma anonVma = folioAnonVma(folio);
        return anonVma != null && lockRead(anonVma.rwsem(), rwc) ? anonVma : null;
    }

    /// Takes the lock for reading; false where `rwc` does not want to wait for it.
    private static boolean lockRead(RwSem rwsem, RmapWalkControl rwc) {
        if (rwsem.downReadTrylock()) {
            return true;
        }
        if (rwc.triesLock()) {
            rwc.setContended();
            return false;
        }
        rwsem.downRead();
        return true;
    }

    /// mm/rmap.c: rmap_walk_file(), __rmap_walk_file().
    private void rmapWalkFile(Folio folio, RmapWalkControl rwc, boolean locked) {
        kernel.anonVmas().assertLocked(folio);
        if (folio.mapping.readPlain() == 0) {
            return;
        }
        Inode inode = (Inode) Objects.requireNonNull(resolve(folio.mapping.readPlain()));
        long first = folio.index.readPlain();
        int nr = folio.nrPages();
        if (!locked && !lockRead(inode.mmapRwsem(), rwc)) {
            return;
        }
        VmaList tree = inode.mmap.read(Order.PLAIN);
        if (tree != null) {
            visit(folio, inRange(tree.vmas(), first, nr), first, nr, rwc);
        }
        if (!locked) {
            inode.mmapRwsem().upRead();
        }
    }

    private void visit(Folio folio, List<Vma> vmas, long first, int nr, RmapWalkControl rwc) {
        for (Vma vma : vmas) {
            if (!rwc.visit(folio, vma, vmaAddress(vma, first, nr))) {
                return;
            }
        }
    }

    /// anon_rmap_tree_foreach(), mapping_rmap_tree_foreach() (mm/interval_tree.c): the VMAs of a
    /// tree with one of `nr` pages from `first` on. The tree has copies of what is looked at here.
    private List<Vma> inRange(List<Vma> tree, long first, int nr) {
        List<Vma> hits = new ArrayList<>();
        for (Vma vma : tree) {
            long bytes = vma.end.peek() - vma.start.peek();
            long pgoff = vma.pgoff.peek();
            long pages = bytes >> kernel.geometry().pageShift();
            if (pgoff < first + nr && first < pgoff + pages) {
                hits.add(vma);
            }
        }
        hits.sort(Comparator.comparingLong(vma -> vma.pgoff.peek()));
        return hits;
    }

    /// mm/internal.h: vma_address(). Where the VMA has the first that it can have of `nr` pages
    /// from `pgoff` on; -EFAULT where it has none.
    long vmaAddress(Vma vma, long pgoff, int nr) {
        long vmPgoff = vma.pgoff();
        if (pgoff >= vmPgoff) {
            long start = vma.start();
            long addr = start + ((pgoff - vmPgoff) << kernel.geometry().pageShift());
            return addr < start || addr >= vma.end() ? -Errno.EFAULT : addr;
        }
        return pgoff + nr - 1 >= vmPgoff ? vma.start() : -Errno.EFAULT;
    }
}
