// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Two threads against each other on files in memory, in every order. `MAP` makes the file `fd` of
/// the size of a PMD and maps it shared at `a`, `PUNCH` punches a hole of that size into it.
final class ShmemConcurrentTest {
    private static String explore(String shmem, String test) {
        String map =
                "int fd = memfd_create(\"f\", 0); ftruncate(fd, PMD_SIZE); char *a = mmap(0,"
                        + " PMD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);";
        String punch = "fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PMD_SIZE)";
        String text = ("C t\n" + test).replace("MAP;", map).replace("PUNCH", punch);
        Map<String, String> config = Map.of("arch", "x86-64", "shmem", shmem);
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return String.join(" ", answer.states());
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void twoFaultsFindOnePage(String shmem) {
        String test =
                """
                { MAP; }
                P0(char *a) { a[0] = 1; }
                P1(char *a) { a[1] = 2; r0 = a[0]; }
                locations [a[0]; a[1]; 1:r0] exists (1:r0=2)
                """;
        assertThat(explore(shmem, test))
                .isEqualTo("1:r0=0; a[0]=1; a[1]=2; 1:r0=1; a[0]=1; a[1]=2;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aFaultAgainstATruncationLeavesNoPage(String shmem) {
        String test =
                """
                { MAP; }
                P0(char *a) { a[0] = 1; r0 = 1; }
                P1(int fd) { r0 = ftruncate(fd, 0); }
                locations [0:r0; 1:r0] exists (1:r0!=0)
                """;
        assertThat(explore(shmem, test)).isEqualTo("0:r0=0; 1:r0=0; 0:r0=1; 1:r0=0;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aReadFaultAgainstAHoleFindsThePageOrZeroes(String shmem) {
        String test =
                """
                { MAP; a[0] = 1; madvise(a, PMD_SIZE, MADV_DONTNEED); }
                P0(char *a) { r0 = a[0]; }
                P1(int fd) { r0 = PUNCH; }
                locations [0:r0; 1:r0; a[0]] exists (1:r0!=0)
                """;
        assertThat(explore(shmem, test))
                .isEqualTo("0:r0=0; 1:r0=0; a[0]=0; 0:r0=1; 1:r0=0; a[0]=0;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aCopyAgainstATruncationIsNotLeftBehind(String shmem) {
        String test =
                """
                {
                  MAP;
                  char *b = mmap(0, PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
                  a[0] = 1;
                }
                P0(char *b) { b[0] = 2; r0 = 1; }
                P1(int fd) { r0 = ftruncate(fd, 0); }
                locations [0:r0; 1:r0; b[0]] exists (b[0]!=0)
                """;
        assertThat(explore(shmem, test)).doesNotContain("b[0]=2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aPinAgainstAHoleIsOfThePageOrOfANewOne(String shmem) {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) {
                  struct page *p = pin_user_pages_fast(a, FOLL_WRITE);
                  if (p) kmap_write(p, 7);
                }
                P1(int fd) { r0 = PUNCH; }
                locations [1:r0; a[0]] exists (1:r0!=0)
                """;
        assertThat(explore(shmem, test)).isEqualTo("1:r0=0; a[0]=0; 1:r0=0; a[0]=7;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void unmappingAgainstAHoleCountsEachMappingOnce(String shmem) {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) { r0 = munmap(a, PMD_SIZE); }
                P1(int fd) { r0 = PUNCH; }
                locations [0:r0; 1:r0] exists (1:r0!=0)
                """;
        assertThat(explore(shmem, test)).isEqualTo("0:r0=0; 1:r0=0;");
    }

    @Test
    void zappingAHugePageAgainstAHoleWaitsForIt() {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) { r0 = madvise(a, PMD_SIZE, MADV_DONTNEED); }
                P1(int fd) { r0 = PUNCH; }
                locations [0:r0; 1:r0] exists (1:r0!=0)
                """;
        assertThat(explore("always", test)).isEqualTo("0:r0=0; 1:r0=0;");
    }

    @Test
    void storesAreNotLostWhenThePageIsMovedToOtherMemory() {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) { a[0] = 2; }
                P1(char *a) { r0 = move_pages(a); }
                locations [1:r0; a[0]] exists (a[0]!=2)
                """;
        assertThat(explore("never", test)).isEqualTo("1:r0=-11; a[0]=2; 1:r0=0; a[0]=2;");
    }
}
