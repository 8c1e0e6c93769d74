// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Ref;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// `struct shmem_inode_info` (include/linux/shmem_fs.h): a file of tmpfs, or one without a name
/// behind a memfd or shared anonymous memory.
public final class ShmemInode extends Inode {
    private static final String RWSEM_CLASS = "&sb->s_type->i_mutex_key#3";

    private final Shmem shmem;
    private final XArray pages;
    private final SpinLock infoLock;

    /// `i_mapping->nrpages`. Changed under `xa_lock`.
    final Word nrpages;

    /// `info->alloced`: pages that are accounted to the file. Changed under {@link #infoLock}.
    final Word alloced;

    /// `info->fallocend`: up to which page the file has been preallocated.
    final Word fallocend;

    /// `i_private`: a hole that is being punched, or a range that is being preallocated. Changed
    /// under `i_lock`.
    final Ref<ShmemFalloc> falloc;

    ShmemInode(Machine machine, Shmem shmem, String name, long size, int maxPages) {
        super(machine, name, size, RWSEM_CLASS, MMAP_RWSEM);
        this.shmem = shmem;
        pages = new XArray(machine, this, pagesLock(), maxPages);
        infoLock = new SpinLock(machine, null, this, "info.lock", "&info->lock");
        nrpages = machine.word(null, this, "nrpages", -1, 0);
        alloced = machine.word(null, this, "alloced", -1, 0);
        fallocend = machine.word(null, this, "fallocend", -1, 0);
        falloc = new Ref<>(machine, ShmemFalloc.class, this, "i_private", -1);
    }

    /// `i_mapping->i_pages`: the page cache, by index in pages.
    XArray pages() {
        return pages;
    }

    /// `info->lock`.
    SpinLock infoLock() {
        return infoLock;
    }

    @Override
    long load(long index) {
        long entry = pages.load(index);
        if (entry == XArray.RETRY) {
            return AGAIN;
        }
        return entry == XArray.NONE ? NOTHING : XArray.pfn(entry);
    }

    @Override
    VmOps vmOps() {
        return shmem;
    }

    @Override
    void evict() {
        shmem.evictInode(this);
    }

    @Override
    public long peekCached() {
        long[] n = new long[1];
        pages.peek((index, pfn) -> n[0]++);
        return n[0];
    }

    @Override
    public long peekPfn(long index) {
        return pages.peekPfn(index);
    }

    @Override
    public void peekCache(CacheVisitor visitor) {
        pages.peek(visitor);
    }
}
