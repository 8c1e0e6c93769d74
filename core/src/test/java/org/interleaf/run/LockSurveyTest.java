// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.interleaf.litmus.syntax.Config;
import org.interleaf.litmus.syntax.LitmusException;
import org.interleaf.litmus.syntax.Source;
import org.interleaf.litmus.vocabulary.Survey;
import org.interleaf.patch.ModelPatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// The question of the seed, for every architecture: does hugetlb take the lock that core-mm takes?
final class LockSurveyTest {
    private static final Path RACE = Path.of("../races/hugetlb-pt-locking");
    private static final Path PATCHES = Path.of("src/test/resources/patches");

    @Test
    void mainlineTakesTheSameLockEverywhere() {
        List<Survey.Locks> all = everywhere(mainline(), "");
        assertThat(all).hasSizeGreaterThan(60).allMatch(Survey.Locks::same);
    }

    @Test
    void withoutSplitLocksThereIsOneLock() {
        for (String patch : new String[] {"before.patch", "v3.patch"}) {
            List<Survey.Locks> all = everywhere(patched(patch), "ptl=mm");
            assertThat(all)
                    .allMatch(Survey.Locks::same)
                    .allMatch(locks -> locks.core().equals(List.of("mm->page_table_lock")));
        }
    }

    @Test
    void beforeTheFixContiguousPagesHadTheWrongLock() {
        Set<String> different = new TreeSet<>();
        for (Survey.Locks locks : locks(patched("before.patch"), "arch=arm64-4k")) {
            if (!locks.same()) {
                different.add(locks.page());
            }
        }
        assertThat(different).containsExactly("cont-PMD", "cont-PTE");
        assertThat(locks(patched("before.patch"), "arch=x86-64")).allMatch(Survey.Locks::same);
    }

    @Test
    void beforeTheFixOtherPagesWereHarmless() {
        for (Survey.Locks locks : everywhere(patched("before.patch"), "")) {
            boolean contiguous = locks.page().startsWith("cont-");
            boolean split = !locks.core().equals(List.of("mm->page_table_lock"));
            assertThat(locks.same()).as("%s", locks).isEqualTo(!(contiguous && split));
        }
    }

    @Test
    void versionThreeAndMainlineAgree() {
        assertThat(everywhere(patched("v3.patch"), "")).isEqualTo(everywhere(mainline(), ""));
    }

    @Test
    void versionThreeFindsTheLockOfLargePteTables() {
        assertThat(locks(patched("v3.patch"), "arch=arm64-4k pte-table-pages=2"))
                .allMatch(Survey.Locks::same);
        Survey.Locks contPte =
                locks(patched("large-pte-tables.patch"), "arch=arm64-4k pte-table-pages=2")
                        .getFirst();
        assertThat(contPte.same()).isFalse();
        assertThat(contPte.hugetlb()).contains("PTE table's 2nd page's");
    }

    @Test
    void on8xxTwoTablesNeedOneLock() {
        assertThat(locks(mainline(), "arch=powerpc-8xx")).allMatch(Survey.Locks::same);
        Survey.Locks large = locks(patched("8xx-split.patch"), "arch=powerpc-8xx").getLast();
        assertThat(large.entries()).isEqualTo("2048 PTEs in 2 tables");
        assertThat(large.same()).isFalse();
        assertThat(large.hugetlb()).containsExactly("mm->page_table_lock");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "arch=x86-32 ptl=split             | 1:17: SPLIT_PMD_PTLOCKS needs",
                "arch=arm64-64k-va42 ptl=split     | 1:25: SPLIT_PMD_PTLOCKS needs",
                "arch=x86-64 nr-cpus=2 ptl=split   | 1:27: SPLIT_PTE_PTLOCKS needs SMP",
                "arch=x86-64 smp=no ptl=split-pte  | 1:24: SPLIT_PTE_PTLOCKS needs SMP",
                "arch=x86-64 smp=no nr-cpus=4      | 1:28: without SMP NR_CPUS is 1",
                "arch=powerpc-8xx smp=yes          | 1:22: powerpc-8xx has no SMP kernels",
                "arch=arm64-4k highpte=yes         | 1:23: arm64-4k has no HIGHPTE",
                "arch=arm64-4k pte-table-pages=2   | 1:31: a PTE table of several pages",
                "arch=arm64-4k table-free=after-flush | 1:26: tables freed right after the flush",
                "arch=arm64-4k nr-cpus=0           | 1:23: `nr-cpus` must be a number from 1",
                "arch=arm64                        | 1:6: unknown value `arm64` of `arch`",
            })
    void refusesImpossibleConfigurations(String config, String message) {
        assertThatThrownBy(() -> locks(mainline(), config.strip()))
                .isInstanceOf(LitmusException.class)
                .hasMessageStartingWith("c:" + message)
                .hasMessageContaining("hint: ");
    }

    @Test
    void highpteIsPossibleWhereTheKernelHasIt() {
        assertThat(locks(mainline(), "arch=arm-lpae highpte=yes")).allMatch(Survey.Locks::same);
    }

    private static Survey mainline() {
        return new TestRunner(RunOptions.DEFAULT).survey();
    }

    private static Survey patched(String patch) {
        Path ofRace = RACE.resolve(patch);
        boolean race = Files.exists(ofRace);
        ModelPatch read = ModelPatch.read(race ? ofRace : PATCHES.resolve(patch));
        return new TestRunner(RunOptions.DEFAULT.withPatches(List.of(read))).survey();
    }

    private static List<Survey.Locks> everywhere(Survey survey, String config) {
        List<Survey.Locks> all = new ArrayList<>();
        for (String name : survey.architectures()) {
            all.addAll(locks(survey, ("arch=" + name + " " + config).strip()));
        }
        return all;
    }

    private static List<Survey.Locks> locks(Survey survey, String config) {
        // Full tables: what is asked of the real machine.
        String text = config + " geometry=full";
        List<Config.Entry> entries = new ArrayList<>();
        int at = 0;
        for (String setting : text.split(" ", -1)) {
            int equals = setting.indexOf('=');
            entries.add(
                    new Config.Entry(
                            at,
                            setting.substring(0, equals),
                            at + equals + 1,
                            setting.substring(equals + 1)));
            at += setting.length() + 1;
        }
        return survey.locks(Source.of("c", text), new Config(entries));
    }
}
