// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Mutex;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// A small program for the explorer, written as one would write it for the literature's tools.
final class Scenario implements Program {
    private final Machine machine;
    private final List<Word> words = new ArrayList<>();
    private final Word never;
    private Supplier<String> state = () -> "";

    /// The final states seen, one for each execution that ended.
    final List<String> states = new ArrayList<>();

    long complete;
    long deadlocks;
    long cuts;

    Scenario(int cpus) {
        machine = new Machine(cpus);
        never = machine.word("never", 0);
    }

    Word word(String name, long initial) {
        Word word = machine.word(name, initial);
        words.add(word);
        return word;
    }

    Word[] words(String name, int n, long initial) {
        Word[] array = new Word[n];
        for (int i = 0; i < n; i++) {
            array[i] = word(name + i, initial);
        }
        return array;
    }

    Mutex mutex(String name) {
        return new Mutex(machine, null, name);
    }

    Mutex[] mutexes(String name, int n) {
        Mutex[] array = new Mutex[n];
        for (int i = 0; i < n; i++) {
            array[i] = mutex(name + i);
        }
        return array;
    }

    void task(Runnable body) {
        int id = machine.tasks().size();
        machine.spawn("P" + id, id % machine.cpuCount(), body);
    }

    /// As a verifier's `assume()`: the execution counts only if `condition` holds.
    void assume(boolean condition) {
        if (!condition) {
            never.await(-1, 1);
        }
    }

    static boolean cas(Word word, long expected, long value) {
        return word.cmpxchg(expected, value, Order.FULL) == expected;
    }

    /// Has `text` describe the final state of each execution, beside the values of all words.
    Scenario observe(Supplier<String> text) {
        state = text;
        return this;
    }

    Scenario seal() {
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
            case DEADLOCK -> deadlocks++;
            case CUT -> cuts++;
        }
        states.add(words + " " + state.get() + " " + ending.kind());
    }
}
