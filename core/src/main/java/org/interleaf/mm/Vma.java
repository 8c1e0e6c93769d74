// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Shared;
import org.interleaf.machine.Word;

/// `struct vm_area_struct` (include/linux/mm_types.h): a range of an address space with one
/// purpose.
public final class Vma extends Shared {
    public static final long VM_READ = 1;
    public static final long VM_WRITE = 1 << 1;
    public static final long VM_EXEC = 1 << 2;
    public static final long VM_SHARED = 1 << 3;
    public static final long VM_MAYREAD = 1 << 4;
    public static final long VM_MAYWRITE = 1 << 5;
    public static final long VM_HUGEPAGE = 1 << 6;
    public static final long VM_NOHUGEPAGE = 1 << 7;

    private final MmStruct mm;

    /// Written under the mmap lock for writing, the VMA's write lock and the rmap lock.
    final Word start;

    final Word end;
    final Word pgoff;
    final Word flags;

    /// `vm_lock_seq` and `vm_refcnt`: see {@link VmaLock}.
    final Word lockSeq;

    final Word refcnt;

    /// Null until the first page; set under the mmap lock for reading and `page_table_lock`.
    final Ref<AnonVma> anonVma;

    Vma(Machine machine, MmStruct mm, long start, long end, long pgoff, long flags) {
        super(machine);
        this.mm = mm;
        this.start = machine.word(null, this, "vm_start", -1, start).format(Vma::hex);
        this.end = machine.word(null, this, "vm_end", -1, end).format(Vma::hex);
        this.pgoff = machine.word(null, this, "vm_pgoff", -1, pgoff);
        this.flags = machine.word(null, this, "vm_flags", -1, flags);
        this.lockSeq = machine.word(null, this, "vm_lock_seq", -1, -1);
        this.refcnt = machine.word(null, this, "vm_refcnt", -1, 0);
        this.anonVma = new Ref<>(machine, AnonVma.class, this, "anon_vma", -1);
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    public MmStruct mm() {
        return mm;
    }

    /// `vm_start`: one access, as all that follow.
    public long start() {
        return start.readPlain();
    }

    public long end() {
        return end.readPlain();
    }

    public long flags() {
        return flags.readPlain();
    }

    public long pgoff() {
        return pgoff.readPlain();
    }

    /// mm/internal.h: linear_page_index(). Index of `addr` in what the VMA maps.
    long linearPageIndex(Geometry geometry, long addr) {
        return ((addr - start()) >> geometry.pageShift()) + pgoff();
    }

    /// include/linux/mm.h: is_cow_mapping(): private, and writable some day.
    static boolean isCowMapping(long flags) {
        return (flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
    }

    @Override
    public String toString() {
        return "vma " + hex(start.peek()) + "-" + hex(end.peek());
    }
}
