// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;

/// `ptdump`, on the model itself.
final class PtdumpCommandTest {
    private static final String TEST =
            """
            C tables

            config thp=always

            {
                char *a = mmap(4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                char *h = mmap(2 * PMD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
                a[0] = 1;
                a[2 * PAGE_SIZE] = 1;
            }

            P0(char *a, char *h) { h[PMD_SIZE] = 1; mprotect(a, PAGE_SIZE, PROT_READ); }

            exists (true)
            """;

    @TempDir private Path folder;
    private Cli cli;
    private Path test;

    @BeforeEach
    void setUp() throws IOException {
        cli = new Cli(folder);
        test = cli.file("t.litmus", TEST);
    }

    @Test
    void showsTheTablesAtTheEndAsX86Does() throws IOException {
        assertThat(cli.run("ptdump", test, "--config", "arch=x86-64")).as(cli.err()).isZero();
        cli.checkGolden("ptdump-x86.txt");
    }

    @Test
    void showsWhatTheInitBlockHasLeftAsArm64Does() throws IOException {
        int status = cli.run("ptdump", test, "--config", "arch=arm64-4k", "--step", "0");
        assertThat(status).as(cli.err()).isZero();
        cli.checkGolden("ptdump-arm64.txt");
    }

    @Test
    void refusesAStepThatIsNotThere() {
        assertThat(cli.run("ptdump", test, "--step", "100000")).isEqualTo(2);
        assertThat(cli.err()).contains("no step 100000, the execution has ");
    }

    @Test
    void saysThatATestHasNoTables() throws IOException {
        Path plain = cli.test("plain.litmus", "plain", "no user memory");
        assertThat(cli.run("ptdump", plain)).isEqualTo(2);
        assertThat(cli.err()).contains("has no page tables");
    }
}
