// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Order;
import org.interleaf.machine.Word;

import java.util.Arrays;

/// An `srcu_struct`. Its sections may overlap without nesting, and one task may end what another
/// began, so each section has a bit of its own in the word of the task that began it. No bit is
/// used twice in an execution: a grace period waits for the sections it saw and no others.
public final class Srcu {
    /// The most sections that one task can begin, in all `srcu_struct`s together.
    static final int MAX_SECTIONS = 62;

    /// What `srcu_read_lock()` returns stands for a section. The numbers are unlike all others, so
    /// that final states can show them as 0.
    private static final long TOKENS = 0x5c75_0000L;

    private static final int TOKENS_PER_TASK = 64;
    private static final int MAX_TASKS = 256;

    private final String name;
    private Word[] sections = new Word[0];

    Srcu(String name) {
        this.name = name;
    }

    void place(Machine machine) {
        sections = new Word[machine.tasks().size()];
        Arrays.setAll(
                sections,
                t -> machine.word(null, machine.tasks().get(t), name + ".sections", -1, 0));
    }

    /// What a final state shows for a value: 0 where it stands for a section, as herd7 has it.
    static long shown(long value) {
        return isToken(value) ? 0 : value;
    }

    private static boolean isToken(long value) {
        return value >= TOKENS && value < TOKENS + TOKENS_PER_TASK * MAX_TASKS;
    }

    /// `srcu_read_lock()` by task `task`, whose section number `section` it is.
    long readLock(int task, int section) {
        sections[task].fetchOr(1L << section, Order.FULL);
        return TOKENS + (long) TOKENS_PER_TASK * task + section;
    }

    /// `srcu_read_unlock()`; false where the token stands for no section that is open.
    boolean readUnlock(long token) {
        if (!isToken(token)) {
            return false;
        }
        int task = (int) (token - TOKENS) / TOKENS_PER_TASK;
        long bit = 1L << ((token - TOKENS) % TOKENS_PER_TASK);
        return task < sections.length && (sections[task].fetchAnd(~bit, Order.FULL) & bit) != 0;
    }

    /// `synchronize_srcu()`.
    void synchronize() {
        long[] seen = new long[sections.length];
        for (int t = 0; t < seen.length; t++) {
            seen[t] = sections[t].read(Order.FULL);
        }
        for (int t = 0; t < seen.length; t++) {
            if (seen[t] != 0) {
                sections[t].await(seen[t], 0);
            }
        }
    }
}
