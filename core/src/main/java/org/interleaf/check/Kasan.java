// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.check;

import org.interleaf.machine.Monitor;
import org.interleaf.machine.Region;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.mm.PageTable;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/// Use after free, as the kernel's KASAN reports it: a task touches a word of a frame that is free,
/// or frees it again. Frames that are allocated again are found as well, in the interleaving in
/// which the use comes before the allocation.
final class Kasan implements Monitor {
    private final Findings findings;
    private final boolean withHistory;
    private final IdentityHashMap<Region, String> allocatedBy = new IdentityHashMap<>();
    private final IdentityHashMap<Region, String> freedBy = new IdentityHashMap<>();

    /// @param withHistory whether to remember who allocated and freed what, which is slow
    Kasan(Findings findings, boolean withHistory) {
        this.findings = findings;
        this.withHistory = withHistory;
    }

    @Override
    public void started() {
        allocatedBy.clear();
        freedBy.clear();
    }

    @Override
    public void allocated(Task task, Region region) {
        if (withHistory) {
            allocatedBy.put(region, findings.here(task));
            freedBy.remove(region);
        }
    }

    @Override
    public void freed(Task task, Region region) {
        if (withHistory) {
            freedBy.put(region, findings.here(task));
        }
    }

    @Override
    public void usedAfterFree(Task task, Word word) {
        Region region = word.region();
        if (word.owner() instanceof PageTable table && table.isWild()) {
            findings.report(
                    "BUG: unable to handle page fault",
                    task,
                    () -> "what was taken for a page table is none");
        } else if (region != null) {
            findings.report(
                    "BUG: KASAN: use-after-free",
                    task,
                    () -> "access to " + word.name() + " after " + region + " was freed",
                    () -> history(region));
        }
    }

    @Override
    public void doubleFree(Task task, Region region) {
        findings.report(
                "BUG: KASAN: double-free",
                task,
                () -> region + " is freed a second time",
                () -> history(region));
    }

    private List<String> history(Region region) {
        List<String> lines = new ArrayList<>(2);
        lines.add("Allocated by " + allocatedBy.getOrDefault(region, "the set-up"));
        lines.add("Freed by " + freedBy.getOrDefault(region, "the set-up"));
        return lines;
    }
}
