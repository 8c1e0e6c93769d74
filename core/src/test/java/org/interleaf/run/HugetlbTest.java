// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What single calls on huge pages answer, and what they leave in the pool: as in a kernel.
final class HugetlbTest extends HugetlbCalls {
    // ---- every size

    @ParameterizedTest
    @CsvSource({
        "x86-64,PMD",
        "x86-64,PUD",
        "x86-64-5level,PMD",
        "x86-32,PMD",
        "x86-32-pae,PMD",
        "arm64-4k,CONT_PTE",
        "arm64-4k,PMD",
        "arm64-4k,CONT_PMD",
        "arm64-4k,PUD",
        "arm64-16k,CONT_PTE",
        "arm64-16k,CONT_PMD",
        "arm64-64k,CONT_PTE",
        "arm64-64k,CONT_PMD",
        "arm64-64k-va42,CONT_PTE",
        "riscv64,CONT_PTE",
        "riscv64,PUD",
        "s390,PMD",
        "powerpc-radix,PUD"
    })
    void everySizeIsMappedProtectedMovedAndGivenBack(String arch, String name) {
        size = name;
        config.put("arch", arch);
        config.put("hugetlb", name.replace("CONT_", "cont-") + ":2");
        always(
                "a = mmap(S, RW, HUGE); r0 = resv_hugepages(S); a[0] = 1; a[S - PAGE_SIZE] = 2;"
                        + " r1 = resv_hugepages(S); r2 = free_hugepages(S);"
                        + " r3 = mprotect(a, S, PROT_READ); r4 = a[S - PAGE_SIZE];"
                        + " r5 = mprotect(a, S, RW); a[S - PAGE_SIZE] = 3;"
                        + " b = mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, a + S);"
                        + " r6 = b[S - PAGE_SIZE] + b[0]; r7 = madvise(b, S, MADV_DONTNEED);"
                        + " r7 = r7 + resv_hugepages(S) + b[0]; munmap(b, S);",
                "0:r0=1 /\\ 0:r1=0 /\\ 0:r2=1 /\\ 0:r3=0 /\\ 0:r4=2 /\\ 0:r5=0 /\\ 0:r6=4"
                        + " /\\ 0:r7=1 /\\ free_hugepages(S)=2 /\\ resv_hugepages(S)=0");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "x86-64,PUD", "arm64-4k,CONT_PTE", "arm64-4k,CONT_PMD"})
    void sharedMemoryOfEverySizeIsSharedWithAChild(String arch, String name) {
        size = name;
        config.put("arch", arch);
        config.put("hugetlb", name.replace("CONT_", "cont-") + ":1");
        always(
                "a = mmap(S, RW, SHARED); a[0] = 1; pid = fork(); kthread_use_mm(pid);"
                        + " r0 = a[0]; a[S - PAGE_SIZE] = 2; kthread_unuse_mm(pid);"
                        + " r1 = a[S - PAGE_SIZE]; munmap(a, S); r2 = free_hugepages(S);"
                        + " exit_mmap(pid);",
                "0:r0=1 /\\ 0:r1=2 /\\ 0:r2=0 /\\ free_hugepages(S)=1 /\\ resv_hugepages(S)=0");
    }

    @Test
    void pagesOverTwoTablesAreOne() {
        config.put("arch", "powerpc-8xx");
        config.put("hugetlb", "64K:2");
        always(
                "a = mmap(2 * S, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB"
                        + " | (16 << MAP_HUGE_SHIFT)); a[0] = 1; a[2 * S - PAGE_SIZE] = 2;"
                        + " r0 = free_hugepages(2 * S); pid = fork(); a[S] = 3;"
                        + " kthread_use_mm(pid); r1 = a[S] + a[2 * S - PAGE_SIZE];"
                        + " kthread_unuse_mm(pid); exit_mmap(pid);"
                        + " r2 = mprotect(a, 2 * S, PROT_READ); r3 = move_pages(a + S);"
                        + " r4 = a[0]; r5 = a[S]; r6 = munmap(a + S, S); munmap(a, 2 * S);",
                "0:r0=1 /\\ 0:r1=2 /\\ 0:r2=0 /\\ 0:r3=0 /\\ 0:r4=1 /\\ 0:r5=3 /\\ 0:r6=-22"
                        + " /\\ free_hugepages(2 * S)=2");
    }

    // ---- what is refused

    @Test
    void reservationsBeyondThePoolFail() {
        always(
                "r0 = mmap(3 * S, RW, HUGE); r1 = resv_hugepages(S); a = mmap(2 * S, RW, HUGE);"
                        + " r2 = mmap(S, RW, HUGE); r3 = resv_hugepages(S); munmap(a, 2 * S);"
                        + " r4 = resv_hugepages(S);",
                "0:r0=-12 /\\ 0:r1=0 /\\ 0:r2=-12 /\\ 0:r3=2 /\\ 0:r4=0");
    }

    @Test
    void sizesWithoutAPoolAndCrookedAddressesAreInvalid() {
        always(
                "r1 = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB"
                        + " | (63 << MAP_HUGE_SHIFT));"
                        + " r2 = mmap(2 * S + PAGE_SIZE, S, RW, HUGE | MAP_FIXED, -1, 0);"
                        + " r3 = mmap(0, RW, HUGE); a = mmap(PAGE_SIZE, RW, HUGE);"
                        + " r4 = munmap(a, PAGE_SIZE); r5 = munmap(a + PAGE_SIZE, S - PAGE_SIZE);"
                        + " r6 = munmap(a, S);",
                "0:r1=-22 /\\ 0:r2=-22 /\\ 0:r3=-22 /\\ 0:r4=-22 /\\ 0:r5=-22 /\\ 0:r6=0"
                        + " /\\ resv_hugepages(S)=0");
    }

    @Test
    void partsOfHugePagesCannotBeProtectedMovedOrAdvised() {
        always(
                "a = mmap(2 * S, RW, HUGE); a[S] = 5;"
                        + " r0 = mprotect(a, PAGE_SIZE, PROT_READ);"
                        + " r1 = mremap(a, S, 2 * S, MREMAP_MAYMOVE);"
                        + " r2 = mremap(a + PAGE_SIZE, S, S, MREMAP_MAYMOVE);"
                        + " r3 = madvise(a + PAGE_SIZE, S, MADV_DONTNEED);"
                        + " r4 = madvise(a + S, S - PAGE_SIZE, MADV_DONTNEED);"
                        + " r5 = madvise(a, S, MADV_HUGEPAGE); r6 = a[S];"
                        + " r7 = mremap(a, 2 * S, S, 0) - a;",
                "0:r0=-22 /\\ 0:r1=-22 /\\ 0:r2=-22 /\\ 0:r3=-22 /\\ 0:r4=0 /\\ 0:r5=-22"
                        + " /\\ 0:r6=5 /\\ 0:r7=0 /\\ free_hugepages(S)=2 /\\ resv_hugepages(S)=1");
    }

    @Test
    void pagesThatWereNotReservedMayNotBeThere() {
        always(
                "a = mmap(2 * S, RW, HUGE); b = mmap(S, RW, HUGE | MAP_NORESERVE);"
                        + " r0 = madvise(b, S, MADV_POPULATE_WRITE);"
                        + " p = get_user_pages(b, FOLL_WRITE); r1 = p == 0;"
                        + " munmap(a, S); r2 = madvise(b, S, MADV_POPULATE_WRITE);"
                        + " r3 = free_hugepages(S);",
                "0:r0=-14 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=1 /\\ resv_hugepages(S)=1");
    }

    @Test
    void surplusPagesComeForReservationsAndGo() {
        config.put("hugetlb", "PMD:1:1");
        always(
                "a = mmap(2 * S, RW, HUGE); r0 = nr_hugepages(S); r1 = surplus_hugepages(S);"
                        + " r2 = mmap(S, RW, HUGE); a[0] = 1; a[S] = 1;"
                        + " r3 = free_hugepages(S); munmap(a, S); r4 = nr_hugepages(S);"
                        + " r5 = surplus_hugepages(S); munmap(a + S, S);",
                "0:r0=2 /\\ 0:r1=1 /\\ 0:r2=-12 /\\ 0:r3=0 /\\ 0:r4=1 /\\ 0:r5=0"
                        + " /\\ nr_hugepages(S)=1 /\\ free_hugepages(S)=1");
    }

    @Test
    void aPoolThatIsInUseShrinksByWhatIsFree() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; nr_hugepages_store(S, 0); r0 = nr_hugepages(S);"
                        + " r1 = surplus_hugepages(S); munmap(a, S); r2 = nr_hugepages(S);"
                        + " nr_hugepages_store(S, 2);",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=0 /\\ nr_hugepages(S)=2 /\\ free_hugepages(S)=2");
    }

    @Test
    void freePagesCanBeDissolvedUnlessTheyArePromised() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; p = get_user_pages(a, 0);"
                        + " r0 = dissolve_free_hugetlb_folio(p); put_page(p);"
                        + " r1 = madvise(a, S, MADV_DONTNEED); b = mmap(S, RW, HUGE);"
                        + " r2 = dissolve_free_hugetlb_folio(p); munmap(b, S);"
                        + " r3 = dissolve_free_hugetlb_folio(p);"
                        + " r4 = dissolve_free_hugetlb_folio(p); munmap(a, S);",
                "0:r0=-16 /\\ 0:r1=0 /\\ 0:r2=-16 /\\ 0:r3=0 /\\ 0:r4=0"
                        + " /\\ nr_hugepages(S)=1 /\\ free_hugepages(S)=1");
    }

    @Test
    void smapsTellsOfPagesThatAreMapped() {
        always(
                "a = mmap(2 * S, RW, HUGE); r0 = smaps(a); a[S] = 1; r1 = smaps(a) == S;"
                        + " pid = fork(); r2 = smaps(a) == S; exit_mmap(pid); munmap(a, 2 * S);"
                        + " r3 = smaps(a);",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=1 /\\ 0:r3=-14");
    }

    // ---- files

    @Test
    void filesEndWhereTheyAreTruncatedAndKeepReservations() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); r0 = ftruncate(fd, PAGE_SIZE);"
                        + " a = mmap(0, 2 * S, PROT_READ, MAP_SHARED, fd, 0);"
                        + " r1 = resv_hugepages(S); r2 = madvise(a, S, MADV_POPULATE_READ);"
                        + " r3 = ftruncate(fd, S); r4 = madvise(a, 2 * S, MADV_POPULATE_READ);"
                        + " r5 = free_hugepages(S); munmap(a, 2 * S); r6 = resv_hugepages(S);"
                        + " r7 = ftruncate(fd, 0);",
                "0:r0=-22 /\\ 0:r1=2 /\\ 0:r2=-14 /\\ 0:r3=0 /\\ 0:r4=-14 /\\ 0:r5=1 /\\ 0:r6=0"
                        + " /\\ 0:r7=0 /\\ free_hugepages(S)=2 /\\ resv_hugepages(S)=0");
    }

    @Test
    void writableMappingsMakeFilesLonger() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); a = mmap(0, S, RW, MAP_SHARED, fd, S); a[0]"
                    + " = 3; b = mmap(0, 2 * S, RW, MAP_SHARED, fd, 0); r0 = b[S]; r1 ="
                    + " resv_hugepages(S); b[S + 1] = 4; r2 = a[1]; close(fd); munmap(a, S); r3 ="
                    + " nr_hugepages(S) - free_hugepages(S); munmap(b, 2 * S);",
                "0:r0=3 /\\ 0:r1=1 /\\ 0:r2=4 /\\ 0:r3=1 /\\ free_hugepages(S)=2"
                        + " /\\ resv_hugepages(S)=0");
    }

    @Test
    void offsetsMustBeMultiplesOfThePageSize() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB);"
                        + " r0 = mmap(0, S, RW, MAP_SHARED, fd, PAGE_SIZE);"
                        + " r1 = mmap(0, S, RW, MAP_SHARED, fd, 1);"
                        + " r2 = mmap(0, S, RW, MAP_SHARED, fd + 1, 0);"
                        + " r3 = memfd_create(\"x\", MFD_HUGETLB | (63 << MFD_HUGE_SHIFT));"
                        + " r4 = memfd_create(\"x\", MFD_HUGETLB | 64); r5 = close(fd + 1);"
                        + " r6 = ftruncate(fd + 1, 0);",
                "0:r0=-22 /\\ 0:r1=-22 /\\ 0:r2=-9 /\\ 0:r3=-19 /\\ 0:r4=-22 /\\ 0:r5=-9"
                        + " /\\ 0:r6=-9 /\\ resv_hugepages(S)=0");
    }

    @Test
    void privateMappingsOfFilesCopyOnWrite() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); a = mmap(0, S, RW, MAP_SHARED, fd, 0);"
                        + " a[0] = 1; b = mmap(0, S, RW, MAP_PRIVATE, fd, 0); r0 = b[0];"
                        + " r1 = resv_hugepages(S); a[0] = 2; r2 = b[0]; b[0] = 3;"
                        + " r3 = a[0]; r4 = b[0]; r5 = resv_hugepages(S);"
                        + " r6 = madvise(b, S, MADV_DONTNEED); r7 = b[0] * 10 + resv_hugepages(S);",
                "0:r0=1 /\\ 0:r1=1 /\\ 0:r2=2 /\\ 0:r3=2 /\\ 0:r4=3 /\\ 0:r5=0 /\\ 0:r6=0"
                        + " /\\ 0:r7=21");
    }

    @Test
    void holesArePunchedInWholePagesAndZeroedInParts() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); a = mmap(0, 2 * S, RW, MAP_SHARED, fd, 0);"
                        + " a[0] = 1; a[S] = 2; a[S + PAGE_SIZE] = 3;"
                        + " r0 = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,"
                        + " S + PAGE_SIZE); r1 = free_hugepages(S); r2 = resv_hugepages(S);"
                        + " r3 = a[S]; r4 = a[S + PAGE_SIZE]; r5 = a[0];"
                        + " r6 = fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, S);"
                        + " r7 = fallocate(fd, 0, 0, 0);",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=0 /\\ 0:r4=3 /\\ 0:r5=0 /\\ 0:r6=-95"
                        + " /\\ 0:r7=-22");
    }

    @Test
    void fallocateTakesPagesAndSaysWhenThereAreNoMore() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); r0 = fallocate(fd, 0, 0, 2 * S);"
                        + " r1 = free_hugepages(S); r2 = fallocate(fd, 0, 2 * S, 1);"
                        + " a = mmap(0, S, RW, MAP_SHARED, fd, S); r3 = a[0];"
                        + " r4 = fallocate(fd, 4, 0, S); close(fd); munmap(a, S);",
                "0:r0=0 /\\ 0:r1=0 /\\ 0:r2=-28 /\\ 0:r3=0 /\\ 0:r4=-95"
                        + " /\\ free_hugepages(S)=2 /\\ resv_hugepages(S)=0");
    }

    @Test
    void namedFilesStayUntilTheyAreUnlinked() {
        config.put("hugetlbfs", "PMD:size=1");
        always(
                "r0 = open(\"/mnt/a\", O_RDWR); fd = open(\"/mnt/a\", O_RDWR | O_CREAT);"
                        + " r1 = mmap(0, 2 * S, RW, MAP_SHARED, fd, 0);"
                        + " a = mmap(0, S, RW, MAP_SHARED, fd, 0); a[0] = 7; munmap(a, S);"
                        + " close(fd); r2 = free_hugepages(S); fd = open(\"/mnt/a\", O_RDONLY);"
                        + " r3 = mmap(0, S, RW, MAP_SHARED, fd, 0);"
                        + " a = mmap(0, S, PROT_READ, MAP_SHARED, fd, 0); r4 = a[0];"
                        + " r5 = mprotect(a, S, RW); unlink(\"/mnt/a\"); close(fd);"
                        + " r6 = free_hugepages(S); munmap(a, S);",
                "0:r0=-2 /\\ 0:r1=-12 /\\ 0:r2=1 /\\ 0:r3=-13 /\\ 0:r4=7 /\\ 0:r5=-13 /\\ 0:r6=1"
                        + " /\\ free_hugepages(S)=2");
    }

    @Test
    void mountsCanHavePagesSetAside() {
        config.put("hugetlbfs", "PMD:min_size=1");
        always(
                "r0 = resv_hugepages(S); r1 = mmap(2 * S, RW, HUGE);"
                        + " fd = open(\"/mnt/a\", O_RDWR | O_CREAT);"
                        + " a = mmap(0, S, RW, MAP_SHARED, fd, 0); r2 = resv_hugepages(S);"
                        + " b = mmap(S, RW, HUGE); r3 = resv_hugepages(S); a[0] = 1;"
                        + " r4 = resv_hugepages(S); munmap(a, S); close(fd); unlink(\"/mnt/a\");",
                "0:r0=1 /\\ 0:r1=-12 /\\ 0:r2=1 /\\ 0:r3=2 /\\ 0:r4=1 /\\ resv_hugepages(S)=2");
    }

    // ---- fork and GUP

    @Test
    void copiesAreMadeWhenParentOrChildWrites() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; pid = fork(); kthread_use_mm(pid); r0 = a[0];"
                        + " a[0] = 2; r1 = a[0]; kthread_unuse_mm(pid); r2 = a[0]; a[0] = 3;"
                        + " r3 = free_hugepages(S); exit_mmap(pid); r4 = free_hugepages(S);",
                "0:r0=1 /\\ 0:r1=2 /\\ 0:r2=1 /\\ 0:r3=0 /\\ 0:r4=1");
    }

    @Test
    void anOwnerThatFindsThePoolEmptyTakesThePageFromItsChild() {
        config.put("hugetlb", "PMD:1");
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; pid = fork(); a[0] = 2; r0 = a[0];"
                        + " kthread_use_mm(pid); r1 = madvise(a, S, MADV_POPULATE_READ);"
                        + " kthread_unuse_mm(pid); exit_mmap(pid);",
                "0:r0=2 /\\ 0:r1=-14 /\\ free_hugepages(S)=0");
    }

    @Test
    void aChildWithoutReservationsCannotWriteWhereThePoolIsEmpty() {
        config.put("hugetlb", "PMD:1");
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; pid = fork(); kthread_use_mm(pid); r0 = a[0];"
                        + " r1 = madvise(a, S, MADV_POPULATE_WRITE); kthread_unuse_mm(pid);"
                        + " exit_mmap(pid); a[0] = 4; r2 = a[0];",
                "0:r0=1 /\\ 0:r1=-14 /\\ 0:r2=4");
    }

    @Test
    void pinnedPagesAreCopiedByForkItself() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; p = pin_user_pages_fast(a, FOLL_WRITE);"
                        + " pid = fork(); r0 = free_hugepages(S); a[0] = 2; kmap_write(p, 5);"
                        + " r1 = a[0]; kthread_use_mm(pid); r2 = a[0]; kthread_unuse_mm(pid);"
                        + " unpin_user_page(p); exit_mmap(pid);",
                "0:r0=0 /\\ 0:r1=5 /\\ 0:r2=1 /\\ free_hugepages(S)=1");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "x86-64,PUD", "arm64-4k,CONT_PTE", "arm64-4k,CONT_PMD"})
    void readOnlyPinsUnsharePagesFirst(String arch, String name) {
        size = name;
        config.put("arch", arch);
        config.put("hugetlb", name.replace("CONT_", "cont-") + ":2");
        always(
                "a = mmap(S, RW, HUGE); a[S - PAGE_SIZE] = 1; pid = fork();"
                        + " p = pin_user_pages(a + S - PAGE_SIZE, 0); r0 = free_hugepages(S);"
                        + " a[S - PAGE_SIZE] = 2; r1 = kmap_read(p); unpin_user_page(p);"
                        + " p = get_user_pages_fast_only(a + S - PAGE_SIZE, FOLL_WRITE);"
                        + " r2 = kmap_read(p); put_page(p); exit_mmap(pid);",
                "0:r0=0 /\\ 0:r1=2 /\\ 0:r2=2 /\\ free_hugepages(S)=1");
    }

    @Test
    void splittingIsRefused() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; p = get_user_pages(a, FOLL_SPLIT_PMD);"
                        + " r0 = p == 0; r1 = collapse_huge_page(a);"
                        + " r2 = madvise(a, S, MADV_COLLAPSE);",
                "0:r0=1 /\\ 0:r1=0 /\\ 0:r2=-22");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "x86-64,PUD", "arm64-4k,CONT_PTE", "arm64-4k,CONT_PMD"})
    void pagesMoveUnlessTheyArePinned(String arch, String name) {
        size = name;
        config.put("arch", arch);
        config.put("hugetlb", name.replace("CONT_", "cont-") + ":2");
        always(
                "a = mmap(S, RW, HUGE); r0 = move_pages(a); a[S - PAGE_SIZE] = 1;"
                        + " r1 = page_to_pfn(mapped_page(a)); r2 = move_pages(a);"
                        + " r1 = r1 != page_to_pfn(mapped_page(a)); r3 = a[S - PAGE_SIZE];"
                        + " p = pin_user_pages_fast(a, FOLL_WRITE); r4 = move_pages(a);"
                        + " a[0] = 2; r5 = kmap_read(p); unpin_user_page(p);"
                        + " r6 = free_hugepages(S);",
                "0:r0=-2 /\\ 0:r1=1 /\\ 0:r2=0 /\\ 0:r3=1 /\\ 0:r4=-11 /\\ 0:r5=2 /\\ 0:r6=1");
    }

    @Test
    void pagesOfFilesMoveForAllWhoMapThem() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); a = mmap(0, S, RW, MAP_SHARED, fd, 0);"
                        + " b = mmap(0, S, RW, MAP_SHARED, fd, 0); a[0] = 1; r0 = b[0];"
                        + " r1 = move_pages(b); a[1] = 2; r2 = b[1]; r3 = a[0];"
                        + " r4 = mapped_page(a) == mapped_page(b); r5 = free_hugepages(S);",
                "0:r0=1 /\\ 0:r1=0 /\\ 0:r2=2 /\\ 0:r3=1 /\\ 0:r4=1 /\\ 0:r5=1");
    }
}
