// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

import java.util.Objects;

/// A mapped PTE table: what `pte_offset_map()` and its family return. Until it is unmapped the task
/// is in an RCU read section, so the table's memory stays, though it may be detached meanwhile.
/// With HIGHPTE the table is mapped into the kernel's address space by {@link
/// org.interleaf.machine.KmapLocal}, so mappings end in the reverse order.
public final class PteMapping {
    private final Machine machine;
    private final boolean highpte;
    private final PageTable table;
    private final long pmdValue;
    private final int index;
    private final @Nullable SpinLock ptl;

    /// Maps the table. The RCU section has begun.
    PteMapping(
            Machine machine,
            boolean highpte,
            PageTable table,
            long pmdValue,
            int index,
            @Nullable SpinLock ptl) {
        this.machine = machine;
        this.highpte = highpte;
        this.table = table;
        this.pmdValue = pmdValue;
        this.index = index;
        this.ptl = ptl;
        if (highpte) {
            machine.kmapLocal().map(table.pfn());
        }
    }

    /// The entry of the address that was mapped.
    public Word pte() {
        return table.entry(index);
    }

    /// The entry `n` places after that of the mapped address.
    public Word pte(int n) {
        return table.entry(index + n);
    }

    /// The same mapping with the entry `n` places on as that of the mapped address.
    PteMapping plus(int n) {
        return new PteMapping(this, n);
    }

    private PteMapping(PteMapping other, int n) {
        machine = other.machine;
        highpte = other.highpte;
        table = other.table;
        pmdValue = other.pmdValue;
        index = other.index + n;
        ptl = other.ptl;
    }

    /// Value of the PMD through which the table was found.
    public long pmdValue() {
        return pmdValue;
    }

    /// The lock of this table, where the mapping was made with one.
    public SpinLock ptl() {
        return Objects.requireNonNull(ptl);
    }

    /// `pte_unmap()`: unmaps the table and leaves the RCU section.
    public void unmap() {
        if (highpte) {
            machine.kmapLocal().unmap(table.pfn());
        }
        machine.rcu().readUnlock();
    }

    /// `pte_unmap_unlock()`.
    public void unmapUnlock() {
        ptl().unlock();
        unmap();
    }
}
