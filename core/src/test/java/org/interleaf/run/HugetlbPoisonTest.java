// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What becomes of huge pages whose memory goes bad, and of those who use them.
final class HugetlbPoisonTest extends HugetlbCalls {
    /// Maps a page at `a` that was only read, so that nothing is lost with it, and has it go bad.
    private static final String BAD =
            "a = mmap(S, RW, HUGE); r0 = a[0]; r1 = madvise(a, S, MADV_HWPOISON); ";

    @ParameterizedTest
    @CsvSource({
        "x86-64,PMD",
        "x86-64,PUD",
        "arm64-4k,CONT_PTE",
        "arm64-4k,PMD",
        "arm64-4k,CONT_PMD",
        "arm64-4k,PUD",
        "riscv64,CONT_PTE"
    })
    void aBadPageLeavesThePoolAndItsPlaceTellsOfIt(String arch, String name) {
        size = name;
        config.put("arch", arch);
        config.put("hugetlb", name.replace("CONT_", "cont-") + ":2");
        always(
                BAD
                        + "r2 = nr_hugepages(S); r3 = madvise(a, S, MADV_POPULATE_READ);"
                        + " r4 = madvise(a, S, MADV_POPULATE_WRITE); p = get_user_pages(a, 0);"
                        + " r5 = p == 0; r6 = smaps(a) == S; r7 = madvise(a, S, MADV_HWPOISON);"
                        + " munmap(a, S);",
                "0:r1=0 /\\ 0:r2=1 /\\ 0:r3=-133 /\\ 0:r4=-133 /\\ 0:r5=1 /\\ 0:r6=1 /\\ 0:r7=-14"
                        + " /\\ num_poisoned_pages()=1 /\\ nr_hugepages(S)=1"
                        + " /\\ free_hugepages(S)=1 /\\ resv_hugepages(S)=0");
    }

    @Test
    void whoeverLosesDataIsKilled() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; r0 = 1; madvise(a, S, MADV_HWPOISON); r0 = 2;",
                "0:r0=1 /\\ num_poisoned_pages()=1 /\\ nr_hugepages(S)=1");
    }

    @Test
    void whoeverTouchesItIsKilled() {
        always(BAD + "r2 = 1; r3 = a[S - 1]; r2 = 2;", "0:r1=0 /\\ 0:r2=1");
    }

    @Test
    void poisonIsInheritedAndMovedAndNotProtected() {
        always(
                BAD
                        + "pid = fork(); kthread_use_mm(pid);"
                        + " r2 = madvise(a, S, MADV_POPULATE_READ); kthread_unuse_mm(pid);"
                        + " r3 = mprotect(a, S, PROT_READ); r4 = madvise(a, S, MADV_POPULATE_READ);"
                        + " b = mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, a + S);"
                        + " r5 = madvise(b, S, MADV_POPULATE_READ); r6 = move_pages(b);"
                        + " exit_mmap(pid); munmap(b, S);",
                "0:r2=-133 /\\ 0:r3=0 /\\ 0:r4=-133 /\\ 0:r5=-133 /\\ 0:r6=-2"
                        + " /\\ nr_hugepages(S)=1 /\\ free_hugepages(S)=1");
    }

    @Test
    void unmappingClearsIt() {
        always(
                BAD
                        + "r2 = madvise(a, S, MADV_DONTNEED); r3 = resv_hugepages(S);"
                        + " r4 = a[S - 1]; r5 = free_hugepages(S); munmap(a, S);",
                "0:r2=0 /\\ 0:r3=0 /\\ 0:r4=0 /\\ 0:r5=0 /\\ free_hugepages(S)=1");
    }

    @Test
    void aPageThatSomebodyHoldsStaysInThePoolAndIsNotUsedAgain() {
        always(
                "a = mmap(S, RW, HUGE); r0 = a[0]; p = get_user_pages(a, 0);"
                        + " r1 = memory_failure(p); r2 = madvise(a, S, MADV_POPULATE_READ);"
                        + " r3 = memory_failure(p); put_page(p); munmap(a, S);"
                        + " r4 = free_hugepages(S); a = mmap(2 * S, RW, HUGE);"
                        + " r5 = madvise(a, S, MADV_POPULATE_WRITE);"
                        + " r6 = madvise(a + S, S, MADV_POPULATE_WRITE); r7 = resv_hugepages(S);"
                        + " munmap(a, 2 * S);",
                "0:r1=-16 /\\ 0:r2=-133 /\\ 0:r3=-133 /\\ 0:r4=2 /\\ 0:r5=0 /\\ 0:r6=-14"
                        + " /\\ 0:r7=1 /\\ free_hugepages(S)=2 /\\ num_poisoned_pages()=1");
    }

    @Test
    void aFreePageLeavesThePoolUnlessItIsPromised() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; p = mapped_page(a); munmap(a, S);"
                        + " a = mmap(2 * S, RW, HUGE); r0 = memory_failure(p);"
                        + " r1 = nr_hugepages(S); r2 = memory_failure(p); munmap(a, 2 * S);"
                        + " r3 = dissolve_free_hugetlb_folio(p); r4 = nr_hugepages(S);",
                "0:r0=-16 /\\ 0:r1=2 /\\ 0:r2=-133 /\\ 0:r3=0 /\\ 0:r4=1"
                        + " /\\ free_hugepages(S)=1");
    }

    @Test
    void aFreePageThatNobodyWasPromisedLeavesThePool() {
        always(
                "a = mmap(S, RW, HUGE); a[0] = 1; p = mapped_page(a); munmap(a, S); r0 ="
                    + " memory_failure(p); r1 = nr_hugepages(S); a = mmap(2 * S, RW, HUGE); r2 = a;"
                    + " a = mmap(S, RW, HUGE); a[0] = 2; r3 = a[0];",
                "0:r0=0 /\\ 0:r1=1 /\\ 0:r2=-12 /\\ 0:r3=2 /\\ free_hugepages(S)=0");
    }

    @Test
    void aPageOfAFileStaysInIt() {
        always(
                "fd = memfd_create(\"x\", MFD_HUGETLB); a = mmap(0, S, RW, MAP_SHARED, fd, 0);"
                        + " a[0] = 1; p = mapped_page(a); r0 = memory_failure(p);"
                        + " r1 = madvise(a, S, MADV_POPULATE_READ); munmap(a, S);"
                        + " a = mmap(0, S, RW, MAP_SHARED, fd, 0);"
                        + " r2 = madvise(a, S, MADV_POPULATE_READ); r3 = nr_hugepages(S);"
                        + " r4 = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, S);"
                        + " r5 = a[0]; r6 = free_hugepages(S);",
                "0:r0=0 /\\ 0:r1=-133 /\\ 0:r2=-133 /\\ 0:r3=2 /\\ 0:r4=0 /\\ 0:r5=0 /\\ 0:r6=0");
    }

    @Test
    void whatUserfaultfdPoisonsIsPoison() {
        always(
                "a = mmap(S, RW, HUGE); b = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS);"
                        + " memset(b, 7, S); r7 = userfaultfd(O_NONBLOCK);"
                        + " uffdio_register(r7, a, S, UFFDIO_REGISTER_MODE_MISSING);"
                        + " r0 = uffdio_poison(r7, a, PAGE_SIZE); r1 = uffdio_poison(r7, a, S);"
                        + " r2 = uffdio_poison(r7, a, S); r3 = madvise(a, S, MADV_POPULATE_READ);"
                        + " pid = fork(); kthread_use_mm(pid);"
                        + " r4 = madvise(a, S, MADV_POPULATE_READ); kthread_unuse_mm(pid);"
                        + " r5 = uffdio_copy(r7, a, b, S); r6 = a[S - PAGE_SIZE];"
                        + " r7 = resv_hugepages(S); exit_mmap(pid);",
                "0:r0=-22 /\\ 0:r1=0 /\\ 0:r2=-17 /\\ 0:r3=-133 /\\ 0:r4=-133 /\\ 0:r5=0"
                        + " /\\ 0:r6=7 /\\ 0:r7=0 /\\ num_poisoned_pages()=0");
    }
}
