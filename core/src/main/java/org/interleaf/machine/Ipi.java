// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// Interprocessor interrupts, after kernel/smp.c.
///
/// A call is queued at its target and runs there, between two accesses of the task on that CPU,
/// once interrupts are on. Where the sender waits, it waits for the handler on every target. A
/// handler may make one visible access: the task that it interrupts could not tell how several are
/// spaced, and must not seem to.
public final class Ipi {
    private final Machine machine;
    private final Word[] queues;
    private final Word[][] busy;
    private final @Nullable Handler[][] handlers;

    /// What an interrupt does on the CPU that takes it.
    @FunctionalInterface
    public interface Handler {
        /// Runs on `cpu`, with interrupts off.
        void handle(Cpu cpu);
    }

    Ipi(Machine machine) {
        this.machine = machine;
        int cpus = machine.cpuCount();
        queues = new Word[cpus];
        busy = new Word[cpus][cpus];
        handlers = new Handler[cpus][cpus];
        for (int c = 0; c < cpus; c++) {
            queues[c] = machine.word(null, machine.cpu(c), "call_queue", -1, 0);
            for (int from = 0; from < cpus; from++) {
                busy[from][c] = machine.word(null, machine.cpu(c), "csd_from", from, 0);
            }
        }
    }

    void startDaemon(Cpu cpu) {
        machine.daemon("irq/" + cpu.id(), cpu.id(), queues[cpu.id()], -1, () -> serve(cpu));
    }

    /// `smp_call_function_many()`: has `handler` run on the CPUs of `mask` (bit c for CPU c) other
    /// than the caller's, and waits for all of them if `wait`. Interrupts must be on: with them off
    /// two senders could wait for each other.
    public void call(long mask, Handler handler, boolean wait) {
        int self = machine.current().cpu();
        if (machine.current().irqsOff()) {
            machine.monitor()
                    .complained(
                            machine.current(),
                            "WARNING",
                            "smp_call_function_many with interrupts off");
        }
        List<Cpu> targets = targets(mask & ~(1L << self));
        if (!machine.running()) {
            targets.forEach(handler::handle);
            return;
        }
        for (Cpu target : targets) {
            send(self, target.id(), handler);
        }
        if (wait) {
            for (Cpu target : targets) {
                busy[self][target.id()].await(-1, 0);
            }
        }
    }

    private List<Cpu> targets(long mask) {
        List<Cpu> targets = new ArrayList<>(4);
        for (int c = 0; c < machine.cpuCount(); c++) {
            if ((mask >> c & 1) != 0) {
                targets.add(machine.cpu(c));
            }
        }
        return targets;
    }

    private void send(int from, int to, Handler handler) {
        // csd_lock(): in one step, as two tasks of a CPU may send to the same target.
        machine.access(busy[from][to], Op.LOCK, Order.LOCK, -1, 1);
        handlers[from][to] = handler;
        queues[to].or(1L << from, Order.FULL);
    }

    private void serve(Cpu cpu) {
        long senders = machine.current().taken;
        cpu.enterHandler();
        for (int from = 0; from < machine.cpuCount(); from++) {
            if ((senders >> from & 1) != 0) {
                Objects.requireNonNull(handlers[from][cpu.id()]).handle(cpu);
            }
        }
        cpu.leaveHandler();
        for (int from = 0; from < machine.cpuCount(); from++) {
            if ((senders >> from & 1) != 0) {
                busy[from][cpu.id()].storeRelease(0);
            }
        }
    }
}
