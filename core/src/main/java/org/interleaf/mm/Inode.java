// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// `struct inode` with its `struct address_space` (include/linux/fs.h): a file, the pages of it
/// that are in memory, and the VMAs that map it.
public abstract class Inode extends Shared {
    /// Slots of the page cache that are told apart; indexes beyond share them.
    private static final int SLOTS = 8;

    /// Classes of the locks of files that are not of hugetlbfs.
    static final String DEVICE_RWSEM = "&sb->s_type->i_mutex_key";

    static final String MMAP_RWSEM = "&mapping->i_mmap_rwsem";

    private final String name;
    private final RwSem rwsem;
    private final SpinLock lock;
    private final RwSem mmapRwsem;
    private final SpinLock pagesLock;

    /// `i_count`: the open files; and one while the file has a name.
    final Word count;

    /// `i_nlink`: whether the file has a name.
    private final Word nlink;

    /// `i_size`, in bytes. Changed under {@link #rwsem}.
    final Word size;

    /// `i_mmap`, the VMAs that map the file. Changed under {@link #mmapRwsem} for writing.
    final Ref<VmaList> mmap;

    private final Ref<CacheSlot>[] pages;

    /// @param name as reports show it
    /// @param rwsemClass the lock class of `i_rwsem`, which differs between file systems
    /// @param mmapRwsemClass the lock class of `i_mmap_rwsem`, which hugetlbfs has its own for
    Inode(Machine machine, String name, long size, String rwsemClass, String mmapRwsemClass) {
        super(machine);
        this.name = name;
        rwsem = new RwSem(machine, null, this, "i_rwsem", rwsemClass);
        lock = new SpinLock(machine, null, this, "i_lock", "&sb->s_type->i_lock_key");
        mmapRwsem = new RwSem(machine, null, this, "i_mmap_rwsem", mmapRwsemClass);
        pagesLock = new SpinLock(machine, null, this, "i_pages.xa_lock", "&xa->xa_lock");
        count = machine.word(null, this, "i_count", -1, 1);
        nlink = machine.word(null, this, "i_nlink", -1, 0);
        this.size = machine.word(null, this, "i_size", -1, size);
        mmap = new Ref<>(machine, VmaList.class, this, "i_mmap", -1);
        pages = slots(machine);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private Ref<CacheSlot>[] slots(Machine machine) {
        Ref<CacheSlot>[] slots = new Ref[SLOTS];
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Ref<>(machine, CacheSlot.class, this, "i_pages", i);
        }
        return slots;
    }

    /// include/linux/fs.h: i_mmap_assert_write_locked(). Complains where the running task does not
    /// hold `i_mmap_rwsem` for writing; no access.
    void assertMmapWriteLocked(Kernel kernel) {
        kernel.warnOn(!mmapRwsem.heldForWriting(), "i_mmap_rwsem is not held for writing", this);
    }

    /// `i_rwsem`: `inode_lock()` takes it for writing.
    public RwSem rwsem() {
        return rwsem;
    }

    /// `i_lock`.
    SpinLock lock() {
        return lock;
    }

    /// `i_mapping->i_mmap_rwsem`.
    public RwSem mmapRwsem() {
        return mmapRwsem;
    }

    /// `i_mapping->i_pages.xa_lock`.
    SpinLock pagesLock() {
        return pagesLock;
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

    /// What {@link #load} says where there is no folio.
    static final long NOTHING = -1;

    /// What {@link #load} says where it must be asked again.
    static final long AGAIN = -2;

    /// lib/xarray.c: xas_load(). The frame of the folio at `index`; or {@link #NOTHING} or {@link
    /// #AGAIN}. One access or, within a folio of several pages, two.
    long load(long index) {
        CacheSlot cached = slot(index).read(Order.DEPENDENCY);
        return cached == null ? NOTHING : cached.pfnAt(index);
    }

    /// The part of the page cache that knows of `index`, counted in folios.
    Ref<CacheSlot> slot(long index) {
        return pages[(int) (index % SLOTS)];
    }

    /// All parts of the page cache.
    Ref<CacheSlot>[] slots() {
        return pages;
    }

    /// The `vm_operations_struct` that mapping the file gives to a VMA.
    abstract VmOps vmOps();

    /// `super_operations.evict_inode`: the last reference is gone.
    abstract void evict();

    /// include/linux/fs.h: i_size_read().
    long sizeRead() {
        return size.readOnce();
    }

    /// include/linux/fs.h: i_size_write().
    void sizeWrite(long bytes) {
        size.writeOnce(bytes);
    }

    /// Folios of the file that are in memory, looked at from outside.
    public long peekCached() {
        long n = 0;
        for (Ref<CacheSlot> slot : pages) {
            CacheSlot cached = slot.peek();
            n += cached == null ? 0 : cached.size();
        }
        return n;
    }

    /// Tells `visitor` of each folio in memory, by its index and first frame; looked at from
    /// outside.
    public void peekCache(CacheVisitor visitor) {
        for (Ref<CacheSlot> slot : pages) {
            CacheSlot cached = slot.peek();
            for (int i = 0; cached != null && i < cached.size(); i++) {
                visitor.visit(cached.index(i), cached.pfn(i));
            }
        }
    }

    /// The frame that the page cache has for page `index` (of the machine's pages); -1 where it has
    /// none. Looked at from outside.
    public long peekPfn(long index) {
        return -1;
    }

    /// What is told of each folio in a page cache.
    @FunctionalInterface
    public interface CacheVisitor {
        void visit(long index, long pfn);
    }

    @Override
    public String toString() {
        return name;
    }
}
