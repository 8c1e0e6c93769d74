// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;

import java.util.Map;

/// What tests of write protection by a userfaultfd have in common.
final class UffdProtectRuns {
    /// P0 writes to `d`, P1 reads of that and takes the protection of a page away.
    static final String WRITER_AND_MONITOR =
            """
            P0(char *d) { d[0] = 2; }
            P1(char *d, long u) {
              long r0 = uffd_read(u) - (long)d;
              int r1 = d[0];
              int r2 = uffdio_writeprotect(u, d, P, NONE);
            }
            locations [1:r0; 1:r1; 1:r2; d[0]]
            """;

    /// What comes of that if `d` held 1: the message is `UFFD_PAGEFAULT_FLAG_WRITE |
    /// UFFD_PAGEFAULT_FLAG_WP`.
    static final String TOLD = "1:r0=3; 1:r1=1; 1:r2=0; d[0]=2;";

    /// P0 writes to `d`, and nobody is there to be told.
    static final String WRITER = "P0(char *d) { d[0] = 2; }\nlocations [d[0]]\n";

    private UffdProtectRuns() {}

    /// The states of a test in which `P` stands for the size of a page, `H` for that of a huge one,
    /// `RW` for a protection, `WP` for what protects and `NONE` for what takes that away. There
    /// must be no splat.
    static String states(String test, Map<String, String> config) {
        String text =
                ("C t\n" + test)
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bWP\\b", "UFFDIO_WRITEPROTECT_MODE_WP")
                        .replaceAll("\\bNONE\\b", "0")
                        .replaceAll("\\bP\\b", "PAGE_SIZE")
                        .replaceAll("\\bH\\b", "PMD_SIZE");
        RunOptions options = RunOptions.DEFAULT.withConfig(config);
        Answer answer = new TestRunner(options).check(Source.of("t.litmus", text));
        assertThat(answer.violations()).as(test).isEmpty();
        assertThat(answer.exploration().complete()).as(test).isTrue();
        return String.join(" ", answer.states());
    }
}
