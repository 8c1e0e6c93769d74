// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.UserMemory;
import org.interleaf.machine.Machine;
import org.interleaf.machine.Word;
import org.jspecify.annotations.Nullable;

/// What all processes of a test share while it runs.
public final class Context {
    private final Machine machine;
    private final SharedMemory memory;
    private final @Nullable UserMemory userMemory;
    private final int spinBound;
    private final Word never;
    private boolean cut;

    /// @param spinBound how many fruitless rounds a loop may make before the execution is cut
    public Context(
            Machine machine, SharedMemory memory, @Nullable UserMemory userMemory, int spinBound) {
        this.machine = machine;
        this.memory = memory;
        this.userMemory = userMemory;
        this.spinBound = spinBound;
        this.never = machine.word("nothing", 0);
        machine.onReset(() -> cut = false);
    }

    Machine machine() {
        return machine;
    }

    /// The variables of the test.
    public SharedMemory memory() {
        return memory;
    }

    @Nullable UserMemory userMemory() {
        return userMemory;
    }

    int spinBound() {
        return spinBound;
    }

    /// Whether a loop of the execution that ended last reached its bound.
    public boolean cut() {
        return cut;
    }

    /// The running task will never go on, for it would only repeat itself.
    void waitForever() {
        never.await(-1, 1);
    }

    /// Gives up the running task, and with it the execution: a loop has reached its bound.
    void giveUp() {
        cut = true;
        waitForever();
    }
}
