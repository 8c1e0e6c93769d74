// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// A device that mirrors the process, alone and against somebody who changes the page tables: what
/// it finds, in every order, and that the sanitizers have nothing to say.
final class DmirrorTest {
    /// @return the final states, of which there is at least one
    private static String explore(Map<String, String> config, String test) {
        String text =
                ("C t\n" + test)
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bANON\\b", "MAP_PRIVATE | MAP_ANONYMOUS")
                        .replaceAll("\\bDEVICE\\b", "open(\"/dev/hmm_dmirror0\", O_RDWR)");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return String.join(" ", answer.states());
    }

    /// One page that holds 1, and a device.
    private static String onePage(String body) {
        return explore(
                Map.of(),
                "{ char *a = mmap(PAGE_SIZE, RW, ANON); *a = 1; int fd = DEVICE; }\n" + body);
    }

    // ---- alone

    @Test
    void theDeviceReadsAndWritesWhatTheProcessHas() {
        assertThat(
                        onePage(
                                """
                                P0() {
                                  int r0 = dmirror_read(fd, a);
                                  int r1 = dmirror_write(fd, a + 1, 2);
                                  char r2 = a[1];
                                  a[1] = 3;
                                  int r3 = dmirror_read(fd, a + 1);
                                }
                                exists (0:r0=1 /\\ 0:r1=0 /\\ 0:r2=2 /\\ 0:r3=3)\
                                """))
                .isEqualTo("0:r0=1; 0:r1=0; 0:r2=2; 0:r3=3;");
    }

    @Test
    void theDeviceFaultsInWhatIsMissing() {
        String test =
                """
                { char *a = mmap(2 * PAGE_SIZE, RW, ANON); int fd = DEVICE; }
                P0() {
                  int r0 = dmirror_snapshot(fd, a);
                  int r1 = dmirror_read(fd, a);
                  int r2 = dmirror_snapshot(fd, a);
                  int r3 = dmirror_write(fd, a, 7);
                  int r4 = dmirror_snapshot(fd, a);
                  int r5 = dmirror_fault(fd, a, 2 * PAGE_SIZE, 1);
                  int r6 = dmirror_snapshot(fd, a + PAGE_SIZE);
                }
                exists (0:r0=HMM_DMIRROR_PROT_NONE /\\ 0:r1=0
                  /\\ 0:r2=(HMM_DMIRROR_PROT_ZERO | HMM_DMIRROR_PROT_READ) /\\ 0:r3=0
                  /\\ 0:r4=HMM_DMIRROR_PROT_WRITE /\\ 0:r5=0 /\\ 0:r6=HMM_DMIRROR_PROT_WRITE
                  /\\ a[0]=7)\
                """;
        assertThat(explore(Map.of(), test))
                .isEqualTo("0:r0=0; 0:r1=0; 0:r2=17; 0:r3=0; 0:r4=2; 0:r5=0; 0:r6=2; a[0]=7;");
    }

    @Test
    void theDeviceMayNoMoreThanTheProcess() {
        assertThat(
                        onePage(
                                """
                                P0() {
                                  mprotect(a, PAGE_SIZE, PROT_READ);
                                  int r0 = dmirror_write(fd, a, 2);
                                  int r1 = dmirror_read(fd, a);
                                  mprotect(a, PAGE_SIZE, PROT_NONE);
                                  int r2 = dmirror_read(fd, a);
                                  int r3 = dmirror_snapshot(fd, a);
                                  munmap(a, PAGE_SIZE);
                                  int r4 = dmirror_read(fd, a);
                                  int r5 = dmirror_read(99, a);
                                }
                                exists (0:r0=-EPERM /\\ 0:r1=1 /\\ 0:r2=-EFAULT
                                  /\\ 0:r3=HMM_DMIRROR_PROT_ERROR /\\ 0:r4=-EFAULT /\\ 0:r5=-EBADF)\
                                """))
                .isEqualTo("0:r0=-1; 0:r1=1; 0:r2=-14; 0:r3=255; 0:r4=-14; 0:r5=-9;");
    }

    @Test
    void otherFilesAreNoDevicesAndDevicesNoFiles() {
        String test =
                """
                { int f = memfd_create("f", MFD_HUGETLB); int fd = DEVICE; }
                P0() {
                  int r0 = dmirror_read(f, 0);
                  void *r1 = mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 0);
                  int r2 = ftruncate(fd, 0);
                  int r3 = fallocate(fd, 0, 0, PAGE_SIZE);
                  int r4 = close(fd);
                  int r5 = dmirror_read(fd, 0);
                }
                exists (0:r0=-ENOTTY /\\ 0:r1=-ENODEV /\\ 0:r2=-EINVAL /\\ 0:r3=-ENODEV
                  /\\ 0:r4=0 /\\ 0:r5=-EBADF)\
                """;
        assertThat(explore(Map.of(), test))
                .isEqualTo("0:r0=-25; 0:r1=-19; 0:r2=-22; 0:r3=-19; 0:r4=0; 0:r5=-9;");
    }

    @ParameterizedTest
    @CsvSource({"arm64-4k,6", "x86-64,6", "arm64-64k,6"})
    void aHugePageIsOneMappingOfTheDeviceToo(String arch, int perm) {
        String test =
                """
                {
                  char *a = mmap(PMD_SIZE, RW, ANON);
                  memset(a, 1, PMD_SIZE);
                  int fd = DEVICE;
                }
                P0() {
                  int r0 = dmirror_snapshot(fd, a + PAGE_SIZE);
                  int r1 = dmirror_write(fd, a + PAGE_SIZE, 2);
                  char r2 = a[PAGE_SIZE];
                  split_huge_pmd(a);
                  int r3 = dmirror_snapshot(fd, a + PAGE_SIZE);
                }
                exists (0:r0=0 /\\ 0:r1=0 /\\ 0:r2=2 /\\ 0:r3=0)\
                """;
        assertThat(explore(Map.of("arch", arch, "thp", "always"), test))
                .isEqualTo("0:r0=" + perm + "; 0:r1=0; 0:r2=2; 0:r3=2;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD,6", "x86-64,PUD,10", "arm64-4k,cont-PTE,2", "riscv64,PMD,6"})
    void aHugePageOfHugetlbIsOne(String arch, String size, int perm) {
        String name = size.replace("cont-", "CONT_");
        String test =
                """
                {
                  char *a = mmap(S, RW, ANON | MAP_HUGETLB | (SHIFT << MAP_HUGE_SHIFT));
                  int fd = DEVICE;
                }
                P0() {
                  int r0 = dmirror_write(fd, a + PAGE_SIZE, 2);
                  int r1 = dmirror_snapshot(fd, a);
                  char r2 = a[PAGE_SIZE];
                }
                exists (0:r0=0 /\\ 0:r1=0 /\\ 0:r2=2)\
                """
                        .replace("SHIFT <<", name + "_SHIFT <<")
                        .replace("mmap(S", "mmap(" + name + "_SIZE");
        assertThat(explore(Map.of("arch", arch, "hugetlb", size + ":1"), test))
                .isEqualTo("0:r0=0; 0:r1=" + perm + "; 0:r2=2;");
    }

    @Test
    void aHugePudOfADeviceIsOneMapping() {
        String test =
                """
                {
                  int dax = open("/dev/dax0.0", O_RDWR);
                  char *a = mmap(NULL, PUD_SIZE, RW, MAP_SHARED, dax, 0);
                  int fd = DEVICE;
                }
                P0() {
                  int r0 = dmirror_write(fd, a + PMD_SIZE, 2);
                  int r1 = dmirror_snapshot(fd, a + PMD_SIZE);
                  char r2 = a[PMD_SIZE];
                }
                exists (0:r0=0 /\\ 0:r1=0 /\\ 0:r2=2)\
                """;
        assertThat(explore(Map.of("arch", "x86-64", "dax", "PUD:1"), test))
                .isEqualTo("0:r0=0; 0:r1=10; 0:r2=2;");
    }

    @Test
    void memoryWithoutPagesCannotBeMirrored() {
        String test =
                """
                {
                  int vfio = open("/dev/vfio0", O_RDWR);
                  char *a = mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, vfio, 0);
                  *a = 1;
                  int fd = DEVICE;
                }
                P0() { int r0 = dmirror_read(fd, a); int r1 = dmirror_snapshot(fd, a); }
                exists (0:r0=-EFAULT /\\ 0:r1=HMM_DMIRROR_PROT_ERROR)\
                """;
        assertThat(explore(Map.of("arch", "x86-64", "vfio", "PMD:1"), test))
                .isEqualTo("0:r0=-14; 0:r1=255;");
    }

    // ---- against others

    @ParameterizedTest
    @ValueSource(strings = {"dmirror_read", "dmirror_read_unlocked"})
    void aReadFindsThePageOrNothing(String read) {
        assertThat(
                        onePage(
                                """
                                P0() { munmap(a, PAGE_SIZE); }
                                P1() { int r0 = %s(fd, a); }
                                exists (1:r0=1)\
                                """
                                        .formatted(read)))
                .isEqualTo("1:r0=-14; 1:r0=1;");
    }

    @Test
    void aWriteGoesToThePageThatIsThere() {
        assertThat(
                        onePage(
                                """
                                P0() { madvise(a, PAGE_SIZE, MADV_DONTNEED); }
                                P1() { int r0 = dmirror_write(fd, a, 5); }
                                exists (1:r0=0 /\\ a[0]=5)\
                                """))
                .isEqualTo("1:r0=0; a[0]=0; 1:r0=0; a[0]=5;");
    }

    @Test
    void aWriteIsAllowedOrNot() {
        assertThat(
                        onePage(
                                """
                                P0() { mprotect(a, PAGE_SIZE, PROT_READ); }
                                P1() { int r0 = dmirror_write(fd, a, 5); }
                                exists (1:r0=0 /\\ a[0]=5)\
                                """))
                .isEqualTo("1:r0=-1; a[0]=1; 1:r0=0; a[0]=5;");
    }

    @Test
    void aWriteDuringForkIsTheParentsAlone() {
        String test =
                """
                {
                  char *a = mmap(PAGE_SIZE, RW, ANON);
                  *a = 1;
                  int fd = DEVICE;
                  dmirror_write(fd, a, 2);
                }
                P0() { int pid = fork(); kthread_use_mm(pid); char r0 = *a; }
                P1() { int r0 = dmirror_write(fd, a, 3); }
                exists (0:r0=2 /\\ 1:r0=0 /\\ a[0]=3)\
                """;
        assertThat(explore(Map.of(), test))
                .isEqualTo("0:r0=2; 1:r0=0; a[0]=3; 0:r0=3; 1:r0=0; a[0]=3;");
    }

    @Test
    void nothingThatTheDeviceWritesIsLostToACollapse() {
        String test =
                """
                {
                  char *a = mmap(PMD_SIZE, RW, ANON);
                  memset(a, 1, PMD_SIZE);
                  int fd = DEVICE;
                }
                P0() { int r0 = collapse_huge_page(a); }
                P1() { int r0 = dmirror_write(fd, a, 3); }
                exists (0:r0=1 /\\ 1:r0=0 /\\ a[0]=3)\
                """;
        assertThat(explore(Map.of(), test)).isEqualTo("0:r0=1; 1:r0=0; a[0]=3;");
    }

    @Test
    void nothingThatTheDeviceWritesIsLostToASplit() {
        String test =
                """
                { char *a = mmap(PMD_SIZE, RW, ANON); memset(a, 1, PMD_SIZE); int fd = DEVICE; }
                P0() { split_huge_pmd(a); }
                P1() { int r0 = dmirror_write(fd, a, 3); }
                exists (1:r0=0 /\\ a[0]=3)\
                """;
        assertThat(explore(Map.of("thp", "always"), test)).isEqualTo("1:r0=0; a[0]=3;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "arm64-4k,cont-PTE"})
    void nothingThatTheDeviceWritesIsLostToAMigration(String arch, String size) {
        String name = size.replace("cont-", "CONT_");
        String test =
                """
                {
                  char *a = mmap(S, RW, ANON | MAP_HUGETLB | (SHIFT << MAP_HUGE_SHIFT));
                  *a = 1;
                  int fd = DEVICE;
                  dmirror_write(fd, a, 2);
                }
                P0() { move_pages(a); }
                P1() { int r0 = dmirror_write(fd, a, 3); }
                exists (1:r0=0 /\\ a[0]=3)\
                """
                        .replace("SHIFT <<", name + "_SHIFT <<")
                        .replace("mmap(S", "mmap(" + name + "_SIZE");
        assertThat(explore(Map.of("arch", arch, "hugetlb", size + ":2"), test))
                .isEqualTo("1:r0=0; a[0]=3;");
    }

    @Test
    void aHugePudThatIsZappedAndFaultedInAgain() {
        String test =
                """
                {
                  int dax = open("/dev/dax0.0", O_RDWR);
                  char *a = mmap(NULL, PUD_SIZE, RW, MAP_SHARED, dax, 0);
                  *a = 1;
                  int fd = DEVICE;
                }
                P0() { madvise(a, PUD_SIZE, MADV_DONTNEED); char r0 = *a; }
                P1() { int r0 = dmirror_write(fd, a, 3); }
                exists (0:r0=1 /\\ 1:r0=0)\
                """;
        assertThat(explore(Map.of("arch", "x86-64", "dax", "PUD:1"), test))
                .isEqualTo("0:r0=1; 1:r0=0; 0:r0=3; 1:r0=0;");
    }

    @Test
    void theDeviceFollowsAMove() {
        assertThat(
                        onePage(
                                """
                                P0() {
                                  char *b = mremap(a, PAGE_SIZE, PAGE_SIZE,
                                      MREMAP_MAYMOVE | MREMAP_FIXED, a + PMD_SIZE);
                                  int r0 = dmirror_read(fd, b);
                                }
                                P1() { int r0 = dmirror_read(fd, a); }
                                exists (0:r0=1 /\\ 1:r0=1)\
                                """))
                .isEqualTo("0:r0=1; 1:r0=-14; 0:r0=1; 1:r0=1;");
    }

    @Test
    void theProcessExitsWhileTheDeviceReads() {
        String test =
                """
                { char *a = mmap(PAGE_SIZE, RW, ANON); *a = 1; int pid = fork(); }
                P0(int pid) {
                  kthread_use_mm(pid);
                  int fd = DEVICE;
                  kthread_unuse_mm(pid);
                  int r0 = dmirror_read(fd, a);
                  exit_mmap(pid);
                  int r1 = dmirror_read(fd, a);
                  int r2 = dmirror_snapshot(fd, a);
                  int r3 = close(fd);
                }
                exists (0:r0=1 /\\ 0:r1=-EFAULT /\\ 0:r2=-EINVAL /\\ 0:r3=0)\
                """;
        assertThat(explore(Map.of(), test)).isEqualTo("0:r0=1; 0:r1=-14; 0:r2=-22; 0:r3=0;");
    }

    @Test
    void theLastUserTakesTheProcessDownEvenIfItIsTheDevice() {
        String test =
                """
                {
                  char *a = mmap(PAGE_SIZE, RW, ANON);
                  *a = 1;
                  int pid = fork();
                  kthread_use_mm(pid);
                  int fd = DEVICE;
                  kthread_unuse_mm(pid);
                }
                P0(int pid) { exit_mmap(pid); }
                P1() { int r0 = dmirror_read(fd, a); }
                exists (1:r0=1)\
                """;
        assertThat(explore(Map.of(), test)).isEqualTo("1:r0=-14; 1:r0=1;");
    }

    @Test
    void closingWaitsForTheInvalidation() {
        assertThat(
                        onePage(
                                """
                                P0() { madvise(a, PAGE_SIZE, MADV_DONTNEED); }
                                P1() { int r0 = close(fd); }
                                exists (1:r0=0)\
                                """))
                .isEqualTo("1:r0=0;");
    }

    @Test
    void twoDevicesOfOneProcess() {
        String test =
                """
                {
                  char *a = mmap(PAGE_SIZE, RW, ANON);
                  *a = 1;
                  int fd = DEVICE;
                  int fe = DEVICE;
                  dmirror_read(fd, a);
                }
                P0() { madvise(a, PAGE_SIZE, MADV_DONTNEED); }
                P1() { int r0 = dmirror_read(fe, a); }
                exists (1:r0=1)\
                """;
        assertThat(explore(Map.of(), test)).isEqualTo("1:r0=0; 1:r0=1;");
    }
}
