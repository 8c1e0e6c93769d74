// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.run;

import org.interleaf.explore.Checkpoints;
import org.interleaf.explore.Ending;
import org.interleaf.explore.Program;
import org.interleaf.litmus.LitmusProgram;
import org.interleaf.litmus.syntax.Condition;
import org.interleaf.machine.Machine;
import org.interleaf.trace.Schedule;
import org.jspecify.annotations.Nullable;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/// A test that is being explored, by one worker or by several, each in a session of its own: what
/// they have seen of it.
final class Examination implements Checkpoints.Results {
    private final Supplier<Session> sessions;
    private final Condition.Quantifier quantifier;
    private final boolean stopsAtFirst;
    private final List<Part> parts = new CopyOnWriteArrayList<>();

    /// Whether what was seen is enough.
    private volatile boolean enough;

    /// What one worker runs, and has seen.
    private final class Part implements Program {
        private final Session session = sessions.get();
        private final Findings findings = new Findings();

        @Override
        public Machine machine() {
            return session.machine();
        }

        @Override
        public void finished(Ending ending) {
            session.finished(ending);
            LitmusProgram.End end = session.program().lastEnd();
            findings.enter(ending, end, session.findings());
            Ending twin = session.program().twin();
            if (twin != null) {
                boolean holds = end == LitmusProgram.End.POSITIVE;
                LitmusProgram.End other =
                        holds ? LitmusProgram.End.NEGATIVE : LitmusProgram.End.POSITIVE;
                findings.enter(twin, other, List.of());
            }
            if (stopsAtFirst && (findings.anyViolation() || decisive(findings) != null)) {
                enough = true;
            }
        }
    }

    /// @param sessions makes sessions of the test, all alike
    Examination(Supplier<Session> sessions, Condition.Quantifier quantifier, boolean stopsAtFirst) {
        this.sessions = sessions;
        this.quantifier = quantifier;
        this.stopsAtFirst = stopsAtFirst;
    }

    /// The test as a program for one more worker.
    Program newPart() {
        Part part = new Part();
        parts.add(part);
        return part;
    }

    /// Whether to explore no further.
    boolean enough() {
        return enough;
    }

    /// Puts together what all workers have seen; they must have ended.
    void finish() {
        Part first = parts.getFirst();
        for (Part other : parts.subList(1, parts.size())) {
            first.session.program().add(other.session.program());
            first.findings.add(other.findings);
        }
    }

    /// The test with its outcomes.
    LitmusProgram program() {
        return parts.getFirst().session.program();
    }

    Findings findings() {
        return parts.getFirst().findings;
    }

    /// The execution to show: one with a violation, or one that decides the condition; null where
    /// there is none.
    @Nullable Schedule witness() {
        Schedule violation = findings().ofViolation();
        return violation == null ? decisive(findings()) : violation;
    }

    /// Whether the proposition of the condition must hold in an execution that decides it: one that
    /// is asked for, or one that must not be.
    boolean decidedByHolding() {
        return quantifier != Condition.Quantifier.FORALL;
    }

    private @Nullable Schedule decisive(Findings seen) {
        return seen.ofCondition(decidedByHolding());
    }

    // ---- checkpoints

    @Override
    public void save(DataOutputStream out) throws IOException {
        out.writeInt(parts.size());
        for (Part part : parts) {
            part.session.program().save(out);
            part.findings.save(out);
        }
    }

    @Override
    public void load(DataInputStream in) throws IOException {
        Part first = parts.getFirst();
        for (int saved = in.readInt(); saved > 0; saved--) {
            first.session.program().load(in);
            first.findings.load(in);
        }
    }
}
