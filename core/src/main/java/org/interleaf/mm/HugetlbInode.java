// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.jspecify.annotations.Nullable;

/// `struct hugetlbfs_inode_info` (include/linux/hugetlb.h): a file of huge pages.
public final class HugetlbInode extends Inode {
    private final Hugetlbfs hugetlbfs;
    private static final String RWSEM_CLASS = "&sb->s_type->i_mutex_key#2";

    private final Hstate hstate;
    private final @Nullable Subpool subpool;
    private final ResvMap resvMap;

    HugetlbInode(
            Machine machine,
            Hugetlbfs hugetlbfs,
            String name,
            long size,
            Hstate hstate,
            @Nullable Subpool subpool) {
        super(machine, name, size, RWSEM_CLASS, "&hugetlbfs_i_mmap_rwsem_key");
        this.hugetlbfs = hugetlbfs;
        this.hstate = hstate;
        this.subpool = subpool;
        this.resvMap = new ResvMap(machine);
    }

    /// `hstate_inode()`.
    public Hstate hstate() {
        return hstate;
    }

    /// `subpool_inode()`.
    @Nullable Subpool subpool() {
        return subpool;
    }

    /// `inode_resv_map()`.
    ResvMap resvMap() {
        return resvMap;
    }

    /// Reservations that the file holds and that no page of it has used up; looked at from outside.
    public long peekReserved() {
        return resvMap.peekAlive() ? resvMap.peekCount(0, Long.MAX_VALUE) - peekCached() : 0;
    }

    /// Its page cache is indexed in huge pages.
    @Override
    public long peekPfn(long index) {
        long[] found = {-1};
        long within = index & (hstate.pages() - 1);
        peekCache(
                (huge, pfn) -> {
                    if (huge == index >> hstate.order()) {
                        found[0] = pfn + within;
                    }
                });
        return found[0];
    }

    /// hugetlb sees to its VMAs itself.
    @Override
    VmOps vmOps() {
        throw new AssertionError("[interleaf internal] hugetlb has come to core-mm");
    }

    @Override
    void evict() {
        hugetlbfs.evictInode(this);
    }
}
