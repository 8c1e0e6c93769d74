// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.patch.ModelPatch;
import org.interleaf.run.RunOptions;
import org.interleaf.trace.Schedule;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

final class ReplayTest {
    @TempDir private Path folder;
    private Cli cli;

    @BeforeEach
    void setUp() {
        cli = new Cli(folder);
    }

    @Test
    void anExecutionIsShownAgain() throws IOException {
        Path test = cli.test("t.litmus", "splat", "Result: Never");
        assertThat(cli.run("replay", test, "il1:beef:0*2.1.0")).isZero();
        cli.checkGolden("replay.txt");
        assertThat(cli.run("replay", test, "--all", "il1:beef:0*2.1.0")).isZero();
        assertThat(cli.out()).contains("unlock(mmap_lock)");
    }

    @Test
    void aTokenMayBeBrokenOverLinesAndWords() throws IOException {
        Path test = cli.test("t.litmus", "splat", "Result: Never");
        assertThat(cli.run("replay", test, "il1:beef:0*2.\n1.", "0")).isZero();
        assertThat(cli.engine.replayed.getLast()).hasToString("il1:beef:0*2.1.0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "il1", "il1:x", "il2:beef:0", "il1:beef:a", "il1:beef:0*0", "x:y:z"})
    void whatIsNoTokenIsRefused(String token) throws IOException {
        Path test = cli.test("t.litmus", "splat", "Result: Never");
        assertThat(cli.run("replay", test, token)).isEqualTo(2);
        assertThat(cli.err()).contains("replay token").contains("\nhint: copy all of the token");
        assertThat(cli.engine.replayed).isEmpty();
    }

    @Test
    void theTokenOfAnotherTestIsRefused() throws IOException {
        Path test = cli.test("t.litmus", "splat", "Result: Never");
        assertThat(cli.run("replay", test, "il1:cafe:0*2.1.0")).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/t.litmus: the token belongs to another test");
        assertThat(cli.engine.replayed).isEmpty();
    }

    @Test
    void aMissingTestIsAMistake() {
        assertThat(cli.run("replay", folder.resolve("none"), "il1:beef:0")).isEqualTo(2);
        assertThat(cli.err()).startsWith("FOLDER/none: no such file");
    }

    /// What `check` prints, pasted into a shell, is what `replay` needs.
    @Test
    void thePrintedCommandLeadsBack() {
        int[] tasks = new int[300];
        for (int i = 0; i < tasks.length; i++) {
            tasks[i] = i % 3;
        }
        Schedule schedule = new Schedule("beef", tasks);
        RunOptions options =
                RunOptions.DEFAULT
                        .withPatches(List.of(ModelPatch.parse("it's mine.patch", Cli.PATCH)))
                        .withConfig(Map.of("tlb", "ipi"));
        String line = ReplayLine.of("my tests/a.litmus", options, schedule);
        assertThat(line)
                .startsWith(
                        "./interleaf replay 'my tests/a.litmus' --patch 'it'\\''s mine.patch'"
                                + " --config tlb=ipi \\\n'il1:beef:0.1.2.");
        assertThat(line.lines().skip(1)).allMatch(text -> text.length() <= 76);
        String token = line.substring(line.indexOf("'il1") + 1, line.lastIndexOf('\''));
        assertThat(Schedule.parse(token)).hasToString(schedule.toString());
    }
}
