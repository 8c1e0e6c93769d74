// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.outcome;

import java.util.Arrays;

/// The values of a final state, as an element of a set. The one that looks a state up is used again
/// and again; only a state not seen before is copied.
final class State {
    private final long[] values;

    State(long[] values) {
        this.values = values;
    }

    State copy() {
        return new State(values.clone());
    }

    long value(int i) {
        return values[i];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof State state && Arrays.equals(values, state.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }
}
