// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.jspecify.annotations.Nullable;

/// `while`, `do` or `for`.
public final class Loop implements Code {
    /// How many rounds a loop may make that change registers: more than any test needs.
    private static final int MAX_ROUNDS = 1 << 16;

    private final boolean testFirst;
    private final @Nullable Node condition;
    private final Code body;
    private final @Nullable Node step;

    /// The registers at the beginning of the round. The loop belongs to one process, so the array
    /// can stay here.
    private long[] before = new long[0];

    /// @param testFirst whether the condition is evaluated before the first round
    public Loop(boolean testFirst, @Nullable Node condition, Code body, @Nullable Node step) {
        this.testFirst = testFirst;
        this.condition = condition;
        this.body = body;
        this.step = step;
    }

    @Override
    public Signal run(Frame frame) {
        frame.enterLoop();
        Signal signal = goRound(frame);
        frame.leaveLoop();
        return signal;
    }

    private Signal goRound(Frame frame) {
        int rounds = 0;
        int fruitless = 0;
        if (before.length != frame.registerCount()) {
            before = new long[frame.registerCount()];
        }
        while (true) {
            frame.beginRound();
            frame.saveRegisters(before);
            if (testFirst && !goesOn(frame)) {
                break;
            }
            Signal signal = body.run(frame);
            if (signal == Signal.RETURN) {
                return signal;
            }
            if (signal == Signal.BREAK) {
                break;
            }
            if (step != null) {
                step.eval(frame);
            }
            if (!testFirst && !goesOn(frame)) {
                break;
            }
            if (!frame.registersAre(before)) {
                rounds++;
            } else if (frame.onlyLooked()) {
                frame.awaitChange();
            } else {
                fruitless++;
            }
            if (rounds > MAX_ROUNDS || fruitless > frame.context().spinBound()) {
                frame.context().giveUp();
            }
        }
        frame.did(); // for a loop around this one: it saw only the last round
        return Signal.NEXT;
    }

    private boolean goesOn(Frame frame) {
        return condition == null || condition.eval(frame) != 0;
    }
}
