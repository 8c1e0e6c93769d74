// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

/// Where memory may be collapsed to huge pages (thp_vma_allowable_order() of mm/huge_memory.c).
final class ThpAllowable {
    private final Kernel kernel;
    private final Geometry geometry;

    ThpAllowable(Kernel kernel) {
        this.kernel = kernel;
        this.geometry = kernel.geometry();
    }

    /// mm/huge_memory.c: __thp_vma_allowable_orders() with `TVA_KHUGEPAGED` or, where `forced`,
    /// `TVA_FORCED_COLLAPSE`. Whether the VMA has room for a huge page and may have one; where
    /// forced it need not be wanted, only not be refused.
    boolean collapseAllowable(Vma vma, boolean forced) {
        if (!kernel.arch().thp()) {
            return false;
        }
        if (vma.isAnonymous()) {
            return forced
                    ? (vma.flags() & Vma.VM_NOHUGEPAGE) == 0
                    : kernel.hugeMemory().thpAnonAllowable(vma);
        }
        if (!vma.isShmem() || (vma.flags() & Vma.VM_NOHUGEPAGE) != 0) {
            return false;
        }
        long last = vma.end() - geometry.size(Geometry.PMD);
        return kernel.hugeMemory().thpVmaSuitable(vma, last)
                && kernel.shmem()
                        .allowableHuge((ShmemInode) vma.inode(), vma, vma.pgoff(), 0, forced);
    }
}
