// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

/// An object of the model that words can point to.
public abstract class Shared {
    private final long pointer;

    protected Shared(Machine machine) {
        pointer = machine.heap().register(machine, this);
    }

    /// The number that stands for this object in words; never 0.
    public final long pointer() {
        return pointer;
    }
}
