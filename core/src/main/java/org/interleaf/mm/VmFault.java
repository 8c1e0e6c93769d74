// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// `struct vm_fault` (include/linux/mm.h): one page fault on its way down the tables, together with
/// the flags that go in and the bits that come out.
public final class VmFault {
    // FAULT_FLAG_*
    public static final int FLAG_WRITE = 1;
    public static final int FLAG_ALLOW_RETRY = 1 << 2;
    public static final int FLAG_RETRY_NOWAIT = 1 << 3;
    public static final int FLAG_KILLABLE = 1 << 4;
    public static final int FLAG_TRIED = 1 << 5;
    public static final int FLAG_USER = 1 << 6;
    public static final int FLAG_REMOTE = 1 << 7;
    public static final int FLAG_UNSHARE = 1 << 10;
    public static final int FLAG_ORIG_PTE_VALID = 1 << 11;
    public static final int FLAG_VMA_LOCK = 1 << 12;

    // VM_FAULT_*
    public static final int OOM = 1;
    public static final int SIGBUS = 1 << 1;
    public static final int HWPOISON = 1 << 4;
    public static final int HWPOISON_LARGE = 1 << 5;
    public static final int SIGSEGV = 1 << 6;
    public static final int NOPAGE = 1 << 8;
    public static final int LOCKED = 1 << 9;
    public static final int RETRY = 1 << 10;
    public static final int FALLBACK = 1 << 11;
    public static final int COMPLETED = 1 << 14;
    public static final int ERROR = OOM | SIGBUS | HWPOISON | HWPOISON_LARGE | SIGSEGV;

    final Vma vma;

    /// Start of the page that faulted.
    final long address;

    int flags;

    /// Index of the page in what the VMA maps; of files only.
    long pgoff;

    /// What `->fault` has found, with a reference and with its folio locked.
    @Nullable Page page;

    /// The copy that a write to private memory of a file maps instead.
    @Nullable Page cowPage;

    /// `prealloc_pte`: a PTE table for where none is.
    @Nullable PageTable preallocPte;

    @Nullable Word pud;
    @Nullable Word pmd;

    /// The PMD as it was when the fault decided what to do.
    long origPmd;

    /// The PTE table, mapped; null while there is none or the entry is none.
    @Nullable PteMapping pte;

    /// The PTE as it was read without the lock; meaningful with {@link #FLAG_ORIG_PTE_VALID}.
    long origPte;

    VmFault(Vma vma, long address, int flags) {
        this.vma = vma;
        this.address = address;
        this.flags = flags;
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /// The PUD entry, once the fault has come to that level.
    Word pud() {
        if (pud == null) {
            throw new AssertionError("[interleaf internal] the fault has no PUD yet");
        }
        return pud;
    }

    /// The PMD entry, once the fault has come to that level.
    Word pmd() {
        if (pmd == null) {
            throw new AssertionError("[interleaf internal] the fault has no PMD yet");
        }
        return pmd;
    }
}
