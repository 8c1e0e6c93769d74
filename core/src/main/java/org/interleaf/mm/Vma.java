// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.LockMap;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Region;
import org.interleaf.machine.Shared;
import org.interleaf.machine.ValueFormat;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

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
    public static final long VM_MAYEXEC = 1 << 8;

    /// The mapping may be shared with others; set where `MAP_SHARED` was asked for.
    public static final long VM_MAYSHARE = 1 << 9;

    public static final long VM_HUGETLB = 1 << 10;
    public static final long VM_NORESERVE = 1 << 11;
    public static final long VM_DONTEXPAND = 1 << 12;

    /// Faults on what is missing, or is in the file but not mapped, are for a userfaultfd.
    public static final long VM_UFFD_MISSING = 1 << 13;

    public static final long VM_UFFD_MINOR = 1 << 14;

    /// Writes to write-protected pages are for a userfaultfd.
    public static final long VM_UFFD_WP = 1 << 17;

    /// What is mapped has no `struct page`, whatever the entries say.
    public static final long VM_PFNMAP = 1 << 15;

    /// Memory of a device: looking at it may have effects.
    public static final long VM_IO = 1 << 16;

    static final long VM_SPECIAL = VM_IO | VM_DONTEXPAND | VM_PFNMAP;

    /// What a userfaultfd is asked for.
    static final long VM_UFFD_FLAGS = VM_UFFD_MISSING | VM_UFFD_MINOR | VM_UFFD_WP;

    /// Reading, writing and executing.
    public static final long VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;

    private final MmStruct mm;
    private final boolean mayShare;

    /// Written under the mmap lock for writing, the VMA's write lock and the rmap lock.
    final Word start;

    final Word end;
    final Word pgoff;
    final Word flags;

    /// `vm_lock_seq` and `vm_refcnt`: see {@link VmaLock}.
    final Word lockSeq;

    final Word refcnt;

    /// `vmlock_dep_map`: what lockdep knows of the two.
    final LockMap depMap;

    /// Null until the first page; set under the mmap lock for reading and `page_table_lock`.
    final Ref<AnonVma> anonVma;

    /// `vm_file`: what is mapped; null for anonymous memory.
    final @Nullable OpenFile file;

    private final Machine machine;
    private @Nullable Ref<AnonVmaChain> chain;

    /// `vm_userfaultfd_ctx.ctx`: who handles faults; null for nobody.
    private final Ref<UserfaultfdCtx> userfaultfd;

    /// `vm_private_data` of a mapped file; what it means is the file's affair.
    private final @Nullable Word privateData;

    /// The life of what only those look at who keep the VMA from being freed. Others may look at
    /// the rest (SLAB_TYPESAFE_BY_RCU) and see that it is not what they were after.
    private final @Nullable Region life;

    Vma(Machine machine, MmStruct mm, long start, long end, long pgoff, long flags) {
        this(machine, mm, start, end, pgoff, flags, null);
    }

    /// @param file the file of which the VMA maps the part from page `pgoff` on
    Vma(
            Machine machine,
            MmStruct mm,
            long start,
            long end,
            long pgoff,
            long flags,
            @Nullable OpenFile file) {
        super(machine);
        this.machine = machine;
        this.mm = mm;
        this.file = file;
        this.mayShare = (flags & VM_MAYSHARE) != 0;
        this.start = machine.word(null, this, "vm_start", -1, start).format(ValueFormat.HEX);
        this.end = machine.word(null, this, "vm_end", -1, end).format(ValueFormat.HEX);
        this.pgoff = machine.word(null, this, "vm_pgoff", -1, pgoff);
        this.flags = machine.word(null, this, "vm_flags", -1, flags);
        this.lockSeq = machine.word(null, this, "vm_lock_seq", -1, -1);
        this.refcnt = machine.word(null, this, "vm_refcnt", -1, 0);
        this.depMap = new LockMap(machine, this, "vm_lock");
        this.anonVma = new Ref<>(machine, AnonVma.class, this, "anon_vma", -1);
        this.userfaultfd = new Ref<>(machine, UserfaultfdCtx.class, this, "vm_userfaultfd_ctx", -1);
        this.life = file == null ? null : new Region(machine);
        this.privateData = file == null ? null : machine.word(life, this, "vm_private_data", -1, 0);
        if (life != null) {
            life.owner(this);
            life.allocateAlong();
        }
    }

    /// mm/vma_init.c: vm_area_free(). Of anonymous memory nothing is looked at too late.
    void free() {
        if (life != null) {
            life.free();
        }
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

    /// The part of `anon_vma_chain` that the VMA has from fork; null where there is none. Changes
    /// together with {@link #anonVma}, in the same step.
    @Nullable AnonVmaChain inherited() {
        return chain == null ? null : chain.peek();
    }

    /// Changes {@link #inherited}; the VMA must have been made by fork, or from one that was.
    void inherit(@Nullable AnonVmaChain links) {
        if (links != null && chain == null) {
            chain = new Ref<>(machine, AnonVmaChain.class, this, "anon_vma_chain", -1);
        }
        if (chain != null) {
            chain.word().poke(links == null ? 0 : links.pointer());
        }
    }

    /// `vm_userfaultfd_ctx.ctx`: who handles faults; null for nobody.
    @Nullable UserfaultfdCtx userfaultfdCtx() {
        return userfaultfd.read(Order.PLAIN);
    }

    /// include/linux/userfaultfd_k.h: userfaultfd_missing(). Whether faults on what is missing are
    /// for a userfaultfd.
    boolean userfaultfdMissing() {
        return (flags() & VM_UFFD_MISSING) != 0;
    }

    /// include/linux/userfaultfd_k.h: userfaultfd_minor(). Whether faults on what is in the file
    /// but not mapped are for a userfaultfd.
    boolean userfaultfdMinor() {
        return (flags() & VM_UFFD_MINOR) != 0;
    }

    /// include/linux/userfaultfd_k.h: userfaultfd_wp(), userfaultfd_protected(). Whether a
    /// userfaultfd may write-protect pages.
    boolean userfaultfdWp() {
        return (flags() & VM_UFFD_WP) != 0;
    }

    /// include/linux/userfaultfd_k.h: userfaultfd_pte_wp(), userfaultfd_huge_pmd_wp(). Whether the
    /// entry is write-protected for a userfaultfd.
    boolean userfaultfdEntryWp(long entry) {
        return userfaultfdWp() && Entry.uffd(entry);
    }

    /// include/linux/userfaultfd_k.h: userfaultfd_wp_use_markers(). Whether also entries that are
    /// none are write-protected, by markers.
    boolean userfaultfdWpUseMarkers() {
        return userfaultfdWp()
                && (!isAnonymous() || userfaultfdHas(Userfaultfd.FEATURE_WP_UNPOPULATED));
    }

    /// Whether the userfaultfd has a feature; false where there is none.
    boolean userfaultfdHas(long feature) {
        UserfaultfdCtx ctx = userfaultfdCtx();
        return ctx != null && ctx.has(feature);
    }

    /// include/linux/userfaultfd_k.h: vma_has_uffd_without_event_remap(). Whether what is moved
    /// loses its protection.
    boolean uffdWithoutEventRemap() {
        UserfaultfdCtx ctx = userfaultfdCtx();
        return ctx != null && !ctx.has(Userfaultfd.FEATURE_EVENT_REMAP);
    }

    /// include/linux/userfaultfd_k.h: userfaultfd_armed(). Whether any faults are for a
    /// userfaultfd.
    boolean userfaultfdArmed() {
        return (flags() & VM_UFFD_FLAGS) != 0;
    }

    /// mm/userfaultfd.c: userfaultfd_set_ctx(). Has `ctx` handle faults of the kinds `uffdFlags`;
    /// null and 0 for nobody. The VMA is write-locked, or new.
    void setUserfaultfd(@Nullable UserfaultfdCtx ctx, long uffdFlags) {
        userfaultfd.write(ctx, Order.PLAIN);
        flags.writePlain(flags.readPlain() & ~VM_UFFD_FLAGS | uffdFlags);
    }

    /// `vm_private_data` of a VMA that maps a file.
    Word privateData() {
        return Objects.requireNonNull(privateData);
    }

    /// The inode of a VMA that maps a file.
    Inode inode() {
        return file().inode();
    }

    /// `vm_file` of a VMA that maps a file.
    OpenFile file() {
        return Objects.requireNonNull(file);
    }

    /// include/linux/hugetlb_inline.h: is_vm_hugetlb_page(). No access: it never changes.
    public boolean isHugetlb() {
        return file != null && file.inode() instanceof HugetlbInode;
    }

    /// Whether {@link #VM_MAYSHARE} is set. No access: it never changes.
    boolean mayShare() {
        return mayShare;
    }

    /// include/linux/mm.h: vma_is_anonymous(). No access: the operations of a VMA never change.
    boolean isAnonymous() {
        return file == null;
    }

    /// include/linux/shmem_fs.h: vma_is_shmem(). No access: it never changes.
    boolean isShmem() {
        return file != null && file.inode() instanceof ShmemInode;
    }

    /// include/linux/fs.h: vma_is_dax(). No access: it never changes.
    boolean isDax() {
        return file != null && file.inode() instanceof DevDax;
    }

    /// mm/huge_memory.c: vma_is_special_huge(). Whether huge entries map what has no folio.
    boolean isSpecialHuge() {
        return !isDax() && (flags() & VM_PFNMAP) != 0;
    }

    /// `vm_ops` of a VMA that is not anonymous. No access: they never change.
    VmOps ops() {
        return inode().vmOps();
    }

    /// include/linux/mm.h: vm_get_page_prot(), as vma_set_page_prot() leaves it: shared memory is
    /// writable from the beginning unless somebody wants to know of writes; private memory may have
    /// to be copied first.
    static long pageProt(long vmFlags) {
        return HugePte.modify(Entry.ACCESSED, vmFlags);
    }

    /// mm/vma.c: vma_wants_writenotify(). Whether somebody wants to know of writes to shared
    /// memory.
    static boolean wantsWritenotify(long vmFlags) {
        long all = VM_SHARED | VM_WRITE | VM_UFFD_WP;
        return (vmFlags & all) == all;
    }

    /// mm/internal.h: linear_page_index(). Index of `addr` in what the VMA maps.
    long linearPageIndex(Geometry geometry, long addr) {
        return ((addr - start()) >> geometry.pageShift()) + pgoff();
    }

    /// Whether `addr` is in the VMA; looked at from outside.
    public boolean peekContains(long addr) {
        return addr >= start.peek() && addr < end.peek();
    }

    /// {@link #linearPageIndex}; looked at from outside.
    public long peekLinearPageIndex(Geometry geometry, long addr) {
        return ((addr - start.peek()) >> geometry.pageShift()) + pgoff.peek();
    }

    /// include/linux/mm.h: is_cow_mapping(): private, and writable some day.
    static boolean isCowMapping(long flags) {
        return (flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
    }

    /// What it is for, in words such as `rw private hugetlb`; looked at from outside.
    public String purpose() {
        long bits = flags.peek();
        StringBuilder text = new StringBuilder();
        text.append((bits & VM_READ) != 0 ? "r" : "-");
        text.append((bits & VM_WRITE) != 0 ? "w" : "-");
        text.append((bits & VM_SHARED) != 0 ? " shared" : " private");
        text.append((bits & VM_HUGETLB) != 0 ? " hugetlb" : isAnonymous() ? " anon" : " file");
        text.append((bits & VM_UFFD_FLAGS) != 0 ? " userfaultfd" : "");
        return text.toString();
    }

    @Override
    public String toString() {
        return "vma " + start.show(start.peek()) + "-" + end.show(end.peek());
    }
}
