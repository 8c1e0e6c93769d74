// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.Arrays;

/// The read sections of one flavour of RCU, or of one `srcu_struct`: a word for each task that says
/// how many sections it has ended and whether it is inside one.
public final class RcuDomain {
    private static final long INSIDE = 1;

    private final Machine machine;
    private final String name;
    private Word[] sections = new Word[0];

    public RcuDomain(Machine machine, String name) {
        this.machine = machine;
        this.name = name;
    }

    /// Makes the words; all tasks must have been spawned.
    public void seal() {
        sections = new Word[machine.tasks().size()];
        Arrays.setAll(sections, t -> machine.word(null, machine.tasks().get(t), name, -1, 0));
        for (Word word : sections) {
            word.format(v -> (v & INSIDE) != 0 ? "in read section" : "quiescent");
        }
    }

    /// The running task, which is outside, begins a section.
    public void enter() {
        change(1);
    }

    /// The running task ends its section. That there was one is no effect of the round of a loop:
    /// only those notice who look while it lasts.
    public void leave() {
        change(1);
        Task task = machine.current();
        if (task.id() >= 0 && task.rounds != null) {
            task.rounds.settled(sections[task.id()]);
        }
    }

    /// Whether `task` is inside a section; looked at from outside.
    boolean inside(Task task) {
        return (sections[task.id()].peek() & INSIDE) != 0;
    }

    private void change(long delta) {
        int task = machine.current().id();
        if (task >= 0) {
            sections[task].fetchAdd(delta, Order.FULL);
        }
    }

    /// Looks at each task's word once. A task that is a machine daemon has no sections.
    public long[] look() {
        int self = machine.current().id();
        long[] seen = new long[sections.length];
        for (int t = 0; t < seen.length; t++) {
            if (t != self && !machine.tasks().get(t).daemon()) {
                seen[t] = sections[t].read(Order.FULL);
            }
        }
        return seen;
    }

    /// Waits until every section that {@link #look} found has ended.
    public void await(long[] seen) {
        for (int t = 0; t < seen.length; t++) {
            if ((seen[t] & INSIDE) != 0) {
                sections[t].awaitNot(-1, seen[t]);
            }
        }
    }
}
