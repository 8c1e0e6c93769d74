// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Frame;
import org.interleaf.machine.Order;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Writing the memory of a process out when it crashes (fs/coredump.c).
///
/// # Locking
///
/// All other threads of the process have stopped. Its address space may change all the same: who
/// has a reference to it, as a userfaultfd or khugepaged has, takes the mmap lock and goes ahead.
/// So what is to be written is decided once, with that lock held, and kept.
public final class Coredump {
    private final Kernel kernel;

    Coredump(Kernel kernel) {
        this.kernel = kernel;
    }

    /// `struct core_vma_metadata`: a VMA as it was, and how much of it is written, in bytes.
    private record Metadata(long start, long dumpSize, @Nullable OpenFile file) {}

    /// fs/coredump.c: vfs_coredump(), with the default filter: private memory that has been written
    /// to and shared memory without a name. The number of pages that are written; the rest of the
    /// file is holes.
    public long vfsCoredump(MmStruct mm) {
        long pages = 0;
        for (Metadata part : dumpVmaSnapshot(mm)) {
            pages += dumpUserRange(mm, part.start, part.dumpSize);
            if (part.file != null) {
                kernel.files().fput(part.file);
            }
        }
        return pages;
    }

    /// fs/coredump.c: dump_vma_snapshot().
    private List<Metadata> dumpVmaSnapshot(MmStruct mm) {
        List<Metadata> snapshot = new ArrayList<>();
        kernel.mmapLock().writeLock(mm);
        for (Vma vma : Objects.requireNonNull(mm.vmas.read(Order.PLAIN)).vmas()) {
            snapshot.add(new Metadata(vma.start(), vmaDumpSize(vma), vma.file));
            if (vma.file != null) {
                kernel.files().getFile(vma.file);
            }
        }
        kernel.mmapLock().writeUnlock(mm);
        return snapshot;
    }

    /// fs/coredump.c: vma_dump_size(). No file here is a program, of which the first page would be
    /// written.
    private static long vmaDumpSize(Vma vma) {
        long flags = vma.flags();
        boolean shared = (flags & Vma.VM_SHARED) != 0;
        long whole = vma.end() - vma.start();
        if (vma.isDax() || (flags & Vma.VM_IO) != 0) {
            return 0;
        }
        if (vma.isHugetlb()) {
            return shared ? 0 : whole;
        }
        if (shared) {
            return vma.inode().linked() ? 0 : whole;
        }
        return vma.anonVma.read(Order.PLAIN) != null ? whole : 0;
    }

    /// fs/coredump.c: dump_user_range(). The number of pages of the range that there are.
    private long dumpUserRange(MmStruct mm, long start, long len) {
        long pages = 0;
        Gup.Locked locked = new Gup.Locked();
        for (long addr = start; addr < start + len; addr += kernel.geometry().pageSize()) {
            if (!locked.held) {
                kernel.mmapLock().readLock(mm);
                locked.held = true;
            }
            Page page = kernel.gup().getDumpPage(mm, addr, locked);
            if (page != null) {
                unlock(mm, locked);
                dumpEmitPage(page);
                pages++;
            }
        }
        unlock(mm, locked);
        return pages;
    }

    private void unlock(MmStruct mm, Gup.Locked locked) {
        if (locked.held) {
            kernel.mmapLock().readUnlock(mm);
            locked.held = false;
        }
    }

    /// fs/coredump.c: dump_emit_page(). Reads the page, and drops the reference to it.
    private void dumpEmitPage(Page page) {
        Frame frame = kernel.memMap().memory().frame(page.pfn());
        for (int k = 0; k < frame.words(); k++) {
            frame.word(k).readPlain();
        }
        kernel.swap().folioPut(kernel.memMap().pageFolio(page));
    }
}
