// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;

import java.util.ArrayList;
import java.util.List;

/// Finding the VMAs that map a part of a file (mm/vma.c, mm/interval_tree.c). The tree changes
/// under `i_mmap_rwsem` held for writing, and is searched with it held in some mode.
final class MappingRmap {
    private final Machine machine;
    private final Geometry geometry;

    MappingRmap(Machine machine, Geometry geometry) {
        this.machine = machine;
        this.geometry = geometry;
    }

    /// mm/vma.c: vma_link_file(). Rmap finds the VMA from now on.
    void vmaLinkFile(Vma vma) {
        Inode inode = vma.inode();
        inode.mmapRwsem().downWrite();
        insert(vma);
        inode.mmapRwsem().upWrite();
    }

    /// mm/vma.c: unlink_file_vma_batch_add(), unlink_file_vma_batch_final(), one VMA at a time.
    /// Rmap does not find the VMA any more.
    void unlinkFileVma(Vma vma) {
        Inode inode = vma.inode();
        inode.mmapRwsem().downWrite();
        remove(vma);
        inode.mmapRwsem().upWrite();
    }

    /// mm/interval_tree.c: mapping_rmap_tree_insert(). The lock is held for writing.
    void insert(Vma vma) {
        Inode inode = vma.inode();
        VmaList list = inode.mmap.read(Order.PLAIN);
        VmaList more = list == null ? new VmaList(machine, List.of(vma)) : list.plus(machine, vma);
        inode.mmap.write(more, Order.PLAIN);
    }

    /// mm/interval_tree.c: mapping_rmap_tree_remove(). The lock is held for writing.
    void remove(Vma vma) {
        Inode inode = vma.inode();
        inode.mmap.write(inode.mmap.readPlainNonNull().minus(machine, vma), Order.PLAIN);
    }

    /// include/linux/fs.h: mapping_mapped().
    boolean mappingMapped(Inode inode) {
        VmaList list = inode.mmap.readOnce();
        return list != null && !list.vmas().isEmpty();
    }

    /// mm/interval_tree.c: mapping_rmap_tree_foreach(). The VMAs with a page from `first` to `last`
    /// of the file. The lock is held in some mode.
    List<Vma> vmas(Inode inode, long first, long last) {
        List<Vma> hits = new ArrayList<>();
        VmaList list = inode.mmap.read(Order.PLAIN);
        if (list != null) {
            for (Vma vma : list.vmas()) {
                long pgoff = vma.pgoff();
                long pages = (vma.end() - vma.start()) >> geometry.pageShift();
                if (pgoff <= last && pgoff + pages > first) {
                    hits.add(vma);
                }
            }
        }
        return hits;
    }
}
