// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.cli;

import org.interleaf.run.Answer;
import org.interleaf.trace.Verdict;
import org.interleaf.trace.Violation;

import java.util.ArrayList;
import java.util.List;

/// Whether an answer is what was declared.
///
/// @param status OK, NOT_AS_DECLARED or UNDECIDED
/// @param reasons what is not as declared, a sentence each
record Judgement(ExitStatus status, List<String> reasons) {
    /// Judges `answer`.
    ///
    /// @param anyFindingWillDo whether the exploration was to stop at the first finding, or is of a
    ///   kind that need not see all: then findings, if they are those declared, are all that was
    ///   asked for
    static Judgement of(Expected expected, Answer answer, boolean anyFindingWillDo) {
        List<String> reasons = new ArrayList<>();
        verdict(expected, answer, reasons);
        for (Violation violation : answer.violations()) {
            if (expected.declared(violation) == null) {
                reasons.add("nobody declared the splat " + violation.title());
            }
        }
        boolean complete = answer.exploration().complete();
        List<String> missing = missingSplats(expected, answer);
        if (complete) {
            missing.forEach(splat -> reasons.add("the declared splat was not found: " + splat));
        }
        if (!reasons.isEmpty()) {
            return new Judgement(ExitStatus.NOT_AS_DECLARED, List.copyOf(reasons));
        }
        boolean satisfied =
                complete
                        || (anyFindingWillDo
                                && missing.isEmpty()
                                && foundSomething(expected, answer));
        return new Judgement(satisfied ? ExitStatus.OK : ExitStatus.UNDECIDED, List.of());
    }

    private static List<String> missingSplats(Expected expected, Answer answer) {
        return expected.splats().stream()
                .filter(s -> answer.violations().stream().noneMatch(v -> Expected.matches(s, v)))
                .toList();
    }

    private static boolean foundSomething(Expected expected, Answer answer) {
        return !answer.violations().isEmpty()
                || (expected.verdict() == Verdict.SOMETIMES && answer.positive() > 0);
    }

    private static void verdict(Expected expected, Answer answer, List<String> reasons) {
        Verdict declared = expected.verdict();
        if (declared == null) {
            return;
        }
        boolean complete = answer.exploration().complete();
        boolean wrong =
                switch (declared) {
                    case NEVER -> answer.positive() > 0;
                    case ALWAYS -> answer.negative() > 0;
                    case SOMETIMES -> complete && answer.verdict() != Verdict.SOMETIMES;
                    case UNDECIDED -> false;
                };
        if (wrong) {
            reasons.add(contradiction(declared, answer));
        } else if (complete && declared != answer.verdict()) {
            reasons.add("declared " + declared + ", but no execution ended in a state that counts");
        }
    }

    private static String contradiction(Verdict declared, Answer answer) {
        String text = "declared " + declared + ", found " + found(answer);
        boolean weaker = declared == Verdict.SOMETIMES && answer.positive() == 0;
        return weaker ? text + " (is the declaration meant for a weaker memory model?)" : text;
    }

    private static String found(Answer answer) {
        return answer.verdict() == Verdict.UNDECIDED && answer.positive() > 0
                ? "that the condition can hold"
                : answer.verdict() == Verdict.UNDECIDED
                        ? "that the condition can fail"
                        : answer.verdict().word();
    }
}
