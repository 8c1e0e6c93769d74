// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.literature;

import org.interleaf.explore.Ending;
import org.interleaf.explore.Program;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Order;
import org.interleaf.machine.Task;
import org.interleaf.machine.Word;

import java.util.function.IntFunction;

/// A small program for the explorer, written as one would write it for the literature's tools. It
/// counts how its executions end.
public final class Scenario implements Program {
    private final Machine machine;
    private final Word never;

    private long complete;
    private long blocked;
    private long livelocked;
    private long cut;

    /// A program without tasks so far, on a machine with `cpus` CPUs.
    public Scenario(int cpus) {
        machine = new Machine(cpus);
        never = machine.word("never", 0);
    }

    public Word word(String name, long initial) {
        return machine.word(name, initial);
    }

    /// `n` words, with numbers after their names.
    public Word[] words(String name, int n, long initial) {
        Word[] array = new Word[n];
        for (int i = 0; i < n; i++) {
            array[i] = word(name + i, initial);
        }
        return array;
    }

    public Mutex mutex(String name) {
        return new Mutex(machine, null, name);
    }

    /// `n` mutexes, with numbers after their names.
    public Mutex[] mutexes(String name, int n) {
        Mutex[] array = new Mutex[n];
        for (int i = 0; i < n; i++) {
            array[i] = mutex(name + i);
        }
        return array;
    }

    /// Adds a task; they go round the CPUs.
    public void task(Runnable body) {
        int id = machine.tasks().size();
        machine.spawn("P" + id, id % machine.cpuCount(), body);
    }

    /// Adds `n` tasks of which nobody can say which is which, see {@link Machine#identical}.
    ///
    /// @param body what each does, by its number from 0
    public void identicalTasks(int n, IntFunction<Runnable> body) {
        int first = machine.tasks().size();
        for (int i = 0; i < n; i++) {
            task(body.apply(i));
        }
        if (n > 1) {
            machine.identical(machine.tasks().subList(first, first + n).toArray(Task[]::new));
        }
    }

    /// As a verifier's `assume()`: the execution counts only if `condition` holds.
    public void assume(boolean condition) {
        if (!condition) {
            never.await(-1, 1);
        }
    }

    /// A compare-and-swap; whether it swapped.
    public static boolean cas(Word word, long expected, long value) {
        return word.cmpxchg(expected, value, Order.FULL) == expected;
    }

    /// Ends the set-up.
    public Scenario seal() {
        machine.seal();
        return this;
    }

    @Override
    public Machine machine() {
        return machine;
    }

    @Override
    public void finished(Ending ending) {
        switch (ending.kind()) {
            case COMPLETE -> complete++;
            case DEADLOCK -> blocked++;
            case LIVELOCK -> livelocked++;
            case CUT -> cut++;
            case FRUITLESS -> {}
        }
    }

    /// How many executions had every task come to its end, since this was made.
    public long complete() {
        return complete;
    }

    /// How many ended with a task that waits in vain.
    public long blocked() {
        return blocked;
    }

    /// How many ended with all tasks that are left in loops that they never leave.
    public long livelocked() {
        return livelocked;
    }

    /// How many were cut at the bound on their length or on the rounds of a loop.
    public long cut() {
        return cut;
    }
}
