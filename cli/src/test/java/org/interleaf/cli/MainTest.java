// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

final class MainTest {
    @TempDir private Path folder;
    private Cli cli;

    @BeforeEach
    void setUp() {
        cli = new Cli(folder);
    }

    @Test
    void tellsItsVersion() {
        assertThat(cli.run("--version")).isZero();
        assertThat(cli.out()).startsWith("interleaf ").contains("Java ");
    }

    @Test
    void helps() throws IOException {
        assertThat(cli.run("--help")).isZero();
        cli.checkGolden("help.txt");
    }

    @ParameterizedTest
    @ValueSource(strings = {"check", "races", "replay", "bench", "selfcheck"})
    void helpsWithEachCommand(String command) throws IOException {
        assertThat(cli.run(command, "--help")).isZero();
        cli.checkGolden("help-" + command + ".txt");
        String help = cli.out();
        assertThat(cli.run("help", command)).isZero();
        assertThat(cli.out()).isEqualTo(help);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    "" | Missing command
                    chek | Did you mean: interleaf check
                    frobnicate | Unmatched argument at index 0: 'frobnicate'
                    check | Missing required parameter: 'PATH'
                    check x --pach y | Unknown option: '--pach'
                    check x --model tso | there is no memory model 'tso' yet; there is sc
                    check x --config arch | should be in KEY=VALUE format
                    check x --timeout soon | 'soon' is not a time
                    check x --equivalence none | there is no equivalence 'none'
                    check x --timeout 0 | '0' is not a time
                    check x --timeout -3 | '-3' is not a time
                    check x --max-executions 0 | '0' is not a number from 1 on
                    check x --max-executions 1.5 | '1.5' is not a number from 1 on
                    check x --max-steps 99999999999999999999 | is not a number from 1 on
                    check x --json | Missing required parameter for option '--json'
                    bench --seconds 0 | '0' is not a time
                    replay | Missing required parameters: 'FILE', 'TOKEN'
                    replay x | Missing required parameter: 'TOKEN'
                    """)
    void aWrongCommandLineIsExplained(String line, String message) {
        Object[] words = line.isEmpty() ? new Object[0] : line.split(" ", -1);
        assertThat(cli.run(words)).isEqualTo(2);
        assertThat(cli.err()).startsWith("interleaf: ").contains(message);
        assertThat(cli.err().lines().count()).isLessThanOrEqualTo(3);
        assertThat(cli.out()).isEmpty();
    }

    @Test
    void anOptionThatIsNearlyRightIsSuggested() {
        assertThat(cli.run("check", "x", "--max-execution", "3")).isEqualTo(2);
        assertThat(cli.err()).contains("--max-executions");
    }

    @Test
    void colourIsForTerminalsWhoseUserWantsIt() {
        assertThat(Terminal.of(true, Map.of()).ansi()).isEqualTo(org.interleaf.report.Ansi.ON);
        assertThat(Terminal.of(false, Map.of())).isEqualTo(Terminal.NONE);
        for (var environment : new Map<?, ?>[] {Map.of("NO_COLOR", "1"), Map.of("TERM", "dumb")}) {
            @SuppressWarnings("unchecked")
            Map<String, String> variables = (Map<String, String>) environment;
            Terminal plain = Terminal.of(true, variables);
            assertThat(plain).isEqualTo(new Terminal(true, org.interleaf.report.Ansi.OFF));
        }
    }

    @Test
    void exitStatusesAreOrderedByGravity() {
        assertThat(ExitStatus.OK.worseOf(ExitStatus.UNDECIDED).code()).isEqualTo(3);
        assertThat(ExitStatus.UNDECIDED.worseOf(ExitStatus.NOT_AS_DECLARED).code()).isEqualTo(1);
        assertThat(ExitStatus.BAD_INPUT.worseOf(ExitStatus.NOT_AS_DECLARED).code()).isEqualTo(2);
    }
}
