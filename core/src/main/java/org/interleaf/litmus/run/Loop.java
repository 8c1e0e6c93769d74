// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Rounds;
import org.jspecify.annotations.Nullable;

/// `while`, `do` or `for`. A round that changes neither registers nor memory is not made: see
/// {@link Rounds}.
public final class Loop implements Code {
    private final String where;
    private final boolean testFirst;
    private final @Nullable Node condition;
    private final Code body;
    private final @Nullable Node step;

    /// @param where what reports call the loop
    /// @param testFirst whether the condition is evaluated before the first round
    public Loop(
            String where,
            boolean testFirst,
            @Nullable Node condition,
            Code body,
            @Nullable Node step) {
        this.where = where;
        this.testFirst = testFirst;
        this.condition = condition;
        this.body = body;
        this.step = step;
    }

    @Override
    public Signal run(Frame frame) {
        frame.enterLoop();
        Signal signal = frame.machine().tryingOut() ? tryOnce(frame) : goRound(frame);
        frame.leaveLoop();
        return signal == Signal.RETURN ? Signal.RETURN : Signal.NEXT;
    }

    /// A loop inside of one whose round is tried out: only its last round is part of that.
    private Signal tryOnce(Frame frame) {
        Signal signal = round(frame);
        if (signal == Signal.CONTINUE) {
            frame.did();
        }
        return signal;
    }

    private Signal goRound(Frame frame) {
        Machine machine = frame.machine();
        Rounds rounds = machine.rounds(where);
        long[] start = frame.copyRegisters();
        while (true) {
            long[] from = start;
            rounds.begin(() -> frame.tryOut(from, this));
            Signal signal = round(frame);
            if (signal != Signal.CONTINUE) {
                rounds.end();
                return signal;
            }
            boolean moved = !frame.registersAre(start);
            rounds.again(moved);
            if (moved) {
                start = frame.copyRegisters();
            }
        }
    }

    /// Makes a round; CONTINUE where another is to follow.
    Signal round(Frame frame) {
        if (testFirst && !goesOn(frame)) {
            return Signal.BREAK;
        }
        Signal signal = body.run(frame);
        if (signal == Signal.RETURN || signal == Signal.BREAK) {
            return signal;
        }
        if (step != null) {
            step.eval(frame);
        }
        return testFirst || goesOn(frame) ? Signal.CONTINUE : Signal.BREAK;
    }

    private boolean goesOn(Frame frame) {
        return condition == null || condition.eval(frame) != 0;
    }
}
