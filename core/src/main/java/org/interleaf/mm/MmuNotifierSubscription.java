// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Shared;

/// `struct mmu_notifier` (include/linux/mmu_notifier.h): somebody who is told of every change in an
/// address space. An element of the list of {@link MmuNotifierSubscriptions}.
public final class MmuNotifierSubscription extends Shared {
    final MmuNotifierOps ops;

    /// `hlist.next`.
    final Ref<MmuNotifierSubscription> next;

    /// `hlist.pprev`: where the pointer to this element is; null where it is in no list.
    private final Ref<Shared> pprev;

    MmuNotifierSubscription(Machine machine, MmuNotifierOps ops) {
        super(machine);
        this.ops = ops;
        next = new Ref<>(machine, MmuNotifierSubscription.class, this, "hlist.next", -1);
        pprev = new Ref<>(machine, Shared.class, this, "hlist.pprev", -1);
    }

    /// include/linux/list.h: hlist_unhashed().
    boolean unhashed() {
        return pprev.read(Order.PLAIN) == null;
    }

    /// include/linux/rculist.h: hlist_add_head_rcu(). The lock of the list is held.
    void addHead(MmuNotifierSubscriptions list) {
        MmuNotifierSubscription first = list.list.read(Order.PLAIN);
        next.write(first, Order.PLAIN);
        pprev.write(list, Order.ONCE);
        list.list.write(this, Order.RELEASE);
        if (first != null) {
            first.pprev.write(this, Order.ONCE);
        }
    }

    /// include/linux/rculist.h: hlist_del_init_rcu(). Readers that stand here still find the rest.
    void delInit() {
        Shared at = pprev.read(Order.PLAIN);
        if (at == null) {
            return;
        }
        MmuNotifierSubscription after = next.read(Order.PLAIN);
        if (at instanceof MmuNotifierSubscriptions list) {
            list.list.writeOnce(after);
        } else if (at instanceof MmuNotifierSubscription before) {
            before.next.writeOnce(after);
        }
        if (after != null) {
            after.pprev.writeOnce(at);
        }
        pprev.writeOnce(null);
    }

    @Override
    public String toString() {
        return "mmu_notifier " + pointer();
    }
}
