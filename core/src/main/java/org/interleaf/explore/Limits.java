// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.explore;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// When to give up, and whom to tell meanwhile.
///
/// @param timeout wall-clock time for the whole exploration
/// @param maxExecutions number of executions after which to stop
/// @param maxSteps number of accesses at which a single execution is cut
/// @param equivalence which executions count as the same
/// @param symmetry whether those count as the same, too, that differ in who is who among tasks that
///   are declared {@link org.interleaf.machine.Machine#identical identical}; some of them are left
///   out then
/// @param stop asked now and then; true ends the exploration early
/// @param progress told now and then how far it is
public record Limits(
        Duration timeout,
        long maxExecutions,
        int maxSteps,
        Equivalence equivalence,
        boolean symmetry,
        BooleanSupplier stop,
        Consumer<Exploration> progress) {
    /// A day, any number of executions, and executions of up to 100,000 accesses.
    public static final Limits NONE =
            new Limits(
                    Duration.ofDays(1),
                    Long.MAX_VALUE,
                    100_000,
                    Equivalence.UPDATE,
                    false,
                    () -> false,
                    e -> {});

    public Limits withTimeout(Duration newTimeout) {
        return new Limits(
                newTimeout, maxExecutions, maxSteps, equivalence, symmetry, stop, progress);
    }

    public Limits withMaxExecutions(long newMax) {
        return new Limits(timeout, newMax, maxSteps, equivalence, symmetry, stop, progress);
    }

    public Limits withMaxSteps(int newMax) {
        return new Limits(timeout, maxExecutions, newMax, equivalence, symmetry, stop, progress);
    }

    public Limits withEquivalence(Equivalence newEquivalence) {
        return new Limits(
                timeout, maxExecutions, maxSteps, newEquivalence, symmetry, stop, progress);
    }

    public Limits withSymmetry(boolean newSymmetry) {
        return new Limits(
                timeout, maxExecutions, maxSteps, equivalence, newSymmetry, stop, progress);
    }

    public Limits withStop(BooleanSupplier newStop) {
        return new Limits(
                timeout, maxExecutions, maxSteps, equivalence, symmetry, newStop, progress);
    }

    public Limits withProgress(Consumer<Exploration> newProgress) {
        return new Limits(
                timeout, maxExecutions, maxSteps, equivalence, symmetry, stop, newProgress);
    }
}
