// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.ArrayList;
import java.util.List;

/// Read-copy update in its consolidated flavour: read sections and interrupts-off sections both
/// hold up a grace period.
///
/// A grace period looks at every reader once, then waits for those that it found inside a section.
/// That the looks are separate accesses loses nothing: the interleaving in which they are adjacent
/// is one of those explored. Callbacks run in a softirq of their CPU, as a daemon of the machine.
public final class Rcu {
    private final Machine machine;
    private final RcuDomain readers;
    private final Word[] pending;
    private final List<List<Runnable>> callbacks = new ArrayList<>();

    Rcu(Machine machine) {
        this.machine = machine;
        this.readers = new RcuDomain(machine, "rcu");
        this.pending = new Word[machine.cpuCount()];
        for (int c = 0; c < pending.length; c++) {
            pending[c] = machine.word(null, machine.cpu(c), "rcu_callbacks", -1, 0);
            callbacks.add(new ArrayList<>());
        }
        machine.onReset(() -> callbacks.forEach(List::clear));
    }

    void startDaemon(Cpu cpu) {
        machine.daemon(
                "rcuc/" + cpu.id(), cpu.id(), pending[cpu.id()], -1, () -> runCallbacks(cpu));
    }

    void seal() {
        readers.seal();
        for (List<Runnable> list : callbacks) {
            while (!list.isEmpty()) {
                list.removeFirst().run();
            }
        }
        for (Word word : pending) {
            word.poke(0);
        }
    }

    /// `rcu_read_lock()`. Nests; the task must not sleep until the matching {@link #readUnlock}.
    public void readLock() {
        if (machine.current().rcuDepth++ == 0) {
            readers.enter();
        }
    }

    /// `rcu_read_unlock()`.
    public void readUnlock() {
        Task task = machine.current();
        if (task.rcuDepth == 0) {
            machine.monitor().complained(task, "WARNING", "rcu_read_unlock without rcu_read_lock");
        } else if (--task.rcuDepth == 0) {
            readers.leave();
        }
    }

    /// Whether `task` is in a read section; looked at from outside.
    public boolean reading(Task task) {
        return readers.inside(task);
    }

    /// `synchronize_rcu()`: waits until every section that has begun before has ended.
    public void synchronize() {
        machine.mightSleep("synchronize_rcu");
        gracePeriod();
    }

    /// `call_rcu()`: has `callback` run after a grace period. Does not wait.
    public void call(Runnable callback) {
        int cpu = machine.current().cpu();
        pending[cpu].fetchOr(1, Order.FULL);
        callbacks.get(cpu).add(callback);
    }

    private void gracePeriod() {
        if (!machine.running()) {
            return;
        }
        long[] sections = readers.look();
        long[] irqs = new long[machine.cpuCount()];
        for (int c = 0; c < irqs.length; c++) {
            irqs[c] = machine.cpu(c).irq().read(Order.FULL);
        }
        readers.await(sections);
        for (int c = 0; c < irqs.length; c++) {
            if (Cpu.isOff(irqs[c])) {
                machine.cpu(c).awaitSectionEnd(irqs[c]);
            }
        }
    }

    private void runCallbacks(Cpu cpu) {
        List<Runnable> batch = new ArrayList<>(callbacks.get(cpu.id()));
        callbacks.get(cpu.id()).clear();
        gracePeriod();
        for (Runnable callback : batch) {
            callback.run();
        }
    }
}
