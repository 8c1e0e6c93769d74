// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.compile;

import org.interleaf.litmus.run.LockUses;
import org.interleaf.litmus.run.Node;
import org.interleaf.litmus.run.Primitive;
import org.interleaf.litmus.run.Srcu;
import org.interleaf.litmus.run.Values;
import org.interleaf.litmus.run.Variable;
import org.interleaf.litmus.run.Variable.Role;
import org.interleaf.litmus.vocabulary.Types;
import org.interleaf.machine.Fence;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SpinLock;

import java.util.Map;

/// Barriers, locks, RCU and SRCU.
final class SyncBuiltins {
    private SyncBuiltins() {}

    static void addTo(Map<String, Builtin> all) {
        for (Fence fence : Fence.values()) {
            Node barrier = new Primitive.Barrier(fence);
            Builtins.add(all, fence.kernelName(), 0, c -> Typed.nothing(barrier));
        }
        for (String name : new String[] {"smp_read_barrier_depends", "cpu_relax"}) {
            Builtins.add(all, name, 0, c -> Typed.nothing(new Values.Const(0)));
        }
        addSpinLocks(all, "spin_");
        addSpinLocks(all, "raw_spin_");
        addMutexes(all);
        addRwSems(all);
        addRcu(all);
        addSrcu(all);
        action(all, "local_irq_disable", f -> f.currentCpu().irqSave());
        action(all, "local_irq_enable", f -> f.currentCpu().irqRestore());
    }

    private static void addSpinLocks(Map<String, Builtin> all, String prefix) {
        spin(all, prefix + "lock", false, LockUses::lock);
        spin(all, prefix + "unlock", false, LockUses::unlock);
        spin(all, prefix + "trylock", true, LockUses::trylock);
        spin(all, prefix + "is_locked", true, LockUses::isLocked);
        if (prefix.equals("spin_")) {
            spin(all, prefix + "unlock_wait", false, LockUses::unlockWait);
        }
    }

    private static void spin(
            Map<String, Builtin> all, String name, boolean yields, Primitive.Use<SpinLock> use) {
        lock(all, name, Role.SPINLOCK, yields, Variable::spinLock, use);
    }

    private static void addMutexes(Map<String, Builtin> all) {
        lock(all, "mutex_lock", Role.MUTEX, false, Variable::mutex, LockUses::lock);
        lock(all, "mutex_unlock", Role.MUTEX, false, Variable::mutex, LockUses::unlock);
        lock(all, "mutex_trylock", Role.MUTEX, true, Variable::mutex, LockUses::trylock);
    }

    private static void addRwSems(Map<String, Builtin> all) {
        rwsem(all, "down_read", false, LockUses::downRead);
        rwsem(all, "down_read_trylock", true, LockUses::downReadTrylock);
        rwsem(all, "up_read", false, LockUses::upRead);
        rwsem(all, "down_write", false, LockUses::downWrite);
        rwsem(all, "down_write_trylock", true, LockUses::downWriteTrylock);
        rwsem(all, "up_write", false, LockUses::upWrite);
        rwsem(all, "downgrade_write", false, LockUses::downgradeWrite);
    }

    private static void rwsem(
            Map<String, Builtin> all, String name, boolean yields, Primitive.Use<RwSem> use) {
        lock(all, name, Role.RWSEM, yields, Variable::rwSem, use);
    }

    private static <L> void lock(
            Map<String, Builtin> all,
            String name,
            Role role,
            boolean yields,
            Primitive.Find<L> find,
            Primitive.Use<L> use) {
        Builtins.add(
                all,
                name,
                1,
                c -> {
                    Node node = new Primitive.LockAction<>(c.lock(0, role), find, use, c.site());
                    return new Typed(node, yields ? Types.INT : Types.VOID);
                });
    }

    private static void addRcu(Map<String, Builtin> all) {
        for (String flavour : new String[] {"", "_bh", "_sched"}) {
            action(all, "rcu_read_lock" + flavour, f -> f.rcu().readLock());
            action(all, "rcu_read_unlock" + flavour, f -> f.rcu().readUnlock());
        }
        for (String name :
                new String[] {
                    "synchronize_rcu", "synchronize_rcu_expedited", "synchronize_sched"
                }) {
            action(all, name, f -> f.rcu().synchronize());
        }
    }

    private static void action(Map<String, Builtin> all, String name, Primitive.Step step) {
        Builtins.add(all, name, 0, c -> Typed.nothing(new Primitive.Action(step)));
    }

    private static void addSrcu(Map<String, Builtin> all) {
        for (String name : new String[] {"srcu_read_lock", "srcu_down_read"}) {
            Builtins.add(all, name, 1, SyncBuiltins::srcuLock);
        }
        for (String name : new String[] {"srcu_read_unlock", "srcu_up_read"}) {
            Builtins.add(all, name, 2, SyncBuiltins::srcuUnlock);
        }
        for (String name : new String[] {"synchronize_srcu", "synchronize_srcu_expedited"}) {
            lock(all, name, Role.SRCU, false, Variable::srcu, LockUses::synchronizeSrcu);
        }
    }

    private static Typed srcuLock(CallCompiler call) {
        Primitive.Use<Srcu> use = (srcu, f) -> LockUses.srcuReadLock(srcu, f, call.site());
        Node address = call.lock(0, Role.SRCU);
        return new Typed(
                new Primitive.LockAction<>(address, Variable::srcu, use, call.site()), Types.INT);
    }

    private static Typed srcuUnlock(CallCompiler call) {
        Node address = call.lock(0, Role.SRCU);
        Node index = call.value(1).node();
        return Typed.nothing(new Primitive.SrcuUnlock(address, index, call.site()));
    }
}
