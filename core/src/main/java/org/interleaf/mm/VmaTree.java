// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// The VMAs of an address space in order, as one version of the maple tree: it never changes,
/// writers put a new one in its place, and readers under RCU keep the one that they read.
final class VmaTree extends Shared {
    private final List<Vma> vmas;

    /// Copies of the bounds: the keys of the tree are its own, not fields of the VMAs.
    private final long[] starts;

    private final long[] ends;

    VmaTree(Machine machine, List<Vma> vmas) {
        super(machine);
        this.vmas = List.copyOf(vmas);
        starts = vmas.stream().mapToLong(v -> v.start.peek()).toArray();
        ends = vmas.stream().mapToLong(v -> v.end.peek()).toArray();
    }

    /// mm/mmap.c: find_vma(). The first VMA that ends after `addr`.
    @Nullable Vma find(long addr) {
        for (int i = 0; i < ends.length; i++) {
            if (addr < ends[i]) {
                return vmas.get(i);
            }
        }
        return null;
    }

    /// lib/maple_tree.c: mas_walk(). The VMA that contains `addr`.
    @Nullable Vma lookup(long addr) {
        for (int i = 0; i < ends.length; i++) {
            if (addr < ends[i]) {
                return addr >= starts[i] ? vmas.get(i) : null;
            }
        }
        return null;
    }

    /// include/linux/mm.h: vma_find(). The first VMA with a part in `[start, end)`.
    @Nullable Vma firstIn(long start, long end) {
        for (int i = 0; i < ends.length; i++) {
            if (start < ends[i]) {
                return starts[i] < end ? vmas.get(i) : null;
            }
        }
        return null;
    }

    /// include/linux/mm.h: vma_prev(). The VMA before one that is in the tree.
    @Nullable Vma previous(Vma vma) {
        int i = vmas.indexOf(vma);
        return i > 0 ? vmas.get(i - 1) : null;
    }

    /// include/linux/mm.h: vma_next(). The VMA after one that is in the tree.
    @Nullable Vma next(Vma vma) {
        int i = vmas.indexOf(vma) + 1;
        return i < vmas.size() ? vmas.get(i) : null;
    }

    /// The VMA after one that is in the tree, if it begins before `end`.
    @Nullable Vma nextIn(Vma vma, long end) {
        int i = vmas.indexOf(vma) + 1;
        return i < vmas.size() && starts[i] < end ? vmas.get(i) : null;
    }

    /// The VMAs, in the order of their addresses.
    List<Vma> vmas() {
        return vmas;
    }

    /// The VMAs without those in `gone` and with those in `fresh`.
    List<Vma> replaced(List<Vma> gone, List<Vma> fresh) {
        List<Vma> list = new ArrayList<>(vmas);
        list.removeAll(gone);
        list.addAll(fresh);
        list.sort((a, b) -> Long.compare(a.start.peek(), b.start.peek()));
        return list;
    }

    @Override
    public String toString() {
        return "tree of " + vmas;
    }
}
