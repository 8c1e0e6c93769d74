// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;

/// `arch` and `locks`, on the model itself.
final class ArchCommandTest {
    private static final Path PATCHES = Path.of("../races/hugetlb-pt-locking").toAbsolutePath();

    @TempDir private Path folder;

    @Test
    void listsTheArchitectures() throws IOException {
        Cli cli = new Cli(folder);
        assertThat(cli.run("arch")).isZero();
        cli.checkGolden("arch.txt");
    }

    @Test
    void tellsAllAboutOne() throws IOException {
        Cli cli = new Cli(folder);
        assertThat(cli.run("arch", "arm64-4k")).isZero();
        cli.checkGolden("arch-arm64-4k.txt");
    }

    @Test
    void refusesWhatCannotBeConfigured() throws IOException {
        Cli cli = new Cli(folder);
        assertThat(cli.run("arch", "arm64-64k-va42", "--config", "ptl=split")).isEqualTo(2);
        cli.checkGolden("arch-impossible.txt");
    }

    @Test
    void suggestsTheNameThatWasMeant() {
        Cli cli = new Cli(folder);
        assertThat(cli.run("locks", "--arch", "x86_64")).isEqualTo(2);
        assertThat(cli.err()).contains("unknown value `x86_64`").contains("x86-64");
    }

    @Test
    void findsTheSameLockEverywhere() {
        Cli cli = new Cli(folder);
        assertThat(cli.run("locks")).isZero();
        assertThat(cli.out()).endsWith("\nThe same lock in all 124 cases\n");
        assertThat(cli.out()).doesNotContain("DIFFERENT");
    }

    @Test
    void showsWhereTheOldRuleDiffers() throws IOException {
        Cli cli = new Cli(folder);
        int status =
                cli.run("locks", "--arch", "arm64-4k", "--patch", PATCHES.resolve("before.patch"));
        assertThat(status).isEqualTo(1);
        cli.checkGolden("locks-before.txt");
    }
}
