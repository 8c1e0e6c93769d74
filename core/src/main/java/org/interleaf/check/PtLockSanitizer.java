// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.check.KernelNames.Origin;
import org.interleaf.machine.Lock;
import org.interleaf.machine.Monitor;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.mm.Entry;
import org.interleaf.mm.Geometry;
import org.interleaf.mm.Kernel;
import org.interleaf.mm.MmStruct;
import org.interleaf.mm.PageTable;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/// Page-table locks: whoever changes an entry holds the lock that the walkers of core-mm take for
/// its table. Two writers of a table under different locks are found although nothing has gone
/// wrong yet, and in whatever order they come.
///
/// # What may be changed without the lock
///
/// - Tables that no entry leads to: new ones, deposited ones, detached ones.
/// - Entries through which the hardware sets accessed and dirty bits.
/// - Entries that lead to tables, when they are cleared in ranges without VMAs: free_pgtables() has
///   hidden these, so nobody else can come there but walkers that take no locks at all.
/// - Entries that lead to tables which others share, when huge_pmd_unshare() clears them: who would
///   set them holds `i_mmap_rwsem`, too.
final class PtLockSanitizer implements Monitor {

    private final Findings findings;
    private final TableReach reach;
    private final KernelNames names;
    private final boolean withHistory;
    private final IdentityHashMap<Lock, String> takenInSetUp = new IdentityHashMap<>();
    private final IdentityHashMap<Lock, String> takenBy = new IdentityHashMap<>();
    private final List<Misuse> misuses = new ArrayList<>();
    private @Nullable Kernel kernel;

    /// A change that has still to be told: who takes the right lock may come after it.
    ///
    /// @param takes the function by which core-mm takes the lock
    private record Misuse(
            Task task,
            SpinLock lock,
            String takes,
            String text,
            String locks,
            List<Origin> trace) {}

    /// @param withHistory whether to remember who took which lock, which is slow
    PtLockSanitizer(Findings findings, KernelNames names, boolean withHistory) {
        this.findings = findings;
        this.reach = new TableReach(findings);
        this.names = names;
        this.withHistory = withHistory;
    }

    /// Begins to watch the tables of `newKernel`, which has none with entries yet.
    void watch(Kernel newKernel) {
        kernel = newKernel;
    }

    @Override
    public void started() {
        takenBy.clear();
        misuses.clear();
    }

    @Override
    public void acquired(Task task, Lock lock) {
        if (withHistory && !lock.sleeps()) {
            boolean setUp = task.id() < 0;
            (setUp ? takenInSetUp : takenBy).put(lock, findings.here(task));
        }
    }

    @Override
    public void setUp(Task task, long before) {
        stepped(task, before);
    }

    @Override
    public void stepped(Task task, long before) {
        Word word = task.word();
        long after = word.peek();
        if (after != before
                && word.owner() instanceof PageTable table
                && kernel != null
                && table.isEntry(word)) {
            changed(kernel, task, table, word, before, after);
        }
    }

    private void changed(
            Kernel linux, Task task, PageTable table, Word entry, long before, long after) {
        linux.tableTree().changed(table, entry, before, after);
        reach.changed(linux, task, table, entry, before, after);
        MmStruct mm = linux.tableTree().mmOf(table);
        if (mm == null || task.lateAim() != null) {
            return;
        }
        SpinLock lock = linux.ptLocks().coreLock(mm, table);
        if (!task.holds(lock) && !mayBeCut(linux, mm, table, entry, before, after)) {
            misused(task, table, entry, before, after, lock);
        }
    }

    private static boolean mayBeCut(
            Kernel linux, MmStruct mm, PageTable table, Word entry, long before, long after) {
        return cut(table, before, after)
                && (unshared(linux, before) || hidden(linux, mm, table, entry));
    }

    private static boolean unshared(Kernel linux, long before) {
        return Entry.isTable(before)
                && linux.memMap().table(Entry.pfn(before)).peekShareCount() > 0;
    }

    private static boolean cut(PageTable table, long before, long after) {
        return table.level() > Geometry.PTE && !Entry.leaf(before) && !Entry.present(after);
    }

    private static boolean hidden(Kernel linux, MmStruct mm, PageTable table, Word entry) {
        long start = linux.tableTree().start(table, table.indexOf(entry));
        long end = start + linux.geometry().size(table.level());
        return !linux.tableTree().hasVma(mm, start, end);
    }

    private void misused(
            Task task, PageTable table, Word entry, long before, long after, SpinLock lock) {
        if (!withHistory) {
            findings.report(
                    Violation.WRONG_TABLE_LOCK,
                    task,
                    () -> text(table, entry, before, after, lock));
            return;
        }
        misuses.add(
                new Misuse(
                        task,
                        lock,
                        takes(table),
                        text(table, entry, before, after, lock),
                        LeftBehind.locks(task),
                        names.callTrace()));
    }

    private static String text(
            PageTable table, Word entry, long before, long after, SpinLock lock) {
        return entry.name()
                + " goes from "
                + Entry.show(table.level(), before)
                + " to "
                + Entry.show(table.level(), after)
                + " without "
                + lock.name();
    }

    /// Tells what has been put off to the end of the execution.
    void settle() {
        for (Misuse misuse : misuses) {
            findings.report(
                    Violation.WRONG_TABLE_LOCK,
                    misuse.task,
                    misuse.text,
                    misuse.trace,
                    details(misuse));
        }
        misuses.clear();
    }

    private static String takes(PageTable table) {
        return switch (table.level()) {
            case Geometry.PTE -> "pte_offset_map_lock()";
            case Geometry.PMD -> "pmd_lock()";
            case Geometry.PUD -> "pud_lock()";
            default -> "p4d_alloc() and the like";
        };
    }

    private List<String> details(Misuse misuse) {
        String other = takenBy.get(misuse.lock);
        if (other == null) {
            other = takenInSetUp.get(misuse.lock);
        }
        return List.of(
                "Locks held: " + misuse.locks,
                "Lock of core-mm: " + misuse.lock.name() + ", by " + misuse.takes,
                other == null ? "Nobody has taken it so far" : "Taken by " + other);
    }
}
