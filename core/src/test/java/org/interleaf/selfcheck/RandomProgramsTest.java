// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Equivalence;
import org.interleaf.explore.Exhaustive;
import org.interleaf.explore.Parsimonious;
import org.interleaf.explore.Strategy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;

/// The explorer against brute force on small random programs: the same outcomes and findings, one
/// execution for each trace, none superfluous, and each replays from its token on a fresh machine.
///
/// - `-Dinterleaf.random.programs=N` checks N programs instead of a thousand.
/// - `-Dinterleaf.random.seed=S` begins at another seed; a failure names the program's seed.
/// - `-Dinterleaf.random.limit=L` goes on to programs with up to L interleavings, and more than
///   that where they are merged.
final class RandomProgramsTest {
    @ParameterizedTest
    @EnumSource
    void explorerAgreesWithBruteForce(Equivalence equivalence) {
        agrees(equivalence, new Exhaustive());
    }

    @Test
    void parsimoniousExplorerAgreesWithBruteForce() {
        agrees(Equivalence.TRACE, new Parsimonious());
    }

    private static void agrees(Equivalence equivalence, Strategy strategy) {
        long programs = Long.getLong("interleaf.random.programs", 1_000);
        long first = Long.getLong("interleaf.random.seed", 1);
        long checked = 0;
        long traces = 0;
        for (long seed = first; seed < first + programs; seed++) {
            boolean loops = seed % 4 == 0;
            RandomProgram program = loops ? RandomProgram.looping(seed) : RandomProgram.of(seed);
            CrossCheck.Result result = CrossCheck.of(program, equivalence, strategy);
            if (result.problem() != null) {
                throw new AssertionError(CrossCheck.report(seed, program, equivalence, strategy));
            }
            checked += result.traces() < 0 ? 0 : 1;
            traces += Math.max(0, result.traces());
        }
        assertThat(checked).as("programs small enough").isGreaterThan(programs * 4 / 5);
        assertThat(traces).as("traces in %s programs", programs).isGreaterThan(4 * programs);
    }

    @Test
    void loopsThatWaitComeToWhatTheyComeToRoundByRound() {
        long endings = 0;
        for (long seed = 1; seed <= 60; seed++) {
            endings += Math.max(0, CrossCheck.roundByRound(RandomProgram.looping(seed)));
        }
        assertThat(endings).isGreaterThan(20);
    }

    @Test
    void executionsThatAreCutAreFollowedAndNeverCalledComplete() {
        followsWhatIsCut(Equivalence.UPDATE, new Exhaustive());
        followsWhatIsCut(Equivalence.TRACE, new Parsimonious());
    }

    private static void followsWhatIsCut(Equivalence equivalence, Strategy strategy) {
        long cut = 0;
        for (long seed = 1; seed <= 200; seed++) {
            cut += CrossCheck.cutAt(4, RandomProgram.of(seed), equivalence, strategy);
        }
        assertThat(cut).as("executions cut").isGreaterThan(100);
    }

    @Test
    void everyKindOfStatementComesUp() {
        Set<Kind> missing = EnumSet.allOf(Kind.class);
        for (long seed = 1; seed < 3_000; seed++) {
            Stream.of(RandomProgram.of(seed), RandomProgram.looping(seed))
                    .flatMap(program -> program.tasks().stream())
                    .forEach(t -> t.forEach(s -> missing.remove(s.kind())));
        }
        assertThat(missing).isEmpty();
    }
}
