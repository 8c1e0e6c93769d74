// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.BitLock;
import org.interleaf.machine.Lock;
import org.interleaf.machine.LockMap;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;
import org.interleaf.trace.Thing;
import org.interleaf.trace.Thing.Fact;
import org.interleaf.trace.Thing.Kind;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// CPUs, tasks and locks as a picture shows them. Locks are shown from when somebody first has
/// them.
public final class MachinePicture {
    private final Machine machine;
    private final Map<String, Lock> locks = new LinkedHashMap<>();

    public MachinePicture(Machine machine) {
        this.machine = machine;
    }

    /// What there is at this moment, with every task before its next access.
    public List<Thing> things() {
        List<Thing> things = new ArrayList<>();
        for (int c = 0; c < machine.cpuCount(); c++) {
            Map<String, Fact> facts = Map.of("interrupts", Fact.of(irq(c)));
            things.add(new Thing(Kind.CPU, "CPU " + c, facts));
        }
        for (Task task : machine.tasks()) {
            things.add(task(task));
            for (int i = 0; i < task.heldCount(); i++) {
                locks.putIfAbsent(task.held(i).name(), task.held(i));
            }
        }
        locks.values().forEach(lock -> things.add(lock(lock)));
        return things;
    }

    private String irq(int cpu) {
        Word irq = machine.cpu(cpu).irq();
        return irq.show(irq.peek());
    }

    private Thing task(Task task) {
        Map<String, Fact> facts = new LinkedHashMap<>();
        facts.put("cpu", new Fact(String.valueOf(task.cpu()), "CPU " + task.cpu()));
        facts.put("state", Fact.of(state(task)));
        boolean off = task.irqsOff() && irq(task.cpu()).equals("off");
        facts.put("interrupts", Fact.of(off ? "off" : "on"));
        boolean reading = machine.rcu().reading(task);
        facts.put("rcu", Fact.of(reading ? "in read section" : "quiescent"));
        List<String> held = new ArrayList<>();
        for (int i = 0; i < task.heldCount(); i++) {
            held.add(task.held(i).name());
        }
        facts.put("holds", Fact.of(String.join(", ", held)));
        return new Thing(Kind.TASK, task.name(), facts);
    }

    private static String state(Task task) {
        if (task.killed()) {
            return "killed";
        }
        if (task.finished()) {
            return "ended";
        }
        if (task.atRest()) {
            return task.ready() ? "raised" : "idle";
        }
        return task.ready() ? "can go on" : "waits for " + task.word().name();
    }

    private Thing lock(Lock lock) {
        List<String> holders = new ArrayList<>();
        List<String> waiters = new ArrayList<>();
        for (Task task : machine.tasks()) {
            if (task.holds(lock)) {
                holders.add(task.name());
            } else if (isWaiting(task) && task.word() == lock.word()) {
                waiters.add(task.name());
            }
        }
        Map<String, Fact> facts = new LinkedHashMap<>();
        facts.put("state", Fact.of(state(lock, !holders.isEmpty())));
        facts.put("held by", Fact.of(String.join(", ", holders)));
        facts.put("waited for by", Fact.of(String.join(", ", waiters)));
        return new Thing(Kind.LOCK, lock.name(), facts);
    }

    private static boolean isWaiting(Task task) {
        return !task.finished() && !task.atRest() && !task.ready();
    }

    private static String state(Lock lock, boolean held) {
        return switch (lock) {
            case RwSem sem -> sem.word().show(sem.word().peek());
            case SpinLock spin -> held ? "held" : "free";
            case Mutex mutex -> held ? "held" : "free";
            case BitLock bit -> held ? "held" : "free";
            case LockMap map -> held ? "held" : "free";
        };
    }
}
