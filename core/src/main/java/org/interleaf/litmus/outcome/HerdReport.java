// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.litmus.outcome;

import org.interleaf.litmus.syntax.Condition;
import org.interleaf.litmus.syntax.LitmusTest;
import org.interleaf.litmus.syntax.PropPrinter;
import org.interleaf.trace.Verdict;

import java.util.List;
import java.util.Locale;

/// Renders the outcomes of a test as herd7 does.
public final class HerdReport {
    private HerdReport() {}

    /// The report, each line with its line end.
    ///
    /// @param complete whether all executions have been seen
    /// @param seconds how long it took
    public static String render(
            LitmusTest test, Outcomes outcomes, boolean complete, double seconds) {
        Condition condition = test.condition();
        List<String> states = outcomes.states();
        StringBuilder out = new StringBuilder();
        line(out, "Test " + test.name() + " " + condition.quantifier().kind());
        line(out, "States " + states.size());
        states.forEach(state -> line(out, state));
        line(out, answer(condition.quantifier(), outcomes, complete));
        line(out, "Witnesses");
        boolean negated = condition.quantifier() == Condition.Quantifier.NOT_EXISTS;
        long witnesses = negated ? outcomes.negative() : outcomes.positive();
        long others = negated ? outcomes.positive() : outcomes.negative();
        line(out, "Positive: " + witnesses + " Negative: " + others);
        line(out, "Condition " + PropPrinter.print(condition));
        line(
                out,
                "Observation "
                        + test.name()
                        + " "
                        + outcomes.verdict(complete).word()
                        + " "
                        + outcomes.positive()
                        + " "
                        + outcomes.negative());
        line(out, String.format(Locale.ROOT, "Time %s %.2f", test.name(), seconds));
        return out.toString();
    }

    private static void line(StringBuilder out, String text) {
        out.append(text).append('\n');
    }

    /// `Ok` where the condition is met, `No` where it is not; a counterexample or a witness answers
    /// at once, the opposite only a complete exploration.
    private static String answer(
            Condition.Quantifier quantifier, Outcomes outcomes, boolean complete) {
        boolean found =
                quantifier == Condition.Quantifier.FORALL
                        ? outcomes.negative() > 0
                        : outcomes.positive() > 0;
        if (!found && !complete) {
            return Verdict.UNDECIDED.word();
        }
        boolean wanted = quantifier == Condition.Quantifier.EXISTS;
        return found == wanted ? "Ok" : "No";
    }
}
