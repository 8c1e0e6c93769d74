// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Failure;
import org.interleaf.explore.Minimiser;
import org.interleaf.litmus.LitmusProgram;
import org.interleaf.trace.Schedule;
import org.interleaf.trace.Violation;
import org.jspecify.annotations.Nullable;

/// Finds the simplest execution that shows what a given one shows.
final class Simplest {
    private final Session session;
    private final boolean endingCounts;

    private Simplest(Session session) {
        this.session = session;
        // What the filter excludes does not count, and only the end tells.
        this.endingCounts = session.program().test().filter() != null;
    }

    /// An execution like `witness`.
    ///
    /// @param session of the same test; its outcomes are of no use afterwards
    /// @param title of the violation that it must show; null where only the condition counts
    /// @param holds otherwise, whether the proposition of the condition must hold at its end
    static Schedule like(Schedule witness, Session session, @Nullable String title, boolean holds) {
        Simplest simplest = new Simplest(session);
        Failure failure =
                title == null
                        ? steps -> simplest.decidedWithin(steps, holds)
                        : steps -> simplest.foundWithin(steps, title);
        return Minimiser.minimise(session, witness, failure, Minimiser.USUAL_BUDGET);
    }

    private int decidedWithin(int steps, boolean holds) {
        LitmusProgram.End wanted = holds ? LitmusProgram.End.POSITIVE : LitmusProgram.End.NEGATIVE;
        boolean decided = session.program().lastEnd() == wanted && session.findings().isEmpty();
        return decided ? steps : Failure.NOT_SHOWN;
    }

    private int foundWithin(int steps, String title) {
        for (Violation violation : session.findings()) {
            if (violation.title().equals(title)) {
                return endingCounts || violation.step() < 0 ? steps : violation.step() + 1;
            }
        }
        return Failure.NOT_SHOWN;
    }
}
