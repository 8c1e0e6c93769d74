// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus;

import static org.assertj.core.api.Assertions.assertThat;

import org.interleaf.litmus.outcome.HerdReport;
import org.interleaf.litmus.syntax.PropPrinter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The report is herd7's, to the letter.
final class HerdReportTest {
    private static final String BODIES =
            """
            P0(int *x, int *y) { WRITE_ONCE(*x, 1); int r0 = READ_ONCE(*y); }
            P1(int *x, int *y) { WRITE_ONCE(*y, 1); int r0 = READ_ONCE(*x); }
            """;

    private static String report(String condition, boolean complete) {
        Tests.Result result = Tests.explore("C SB+x\n{}\n" + BODIES + condition);
        return HerdReport.render(
                result.program().test(), result.program().outcomes(), complete, 0.014);
    }

    @Test
    void rendersAnExists() {
        assertThat(report("exists (0:r0=0 /\\ 1:r0=0)", true))
                .isEqualTo(
                        """
                        Test SB+x Allowed
                        States 3
                        0:r0=0; 1:r0=1;
                        0:r0=1; 1:r0=0;
                        0:r0=1; 1:r0=1;
                        No
                        Witnesses
                        Positive: 0 Negative: 3
                        Condition exists (0:r0=0 /\\ 1:r0=0)
                        Observation SB+x Never 0 3
                        Time SB+x 0.01
                        """);
    }

    @Test
    void rendersANotExists() {
        assertThat(report("locations [x;] ~exists (0:r0=1 /\\ 1:r0=1)", true))
                .isEqualTo(
                        """
                        Test SB+x Forbidden
                        States 3
                        0:r0=0; 1:r0=1; [x]=1;
                        0:r0=1; 1:r0=0; [x]=1;
                        0:r0=1; 1:r0=1; [x]=1;
                        No
                        Witnesses
                        Positive: 2 Negative: 1
                        Condition ~exists (0:r0=1 /\\ 1:r0=1)
                        Observation SB+x Sometimes 1 2
                        Time SB+x 0.01
                        """);
    }

    @Test
    void rendersATestWithoutCondition() {
        assertThat(report("", true))
                .contains("Test SB+x Required\nStates 1\n\nOk\n")
                .contains("Condition forall (true)\nObservation SB+x Always 3 0\n");
    }

    @Test
    void saysUndecidedWhereSomethingIsMissing() {
        assertThat(report("exists (0:r0=0 /\\ 1:r0=0)", false))
                .contains("\nUndecided\nWitnesses\n")
                .contains("Observation SB+x Undecided 0 3\n");
        assertThat(report("exists (0:r0=1 /\\ 1:r0=0)", false))
                .contains("\nOk\nWitnesses\n")
                .contains("Observation SB+x Sometimes 1 2\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    exists x=1 /\\ (y=2 \\/ 0:r0=x)   | exists ([x]=1 /\\ ([y]=2 \\/ 0:r0=x))
                    exists (x=1 /\\ y=2) \\/ 0:r0=0   | exists ([x]=1 /\\ [y]=2 \\/ 0:r0=0)
                    exists (~x=1)                   | exists (not ([x]=1))
                    exists x!=1                     | exists (not ([x]=1))
                    exists not(x=1 /\\ y=1)          | exists (not ([x]=1 /\\ [y]=1))
                    exists x=1 => y=1               | exists ([x]=1 => [y]=1)
                    exists x=1 => y=1 /\\ y=2        | exists (([x]=1 => [y]=1) /\\ [y]=2)
                    exists [x]=[y]                  | exists ([x]=[y])
                    exists 0:r0=1:r0                | exists (0:r0=1:r0)
                    exists x=0x10                   | exists ([x]=16)
                    exists 0:r0=-1                  | exists (0:r0=-1)
                    exists x<y+1                    | exists ([x]<y + 1)
                    exists true                     | exists (true)
                    """)
    void writesConditionsAsHerd(String written, String expected) {
        assertThat(PropPrinter.print(Tests.parse("C t\n{}\n" + BODIES + written).condition()))
                .isEqualTo(expected);
    }
}
