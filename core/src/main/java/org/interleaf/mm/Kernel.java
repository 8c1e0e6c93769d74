// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.PhysicalMemory;

/// The memory manager of one running kernel: its parts, wired together.
public final class Kernel {
    private final Machine machine;
    private final Arch arch;
    private final MemMap memMap;
    private final PtLocks ptLocks;
    private final Pgtable pgtable;
    private final PageAlloc pageAlloc;
    private final Swap swap;
    private final Rmap rmap;

    /// A kernel for `arch` that manages `memory`.
    public Kernel(Machine machine, Arch arch, PhysicalMemory memory) {
        this.machine = machine;
        this.arch = arch;
        Geometry geometry = arch.geometry();
        int entries = 0;
        for (int level = Geometry.PTE; level <= Geometry.PGD; level++) {
            entries = Math.max(entries, geometry.entries(level));
        }
        memMap = new MemMap(machine, memory, entries);
        ptLocks = new PtLocks(arch, memMap);
        pgtable = new Pgtable(machine, geometry, memMap, ptLocks);
        pageAlloc = new PageAlloc(machine, memMap);
        swap = new Swap(pageAlloc);
        rmap = new Rmap(memMap, geometry);
    }

    public Machine machine() {
        return machine;
    }

    public Arch arch() {
        return arch;
    }

    public Geometry geometry() {
        return arch.geometry();
    }

    public MemMap memMap() {
        return memMap;
    }

    public PtLocks ptLocks() {
        return ptLocks;
    }

    public Pgtable pgtable() {
        return pgtable;
    }

    public PageAlloc pageAlloc() {
        return pageAlloc;
    }

    public Swap swap() {
        return swap;
    }

    public Rmap rmap() {
        return rmap;
    }

    /// `WARN_ON_ONCE(condition)`: the kernel complains with `text` where the condition holds; returns
    /// the condition.
    boolean warnOn(boolean condition, String text) {
        if (condition) {
            machine.monitor().complained(machine.current(), "WARNING", text);
        }
        return condition;
    }
}
