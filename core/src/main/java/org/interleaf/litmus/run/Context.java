// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.run;

import org.interleaf.litmus.vocabulary.UserMemory;
import org.interleaf.machine.Machine;
import org.jspecify.annotations.Nullable;

/// What all processes of a test share while it runs.
public final class Context {
    private final Machine machine;
    private final SharedMemory memory;
    private final @Nullable UserMemory userMemory;

    public Context(Machine machine, SharedMemory memory, @Nullable UserMemory userMemory) {
        this.machine = machine;
        this.memory = memory;
        this.userMemory = userMemory;
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
}
