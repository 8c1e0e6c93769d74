// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;

import java.util.HashMap;
import java.util.Map;

/// Programs of one thread that makes calls on huge pages. In them `S` is the size of the huge
/// pages, `RW` read and write, `HUGE` what private anonymous huge pages of that size are mapped
/// with, and `SHARED` the same for shared ones.
class HugetlbCalls {
    private static final String REGISTERS =
            "char *a; char *b; int fd; int pid; struct page *p; long r0; long r1; long r2; long r3;"
                    + " long r4; long r5; long r6; long r7; ";

    final Map<String, String> config = new HashMap<>(Map.of("hugetlb", "PMD:2"));
    String size = "PMD";

    /// P0 runs `body`, which has `a`, `b`, `fd`, `pid`, `p` and `r0` to `r7`; then `condition`
    /// holds.
    final void always(String body, String condition) {
        String test = "C t\n{\n}\nP0() { " + REGISTERS + body + " }\nexists (" + condition + ")\n";
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", expand(test)));
        assertThat(answer.violations()).as(body).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        assertThat(answer.positive()).as(body + " " + answer.states()).isPositive();
        assertThat(answer.negative()).as(body + " " + answer.states()).isZero();
    }

    private String expand(String text) {
        String huge = "MAP_ANONYMOUS | MAP_HUGETLB | (" + size + "_SHIFT << MAP_HUGE_SHIFT)";
        return text.replaceAll("\\bHUGE\\b", "MAP_PRIVATE | " + huge)
                .replaceAll("\\bSHARED\\b", "MAP_SHARED | " + huge)
                .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                .replaceAll("\\bS\\b", size + "_SIZE");
    }
}
