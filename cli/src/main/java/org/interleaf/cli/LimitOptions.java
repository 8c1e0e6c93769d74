// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Limits;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import java.time.Duration;

/// The options that say when to give up, and which executions are told apart.
final class LimitOptions {
    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            converter = Converters.Time.class,
            description = "Give up a test after this time: 90, 1.5s, 10m, 2h. Default: never.")
    private @Nullable Duration timeout;

    @Option(
            names = "--max-executions",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = "Give up a test after N executions. Default: never.")
    private @Nullable Long maxExecutions;

    @Option(
            names = "--max-steps",
            paramLabel = "N",
            converter = Converters.Count.class,
            description = {
                "Cut an execution that has not ended after N accesses; a test that can loop"
                        + " forever is undecided then. Default: 100000."
            })
    private @Nullable Long maxSteps;

    @Option(
            names = "--equivalence",
            paramLabel = "KIND",
            converter = Converters.Kind.class,
            description = {
                "Which executions count as the same. trace: those with the same order of"
                        + " accesses of which one writes, as the literature counts. update: also"
                        + " those with another order of updates whose result nobody uses, such as"
                        + " atomic_inc(). Default: update."
            })
    private Equivalence equivalence = Equivalence.UPDATE;

    @Option(
            names = "--symmetry",
            description = {
                "Leave out executions that differ from others only in which of several processes"
                        + " that are written the same does what. States and counts are those of"
                        + " all. For plain litmus tests; others are explored in full, with a"
                        + " warning that says why. Only with --strategy dpor."
            })
    private boolean symmetry;

    /// Whether executions that differ only in who is who are to be left out.
    boolean symmetry() {
        return symmetry;
    }

    /// The limits for each test.
    Limits limits() {
        Limits limits = Limits.NONE.withEquivalence(equivalence).withSymmetry(symmetry);
        if (timeout != null) {
            limits = limits.withTimeout(timeout);
        }
        if (maxExecutions != null) {
            limits = limits.withMaxExecutions(maxExecutions);
        }
        if (maxSteps != null) {
            limits = limits.withMaxSteps((int) Math.min(maxSteps, Integer.MAX_VALUE));
        }
        return limits;
    }
}
