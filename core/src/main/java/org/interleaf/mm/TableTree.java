// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// Where each page table hangs: in which address space, and for which addresses. Looked at from
/// outside, as by {@link Inspect}, and kept by whoever hears of every change of an entry; the
/// kernel itself does not know it.
public final class TableTree {
    private final Geometry geometry;
    private final MemMap memMap;

    TableTree(Geometry geometry, MemMap memMap) {
        this.geometry = geometry;
        this.memMap = memMap;
    }

    /// Takes note that an entry of `table` has changed from `before` to `after`.
    public void changed(PageTable table, Word entry, long before, long after) {
        if (table.level() == Geometry.PTE) {
            return;
        }
        if (Entry.isTable(before)) {
            memMap.table(Entry.pfn(before)).unhang(table, entry);
        }
        if (Entry.isTable(after)) {
            memMap.table(Entry.pfn(after)).hang(table, entry);
        }
    }

    /// The address space that the table is part of, or one of those that share it; null where no
    /// entry leads to it: it is new, deposited, or unhooked.
    public @Nullable MmStruct mmOf(PageTable table) {
        PageTable at = table;
        while (at != null) {
            MmStruct mm = at.topOf();
            if (mm != null) {
                return mm;
            }
            at = parent(at);
        }
        return null;
    }

    /// The first address that entry `index` of a table that hangs somewhere maps.
    public long start(PageTable table, int index) {
        PageTable at = table;
        int i = index;
        long start = 0;
        while (at != null) {
            start += (long) i << geometry.shift(at.level());
            i = PageTable.parentIndex(at.parent());
            at = parent(at);
        }
        return start;
    }

    /// Whether the address space has a VMA with a part in `[start, end)` that somebody can find: if
    /// not, nobody can look for anything there but those who unmap it.
    public boolean hasVma(MmStruct mm, long start, long end) {
        VmaTree tree = mm.vmas.peek();
        Vma vma = tree == null ? null : tree.firstIn(start, end);
        while (tree != null && vma != null) {
            if (!isHidden(vma)) {
                return true;
            }
            vma = tree.nextIn(vma, end);
        }
        return false;
    }

    /// Whether the VMA is on its way out: detached, as what a new mapping replaces is while it is
    /// still in the tree, or write-locked and unknown to rmap, as when a process exits.
    private static boolean isHidden(Vma vma) {
        boolean writeLocked = vma.lockSeq.peek() == vma.mm().mmLockSeq.peek();
        VmaList list = vma.isAnonymous() ? null : vma.inode().mmap.peek();
        boolean inRmap = vma.anonVma.peek() != null || list != null && list.vmas().contains(vma);
        return vma.refcnt.peek() == 0 || writeLocked && !inRmap;
    }

    private @Nullable PageTable parent(PageTable table) {
        long parent = table.parent();
        return parent == PageTable.NO_PARENT ? null : memMap.table(PageTable.parentPfn(parent));
    }
}
