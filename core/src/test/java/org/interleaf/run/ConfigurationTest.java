// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Map;

/// A mistake in the configuration is reported where it was made.
final class ConfigurationTest {
    private static final String TEST =
            """
            C t
            %s
            { char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS); }
            P0() { a[0] = 1; }
            exists (a[0]=1)
            """;

    @ParameterizedTest
    @CsvSource({
        "arhc, arm64-4k, unknown configuration key `arhc`",
        "arch, vax, unknown value `vax` of `arch`",
        "pages, many, `pages` must be a number",
        "rounds, 0, `0` is no number of rounds",
        "rounds, two, `two` is no number of rounds",
    })
    void theTestOrTheOptionIsBlamed(String key, String value, String problem) {
        String line = "config " + key + "=" + value;
        assertThatThrownBy(() -> check(TEST.formatted(line), Map.of()))
                .isInstanceOf(LitmusException.class)
                .hasMessageContaining("t.litmus:2:")
                .hasMessageContaining(problem);
        assertThatThrownBy(() -> check(TEST.formatted(""), Map.of(key, value)))
                .isInstanceOf(LitmusException.class)
                .hasMessageStartingWith("--config " + key + "=" + value + ": " + problem)
                .hasMessageContaining("\nhint: ");
    }

    private static void check(String text, Map<String, String> config) {
        new TestRunner(RunOptions.DEFAULT.withConfig(config)).check(Source.of("t.litmus", text));
    }
}
