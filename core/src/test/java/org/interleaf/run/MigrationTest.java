// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Map;

/// Moving anonymous pages to other memory: what is in them stays, whatever runs beside it, and
/// nobody waits for ever. In the tests, `P` is the size of a page and `H` of a huge one; `a` is
/// private and writable, `S` long, and holds a 7 at its beginning.
final class MigrationTest {
    private static final String SET_UP =
            """
            {
              char *a = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS);
              a[0] = 7;
              BEFORE
            }
            """;

    private String arch = "arm64-4k";
    private String thp = "never";
    private String before = "";

    private void huge() {
        thp = "always";
    }

    private Answer check(String test) {
        String text =
                ("C t\n" + SET_UP.replace("BEFORE", before) + test)
                        .replaceAll("\\bRW\\b", "PROT_READ | PROT_WRITE")
                        .replaceAll("\\bS\\b", thp.equals("always") ? "PMD_SIZE" : "PAGE_SIZE")
                        .replaceAll("\\bP\\b", "PAGE_SIZE")
                        .replaceAll("\\bH\\b", "PMD_SIZE");
        RunOptions options = RunOptions.DEFAULT.withConfig(Map.of("arch", arch, "thp", thp));
        Answer answer = new TestRunner(options).check(Source.of("t.litmus", text));
        assertThat(answer.violations()).as(test).isEmpty();
        assertThat(answer.exploration().complete()).as(test).isTrue();
        return answer;
    }

    /// The final states of all executions of `move_pages(a)` and `other` at the same time.
    private String beside(String other, String shown) {
        String test =
                "P0(char *a) { int r0 = move_pages(a); }\n"
                        + ("P1(char *a) { " + other + " }\n")
                        + ("locations [" + shown + "]\n");
        return String.join(" ", check(test).states());
    }

    /// The final states of a process that does `body`.
    private String alone(String body, String shown) {
        String test = "P0(char *a) { " + body + " }\nlocations [" + shown + "]\n";
        return String.join(" ", check(test).states());
    }

    // ---- nobody else

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aPageThatMovesKeepsItsContents(String size) {
        thp = size;
        String body =
                "struct page *p = mapped_page(a); int r0 = move_pages(a); int r1 = a[0];"
                        + " int r2 = mapped_page(a) == p;";
        assertThat(alone(body, "0:r0; 0:r1; 0:r2")).isEqualTo("0:r0=0; 0:r1=7; 0:r2=0;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"arm-lpae", "x86-32-pae"})
    void aHugePageIsSplitWhereItCannotMoveAsAWhole(String where) {
        huge();
        arch = where;
        before = "a[P] = 8;";
        String body = "int r0 = move_pages(a); int r1 = a[0]; int r2 = a[P];";
        assertThat(alone(body, "0:r0; 0:r1; 0:r2; pmd_trans_huge(a)"))
                .isEqualTo("0:r0=0; 0:r1=7; 0:r2=8; pmd_trans_huge(a)=0;");
    }

    @Test
    void pagesOfZerosGiveWayToTheZeroPageWhenTheirFolioIsSplit() {
        huge();
        arch = "arm-lpae";
        String body =
                "int r0 = move_pages(a); int r1 = mapped_page(a + P) == mapped_page(a + 2 * P);";
        assertThat(alone(body, "0:r0; 0:r1")).isEqualTo("0:r0=0; 0:r1=1;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aPinnedPageStaysWhereItIs(String size) {
        thp = size;
        String body =
                "struct page *p = pin_user_pages_fast(a, FOLL_WRITE); int r0 = move_pages(a);"
                        + " int r1 = mapped_page(a) == p;";
        assertThat(alone(body, "0:r0; 0:r1")).isEqualTo("0:r0=-11; 0:r1=1;");
    }

    @Test
    void aHoleAndTheZeroPageDoNotMove() {
        before = "char *b = mmap(P, RW, MAP_PRIVATE | MAP_ANONYMOUS);";
        String body =
                "int r0 = move_pages(b); int r1 = b[0]; int r2 = move_pages(b);"
                        + " int r3 = move_pages(0);";
        String test = "P0(char *b) { " + body + " }\nlocations [0:r0; 0:r2; 0:r3]\n";
        assertThat(check(test).states()).containsExactly("0:r0=-2; 0:r2=-14; 0:r3=-14;");
    }

    // ---- beside others

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void whatIsWrittenMeanwhileStays(String size) {
        thp = size;
        assertThat(beside("a[0] = 8;", "0:r0; a[0]")).isEqualTo("0:r0=0; a[0]=8;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aPinIsOnThePageThatTheProcessHas(String size) {
        thp = size;
        String test =
                """
                P0(char *a) { int r0 = move_pages(a); }
                P1(char *a) {
                  struct page *p = pin_user_pages_fast(a, FOLL_WRITE);
                  if (p) kmap_write(p, 8);
                }
                exists (a[0] != 8)
                """;
        assertThat(check(test).states()).containsExactly("a[0]=8;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void twoMoversMoveItOnceOrTwice(String size) {
        thp = size;
        assertThat(beside("int r0 = move_pages(a);", "a[0]")).isEqualTo("a[0]=7;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aPageThatMigratesIsSharedByFork(String size) {
        thp = size;
        assertThat(beside("long p = fork(); int r1 = p > 0;", "1:r1; a[0]"))
                .isEqualTo("1:r1=1; a[0]=7;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void memoryThatIsProtectedMeanwhileStaysProtected(String size) {
        thp = size;
        String protect = "int r1 = mprotect(a, S, PROT_READ); a[0] = 8;";
        assertThat(beside(protect, "1:r1; a[0]")).isEqualTo("1:r1=0; a[0]=7;");
    }

    @ParameterizedTest
    @CsvSource({
        "never, 'munmap(a, S)'",
        "always, 'munmap(a, S)'",
        "never, 'madvise(a, S, MADV_DONTNEED)'",
        "always, 'madvise(a, S, MADV_DONTNEED)'"
    })
    void memoryThatGoesMeanwhileIsGone(String size, String call) {
        thp = size;
        assertThat(beside("int r1 = " + call + ";", "1:r1")).isEqualTo("1:r1=0;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void memoryMovesToAnotherAddressMeanwhile(String size) {
        thp = size;
        before = "char *b = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS);";
        String test =
                """
                P0(char *a) { int r0 = move_pages(a); }
                P1(char *a, char *b) {
                  mremap(a, S, S, MREMAP_MAYMOVE | MREMAP_FIXED, b);
                }
                exists (b[0] != 7)
                """;
        assertThat(check(test).states()).containsExactly("b[0]=7;");
    }

    @Test
    void aPmdCanBeSplitWhileItsPageMigrates() {
        huge();
        assertThat(beside("split_huge_pmd(a);", "0:r0; a[0]; pmd_trans_huge(a)"))
                .contains("0:r0=0; a[0]=7; pmd_trans_huge(a)=0;");
    }

    @ParameterizedTest
    @CsvSource({
        "never, 'int r1 = smaps(a, \"Anonymous\") / S;', 1",
        "always, 'int r1 = smaps(a, \"Anonymous\") / S;', 1",
        "never, 'int r1 = mincore(a, P, b) * 10 + b[0];', 1",
        "always, 'int r1 = mincore(a, P, b) * 10 + b[0];', 1",
        "never, 'long r1 = (pagemap(a) & (PM_PRESENT | PM_SWAP)) != 0;', 1",
        "always, 'long r1 = (pagemap(a) & (PM_PRESENT | PM_SWAP)) != 0;', 1"
    })
    void whatIsInMemoryIsSeenThere(String size, String look, String seen) {
        thp = size;
        before = "char *b = mmap(P, RW, MAP_PRIVATE | MAP_ANONYMOUS); b[0] = 0;";
        String test =
                "P0(char *a) { int r0 = move_pages(a); }\n"
                        + ("P1(char *a, char *b) { " + look + " }\n")
                        + "locations [1:r1]\n";
        assertThat(check(test).states()).containsExactly("1:r1=" + seen + ";");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aDeviceThatMirrorsTheProcessReadsWhatIsThere(String size) {
        thp = size;
        before = "long fd = open(\"/dev/hmm_dmirror0\", O_RDWR);";
        String test =
                """
                P0(char *a) { int r0 = move_pages(a); }
                P1(char *a, long fd) { int r1 = dmirror_read(fd, a); }
                locations [0:r0; 1:r1]
                """;
        assertThat(check(test).states()).containsExactly("0:r0=0; 1:r1=7;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void uffdioMoveMovesWhatMigrates(String size) {
        thp = size;
        before =
                "char *d = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS); long u = userfaultfd(0);"
                        + " uffdio_register(u, d, S, UFFDIO_REGISTER_MODE_MISSING);";
        String test =
                """
                P0(char *a) { int r0 = move_pages(a); }
                P1(char *a, char *d, long u) { int r1 = uffdio_move(u, d, a, S, 0); }
                locations [1:r1; d[0]]
                """;
        assertThat(check(test).states()).containsExactly("1:r1=0; d[0]=7;");
    }

    // ---- pages of files

    private String ofFile(String size, String other, String shown) {
        String text =
                """
                C t
                config shmem=SIZE
                {
                  long fd = memfd_create("f", 0);
                  ftruncate(fd, PMD_SIZE);
                  char *a = mmap(0, PMD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                  a[0] = 7;
                }
                P0(char *a) { int r0 = move_pages(a); }
                P1(char *a, long fd) { OTHER }
                locations [SHOWN]
                """;
        text = text.replace("SIZE\n", size + "\n").replace("OTHER", other);
        Source source = Source.of("t.litmus", text.replace("SHOWN", shown));
        Answer answer = new TestRunner(RunOptions.DEFAULT).check(source);
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.exploration().complete()).isTrue();
        return String.join(" ", answer.states());
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void whatIsWrittenToAFileMeanwhileStays(String size) {
        assertThat(ofFile(size, "a[0] = 8;", "a[0]")).isEqualTo("a[0]=8;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"never", "always"})
    void aFileIsTruncatedMeanwhile(String size) {
        String truncate = "int r1 = ftruncate(fd, 0); ftruncate(fd, PAGE_SIZE);";
        assertThat(ofFile(size, truncate, "1:r1; a[0]")).isEqualTo("1:r1=0; a[0]=0;");
    }

    // ---- splitting folios

    private String moveAlone(String first, String shown) {
        before =
                "char *d = mmap(S, RW, MAP_PRIVATE | MAP_ANONYMOUS); a[P] = 8;"
                        + " long u = userfaultfd(0);"
                        + " uffdio_register(u, d, S, UFFDIO_REGISTER_MODE_MISSING);";
        String test =
                "P0(char *a, char *d, long u) { "
                        + first
                        + " int r0 = uffdio_move(u, d, a, P, 0); int r1 = a[P]; }\n"
                        + ("locations [" + shown + "]\n");
        return String.join(" ", check(test).states());
    }

    @ParameterizedTest
    @ValueSource(strings = {"arm64-4k", "x86-64", "arm-lpae"})
    void uffdioMoveSplitsTheFolioOfAHugePage(String where) {
        huge();
        arch = where;
        assertThat(moveAlone("", "0:r0; 0:r1; d[0]; pmd_trans_huge(a)"))
                .isEqualTo("0:r0=0; 0:r1=8; d[0]=7; pmd_trans_huge(a)=0;");
    }

    @Test
    void aFolioIsNotSplitWhileAnyOfItsPagesIsPinned() {
        huge();
        String pin = "struct page *p = pin_user_pages_fast(a + P, FOLL_WRITE);";
        assertThat(moveAlone(pin, "0:r0; 0:r1; a[0]")).isEqualTo("0:r0=-16; 0:r1=8; a[0]=7;");
    }

    @Test
    void aPinThatComesMeanwhilePreventsTheSplitOrIsOnTheRightPage() {
        huge();
        before =
                "char *d = mmap(P, RW, MAP_PRIVATE | MAP_ANONYMOUS); memset(a, 7, H);"
                        + " long u = userfaultfd(0);"
                        + " uffdio_register(u, d, P, UFFDIO_REGISTER_MODE_MISSING);";
        String test =
                """
                P0(char *a, char *d, long u) { int r0 = uffdio_move(u, d, a, P, 0); }
                P1(char *a) {
                  struct page *p = pin_user_pages_fast_only(a + P, FOLL_WRITE);
                  if (p) kmap_write(p, 8);
                }
                exists (1:p != 0 /\\ a[P] != 8)
                """;
        assertThat(check(test).positive()).isZero();
    }
}
