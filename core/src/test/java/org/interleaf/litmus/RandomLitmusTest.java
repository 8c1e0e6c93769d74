// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Limits;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Random litmus tests through parser, compiler, machine and explorer, against an interpreter that
/// shares nothing with them. `-Dinterleaf.random.programs=N` checks N tests.
final class RandomLitmusTest {
    private static final int EXECUTIONS_MAX = 1_000;

    @Test
    void statesAndVerdictAreThoseOfATinyInterpreter() {
        long programs = Long.getLong("interleaf.random.programs", 1_000);
        long first = Long.getLong("interleaf.random.seed", 1);
        long checked = 0;
        for (long seed = first; seed < first + programs; seed++) {
            checked += agrees(seed) ? 1 : 0;
        }
        assertThat(checked).as("tests small enough").isGreaterThan(programs * 3 / 4);
    }

    private static boolean agrees(long seed) {
        RandomLitmus random = new RandomLitmus(seed);
        Tests.Result result =
                Tests.explore(
                        Tests.parse(random.text()), Limits.NONE.withMaxExecutions(EXECUTIONS_MAX));
        if (!result.complete()) {
            return false;
        }
        TinyInterpreter expected = new TinyInterpreter(random);
        Set<String> states =
                result.states().stream()
                        .map(RandomLitmusTest::sorted)
                        .collect(Collectors.toCollection(TreeSet::new));
        String what = "seed " + seed + ":\n" + random.text();
        assertThat(states).as(what).isEqualTo(expected.states());
        assertThat(result.verdict()).as(what).isEqualTo(expected.verdict());
        return true;
    }

    private static String sorted(String state) {
        String[] parts = state.replaceAll(";$", "").split("; ");
        Arrays.sort(parts);
        return String.join("; ", parts);
    }
}
