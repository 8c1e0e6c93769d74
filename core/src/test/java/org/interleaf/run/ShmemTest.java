// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Files in memory, as a process on a real kernel sees them. In the programs `SHARED(n)` and
/// `PRIVATE(n)` map the first `n` bytes of the file `fd`.
final class ShmemTest {
    private static final String RW = ", PROT_READ | PROT_WRITE, MAP_";

    private static Answer check(String arch, String shmem, String program) {
        String text =
                "C t\n"
                        + program.replaceAll(
                                "(SHARED|PRIVATE)\\((.*?)\\)", "mmap(0, $2" + RW + "$1, fd, 0)");
        Map<String, String> config = Map.of("arch", arch, "shmem", shmem);
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    /// Runs `body` alone on a file of the size of a PMD; `condition` holds in the end.
    private static void expect(String arch, String shmem, String body, String condition) {
        String init = "int fd = memfd_create(\"f\", 0); ftruncate(fd, PMD_SIZE);";
        String test = "{ " + init + " }\nP0(int fd) { " + body + " }\nforall (" + condition + ")";
        Answer answer = check(arch, shmem, test);
        assertThat(answer.states()).hasSize(1);
        assertThat(answer.negative()).as("%s: %s", arch, answer.states()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-4k", "arm64-64k", "x86-32-pae", "s390", "riscv64"})
    void sharedMappingsShareAndPrivateOnesCopy(String arch) {
        expect(
                arch,
                "never",
                "char *a = SHARED(PMD_SIZE); char *b = SHARED(PMD_SIZE); char *c ="
                    + " PRIVATE(PMD_SIZE); r0 = b[PAGE_SIZE]; a[PAGE_SIZE] = 1; r1 = b[PAGE_SIZE];"
                    + " r2 = c[PAGE_SIZE]; c[PAGE_SIZE] = 2; r3 = a[PAGE_SIZE]; a[PAGE_SIZE] = 3;"
                    + " r4 = c[PAGE_SIZE]; r5 = b[PAGE_SIZE]; c[0] = 4; r6 = a[0];",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=1 /\\ 0:r4=2 /\\ 0:r5=3 /\\ 0:r6=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x86-64", "arm64-4k", "arm64-16k", "s390", "riscv64"})
    void hugePagesAreMappedByPmdsUntilTheyAreCopied(String arch) {
        expect(
                arch,
                "always",
                "char *a = SHARED(PMD_SIZE); char *b = PRIVATE(PMD_SIZE); a[0] = 1;"
                        + " r0 = pmd_trans_huge(a); r1 = b[0]; r2 = pmd_trans_huge(b);"
                        + " b[PAGE_SIZE] = 2; r3 = pmd_trans_huge(b); r4 = a[PAGE_SIZE];"
                        + " r5 = b[0]; r6 = pmd_trans_huge(a);",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=0 /\\ 0:r4=0 /\\ 0:r5=1 /\\ 0:r6=1");
    }

    @Test
    void hugePagesAreAsTheOptionSays() {
        String again = " ftruncate(fd, 0); ftruncate(fd, PMD_SIZE); a = SHARED(PMD_SIZE);";
        String body =
                "char *a = SHARED(PMD_SIZE); a[0] = 1; r0 = pmd_trans_huge(a);"
                        + again
                        + " madvise(a, PMD_SIZE, MADV_HUGEPAGE); a[0] = 1; r1 = pmd_trans_huge(a);"
                        + again
                        + " ftruncate(fd, PAGE_SIZE); a[0] = 1; r2 = pmd_trans_huge(a);"
                        + again
                        + " madvise(a, PMD_SIZE, MADV_NOHUGEPAGE); a[0] = 1;"
                        + " r3 = pmd_trans_huge(a);";
        expect("x86-64", "never", body, "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=0 /\\ 0:r3=0");
        expect("x86-64", "always", body, "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=0");
        expect("x86-64", "advise", body, "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=0");
        expect("x86-64", "within_size", body, "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void truncationTakesPrivateCopiesAsWell(String shmem) {
        expect(
                "arm64-4k",
                shmem,
                "char *a = SHARED(PMD_SIZE); char *b = PRIVATE(PMD_SIZE); a[0] = 1;"
                        + " a[PAGE_SIZE] = 2; b[PAGE_SIZE] = 3; r0 = ftruncate(fd, PAGE_SIZE);"
                        + " r1 = a[0]; r2 = b[0]; r3 = ftruncate(fd, PMD_SIZE);"
                        + " r4 = a[PAGE_SIZE]; r5 = b[PAGE_SIZE];",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=0 /\\ 0:r4=0 /\\ 0:r5=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void holesLeavePrivateCopies(String shmem) {
        expect(
                "x86-64",
                shmem,
                "char *a = SHARED(PMD_SIZE); char *b = PRIVATE(PMD_SIZE); a[0] = 1;"
                        + " a[PAGE_SIZE] = 2; r0 = b[0]; b[PAGE_SIZE] = 3;"
                        + " r1 = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,"
                        + " PMD_SIZE); r2 = a[0]; r3 = a[PAGE_SIZE]; r4 = b[0];"
                        + " r5 = b[PAGE_SIZE];",
                "0:r0=1 /\\ 0:r1=0 /\\ 0:r2=0 /\\ 0:r3=0 /\\ 0:r4=0 /\\ 0:r5=3");
    }

    @Test
    void beyondTheEndThereIsNothing() {
        expect(
                "arm64-4k",
                "never",
                "char *a = SHARED(PMD_SIZE); r0 = ftruncate(fd, PAGE_SIZE); a[0] = 1; r1 = 1;"
                        + " a[PAGE_SIZE] = 1; r1 = 2;",
                "0:r0=0 /\\ 0:r1=1");
    }

    @Test
    void partsOfPagesAreZeroed() {
        expect(
                "arm64-4k",
                "never",
                "char *a = SHARED(PMD_SIZE); a[0] = 1; a[1] = 2; r0 = ftruncate(fd, 1);"
                        + " r1 = ftruncate(fd, PMD_SIZE); r2 = a[0]; r3 = a[1];",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=1 /\\ 0:r3=0");
    }

    @Test
    void pagesCanBePutInBeforehand() {
        expect(
                "x86-64",
                "never",
                "r0 = ftruncate(fd, 0); r1 = fallocate(fd, 0, 0, PAGE_SIZE);"
                        + " char *a = SHARED(PMD_SIZE); r2 = a[0]; a[0] = 5;"
                        + " r3 = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PMD_SIZE); r4 = a[0];"
                        + " r5 = fallocate(fd, 0, 0, PMD_SIZE); r6 = a[PAGE_SIZE];",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=0 /\\ 0:r3=0 /\\ 0:r4=5 /\\ 0:r5=0 /\\ 0:r6=0");
    }

    @Test
    void filesHaveNames() {
        expect(
                "x86-64",
                "never",
                "int g = open(\"/dev/shm/f\", O_RDWR); int h = open(\"/dev/shm/f\", O_RDWR |"
                    + " O_CREAT); r0 = g; ftruncate(h, PAGE_SIZE); char *a = mmap(0, PAGE_SIZE,"
                    + " PROT_WRITE, MAP_SHARED, h, 0); a[0] = 6; close(h); munmap(a, PAGE_SIZE);"
                    + " int i = open(\"/dev/shm/f\", O_RDONLY); char *b = mmap(0, PAGE_SIZE,"
                    + " PROT_READ, MAP_SHARED, i, 0); r1 = b[0]; r2 = unlink(\"/dev/shm/f\"); r3 ="
                    + " open(\"/dev/shm/f\", O_RDONLY); close(i); munmap(b, PAGE_SIZE);",
                "0:r0=-ENOENT /\\ 0:r1=6 /\\ 0:r2=0 /\\ 0:r3=-ENOENT");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void sharedAnonymousMemoryOutlivesFork(String shmem) {
        expect(
                "x86-64",
                shmem,
                "char *a = mmap(0, PMD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,"
                        + " -1, 0); char *b = PRIVATE(PMD_SIZE); a[0] = 1; b[0] = 2;"
                        + " r6 = b[PAGE_SIZE]; int pid = fork(); b[0] = 3; kthread_use_mm(pid);"
                        + " r0 = a[0]; a[0] = 4; r1 = b[0]; b[0] = 5; kthread_unuse_mm(pid);"
                        + " r2 = a[0]; r3 = b[0]; r4 = exit_mmap(pid);",
                "0:r0=1 /\\ 0:r1=2 /\\ 0:r2=4 /\\ 0:r3=3 /\\ 0:r4=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void protectionAndPlaceChange(String shmem) {
        expect(
                "x86-64",
                shmem,
                "char *a = SHARED(PMD_SIZE); a[0] = 1; a[PAGE_SIZE] = 2;"
                        + " r0 = mprotect(a, PMD_SIZE, PROT_READ); r1 = a[0];"
                        + " r2 = mprotect(a, PAGE_SIZE, PROT_READ | PROT_WRITE); a[0] = 3;"
                        + " r3 = mprotect(a, PMD_SIZE, PROT_READ | PROT_WRITE); a[PAGE_SIZE] = 4;"
                        + " char *b = SHARED(PMD_SIZE); r4 = b[0];"
                        + " char *c = mremap(b, PMD_SIZE, PMD_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,"
                        + " 4 * PMD_SIZE + a); r5 = c[PAGE_SIZE]; c[0] = 7; r6 = a[0];",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=0 /\\ 0:r4=3 /\\ 0:r5=4 /\\ 0:r6=7");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void pagesCanBePinned(String shmem) {
        expect(
                "arm64-4k",
                shmem,
                "char *a = SHARED(PMD_SIZE); char *b = SHARED(PMD_SIZE);"
                        + " struct page *p = pin_user_pages_fast(a + PAGE_SIZE,"
                        + " FOLL_WRITE | FOLL_LONGTERM); kmap_write(p, 9); r0 = b[PAGE_SIZE];"
                        + " struct page *q = pin_user_pages_fast(b + PAGE_SIZE,"
                        + " FOLL_WRITE | FOLL_LONGTERM); r1 = p == q; unpin_user_page(p);"
                        + " unpin_user_page(q);",
                "0:r0=9 /\\ 0:r1=1");
    }

    @Test
    void whatIsPinnedForLongOfAPrivateMappingIsACopy() {
        expect(
                "arm64-4k",
                "never",
                "char *a = SHARED(PMD_SIZE); char *b = PRIVATE(PMD_SIZE); a[0] = 9; r0 = b[0];"
                        + " struct page *p = pin_user_pages_fast(b, FOLL_LONGTERM);"
                        + " a[0] = 1; r1 = kmap_read(p); r2 = b[0]; unpin_user_page(p);",
                "0:r0=9 /\\ 0:r1=9 /\\ 0:r2=9");
    }
}
