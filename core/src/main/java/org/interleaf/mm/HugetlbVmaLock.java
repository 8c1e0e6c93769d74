// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Region;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.Shared;
import org.interleaf.machine.Word;

/// `struct hugetlb_vma_lock` (include/linux/hugetlb.h): the lock of a VMA that may be shared. It
/// can outlive its VMA, for those who wait for it.
final class HugetlbVmaLock extends Shared {
    private final Region life;
    private final RwSem rwSema;
    private final Word refs;

    /// The number of the VMA; 0 once it is gone. Changed with the lock held for writing.
    final Word vma;

    HugetlbVmaLock(Machine machine, Vma vma) {
        super(machine);
        life = new Region(machine);
        life.owner(this);
        life.allocate();
        rwSema = new RwSem(machine, life, this, "rw_sema", "&vma_lock->rw_sema");
        refs = machine.word(life, this, "refs", -1, 1);
        this.vma =
                machine.word(life, this, "vma", -1, vma.pointer())
                        .format(value -> String.valueOf(machine.heap().resolve(value)));
    }

    RwSem rwSema() {
        return rwSema;
    }

    /// `kref_get()`.
    void get() {
        refs.fetchAdd(1, Order.RELAXED);
    }

    /// `kref_put()`; mm/hugetlb.c: hugetlb_vma_lock_release().
    void put() {
        if (refs.fetchAdd(-1, Order.RELEASE) == 1) {
            life.free();
        }
    }

    @Override
    public String toString() {
        return "vma_lock " + pointer();
    }
}
