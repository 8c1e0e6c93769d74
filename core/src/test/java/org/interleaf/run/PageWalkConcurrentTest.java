// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;

/// Users of the walker against others who change what it walks: huge pages of hugetlb, mappings of
/// a device by those who exit, huge PUDs. `RW` is read and write, `DAX` the device.
final class PageWalkConcurrentTest {
    private static Answer explore(Map<String, String> config, String test) {
        String text =
                ("C t\n" + test)
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bDAX\\b", "open(\"/dev/dax0.0\", O_RDWR)");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    /// @return the final states; nothing else was found
    private static List<String> states(Map<String, String> config, String test) {
        Answer answer = explore(config, test);
        assertThat(answer.violations()).isEmpty();
        return answer.states().stream().map(Object::toString).toList();
    }

    // ---- hugetlb

    /// The lock of the VMA is held from the first huge page to the last: a table that is unshared
    /// or zapped meanwhile would not be walked to its end. So smaps tells of both pages or of none.
    @ParameterizedTest
    @CsvSource({
        "x86-64,'madvise(a, PUD_SIZE, MADV_DONTNEED)'",
        "arm64-4k,'madvise(a, PUD_SIZE, MADV_DONTNEED)'",
        "arm64-4k,'munmap(a, PUD_SIZE)'",
        "arm64-4k,'fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PUD_SIZE)'"
    })
    void smapsAgainstZapping(String arch, String call) {
        String test =
                """
                {
                  int fd = memfd_create("f", MFD_HUGETLB);
                  int r = ftruncate(fd, PUD_SIZE);
                  char *a = mmap(PUD_SIZE, PUD_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
                  a[0] = 1;
                  a[PMD_SIZE] = 1;
                }
                P0(char *a) { long r0 = smaps(a) / PMD_SIZE; }
                P1(char *a, int fd) { int r0 = CALL; }
                exists (0:r0 = 2 /\\ 1:r0 = 0)
                """;
        boolean unmaps = call.startsWith("munmap");
        boolean punches = call.startsWith("fallocate");
        List<String> states =
                states(Map.of("arch", arch, "hugetlb", "PMD:4"), test.replace("CALL", call));
        // Who punches a hole unmaps page after page when it comes to the fault mutexes.
        assertThat(states).contains("0:r0=2; 1:r0=0;", "0:r0=0; 1:r0=0;");
        assertThat(states).hasSizeBetween(2, unmaps || punches ? 3 : 2);
    }

    /// A fault that shares another process' table, and one that unshares it: smaps and pagemap see
    /// the page with the one table or the other.
    @ParameterizedTest
    @ValueSource(strings = {"arm64-4k", "x86-64"})
    void walkersAgainstSharingAndUnsharing(String arch) {
        String test =
                """
                {
                  int fd = memfd_create("f", MFD_HUGETLB);
                  int r = ftruncate(fd, PUD_SIZE);
                  char *a = mmap(PUD_SIZE, PUD_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
                  int pid = fork();
                  a[0] = 1;
                }
                P0(char *a, int *pid) {
                  kthread_use_mm(*pid);
                  long r0 = smaps(a) / PMD_SIZE;
                  long r1 = numa_maps(a, "N0");
                }
                P1(char *a, int *pid) {
                  kthread_use_mm(*pid);
                  int r0 = a[0];
                  int r1 = mprotect(a, PMD_SIZE, PROT_READ);
                }
                exists (0:r0 = 1 /\\ 0:r1 = 0)
                """;
        List<String> states = states(Map.of("arch", arch, "hugetlb", "PMD:4"), test);
        // Unsharing leaves the page unmapped: none, one while shared, none.
        assertThat(states).contains("0:r0=0; 0:r1=0;", "0:r0=1; 0:r1=1;", "0:r0=0; 0:r1=1;");
    }

    // ---- walks over the mappings of a file

    /// Only i_mmap_rwsem keeps the tables of a process in place that is just taken down.
    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-4k"})
    void aMappingIsWalkedWhileItsOwnerExits(String arch) {
        String test =
                """
                {
                  int fd = DAX;
                  char *a = mmap(0, PAGE_SIZE, RW, MAP_SHARED, fd, 0);
                  int pid = fork();
                  kthread_use_mm(pid);
                  a[0] = 1;
                  kthread_unuse_mm(pid);
                }
                P0(int fd) { long r0 = wp_shared_mapping_range(fd, 0, 1); }
                P1(int *pid) { int r0 = exit_mmap(*pid); }
                exists (0:r0 = 1)
                """;
        List<String> states = states(Map.of("arch", arch, "dax", "PTE:1"), test);
        assertThat(states).containsExactlyInAnyOrder("0:r0=0;", "0:r0=1;");
    }

    /// Nor is the mmap lock taken: a process that has it for writing does not keep the walk from
    /// going on, and a fault puts the entry back that the walk took out.
    @Test
    void aMappingIsWalkedWhileItsOwnerUnmapsAndFaults() {
        String test =
                """
                {
                  int fd = DAX;
                  char *a = mmap(0, PAGE_SIZE, RW, MAP_SHARED, fd, 0);
                  a[0] = 1;
                }
                P0(int fd) { long r0 = wp_shared_mapping_range(fd, 0, 1); }
                P1(char *a) { a[0] = 2; int r0 = munmap(a, PAGE_SIZE); }
                exists (0:r0 = 1)
                """;
        List<String> states = states(Map.of("arch", "x86-64", "dax", "PTE:1"), test);
        assertThat(states).containsExactlyInAnyOrder("0:r0=0;", "0:r0=1;");
    }

    /// Huge entries are neither split nor changed, but who can write through one is not tracked.
    @ParameterizedTest
    @CsvSource({
        "x86-64,PUD,pud_trans_huge,wp_clean_pud_entry",
        "arm64-4k,PMD,pmd_trans_huge,wp_clean_pmd_entry"
    })
    void hugeEntriesAreLeftAloneAndComplainedOf(
            String arch, String level, String isHuge, String function) {
        String test =
                """
                {
                  int fd = DAX;
                  char *a = mmap(2 * PUD_SIZE, LEVEL_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
                  if (USED)
                    a[0] = 1;
                }
                P0(int fd) { long r0 = wp_shared_mapping_range(fd, 0, 1); }
                forall (0:r0 = 0 /\\ IS_HUGE(a) = USED)
                """
                        .replace("LEVEL", level)
                        .replace("IS_HUGE", isHuge);
        Map<String, String> config = Map.of("arch", arch, "dax", level + ":1");
        Answer used = explore(config, test.replace("USED", "1"));
        assertThat(used.negative()).isZero();
        assertThat(used.violations())
                .anySatisfy(each -> assertThat(each.where()).isEqualTo(function));
        Answer unused = explore(config, test.replace("USED", "0"));
        assertThat(unused.negative()).isZero();
        assertThat(unused.violations()).isEmpty();
    }

    // ---- huge PUDs

    /// A user and a walker that undo what the other does can go on for ever. Of how many rounds of
    /// that something is known, the test says.
    @Test
    void aUserAgainstAWalkerIsExploredForSomeRounds() {
        String test =
                """
                C t
                {
                  int fd = open("/dev/dax0.0", O_RDWR);
                  char *a = mmap(2 * PUD_SIZE, PUD_SIZE, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_FIXED, fd, 0);
                }
                P0(char *a) { long r0 = smaps(a); }
                P1(char *a) { char r0 = a[0]; }
                exists (0:r0 != 0 \\/ 1:r0 != 0)
                """;
        Map<String, String> config = Map.of("arch", "x86-64", "dax", "PUD:1", "rounds", "1");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", test));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.positive()).isZero();
        assertThat(answer.negative()).isGreaterThan(100);
        assertThat(answer.exploration().complete()).isFalse();
        assertThat(answer.exploration().cut()).isPositive();
    }

    /// What a walker splits a user faults in again, again and again in the worst case: there is an
    /// end to it.
    @Test
    void splittingAndFaultingInAgainComesToAnEnd() {
        String test =
                """
                {
                  int fd = DAX;
                  char *a = mmap(2 * PUD_SIZE, PUD_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
                  a[0] = 1;
                }
                P0(char *a) { split_huge_pud(a); }
                P1(char *a) { char r0 = a[0]; a[0] = 2; char r1 = a[0]; }
                exists (1:r0 = 1 /\\ 1:r1 = 2)
                """;
        Answer answer = explore(Map.of("arch", "x86-64", "dax", "PUD:1"), test);
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.negative()).isZero();
    }
}
