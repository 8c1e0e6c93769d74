// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Lock;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.mm.DmirrorPt;
import org.interleaf.mm.Entry;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MemMap;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.PageTable;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/// What must be true of those who keep translations besides those of the CPUs, while there are any:
///
/// - An entry is told of before it is changed so that a page is gone, is another, or can be used
///   for less: between start and end of an invalidation, by the task that changes it.
/// - A device that mirrors an address space maps a page only where the CPUs' tables map it, and for
///   writing only if they do. So it never maps a page that was freed.
///
/// hugetlb takes entries out for a moment to put them back, under the lock of the table and without
/// telling anybody: those who look take the lock. So its entries count when a lock is dropped.
final class NotifierLaws implements Monitor {
    private static final long USABLE = Entry.PRESENT | Entry.WRITE;

    private final Findings findings;
    private final List<Change> pending = new ArrayList<>();
    private @Nullable Kernel kernel;

    /// An entry, of hugetlb or one that nobody could access, that its task has changed under a lock
    /// that it still holds.
    private record Change(
            Task task, MmStruct mm, Word entry, int level, long addr, long before, boolean told) {}

    NotifierLaws(Findings findings) {
        this.findings = findings;
    }

    /// Begins to watch the tables of `newKernel`.
    void watch(Kernel newKernel) {
        kernel = newKernel;
    }

    @Override
    public void started() {
        pending.clear();
    }

    @Override
    public void stepped(Task task, long before) {
        Word word = task.word();
        Kernel linux = kernel;
        if (linux == null || word.peek() == before) {
            return;
        }
        if (word.owner() instanceof PageTable table) {
            if (table.isEntry(word)) {
                changed(linux, task, table, word, before);
            }
        } else if (word.owner() instanceof DmirrorPt pt) {
            mirrored(linux, task, pt, word.index());
        }
    }

    // ---- entries of the CPUs' tables

    private void changed(Kernel linux, Task task, PageTable table, Word entry, long before) {
        MmStruct mm = linux.tableTree().mmOf(table);
        if (mm == null || !mm.peekHasNotifiers() || !maps(linux, table.level(), before)) {
            return;
        }
        int level = table.level();
        long addr = linux.tableTree().start(table, table.indexOf(entry));
        long end = addr + linux.geometry().size(level);
        boolean told = linux.mmuNotifier().peekTold(mm, addr, end);
        Change change = new Change(task, mm, entry, level, addr, before, told);
        // What nobody may access is none for a moment when it becomes accessible again.
        boolean hinted = level == Geometry.PTE && Entry.protnone(before);
        if (hinted || isHugetlb(linux, level, before)) {
            pending.add(change);
        } else {
            judge(linux, change);
        }
    }

    /// Whether the entry maps a page, or leads to a table with an entry that does.
    private static boolean maps(Kernel linux, int level, long value) {
        if (level == Geometry.PTE) {
            return Entry.ptePresent(value);
        }
        if (Entry.leaf(value)) {
            return true;
        }
        if (!Entry.isTable(value)) {
            return false;
        }
        PageTable below = linux.memMap().table(Entry.pfn(value));
        for (int i = 0; i < linux.geometry().entries(below.level()); i++) {
            if (maps(linux, below.level(), below.entry(i).peek())) {
                return true;
            }
        }
        return false;
    }

    private static boolean isHugetlb(Kernel linux, int level, long value) {
        if (level > Geometry.PTE && !Entry.leaf(value)) {
            return false;
        }
        MemMap memMap = linux.memMap();
        return memMap.peekFolio(memMap.page(Entry.pfn(value))).peekHugetlb();
    }

    @Override
    public void released(Task task, Lock lock) {
        Kernel linux = kernel;
        if (linux == null || pending.isEmpty() || lock.sleeps()) {
            return;
        }
        List<Change> mine = pending.stream().filter(change -> change.task == task).toList();
        pending.removeAll(mine);
        mine.forEach(change -> judge(linux, change));
    }

    private void judge(Kernel linux, Change change) {
        long after = change.entry.peek();
        boolean same = Entry.pfn(after) == Entry.pfn(change.before);
        if (same && (change.before & ~after & USABLE) == 0) {
            return;
        }
        if (!change.told) {
            findings.report(
                    Violation.UNTOLD_CHANGE,
                    change.task,
                    () -> text(change, after) + ", and no notifier has been told");
        }
        stillMapped(linux, change, after, same);
    }

    private static String text(Change change, long after) {
        return change.entry.name()
                + " goes from "
                + Entry.show(change.level, change.before)
                + " to "
                + Entry.show(change.level, after);
    }

    /// Reports a device that has what the CPUs have lost.
    private void stillMapped(Kernel linux, Change change, long after, boolean same) {
        boolean readable = same && (after & Entry.PRESENT) != 0;
        boolean table = change.level > Geometry.PTE && Entry.isTable(change.before);
        long size = linux.geometry().size(change.level);
        for (long at = change.addr; at < change.addr + size; at += linux.geometry().pageSize()) {
            long offset = (at - change.addr) >> linux.geometry().pageShift();
            long pfn = table ? -1 : Entry.pfn(change.before) + offset;
            long addr = at;
            if (linux.mmuNotifier().peekMirrored(change.mm, at, pfn, readable)) {
                findings.report(
                        Violation.STALE_DEVICE_MAPPING,
                        change.task,
                        () -> text(change, after) + ", and a device maps 0x" + hex(addr));
            }
        }
    }

    private static String hex(long addr) {
        return Long.toHexString(addr);
    }

    // ---- entries of a device's table

    private void mirrored(Kernel linux, Task task, DmirrorPt pt, int slot) {
        if (slot < 0) {
            return;
        }
        for (long index : pt.peekIndexes(slot)) {
            long addr = index << linux.geometry().pageShift();
            long pfn = pt.peekPfn(index);
            String wrong = wrong(linux, pt, index, addr, pfn);
            if (wrong != null) {
                findings.report(
                        Violation.STALE_DEVICE_MAPPING,
                        task,
                        () -> "a device maps page " + pfn + " at 0x" + hex(addr) + ", " + wrong);
            }
        }
    }

    private static @Nullable String wrong(
            Kernel linux, DmirrorPt pt, long index, long addr, long pfn) {
        MemMap memMap = linux.memMap();
        if (!memMap.page(pfn).frame().life().alive()) {
            return "which is free";
        }
        if (memMap.peekFolio(memMap.page(pfn)).peekHugetlb()) {
            return null;
        }
        long entry = linux.inspect().leaf(pt.mm(), addr);
        long mapped = linux.inspect().mappedPfn(pt.mm(), addr);
        if (mapped != pfn) {
            return "where the CPUs map " + (mapped < 0 ? "nothing" : "page " + mapped);
        }
        return pt.peekWrite(index) && !Entry.write(entry)
                ? "for writing, as the CPUs do not"
                : null;
    }
}
