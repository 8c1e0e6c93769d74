// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.Arithmetic;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Primitive;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Fence;
import org.interleaf.machine.Order;

import java.util.Map;

/// Loads and stores with a mark, and macros that only mark.
final class AccessBuiltins {
    private AccessBuiltins() {}

    static void addTo(Map<String, Builtin> all) {
        addLoads(all);
        addStores(all);
        for (String name : new String[] {"likely", "unlikely"}) {
            Builtins.add(all, name, 1, c -> Typed.truth(notZero(c.value(0).node())));
        }
        Builtins.add(all, "data_race", 1, AccessBuiltins::dataRace);
        for (String name : new String[] {"ATOMIC_INIT", "ATOMIC64_INIT", "ATOMIC_LONG_INIT"}) {
            Builtins.add(all, name, 1, c -> c.value(0));
        }
        Builtins.add(all, "WARN_ON", 1, c -> complain(c, "WARNING", false));
        Builtins.add(all, "WARN_ON_ONCE", 1, c -> complain(c, "WARNING", false));
        Builtins.add(all, "BUG_ON", 1, c -> complain(c, "BUG", true));
    }

    private static void addLoads(Map<String, Builtin> all) {
        Builtins.add(all, "READ_ONCE", 1, c -> load(c, Order.ONCE));
        Builtins.add(all, "ACCESS_ONCE", 1, c -> load(c, Order.ONCE));
        Builtins.add(all, "rcu_access_pointer", 1, c -> load(c, Order.ONCE));
        Builtins.add(all, "rcu_dereference", 1, c -> load(c, Order.DEPENDENCY));
        Builtins.add(all, "rcu_dereference_raw", 1, c -> load(c, Order.DEPENDENCY));
        Builtins.add(all, "rcu_dereference_check", 2, c -> load(c, Order.DEPENDENCY));
        Builtins.add(all, "rcu_dereference_protected", 2, c -> load(c, Order.PLAIN));
        Builtins.add(all, "lockless_dereference", 1, c -> load(c, Order.DEPENDENCY));
        Builtins.add(
                all,
                "smp_load_acquire",
                1,
                c -> c.expressions().load(c.pointee(0), Order.ACQUIRE, c.site()));
    }

    private static Typed load(CallCompiler call, Order order) {
        return call.expressions().load(call.location(0), order, call.site());
    }

    private static void addStores(Map<String, Builtin> all) {
        Builtins.add(all, "WRITE_ONCE", 2, c -> store(c, c.location(0), Order.ONCE));
        Builtins.add(all, "RCU_INIT_POINTER", 2, c -> store(c, c.location(0), Order.ONCE));
        Builtins.add(all, "rcu_assign_pointer", 2, c -> store(c, c.location(0), Order.RELEASE));
        Builtins.add(all, "smp_store_release", 2, c -> store(c, c.pointee(0), Order.RELEASE));
        Builtins.add(
                all,
                "smp_store_mb",
                2,
                c -> {
                    Node store = store(c, c.location(0), Order.ONCE).node();
                    return Typed.nothing(new Values.Then(store, new Primitive.Barrier(Fence.MB)));
                });
    }

    private static Typed store(CallCompiler call, Place.InMemory to, Order order) {
        Node value = call.value(1).node();
        return Typed.nothing(Assignments.store(to, value, order, call.site()).node());
    }

    private static Typed dataRace(CallCompiler call) {
        Typed expression = call.value(0);
        return new Typed(new Primitive.DataRace(expression.node()), expression.type());
    }

    private static Node notZero(Node value) {
        return new Arithmetic.And(value, new Values.Const(1));
    }

    private static Typed complain(CallCompiler call, String kind, boolean fatal) {
        Node node = new Primitive.Complain(call.value(0).node(), kind, fatal, call.site());
        return new Typed(node, Types.INT);
    }
}
