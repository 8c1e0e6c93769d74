// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.selfcheck;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Equivalence;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Random programs some of whose tasks are identical, against brute force: see {@link
/// SymmetryCheck}.
final class SymmetryTest {
    @ParameterizedTest
    @EnumSource(Equivalence.class)
    void whatIsLeftOutHasATwinThatIsExplored(Equivalence equivalence) {
        long programs = Long.getLong("interleaf.random.programs", 600);
        long first = Long.getLong("interleaf.random.seed", 1);
        long checked = 0;
        long traces = 0;
        long explored = 0;
        for (long seed = first; seed < first + programs; seed++) {
            SymmetryCheck.Result result = SymmetryCheck.of(seed, equivalence);
            assertThat(result.problem()).isNull();
            if (result.traces() >= 0) {
                checked++;
                traces += result.traces();
                explored += result.explored();
            }
        }
        assertThat(checked).as("programs small enough").isGreaterThan(programs / 2);
        assertThat(explored).as("executions for %s traces", traces).isLessThan(traces * 2 / 3);
    }
}
