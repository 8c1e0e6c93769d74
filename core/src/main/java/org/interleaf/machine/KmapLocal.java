// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// Pages of high memory that tasks have mapped, each for itself (mm/highmem.c). A task has a few
/// slots, which it must give back in the reverse order of taking them. No access: nobody else sees
/// them.
public final class KmapLocal {
    /// `KM_MAX_IDX`.
    static final int MAX_IDX = 16;

    private final Machine machine;

    KmapLocal(Machine machine) {
        this.machine = machine;
    }

    /// mm/highmem.c: __kmap_local_pfn_prot(). Maps the page in frame `pfn`.
    public void map(long pfn) {
        Task task = machine.current();
        if (task.kmapIdx == MAX_IDX) {
            machine.monitor().complained(task, "BUG", "kmap_local without a free slot");
            throw TaskKilled.INSTANCE;
        }
        task.kmapped[task.kmapIdx++] = pfn;
    }

    /// mm/highmem.c: kunmap_local_indexed(). Gives the last slot back, which should be that of the
    /// page in frame `pfn`.
    public void unmap(long pfn) {
        Task task = machine.current();
        int last = task.kmapIdx - 1;
        if (last < 0 || task.kmapped[last] != pfn) {
            machine.monitor().complained(task, "WARNING", "kunmap_local of another than the last");
        }
        task.kmapIdx = Math.max(last, 0);
    }
}
