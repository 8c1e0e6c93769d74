// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Parsimonious;
import org.interleaf.explore.Strategy;
import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.util.function.Predicate;

/// Random programs, as many as wanted, each explored and run by brute force.
public final class RandomCheck {
    private final long firstSeed;
    private final long programs;
    private final Duration timeout;

    /// What was compared.
    ///
    /// @param programs number of programs that were small enough for brute force
    /// @param tooBig number of those that were not, and say nothing
    /// @param traces executions of all programs, one for each trace under the equivalence
    /// @param nextSeed the seed to go on with
    /// @param problem what is wrong, with the smallest program found that shows it; null where
    ///   explorer and brute force agree on everything
    public record Result(
            long programs, long tooBig, long traces, long nextSeed, @Nullable String problem) {
        static final Result NOTHING = new Result(0, 0, 0, 0, null);

        private Result with(CrossCheck.Result result, long seed, @Nullable String newProblem) {
            boolean big = result.traces() < 0;
            return new Result(
                    programs + (big ? 0 : 1),
                    tooBig + (big ? 1 : 0),
                    traces + (big ? 0 : result.traces()),
                    seed + 1,
                    newProblem);
        }
    }

    /// A check of the programs from `firstSeed` on, until `programs` are done or `timeout` is over.
    public RandomCheck(long firstSeed, long programs, Duration timeout) {
        this.firstSeed = firstSeed;
        this.programs = programs;
        this.timeout = timeout;
    }

    /// Checks them, up to the first problem.
    ///
    /// @param goOn asked after each program
    public Result run(Predicate<Result> goOn) {
        long start = System.nanoTime();
        Result result = Result.NOTHING;
        for (long i = 0; i < programs; i++) {
            long seed = firstSeed + i;
            // Each program in one way, so that all ways get as many.
            Equivalence equivalence = seed % 3 == 0 ? Equivalence.UPDATE : Equivalence.TRACE;
            Strategy strategy = seed % 3 == 1 ? new Parsimonious() : new Exhaustive();
            RandomProgram program = RandomProgram.of(seed);
            CrossCheck.Result checked = CrossCheck.of(program, equivalence, strategy);
            String problem =
                    checked.problem() == null
                            ? null
                            : CrossCheck.report(seed, program, equivalence, strategy);
            result = result.with(checked, seed, problem);
            boolean over = System.nanoTime() - start > timeout.toNanos();
            if (result.problem() != null || over || !goOn.test(result)) {
                return result;
            }
        }
        return result;
    }
}
