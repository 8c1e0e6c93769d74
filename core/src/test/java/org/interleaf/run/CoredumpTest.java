// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Map;

/// How many pages a core dump has. In the tests `P` is the size of a page, and `m` is of four.
final class CoredumpTest {
    @ParameterizedTest
    @CsvSource({
        // Private memory as far as it has been written to.
        "'char *m = mmap(4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS);', 0",
        "'char *m = mmap(4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS); m[P] = 1; m[3 * P] = 1;', 2",
        "'char *m = mmap(4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS); int x = m[0];', 0",
        "'char *m = mmap(4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS); m[0] = 1; int x = m[P];', 1",
        "'char *m = mmap(4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS); m[0] = 1;"
                + " mprotect(m, P, PROT_NONE);', 1",
        "'char *m = mmap(4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS); m[0] = 1; m[P] = 1;"
                + " madvise(m, P, MADV_PAGEOUT);', 2",
        // Shared memory, unless it can be found elsewhere.
        "'char *m = mmap(4 * P, RW, MAP_SHARED | MAP_ANONYMOUS); m[0] = 1;', 4",
        "'int fd = open(\"/dev/shm/f\", O_RDWR | O_CREAT); ftruncate(fd, 4 * P);"
                + " char *m = mmap(0, 4 * P, RW, MAP_SHARED, fd, 0); m[0] = 1;', 0",
        // Nobody is asked for what is missing.
        "'char *m = mmap(4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS); m[0] = 1; long u ="
            + " userfaultfd(0); uffdio_register(u, m, 4 * P, UFFDIO_REGISTER_MODE_MISSING);', 1",
    })
    void whatIsWritten(String before, int pages) {
        String text =
                ("C t\n{ " + before + " }\nP0() { int r0 = coredump(); }\nlocations [0:r0]\n")
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bP\\b", "PAGE_SIZE");
        Map<String, String> config = Map.of("arch", "x86-64", "swap", "8");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        assertThat(answer.states()).containsExactly("0:r0=" + pages + ";");
    }
}
