// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.syntax.Source;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Two threads or three against each other on the memory of devices, in every order. `S` is what
/// one entry of the device maps, and `MAP` maps that much of it at `2 * PUD_SIZE`.
final class DeviceMemoryConcurrentTest {
    private static Answer explore(String device, String arch, String level, String test) {
        String path = device.equals("dax") ? "/dev/dax0.0" : "/dev/vfio0";
        String map =
                "int fd = open(\""
                        + path
                        + "\", O_RDWR); char *a = mmap(2 * PUD_SIZE, S,"
                        + " PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);";
        String text =
                ("C t\n" + test)
                        .replaceAll("\\bMAP;", map)
                        .replaceAll("\\bS\\b", level.equals("PTE") ? "PAGE_SIZE" : level + "_SIZE");
        Map<String, String> config = Map.of("arch", arch, device, level + ":1");
        Answer answer =
                new TestRunner(RunOptions.DEFAULT.withConfig(config))
                        .check(Source.of("t.litmus", text));
        assertThat(answer.exploration().complete()).isTrue();
        return answer;
    }

    /// @return the final states, of which there is at least one; nothing else was found
    private static String states(String device, String arch, String level, String test) {
        Answer answer = explore(device, arch, level, test);
        assertThat(answer.violations()).isEmpty();
        return String.join(" ", answer.states());
    }

    private static Set<String> findings(Answer answer) {
        Set<String> found = new TreeSet<>();
        answer.violations().forEach(each -> found.add(each.kind() + " in " + each.where()));
        return found;
    }

    // ---- faults

    @ParameterizedTest
    @CsvSource({"x86-64,PUD", "riscv64,PUD", "x86-64,PMD", "arm64-4k,PMD", "arm64-4k,PTE"})
    void twoFaultersMapTheMemoryOnce(String arch, String level) {
        String test =
                """
                { MAP; a[0] = 1; int r = madvise(a, S, MADV_DONTNEED); }
                P0(char *a) { char r0 = a[0]; }
                P1(char *a) { a[8] = 2; char r0 = a[8]; }
                exists (0:r0=1 /\\ 1:r0=2 /\\ page_count(mapped_page(a))=2
                    /\\ folio_mapcount(mapped_page(a))=1)\
                """;
        Answer answer = explore("dax", arch, level, test);
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.negative()).as(answer.states() + "").isZero();
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PUD", "arm64-4k,PUD", "arm64-4k,PMD"})
    void twoFaultersMapMemoryWithoutStructPages(String arch, String level) {
        String test =
                """
                { MAP; }
                P0(char *a) { a[0] = 1; char r0 = a[0]; }
                P1(char *a) { a[8] = 2; char r0 = a[8]; }
                exists (0:r0=1 /\\ 1:r0=2)\
                """;
        assertThat(states("vfio", arch, level, test)).isEqualTo("0:r0=1; 1:r0=2;");
    }

    // ---- faults against zapping

    @ParameterizedTest
    @CsvSource({"x86-64,PUD", "riscv64,PUD", "arm64-4k,PMD", "arm64-4k,PTE"})
    void zappingAgainstAnAccessFindsTheContentsAgain(String arch, String level) {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) { int r0 = madvise(a, S, MADV_DONTNEED); }
                P1(char *a) { char r0 = a[0]; }
                exists (1:r0=1)\
                """;
        assertThat(states("dax", arch, level, test)).isEqualTo("1:r0=1;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PMD", "arm64-4k,PMD", "arm64-4k,PTE"})
    void zappingAgainstAFaultBelowThePud(String arch, String level) {
        String test =
                """
                { MAP; a[0] = 1; int r = madvise(a, S, MADV_DONTNEED); }
                P0(char *a) { int r0 = madvise(a, S, MADV_DONTNEED); }
                P1(char *a) { char r0 = a[0]; }
                exists (1:r0=1)\
                """;
        assertThat(states("dax", arch, level, test)).isEqualTo("1:r0=1;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUD", "PMD"})
    void splittingAgainstAWrite(String level) {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) { SPLIT(a); }
                P1(char *a) { a[0] = 2; char r0 = a[0]; }
                exists (1:r0=2)\
                """;
        String split = "split_huge_" + level.toLowerCase(Locale.ROOT);
        assertThat(states("dax", "x86-64", level, test.replace("SPLIT", split)))
                .isEqualTo("1:r0=2;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUD", "PMD"})
    void splittingAgainstZapping(String level) {
        String test =
                """
                { MAP; a[0] = 1; struct page *p = get_user_pages(a, 0); }
                P0(char *a) { SPLIT(a); }
                P1(char *a) { int r0 = madvise(a, S, MADV_DONTNEED); }
                exists (page_count(p)=2 /\\ folio_mapcount(p)=0)\
                """;
        String split = "split_huge_" + level.toLowerCase(Locale.ROOT);
        Answer answer = explore("dax", "x86-64", level, test.replace("SPLIT", split));
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.negative()).as(answer.states() + "").isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUD", "PMD", "PTE"})
    void unmappingAgainstAnAccess(String level) {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) { int r0 = munmap(a, S); }
                P1(char *a) { char r0 = 9; r0 = a[0]; }
                exists (0:r0=0)\
                """;
        Answer answer = explore("dax", "x86-64", level, test);
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.negative()).isZero();
    }

    // ---- protection, fork, GUP

    @ParameterizedTest
    @ValueSource(strings = {"PUD", "PMD", "PTE"})
    void protectingAgainstAWrite(String level) {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(char *a) { int r0 = mprotect(a, S, PROT_READ); char r1 = a[0];
                    char r2 = a[0]; }
                P1(char *a) { a[0] = 2; }
                exists (0:r1=1 /\\ 0:r2=2)\
                """;
        Answer answer = explore("dax", "x86-64", level, test);
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.positive()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUD", "PMD"})
    void forkAgainstAFault(String level) {
        String test =
                """
                { MAP; }
                P0() { int r0 = fork(); }
                P1(char *a) { a[0] = 1; char r0 = a[0]; }
                exists (1:r0=1)\
                """;
        assertThat(states("vfio", "x86-64", level, test)).isEqualTo("1:r0=1;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PUD,fast", "riscv64,PUD,fast", "x86-64,PUD,slow", "arm64-4k,PTE,fast"})
    void zappingAgainstGup(String arch, String level, String path) {
        String test =
                """
                { MAP; a[0] = 3; }
                P0(char *a) { int r0 = madvise(a, S, MADV_DONTNEED); }
                P1(char *a) { struct page *p; char r0; p = GUP(a, FOLL_WRITE);
                    r0 = kmap_read(p); put_page(p); }
                exists (1:r0=3)\
                """;
        String gup = path.equals("fast") ? "get_user_pages_fast" : "get_user_pages";
        assertThat(states("dax", arch, level, test.replace("GUP", gup))).isEqualTo("1:r0=3;");
    }

    // ---- the memory is taken away

    @ParameterizedTest
    @CsvSource({"x86-64,PUD", "arm64-4k,PUD", "x86-64,PMD", "x86-64,PTE"})
    void resettingAgainstAFault(String arch, String level) {
        String test =
                """
                { MAP; }
                P0(int fd) { int r0 = vfio_device_reset(fd); }
                P1(char *a) { a[0] = 1; char r0 = a[0]; }
                exists (1:r0=1)\
                """;
        assertThat(states("vfio", arch, level, test)).isEqualTo("1:r0=1;");
    }

    @ParameterizedTest
    @CsvSource({"x86-64,PUD", "arm64-4k,PMD", "x86-64,PTE"})
    void nothingIsMappedOnceTheDeviceDoesNotAnswer(String arch, String level) {
        String test =
                """
                { MAP; }
                P0(int fd) { int r0 = vfio_pci_command(fd, 0); }
                P1(char *a) { char r0 = 9; r0 = a[0]; }
                exists (mapped_page(a)=NULL)\
                """;
        Answer answer = explore("vfio", arch, level, test);
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.negative()).as(answer.states() + "").isZero();
    }

    @Test
    void resettingAgainstUnmappingAPart() {
        String test =
                """
                { MAP; a[0] = 1; }
                P0(int fd) { int r0 = vfio_device_reset(fd); }
                P1(char *a) { int r0 = munmap(a, PMD_SIZE); }
                exists (0:r0=0 /\\ 1:r0=0 /\\ mapped_page(a + PMD_SIZE)=NULL)\
                """;
        Answer answer = explore("vfio", "x86-64", "PUD", test);
        assertThat(answer.violations()).isEmpty();
        assertThat(answer.negative()).as(answer.states() + "").isZero();
    }

    // ---- what mainline gets wrong

    /// zap_pud_range() looks at the PUD without the lock, first whether it is huge, then whether it
    /// is bad. A leaf that a fault puts in between is bad.
    @Test
    void zappingAgainstAFaultOnAPudTakesALeafForBad() {
        String test =
                """
                { MAP; a[0] = 1; int r = madvise(a, S, MADV_DONTNEED); }
                P0(char *a) { int r0 = madvise(a, S, MADV_DONTNEED); }
                P1(char *a) { char r0 = a[0]; }
                exists (1:r0=1)\
                """;
        assertThat(findings(explore("dax", "x86-64", "PUD", test)))
                .containsExactly(
                        "BUG in pud_clear_bad", "BUG: wrong page-table lock in pud_clear_bad");
    }

    /// __handle_mm_fault() reads the PUD twice. A leaf at first and none at last is neither what
    /// ->huge_fault is asked for nor a leaf; so a table is put there, which a device whose memory
    /// is mapped by PUDs only has no use for.
    @Test
    void aFaultBetweenAnotherAndAZapRaisesSigbusForGood() {
        String test =
                """
                { MAP; a[0] = 1; int r = madvise(a, S, MADV_DONTNEED); }
                P0(char *a) { char r0 = a[0]; int r1 = madvise(a, S, MADV_DONTNEED);
                    r0 = 9; r0 = a[0]; }
                P1(char *a) { char r0 = 9; r0 = a[0]; }
                exists (0:r0=9 /\\ 1:r0=9)\
                """;
        Answer answer = explore("dax", "x86-64", "PUD", test);
        assertThat(answer.positive()).isPositive();
        assertThat(String.join(" ", answer.states())).contains("0:r0=1; 1:r0=1;");
    }

    /// The same makes follow_huge_pud(), which does not ask again whether the PUD is a leaf, take a
    /// table for a page.
    @Test
    void gupTakesATableForAPage() {
        String test =
                """
                { MAP; a[0] = 1; int r = madvise(a, S, MADV_DONTNEED); }
                P0(char *a) { split_huge_pud(a); }
                P1(char *a) { char r0 = a[0]; }
                P2(char *a) {
                  void *r0 = get_user_pages(a, 0);
                  void *r1 = pud_page(a);
                }
                exists (not (2:r0=NULL) /\\ 2:r0=2:r1)\
                """;
        Answer answer = explore("dax", "x86-64", "PUD", test);
        assertThat(findings(answer)).isEmpty();
        assertThat(answer.positive()).isPositive();
    }
}
