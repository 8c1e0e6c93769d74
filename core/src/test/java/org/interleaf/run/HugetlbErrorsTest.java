// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sizes, alignments and accounts of calls on huge pages: what is rounded, what is refused, and by
/// which error number.
final class HugetlbErrorsTest extends HugetlbCalls {
    @Test
    void lengthsOfMappingsAreRoundedUpAndThoseOfUnmappingsAreNot() {
        always(
                "a = mmap(1, RW, HUGE); r0 = resv_hugepages(S); r1 = munmap(a, 1);"
                        + " r2 = munmap(a, S + 1); r3 = munmap(a + 1, S); r4 = munmap(a, 0);"
                        + " r5 = mmap(-1, RW, HUGE); r6 = munmap(a, S);",
                "0:r0=1 /\\ 0:r1=-22 /\\ 0:r2=0 /\\ 0:r3=-22 /\\ 0:r4=-22 /\\ 0:r5=-22 /\\ 0:r6=0"
                        + " /\\ resv_hugepages(S)=0");
    }

    @Test
    void sizesThatDoNotExistAreInvalid() {
        always(
                "r0 = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB"
                        + " | P4D_SHIFT << MAP_HUGE_SHIFT);"
                        + " r1 = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB"
                        + " | PAGE_SHIFT << MAP_HUGE_SHIFT);"
                        + " a = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);"
                        + " r2 = resv_hugepages(S); munmap(a, S);"
                        + " r3 = mmap(S, RW, MAP_ANONYMOUS | MAP_HUGETLB);"
                        + " r4 = memfd_create(\"x\", MFD_HUGETLB | PGDIR_SHIFT << MFD_HUGE_SHIFT);",
                "0:r0=-22 /\\ 0:r1=-22 /\\ 0:r2=1 /\\ 0:r3=-22 /\\ 0:r4=-19"
                        + " /\\ resv_hugepages(S)=0");
    }

    @Test
    void fixedAddressesMustBeMultiplesAndMayNotBeTaken() {
        always(
                "a = mmap(S, RW, HUGE); r0 = mmap(a, S, RW, HUGE | MAP_FIXED_NOREPLACE, -1, 0); r1"
                    + " = mmap(a + PAGE_SIZE, S, RW, HUGE | MAP_FIXED_NOREPLACE, -1, 0); r2 ="
                    + " mmap(a, S, RW, HUGE | MAP_FIXED, -1, 0) == a; r3 = mmap(a + PAGE_SIZE,"
                    + " PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); r4 ="
                    + " resv_hugepages(S); r5 = mmap(TASK_SIZE, S, RW, HUGE | MAP_FIXED, -1, 0); r6"
                    + " = mmap(TASK_SIZE, RW, HUGE); munmap(a, S);",
                "0:r0=-17 /\\ 0:r1=-22 /\\ 0:r2=1 /\\ 0:r3=-22 /\\ 0:r4=1 /\\ 0:r5=-12"
                        + " /\\ 0:r6=-12 /\\ resv_hugepages(S)=0");
    }

    @Test
    void protectionOfPartsIsRefused() {
        always(
                "a = mmap(2 * S, RW, HUGE); r0 = mprotect(a + PAGE_SIZE, S, PROT_READ);"
                        + " r1 = mprotect(a, S + PAGE_SIZE, PROT_READ);"
                        + " r2 = mprotect(a + 1, S, PROT_READ); r3 = mprotect(a, 0, PROT_READ);"
                        + " r4 = mprotect(a + S, S, PROT_READ); a[0] = 1;"
                        + " r5 = madvise(a + S, S, MADV_POPULATE_WRITE);"
                        + " r6 = mprotect(a, 3 * S, PROT_READ);",
                "0:r0=-22 /\\ 0:r1=-22 /\\ 0:r2=-22 /\\ 0:r3=0 /\\ 0:r4=0 /\\ 0:r5=-22"
                        + " /\\ 0:r6=-12");
    }

    @Test
    void adviceIsRoundedDownAtTheEndAndRefusedAtTheBeginning() {
        always(
                "a = mmap(2 * S, RW, HUGE); a[0] = 1; a[S] = 2; r0 = madvise(a, 2 * S - PAGE_SIZE,"
                        + " MADV_DONTNEED); r1 = a[S]; r2 = madvise(a + 1, S, MADV_DONTNEED); r3 ="
                        + " madvise(a + S, 3 * S, MADV_DONTNEED); r4 = madvise(a + S, 1,"
                        + " MADV_DONTNEED); r5 = madvise(a, 0, MADV_DONTNEED); r6 = madvise(a, S,"
                        + " 12345); r7 = a[0] * 10 + a[S];",
                "0:r0=0 /\\ 0:r1=2 /\\ 0:r2=-22 /\\ 0:r3=-12 /\\ 0:r4=0 /\\ 0:r5=0 /\\ 0:r6=-22"
                        + " /\\ 0:r7=0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"MADV_FREE", "MADV_COLD", "MADV_PAGEOUT", "MADV_HUGEPAGE"})
    void adviceThatHugePagesDoNotTake(String advice) {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; r0 = madvise(a, S, " + advice + "); r1 = a[0];",
                "0:r0=-22 /\\ 0:r1=1");
    }

    @Test
    void removingPunchesAHoleIntoTheFile() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); a = mmap(0, 2 * S, RW, MAP_SHARED, fd, 0);"
                    + " a[0] = 1; a[S] = 2; r0 = madvise(a + S, S, MADV_REMOVE); r1 ="
                    + " free_hugepages(S); r2 = resv_hugepages(S); r3 = a[S]; r4 = a[0]; munmap(a,"
                    + " 2 * S); b = mmap(0, S, RW, MAP_PRIVATE | MAP_NORESERVE, fd, 0); r5 ="
                    + " madvise(b, S, MADV_REMOVE);",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=0 /\\ 0:r4=1 /\\ 0:r5=-13");
    }

    @Test
    void mappingsMoveAndShrinkInWholePagesAndDoNotGrow() {
        always(
                "a = mmap(2 * S, RW, HUGE); a[S] = 1;"
                        + " r0 = mremap(a, 2 * S, PAGE_SIZE, 0) - a; r1 = resv_hugepages(S);"
                        + " r2 = mremap(a, S, 2 * S, 0);"
                        + " r3 = mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, a + 2 * PAGE_SIZE);"
                        + " r4 = mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, a + S + PAGE_SIZE);"
                        + " r5 = mremap(a, S, S, MREMAP_FIXED, a + 2 * S);"
                        + " r6 = mremap(a, 0, S, MREMAP_MAYMOVE);"
                        + " r7 = mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=-22 /\\ 0:r3=-22 /\\ 0:r4=-22 /\\ 0:r5=-22"
                        + " /\\ 0:r6=-22 /\\ 0:r7=-22 /\\ free_hugepages(S)=2");
    }

    @Test
    void severalMappingsMoveTogether() {
        always(
                "a = mmap(2 * S, RW, HUGE); a[0] = 1; a[S] = 2; r0 = mprotect(a + S, S, PROT_READ);"
                        + " b = mremap(a, 3 * S, 3 * S, MREMAP_MAYMOVE | MREMAP_FIXED, a + 8 * S);"
                        + " r1 = b - a == 8 * S; r2 = b[0] * 10 + b[S];"
                        + " r3 = madvise(b + S, S, MADV_POPULATE_WRITE); r4 = munmap(b, 2 * S);"
                        + " r5 = mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, b);",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=12 /\\ 0:r3=-22 /\\ 0:r4=0 /\\ 0:r5=-14"
                        + " /\\ free_hugepages(S)=2 /\\ resv_hugepages(S)=0");
    }

    @Test
    void offsetsAndLengthsOfFilesMustFit() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); r0 = fallocate(fd, 0, -1, S);"
                        + " r1 = fallocate(fd, 0, 0x7fffffffffffffff, 1);"
                        + " r2 = ftruncate(fd, -1); r3 = ftruncate(fd, S - 1);"
                        + " r4 = mmap(0, 2 * S, RW, MAP_SHARED, fd, 0x7fffffffffffffff & PMD_MASK);"
                        + " r5 = fallocate(fd, FALLOC_FL_KEEP_SIZE, S, S);"
                        + " a = mmap(0, 2 * S, PROT_READ, MAP_SHARED, fd, 0);"
                        + " r6 = madvise(a, S, MADV_POPULATE_READ); r7 = free_hugepages(S);",
                "0:r0=-22 /\\ 0:r1=-27 /\\ 0:r2=-22 /\\ 0:r3=-22 /\\ 0:r4=-22 /\\ 0:r5=0"
                        + " /\\ 0:r6=-14 /\\ 0:r7=1");
    }

    @Test
    void reservationsFollowSharedPagesAndNotTheirMappings() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); a = mmap(0, S, RW, MAP_SHARED, fd, 0);"
                        + " b = mmap(0, S, RW, MAP_SHARED, fd, 0); r0 = resv_hugepages(S);"
                        + " munmap(a, S); munmap(b, S); r1 = resv_hugepages(S);"
                        + " a = mmap(0, S, RW, MAP_SHARED | MAP_NORESERVE, fd, S);"
                        + " r2 = resv_hugepages(S); a[0] = 1; r3 = free_hugepages(S);"
                        + " r4 = resv_hugepages(S); r5 = ftruncate(fd, 0); r6 = resv_hugepages(S);",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=1 /\\ 0:r4=1 /\\ 0:r5=0 /\\ 0:r6=0"
                        + " /\\ free_hugepages(S)=2");
    }

    @Test
    void poolsGrowToWhatThereIsAndShrinkToWhatIsPromised() {
        always(
                "a = mmap(S, RW, HUGE); nr_hugepages_store(S, 0); r0 = nr_hugepages(S); r1 ="
                    + " surplus_hugepages(S); r2 = free_hugepages(S); a[0] = 1; munmap(a, S); r3 ="
                    + " nr_hugepages(S); nr_hugepages_store(S, 1000); r4 = nr_hugepages(S) < 1000;"
                    + " r5 = nr_hugepages(S) == free_hugepages(S);",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=0 /\\ 0:r4=1 /\\ 0:r5=1");
    }

    @Test
    void oneLockForAllTablesIsTakenOnce() {
        config.put("ptl", "mm");
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; pid = fork();"
                        + " b = mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, a + S);"
                        + " r0 = b[0]; exit_mmap(pid); munmap(b, S);",
                "0:r0=1 /\\ free_hugepages(S)=2");
    }
}
