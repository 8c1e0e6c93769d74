// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Limits;
import org.interleaf.explore.Parsimonious;
import org.interleaf.explore.Pct;
import org.interleaf.explore.PreemptionBounded;
import org.interleaf.explore.RandomWalk;
import org.interleaf.explore.Reduction;
import org.interleaf.explore.Strategy;
import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

/// The options that say how to go through the interleavings.
final class StrategyOptions {
    /// Executions after which a strategy that does not end by itself ends, if nothing else says so.
    private static final long SAMPLE_DEFAULT = 100_000;

    private static final long SEED_DEFAULT = 1;
    private static final int SMALL_MAX = 1_000_000;

    /// The names of the strategies.
    enum Name {
        DPOR,
        POP,
        BOUNDED,
        PCT,
        RANDOM
    }

    @Option(
            names = "--strategy",
            paramLabel = "NAME",
            converter = Converters.StrategyName.class,
            description = {
                "How to go through the interleavings. dpor: each once, up to equivalence. pop: the"
                    + " same, parsimonious: memory stays polynomial in the length of an execution;"
                    + " with --equivalence trace only. bounded: first those without a preemption,"
                    + " then with one, two, ...; finds the simplest trace first. pct: random"
                    + " priorities, which find a bug of depth D with a probability that is printed."
                    + " random: any task, at every step. The last two never see all: what they do"
                    + " not find stays undecided. Default: dpor."
            })
    private Name name = Name.DPOR;

    @Option(
            names = "--preemptions",
            paramLabel = "K",
            converter = Converters.CountFromZero.class,
            description = {
                "With bounded: end after the executions with K preemptions, changes of task where"
                        + " the task could have gone on. Default: go on until all is seen."
            })
    private @Nullable Long preemptions;

    @Option(
            names = "--depth",
            paramLabel = "D",
            converter = Converters.Count.class,
            description = {
                "With pct: look for bugs that need D accesses in a certain order. Default: 3."
            })
    private @Nullable Long depth;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = {
                "With pct and random: another seed, other executions; the same one, the same."
                        + " Default: 1."
            })
    private @Nullable Long seed;

    /// The strategy that is asked for.
    ///
    /// @throws BadInput if an option belongs to another one
    Strategy strategy() {
        only("--preemptions", preemptions, "bounded", name == Name.BOUNDED);
        only("--depth", depth, "pct", name == Name.PCT);
        boolean drawn = name == Name.PCT || name == Name.RANDOM;
        only("--seed", seed, "pct or random", drawn);
        long seedOrDefault = seed == null ? SEED_DEFAULT : seed;
        return switch (name) {
            case DPOR -> new Exhaustive();
            case POP -> new Parsimonious();
            case BOUNDED ->
                    new PreemptionBounded(
                            small(preemptions, "--preemptions", PreemptionBounded.ANY));
            case PCT -> new Pct(small(depth, "--depth", Pct.USUAL_DEPTH), seedOrDefault);
            case RANDOM -> new RandomWalk(seedOrDefault);
        };
    }

    /// The limits for `strategy`, which needs some if it does not end by itself.
    ///
    /// @throws BadInput if they ask of it what it cannot do
    static Limits limited(Limits limits, Strategy strategy) {
        if (strategy instanceof Reduction reduction && !reduction.supports(limits)) {
            throw new BadInput(
                    "--strategy " + strategy.describe() + " is for --equivalence trace only",
                    "add --equivalence trace, or take --strategy dpor");
        }
        boolean none =
                limits.timeout().equals(Limits.NONE.timeout())
                        && limits.maxExecutions() == Limits.NONE.maxExecutions();
        return none && !strategy.ends() ? limits.withMaxExecutions(SAMPLE_DEFAULT) : limits;
    }

    private void only(String option, @Nullable Long value, String owner, boolean fits) {
        if (value != null && !fits) {
            throw new BadInput(
                    option + " means nothing to this strategy", "add --strategy " + owner);
        }
    }

    private static int small(@Nullable Long value, String option, int otherwise) {
        if (value == null) {
            return otherwise;
        }
        if (value > SMALL_MAX) {
            throw new BadInput(
                    option + " " + value + " is too large", "it is at most " + SMALL_MAX);
        }
        return value.intValue();
    }
}
