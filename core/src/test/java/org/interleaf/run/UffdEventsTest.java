// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

/// What a userfaultfd is told of changes of the address space. `P` is the size of a page; `d`, of
/// two pages, is registered for missing pages with `u`, which asks for the events `FEATURES`;
/// `MOVE` has mremap() leave the old mapping.
final class UffdEventsTest {
    private static final String SET_UP =
            """
            {
              char *s = mmap(P, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              char *d = mmap(2 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              s[0] = 7;
              long u = userfaultfd(0, FEATURES);
              uffdio_register(u, d, 2 * P, UFFDIO_REGISTER_MODE_MISSING);
            }
            """;

    /// The final states of all executions, of which nobody complains.
    private static List<String> states(String features, String test) {
        String text =
                ("C t\n" + SET_UP.replace("FEATURES", features) + test)
                        .replaceAll("\\bMOVE\\b", "MREMAP_MAYMOVE | MREMAP_DONTUNMAP")
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bP\\b", "PAGE_SIZE");
        Answer answer = new TestRunner(RunOptions.DEFAULT).check(Source.of("t.litmus", text));
        assertThat(answer.violations()).as(test).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return answer.states();
    }

    @ParameterizedTest
    @CsvSource({
        "EVENT_REMOVE, 'madvise(d, P, MADV_DONTNEED)',              UFFD_EVENT_REMOVE",
        "EVENT_UNMAP,  'munmap(d, P)',                              UFFD_EVENT_UNMAP",
        "EVENT_REMAP, 'mremap(d, 2 * P, 2 * P, MOVE)', UFFD_EVENT_REMAP",
    })
    void whoChangesTheAddressSpaceWaitsUntilTheEventIsRead(
            String feature, String call, String event) {
        String test =
                """
                P0(char *d, int *done) { %s; WRITE_ONCE(*done, 1); }
                P1(char *d, long u, int *done) {
                  int r0 = READ_ONCE(*done);
                  int r1 = uffd_read(u) - (long)d - %s;
                }
                locations [1:r0; 1:r1]
                """
                        .formatted(call, event);
        assertThat(states("UFFD_FEATURE_" + feature, test)).containsExactly("1:r0=0; 1:r1=0;");
    }

    @ParameterizedTest
    @CsvSource({
        "'madvise(d, P, MADV_DONTNEED)'",
        "'munmap(d, P)'",
        "'mremap(d, 2 * P, 2 * P, MOVE)'",
        "'fork()'",
    })
    void nobodyWaitsWhereNoEventIsAskedFor(String call) {
        String test = "P0(char *d) { %s; int r0 = 1; }\nlocations [0:r0]\n".formatted(call);
        assertThat(states("0", test)).containsExactly("0:r0=1;");
    }

    @Test
    void theChildsFaultsAreForTheUserfaultfdThatTheEventOfTheForkBrings() {
        String test =
                """
                P0(char *d, char *s) { int r0 = fork(); }
                P1(char *d, char *s, long u) {
                  long event = uffd_read(u);
                  int r0 = event & 0xff;
                  long child = event >> 8;
                  int r1 = uffdio_copy(child, d, s, P);
                  int r2 = uffdio_copy(child, d, s, P);
                }
                locations [1:r0; 1:r1; 1:r2]
                """;
        assertThat(states("UFFD_FEATURE_EVENT_FORK", test))
                .containsOnly("1:r0=19; 1:r1=0; 1:r2=-17;");
    }

    @Test
    void closingLetsThoseGoOnWhoWaitForTheirEventToBeRead() {
        String test =
                """
                P0(char *d) { int r0 = munmap(d, P); }
                P1(long u) { int r0 = uffd_close(u); }
                locations [0:r0; 1:r0]
                """;
        assertThat(states("UFFD_FEATURE_EVENT_UNMAP", test)).containsExactly("0:r0=0; 1:r0=0;");
    }

    @Test
    void aForkThatNobodyHasReadOfLeavesTheChildWithoutUserfaultfd() {
        String test =
                """
                P0(char *d) { int r0 = fork(); kthread_use_mm(r0); char r1 = d[0]; }
                P1(long u) { uffd_close(u); }
                locations [0:r1]
                """;
        assertThat(states("UFFD_FEATURE_EVENT_FORK", test)).containsExactly("0:r1=0;");
    }

    @Test
    void pagesAreNotFilledInBetweenTheChangeAndTheEvent() {
        String test =
                """
                P0(char *d) { munmap(d + P, P); }
                P1(char *d, char *s, long u) {
                  int r0 = uffdio_copy(u, d, s, P);
                  uffd_read(u);
                }
                locations [1:r0]
                """;
        assertThat(states("UFFD_FEATURE_EVENT_UNMAP", test))
                .containsExactly("1:r0=-11;", "1:r0=0;");
    }

    @Test
    void withTheFeatureSigbusFaultsAreNotDelivered() {
        String test = "P0(char *d) { int r0 = 1; char r1 = d[0]; r0 = 2; }\nlocations [0:r0]\n";
        assertThat(states("UFFD_FEATURE_SIGBUS", test)).containsExactly("0:r0=1;");
    }

    @Test
    void unknownFeaturesAreRefused() {
        String test = "P0() { int r0 = userfaultfd(0, 1 << 5); }\nlocations [0:r0]\n";
        assertThat(states("0", test)).containsExactly("0:r0=-22;");
    }
}
