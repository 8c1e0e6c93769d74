// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Expectation;
import org.interleaf.litmus.syntax.Expectation.Result;
import org.junit.jupiter.api.Test;

/// What the comments of a test declare.
final class ExpectationTest {
    private static Expectation of(String comments) {
        return Tests.parse("C t\n" + comments + "\n{}\nP0() { /* Result: Always */ }\n")
                .expectation();
    }

    @Test
    void findsTheResultInEachKindOfComment() {
        assertThat(of("(*\n * Result: Never\n *)").result()).isEqualTo(Result.NEVER);
        assertThat(of("(* Result: Sometimes *)").result()).isEqualTo(Result.SOMETIMES);
        assertThat(of("// Result: Always").result()).isEqualTo(Result.ALWAYS);
        assertThat(of("/*\n * Result: DEADLOCK */").result()).isEqualTo(Result.DEADLOCK);
        assertThat(of("(*\n\tResult: never\n*)").result()).isEqualTo(Result.NEVER);
    }

    @Test
    void keepsWhatFollowsTheResult() {
        assertThat(of("(* Result: Sometimes DATARACE *)").words()).isEqualTo("Sometimes DATARACE");
        assertThat(of("(* Result: Flag srcu-bad-nesting *)").result()).isNull();
        assertThat(of("(* Result: Flag srcu-bad-nesting *)").words())
                .isEqualTo("Flag srcu-bad-nesting");
    }

    @Test
    void takesTheFirstResultAndNoneFromProse() {
        assertThat(of("(* Result: Never *)\n(* Result: Always *)").result())
                .isEqualTo(Result.NEVER);
        assertThat(of("(* The Result: Never *)").result()).isNull();
        assertThat(of("(* Expected result: never *)").result()).isNull();
        assertThat(of("").result()).isNull();
    }

    @Test
    void findsSplats() {
        assertThat(of("(*\n * Splat: WARNING try_grab_folio\n * Splat: KASAN\n *)").splats())
                .extracting(splat -> splat.kind() + "/" + splat.where())
                .containsExactly("WARNING/try_grab_folio", "KASAN/");
    }
}
