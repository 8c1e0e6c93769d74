// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

final class RacesTest {
    @TempDir private Path folder;
    private Cli cli;

    @BeforeEach
    void setUp() {
        cli = new Cli(folder);
    }

    private void race(String name) throws IOException {
        String clean = "Result: Never\n * Control: tlb=ipi";
        cli.test("races/" + name + "/race.litmus", "never", clean);
        cli.file(
                "races/" + name + "/before.patch",
                """
                What was wrong.

                Expect: Sometimes
                Expect-splat: WARNING try_grab
                Config: tlb=broadcast
                Control: tlb=ipi
                Control: tlb=ipi arch=x86-64
                """
                        + Cli.PATCH);
    }

    @Test
    void everyVariantIsComparedWithItsDeclaration() throws IOException {
        race("b-race");
        race("a-race");
        cli.file("races/README.md", "# Races\n");
        Path json = folder.resolve("out.json");
        assertThat(cli.run("races", "--json", json)).isZero();
        cli.checkGolden("races.txt");
        assertThat(Files.readAllLines(json))
                .hasSize(10)
                .anyMatch(line -> line.contains("\"expected\":\"Sometimes\",\"ok\":true"));
    }

    @Test
    void aPatchMayBelongToAnotherTest() throws IOException {
        cli.test("races/r/race.litmus", "never", "Result: Never");
        cli.test("races/r/always.litmus", "always", "Result: Always\n * Control: tlb=ipi");
        cli.file("races/r/a.patch", "Test: always.litmus\nExpect: Sometimes\n" + Cli.PATCH);
        cli.run("races");
        assertThat(cli.out().lines().filter(line -> line.startsWith("r     ")))
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("r     mainline  "),
                        line -> assertThat(line).startsWith("r     mainline always.litmus  -  "),
                        line ->
                                assertThat(line)
                                        .contains("always.litmus  tlb=ipi  ")
                                        .contains("ok  Always"),
                        line -> assertThat(line).startsWith("r     a.patch  "));
        assertThat(cli.out())
                .contains("Reproduce: ./interleaf replay FOLDER/races/r/always.litmus");
        cli.file("races/r/a.patch", "Test: none.litmus\nExpect: Sometimes\n" + Cli.PATCH);
        assertThat(cli.run("races")).isEqualTo(2);
        assertThat(cli.err())
                .startsWith("FOLDER/races/r/a.patch: is for none.litmus, which is not there");
    }

    @Test
    void aVariantThatIsNotAsDeclaredIsShown() throws IOException {
        race("a-race");
        cli.file("races/a-race/fix.patch", "Expect: Never\n" + Cli.PATCH);
        cli.file("races/a-race/rejected.patch", "Expect: Always\nConfig: tlb=ipi\n" + Cli.PATCH);
        assertThat(cli.run("races")).isEqualTo(1);
        cli.checkGolden("races-failed.txt");
    }

    @Test
    void racesAreRunByName() throws IOException {
        race("a-race");
        race("b-race");
        assertThat(cli.run("races", "b-race", folder.resolve("races/b-race/"))).isZero();
        assertThat(cli.out()).contains("b-race").doesNotContain("a-race");
        assertThat(cli.run("races", "b-rice")).isEqualTo(2);
        assertThat(cli.err()).isEqualTo("no race 'b-rice'\nhint: did you mean `b-race`?\n");
        assertThat(cli.run("races", "zzzzzz")).isEqualTo(2);
        assertThat(cli.err()).contains("hint: there are a-race, b-race");
    }

    @Test
    void aRaceThatDoesNotSayWhatToExpectIsAMistake() throws IOException {
        cli.test("races/r/race.litmus", "never", "no declaration");
        assertThat(cli.run("races")).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/races/r/race.litmus: declares no result");
        cli.test("races/r/race.litmus", "never", "Result: Never");
        cli.file("races/r/p.patch", Cli.PATCH);
        assertThat(cli.run("races")).isEqualTo(2);
        assertThat(cli.err())
                .startsWith("FOLDER/races/r/p.patch: does not say what is to be found");
    }

    @Test
    void anIncompleteRaceIsAMistake() throws IOException {
        assertThat(cli.run("races")).isEqualTo(2);
        assertThat(cli.err()).startsWith("no folder races/ here or in FOLDER");
        Files.createDirectories(folder.resolve("races"));
        assertThat(cli.run("races")).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/races: no races in it");
        Files.createDirectories(folder.resolve("races/r"));
        assertThat(cli.run("races")).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/races/r: no race.litmus");
    }

    @Test
    void aControlIsMadeOfSettings() throws IOException {
        for (String control : List.of("tlb", "tlb=", "=ipi", "")) {
            cli.test("races/r/race.litmus", "never", "Result: Never\n * Control: " + control);
            assertThat(cli.run("races")).isEqualTo(2);
            assertThat(cli.err())
                    .startsWith("FOLDER/races/r/race.litmus:5:")
                    .contains("`Control:` is followed by settings");
        }
    }

    @Test
    void oneVariantThatCannotRunDoesNotKeepTheOthersFromRunning() throws IOException {
        cli.test("races/a/race.litmus", "internal", "Result: Never");
        race("b-race");
        assertThat(cli.run("races")).isEqualTo(70);
        assertThat(cli.out())
                .contains("ERROR")
                .contains("6 variants of 2 races: 1 not as declared");
        assertThat(cli.err()).contains("internal error in FOLDER/races/a/race.litmus, mainline");
    }
}
