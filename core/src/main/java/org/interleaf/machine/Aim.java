// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.machine;

import org.jspecify.annotations.Nullable;

/// An access that takes its aim in the step that makes it, as hardware that looks something up and
/// uses it at once. It never waits.
///
/// What it aims at may depend on words that its target names, and on nothing else that other tasks
/// can change. So the explorer can ask what it would have been in another state.
@FunctionalInterface
public interface Aim {
    /// What the access is where words hold what `view` says.
    Target at(View view);

    /// The values of words, at this moment or as they would have been.
    @FunctionalInterface
    interface View {
        long value(Word word);
    }

    /// What an access touches and does.
    ///
    /// @param word its location
    /// @param a first operand
    /// @param b second operand
    /// @param extra a second location that it touches in the same step
    /// @param extraWritten whether it writes that one
    record Target(
            Word word,
            Op op,
            Order order,
            long a,
            long b,
            @Nullable Word extra,
            boolean extraWritten) {}
}
