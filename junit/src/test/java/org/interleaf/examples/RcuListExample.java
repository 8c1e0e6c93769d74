// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.interleaf.experiment.Experiment;
import org.interleaf.experiment.Register;
import org.interleaf.junit.Explore;
import org.interleaf.machine.Order;
import org.interleaf.machine.Rcu;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Region;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Word;

/// A list that is read without a lock while an item is taken out of it.
final class RcuListExample {
    /// An item; its words die with its memory.
    private static final class Item extends Shared {
        final Region memory;
        final Word value;
        final Ref<Item> next;

        Item(Experiment test, String name, long initial) {
            super(test.machine());
            memory = test.region(name);
            value = test.word(memory, "value", initial);
            next = test.ref(memory, "next", Item.class);
        }

        @Override
        public String toString() {
            return memory.toString();
        }
    }

    private static final class ItemList {
        final Rcu rcu;
        final SpinLock lock;
        final Ref<Item> head;

        ItemList(Experiment test) {
            rcu = test.rcu();
            lock = test.spinLock("lock");
            head = test.ref("head", Item.class);
        }

        void add(Item item) {
            lock.lock();
            item.next.writeOnce(head.readOnce());
            head.write(item, Order.RELEASE);
            lock.unlock();
        }

        long sum() {
            long sum = 0;
            rcu.readLock();
            Item at = head.read(Order.DEPENDENCY);
            while (at != null) {
                sum += at.value.readOnce();
                at = at.next.read(Order.DEPENDENCY);
            }
            rcu.readUnlock();
            return sum;
        }

        void unlink(Item first) {
            lock.lock();
            head.writeOnce(first.next.readOnce());
            lock.unlock();
        }
    }

    @Explore
    void readersFinishBeforeAnItemIsFreed(Experiment test) {
        ItemList list = new ItemList(test);
        Item one = new Item(test, "item 1", 1);
        Item two = new Item(test, "item 2", 2);
        list.add(one);
        list.add(two);
        Register sum = test.register("sum");
        test.task("reader", () -> sum.set(list.sum()));
        test.task(
                "remover",
                () -> {
                    list.unlink(two);
                    list.rcu.synchronize();
                    two.memory.free();
                });
        test.atEnd(() -> assertTrue(sum.get() == 1 || sum.get() == 3));
    }

    @Explore
    void anItemThatIsFreedAtOnceIsStillRead(Experiment test) {
        ItemList list = new ItemList(test);
        Item item = new Item(test, "item", 1);
        list.add(item);
        Register sum = test.register("sum");
        test.task("reader", () -> sum.set(list.sum()));
        test.task(
                "remover",
                () -> {
                    list.unlink(item);
                    item.memory.free();
                });
    }
}
