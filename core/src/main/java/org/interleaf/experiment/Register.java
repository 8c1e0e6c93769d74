// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.experiment;

/// What a task found out, for the check at the end. It is no shared location: using it is no
/// access, and tasks must not talk to each other through it. Every execution begins with 0.
public final class Register {
    private final String name;
    private long value;

    Register(String name) {
        this.name = name;
    }

    public void set(long newValue) {
        value = newValue;
    }

    /// 1 for true, 0 for false.
    public void set(boolean newValue) {
        value = newValue ? 1 : 0;
    }

    public long get() {
        return value;
    }

    @Override
    public String toString() {
        return name + "=" + value;
    }
}
