// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// `struct hugetlbfs_inode_info` (include/linux/hugetlb.h): a file of huge pages.
public final class HugetlbInode extends Inode {
    private final Hugetlbfs hugetlbfs;
    private static final String RWSEM_CLASS = "&sb->s_type->i_mutex_key#2";

    private final Hstate hstate;
    private final @Nullable Subpool subpool;
    private final ResvMap resvMap;

    /// `i_nlink`: whether the file has a name.
    private final Word nlink;

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
        this.nlink = machine.word(null, this, "i_nlink", -1, 0);
    }

    /// The file has a name: see {@link #linked}. The reference that it was made with is the name's.
    void link() {
        nlink.writePlain(1);
    }

    /// Whether the file has a name.
    boolean linked() {
        return nlink.readOnce() != 0;
    }

    /// Takes the name away; false where it had none.
    boolean unlink() {
        return nlink.xchg(0, Order.FULL) != 0;
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
