// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.experiment;

import org.interleaf.explore.Limits;
import org.interleaf.machine.Ipi;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Rcu;
import org.interleaf.machine.Ref;
import org.interleaf.machine.Region;
import org.interleaf.machine.RwSem;
import org.interleaf.machine.SeqCount;
import org.interleaf.machine.Shared;
import org.interleaf.machine.SpinLock;
import org.interleaf.machine.WaitQueue;
import org.interleaf.machine.Word;
import org.interleaf.trace.Recording;
import org.interleaf.trace.Schedule;

import java.util.ArrayList;
import java.util.List;

/// A small concurrent program: what its tasks share, what they do, and what must hold in the end.
///
/// ```
/// Experiment test = new Experiment(2);
/// Word x = test.word("x", 0);
/// test.task("one", () -> x.writeOnce(x.readOnce() + 1));
/// test.task("two", () -> x.writeOnce(x.readOnce() + 1));
/// test.atEnd(() -> check(x.peek() == 2));
/// Report report = test.explore("lost-update", Limits.NONE, 1_000);
/// ```
///
/// # Rules
///
/// Tasks share words, locks and what is made of them, and nothing else: each call on a word is one
/// step, and all code between two steps happens at once. Tasks are run many times, so they must do
/// the same every time they see the same; Java state that they change must be their own and be set
/// before it is used. What they found goes into {@link Register}s.
///
/// An experiment fails where the check at the end, or a task, throws; where no task can go on; and
/// where a sanitizer complains: use after free, sleeping with a spinlock held, a lock left behind,
/// locks taken in both orders (those of one name count as one); and data races, where that is
/// {@link #failsOnDataRaces asked for}.
public final class Experiment {
    private final Machine machine;
    private final List<Register> registers = new ArrayList<>();
    private final Judge judge;
    private boolean daemons;
    private boolean sealed;

    /// An experiment on a machine with CPUs 0 to `cpus - 1`.
    public Experiment(int cpus) {
        machine = new Machine(cpus);
        judge = new Judge(machine, registers);
        machine.onReset(
                () -> {
                    judge.begin();
                    registers.forEach(register -> register.set(0));
                });
    }

    // ---- what is shared

    /// A shared variable.
    public Word word(String name, long initial) {
        return machine.word(name, initial);
    }

    /// A shared variable in memory that can be freed.
    public Word word(Region region, String name, long initial) {
        return machine.word(region, region, name, -1, initial);
    }

    /// Memory that can be freed; allocated to begin with.
    public Region region(String name) {
        Region region = new Region(machine);
        region.owner(name);
        region.allocate();
        return region;
    }

    /// A shared pointer; null to begin with.
    public <T extends Shared> Ref<T> ref(String name, Class<T> type) {
        return new Ref<>(machine, type, null, name, -1);
    }

    /// A shared pointer in memory that can be freed; null to begin with.
    public <T extends Shared> Ref<T> ref(Region region, String name, Class<T> type) {
        return new Ref<>(machine, type, region, region, name, -1);
    }

    public SpinLock spinLock(String name) {
        return new SpinLock(machine, null, null, name);
    }

    public Mutex mutex(String name) {
        return new Mutex(machine, null, name);
    }

    public RwSem rwSem(String name) {
        return new RwSem(machine, null, null, name);
    }

    public SeqCount seqCount(String name) {
        return new SeqCount(machine, null, name);
    }

    public WaitQueue waitQueue(String name) {
        return new WaitQueue(machine, null, name);
    }

    /// Read-copy update.
    public Rcu rcu() {
        daemons = true;
        return machine.rcu();
    }

    /// Interrupts between CPUs.
    public Ipi ipi() {
        daemons = true;
        return machine.ipi();
    }

    /// A place for what a task finds out.
    public Register register(String name) {
        Register register = new Register(name);
        registers.add(register);
        return register;
    }

    /// The machine below, for whatever has no method here.
    public Machine machine() {
        return machine;
    }

    // ---- what happens

    /// Adds a task, on the next CPU in turn.
    public void task(String name, Runnable body) {
        task(name, machine.tasks().size() % machine.cpuCount(), body);
    }

    /// Adds a task on `cpu`. Several on one CPU are preempted at any time.
    public void task(String name, int cpu, Runnable body) {
        machine.spawn(name, cpu, () -> judge.run(body));
    }

    /// Has `check` look at every execution in which all tasks have ended; it fails by throwing.
    public void atEnd(Runnable check) {
        judge.atEnd(check);
    }

    /// Has the experiment fail as well where a plain access could come at the same time as another
    /// one to the same word, of which one writes. Every access is slower then.
    public void failsOnDataRaces() {
        judge.watchRaces();
    }

    // ---- exploring

    /// Runs all interleavings, within `limits`.
    ///
    /// @param name identifies the experiment in schedules
    /// @param afterFailure how many executions to go on, once one failed, looking for other
    ///   failures
    public Report explore(String name, Limits limits, long afterFailure) {
        seal();
        return judge.explore(name, limits, afterFailure);
    }

    /// Runs one execution again, and writes down its steps.
    ///
    /// @throws org.interleaf.explore.ReplayException if it is not one of this experiment
    public Recording replay(Schedule schedule) {
        seal();
        return judge.replay(schedule);
    }

    private void seal() {
        if (!sealed) {
            sealed = true;
            if (daemons) {
                machine.startDaemons();
            }
            machine.seal();
        }
    }
}
