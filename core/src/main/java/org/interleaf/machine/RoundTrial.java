// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import java.util.function.BooleanSupplier;

/// An access in the round of a loop, and the means to tell what would follow from what it finds: it
/// waits for any value with which it does not end a round for nothing. The round is tried out from
/// its beginning, with what its earlier accesses saw, aside of the execution.
public final class RoundTrial {
    private final Task task;
    private final BooleanSupplier round;
    private final long[] script;
    private final Op op;
    private final long a;
    private final long b;

    private int position;
    private long tried;
    private long triedLast;
    private boolean answer;
    private boolean answered;

    RoundTrial(Task task, BooleanSupplier round, long[] script, Op op, long a, long b) {
        this.task = task;
        this.round = round;
        this.script = script;
        this.op = op;
        this.a = a;
        this.b = b;
    }

    /// Thrown out of a round that is tried out once it is seen to be good for something.
    private static final class GoesOn extends RuntimeException {
        private static final long serialVersionUID = 1;

        GoesOn() {
            super("the round goes on", null, false, false);
        }
    }

    /// Whether the access, where it finds `value`, does something or leads to something.
    public boolean goesOn(long value) {
        if (op.writes(value, a, b) && op.result(value, a, b) != value) {
            return true;
        }
        if (!answered || triedLast != value) {
            answer = tryOut(value);
            triedLast = value;
            answered = true;
        }
        return answer;
    }

    private boolean tryOut(long value) {
        tried = value;
        position = 0;
        return task.machine.tryOut(this, task, this::isGoodForSomething);
    }

    private boolean isGoodForSomething() {
        try {
            return !round.getAsBoolean();
        } catch (GoesOn found) {
            return true;
        }
    }

    /// What the next access of the round finds.
    long access() {
        if (position < script.length) {
            return script[position++];
        }
        if (position++ == script.length) {
            return tried;
        }
        throw somethingHappens();
    }

    /// The round does something that cannot be tried out; the caller throws the result.
    RuntimeException somethingHappens() {
        return new GoesOn();
    }
}
