// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.explore.Limits;
import org.interleaf.explore.RandomWalk;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.patch.ModelPatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Devices under random faults and invalidations: random calls of two threads against random
/// requests to a device, in random orders. Whatever comes, the device maps only what the process
/// has, and nothing that is free is touched.
final class DmirrorRandomTest {
    private static final long SEED = 20261121;
    private static final int PROGRAMS = 30;
    private static final int EXECUTIONS = 20;

    /// What a thread does to the mapping at `a`, of which `A` is a page and `L` some pages.
    private static final List<String> CALLS =
            List.of(
                    "madvise(A, L, MADV_DONTNEED);",
                    "madvise(A, L, MADV_DONTNEED);",
                    "madvise(A, L, MADV_POPULATE_WRITE);",
                    "mprotect(A, L, PROT_READ);",
                    "mprotect(A, L, PROT_READ | PROT_WRITE);",
                    "mprotect(A, L, PROT_NONE);",
                    "munmap(A, L);",
                    "mmap(A, L, PROT_READ | PROT_WRITE,"
                            + " MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);",
                    "mremap(A, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, B);",
                    "collapse_huge_page(a);",
                    "khugepaged_scan(a);",
                    "split_huge_pmd(a);",
                    "fork();",
                    "*(A) = 7;",
                    "char V = *(A);");

    /// What the device is asked for.
    private static final List<String> REQUESTS =
            List.of(
                    "dmirror_read(fd, A);",
                    "dmirror_read(fd, A);",
                    "dmirror_read_unlocked(fd, A);",
                    "dmirror_write(fd, A, 9);",
                    "dmirror_write(fd, A, 9);",
                    "dmirror_fault(fd, a, PMD_SIZE, 0);",
                    "dmirror_fault(fd, A, PAGE_SIZE, 1);",
                    "dmirror_snapshot(fd, A);");

    private final SplittableRandom random;

    DmirrorRandomTest() {
        random = new SplittableRandom(SEED);
    }

    private String program() {
        String huge = random.nextBoolean() ? "madvise(a, PMD_SIZE, MADV_HUGEPAGE);" : "";
        String warm = random.nextBoolean() ? "dmirror_fault(fd, a, PMD_SIZE, 1);" : "";
        String child = random.nextInt(3) == 0 ? "fork();" : "";
        return """
        C random
        {
          char *a = mmap(PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
          %s
          memset(a, 1, PMD_SIZE);
          int fd = open("/dev/hmm_dmirror0", O_RDWR);
          %s
          %s
        }
        P0() { %s }
        P1() { %s }
        P2() { %s }
        exists (a[0]=1)
        """
                .formatted(huge, warm, child, calls(CALLS, 2), calls(CALLS, 1), calls(REQUESTS, 2));
    }

    private String calls(List<String> from, int n) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < n; i++) {
            String call = from.get(random.nextInt(from.size()));
            text.append(
                    call.replaceAll("\\bA\\b", "a + " + random.nextInt(2) + " * PAGE_SIZE")
                            .replaceAll("\\bB\\b", "a + PMD_SIZE")
                            .replaceAll("\\bL\\b", random.nextBoolean() ? "PAGE_SIZE" : "PMD_SIZE")
                            .replaceAll("\\bV\\b", "v" + i));
            text.append(' ');
        }
        return text.toString();
    }

    private Answer run(String program, List<ModelPatch> patches, Map<String, String> config) {
        RunOptions options =
                RunOptions.DEFAULT
                        .withPatches(patches)
                        .withConfig(config)
                        .withStrategy(new RandomWalk(random.nextLong()))
                        .withLimits(Limits.NONE.withMaxExecutions(EXECUTIONS));
        return new TestRunner(options).check(Source.of("random.litmus", program));
    }

    @ParameterizedTest
    @CsvSource({"arm64-4k", "x86-64", "x86-32-pae"})
    void theDeviceHasOnlyWhatTheProcessHas(String arch) {
        Map<String, String> config = Map.of("arch", arch, "thp", "madvise");
        for (int i = 0; i < PROGRAMS; i++) {
            String program = program();
            Answer answer = run(program, List.of(), config);
            assertThat(answer.violations())
                    .as("seed %d, program %d, %s:%n%s", SEED, i, arch, program)
                    .isEmpty();
        }
    }

    /// The same programs notice a driver that does not ask again.
    @Test
    void theyNoticeADriverThatForgetsToAskAgain() {
        Path patch = Path.of("../races/hmm-mirror/no-retry.patch");
        List<ModelPatch> patches = List.of(ModelPatch.read(patch));
        int noticed = 0;
        for (int i = 0; i < PROGRAMS && noticed == 0; i++) {
            noticed += run(program(), patches, Map.of()).violations().size();
        }
        assertThat(noticed).as("seed %d", SEED).isPositive();
    }
}
